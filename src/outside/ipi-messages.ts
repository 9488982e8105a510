import { inverse } from "../structure/cell.ts";
import { BOHR, HARTREE } from "../structure/units.ts";
import { isMoment } from "./moment.ts";

// The i-PI protocol: messages are twelve characters, numbers are in atomic units, matrices stand by columns
// (V. Kapil et al., Comput. Phys. Commun. 236, 214 (2019), DOI 10.1016/j.cpc.2018.09.020).

/** Length of every message's head. */
export const HEAD = 12;

/** A head, filled with blanks. */
export const head = (word: string): Uint8Array => new TextEncoder().encode(word.padEnd(HEAD));

/** The word of a head. */
export const wordOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();

/** Positions as they are sent. */
export interface Positions {
  /** [3, 3], Å, rows are lattice vectors. */
  readonly cell: Float64Array;
  /** [n, 3], Å. */
  readonly positions: Float64Array;
}

/** What is answered. */
export interface Forces {
  /** About the origin of the coordinates, e bohr: {"dipole": [x, y, z]} of the text that may follow. */
  readonly dipole?: ArrayLike<number>;
  /** eV. */
  readonly energy: number;
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
  /** −dE/dε, [3, 3], eV. */
  readonly virial: Float64Array;
}

/** Bytes between the head of POSDATA and the positions. */
export const POSITIONS_HEAD = 8 * 18 + 4;
/** Bytes between the head of FORCEREADY and the forces. */
export const FORCES_HEAD = 8 + 4;
/** Bytes after the forces, before the text that may follow. */
export const FORCES_TAIL = 8 * 9 + 4;

const transposed = (m: ArrayLike<number>): number[] => [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];

/** A cell for a molecule, Å: large, as other programs send. */
const OPEN = Float64Array.of(1000, 0, 0, 0, 1000, 0, 0, 0, 1000);

/** POSDATA: cell, its inverse, number of atoms, positions. */
export function encodePositions(cell: Float64Array | null, positions: Float64Array): Uint8Array {
  const box = (cell ?? OPEN).map((x) => x / BOHR);
  const n = positions.length / 3;
  const bytes = new Uint8Array(HEAD + POSITIONS_HEAD + 24 * n);
  bytes.set(head("POSDATA"));
  const view = new DataView(bytes.buffer);
  [...transposed(box), ...transposed(inverse(box))].forEach((x, k) => view.setFloat64(HEAD + 8 * k, x, true));
  view.setInt32(HEAD + 144, n, true);
  positions.forEach((x, k) => view.setFloat64(HEAD + POSITIONS_HEAD + 8 * k, x / BOHR, true));
  return bytes;
}

/** Number of atoms that the part after POSDATA's head announces. */
export const atomsOf = (bytes: Uint8Array): number => viewOf(bytes).getInt32(144, true);

/** Cell and positions of what follows POSDATA's head. */
export function decodePositions(bytes: Uint8Array): Positions {
  const view = viewOf(bytes);
  const box = Array.from({ length: 9 }, (_, k) => view.getFloat64(8 * k, true) * BOHR);
  const n = view.getInt32(144, true);
  return {
    cell: Float64Array.from(transposed(box)),
    positions: Float64Array.from(
      { length: 3 * n },
      (_, k) => view.getFloat64(POSITIONS_HEAD + 8 * k, true) * BOHR,
    ),
  };
}

/** FORCEREADY: energy, number of atoms, forces, virial, a text. */
export function encodeForces({ energy, forces, virial }: Forces, text = ""): Uint8Array {
  const n = forces.length / 3;
  const more = new TextEncoder().encode(text);
  const bytes = new Uint8Array(HEAD + FORCES_HEAD + 24 * n + FORCES_TAIL + more.length);
  bytes.set(head("FORCEREADY"));
  const view = new DataView(bytes.buffer);
  view.setFloat64(HEAD, energy / HARTREE, true);
  view.setInt32(HEAD + 8, n, true);
  let at = HEAD + FORCES_HEAD;
  forces.forEach((f, k) => view.setFloat64(at + 8 * k, (f * BOHR) / HARTREE, true));
  at += 24 * n;
  transposed(virial).forEach((w, k) => view.setFloat64(at + 8 * k, w / HARTREE, true));
  view.setInt32(at + 72, more.length, true);
  bytes.set(more, at + FORCES_TAIL);
  return bytes;
}

/** Number of atoms in FORCEREADY, from what follows its head. */
export const atomsAnswered = (bytes: Uint8Array): number => viewOf(bytes).getInt32(8, true);

/** Energy, forces and virial of what follows FORCEREADY's head, and what is known of the text behind them. */
export function decodeForces(bytes: Uint8Array, text?: Uint8Array): Forces {
  const view = viewOf(bytes);
  const n = view.getInt32(8, true);
  const at = FORCES_HEAD + 24 * n;
  const dipole = text && dipoleOf(new TextDecoder().decode(text));
  return {
    ...(dipole && { dipole }),
    energy: view.getFloat64(0, true) * HARTREE,
    forces: Float64Array.from(
      { length: 3 * n },
      (_, k) => (view.getFloat64(FORCES_HEAD + 8 * k, true) * HARTREE) / BOHR,
    ),
    virial: Float64Array.from(
      transposed(Array.from({ length: 9 }, (_, k) => view.getFloat64(at + 8 * k, true) * HARTREE)),
    ),
  };
}

/** The dipole in a text of JSON, as i-PI reads it; a text of another kind has none. */
function dipoleOf(text: string): readonly number[] | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const { dipole } = JSON.parse(text) as { readonly dipole?: unknown };
    return isMoment(dipole) ? dipole : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
