import type { Device } from "../../device/device.ts";
import { Random } from "../../math/random.ts";
import { VOIGT } from "../../math/symmetric.ts";
import type { Trainable } from "../../potentials/potential.ts";
import { volume } from "../../structure/cell.ts";
import type { Frame } from "../../structure/structure.ts";
import { rowsOf } from "../least-squares/layout.ts";
import { whitening } from "./whitening.ts";

/** Energy per atom, force component, virial per atom: eV, eV/Å, eV. */
export const PROPERTIES = ["energy", "forces", "stress"] as const;

/** Parts that are left out one after another. */
export const FOLDS = 6;
/** Numbers that the rows of forces and virials may be: of more, some frames are drawn, whose rows count for all. */
const NUMBERS = 2 ** 23;
/** Frames that are looked at, at most. */
const FRAMES = 2000;

/** Rows Φ = A R⁻¹ of one fold and one property: in the coefficients that they belong to, the prior is |c|². */
export interface Segment {
  readonly fold: number;
  /** Number in `PROPERTIES`. */
  readonly property: number;
  readonly rows: number;
  /** Byte address of Φ [rows, P]. */
  readonly address: number;
  /** What Φ c should be: E/√n, F, W/√n. */
  readonly labels: Float64Array;
  /** What turns a residual of the row into one of the energy per atom, of a force, of the virial per atom. */
  readonly scales: Float64Array;
  /** Kind of the row's frame: its config_type, numbered. */
  readonly kinds: Int32Array;
}

/** Everything that the choice of expected errors needs of the data. */
export interface Probe {
  readonly device: Device;
  /** Columns, P. */
  readonly size: number;
  readonly segments: readonly Segment[];
  /** How many rows of the data each property's rows stand for. */
  readonly stands: readonly number[];
  /** Part of the frames that each kind is. */
  readonly shares: readonly number[];
}

/** A frame that is looked at. */
interface Drawn {
  readonly frame: Frame;
  readonly fold: number;
  /** Whether its forces and virial are; its energy is. */
  readonly whole: boolean;
}

/** Every share-th of a list. */
const takes = (k: number, share: number): boolean => Math.floor((k + 1) * share) > Math.floor(k * share);

/** The frames looked at: every kind spread evenly over the folds. */
function drawn(frames: readonly Frame[], P: number, seed: number): { all: Drawn[]; share: number } {
  const order = new Random(seed, "probe").shuffle([...frames]);
  // Equal kinds stand together, so that each is thinned and dealt out evenly.
  const groups = Map.groupBy(order, kindOf);
  const sorted = [...groups.keys()].sort().flatMap((kind) => groups.get(kind)!);
  const seen = sorted.filter((_, k) => takes(k, Math.min(1, FRAMES / sorted.length)));
  const rows = seen.reduce((sum, { structure }) => sum + rowsOf(structure.numbers.length), 0);
  const share = Math.min(1, NUMBERS / (rows * P));
  const all = seen.map((frame, k) => ({
    frame,
    fold: k % FOLDS,
    whole: takes(Math.floor(k / FOLDS), share),
  }));
  return { all, share };
}

const kindOf = ({ configType }: Frame): string => configType ?? "";

/** What a frame says of each property: places of its rows in the design matrix, and their labels. */
function told(
  { structure, energy, forces, stress }: Frame,
  whole: boolean,
): { row: number; label: number }[][] {
  const n = structure.numbers.length;
  const V = structure.cell && stress ? volume(structure.cell) : 0;
  const own = energy === undefined ? [] : [{ row: 0, label: energy }];
  if (!whole) return [own, [], []];
  return [
    own,
    Array.from(forces ?? [], (label, k) => ({ row: 1 + k, label })),
    stress ? VOIGT.map((at, k) => ({ row: 1 + 3 * n + k, label: -V * stress[at] })) : [],
  ];
}

/** Rows of a property in all frames over those in frames that are seen whole. */
function standing(chosen: readonly Drawn[], property: number): number {
  const rows = (list: readonly Drawn[]) =>
    list.reduce((sum, { frame }) => sum + told(frame, true)[property].length, 0);
  const seen = rows(chosen.filter(({ whole }) => whole));
  return seen > 0 ? rows(chosen) / seen : 1;
}

/** Room for the rows of each fold and property, in their order. */
function segmentsOf(chosen: readonly Drawn[], Q: number, { memory }: Device): Segment[] {
  const counts = new Int32Array(FOLDS * PROPERTIES.length);
  for (const { frame, fold, whole } of chosen)
    told(frame, whole).forEach((rows, property) => (counts[placeOf(fold, property)] += rows.length));
  return Array.from(counts, (rows, k) => ({
    fold: Math.floor(k / PROPERTIES.length),
    property: k % PROPERTIES.length,
    rows,
    address: memory.alloc(8 * rows * Q),
    labels: new Float64Array(rows),
    scales: new Float64Array(rows),
    kinds: new Int32Array(rows),
  }));
}

const placeOf = (fold: number, property: number) => fold * PROPERTIES.length + property;

/** Columns that are tried, at most: a trial takes six factors of matrices so large. */
const COLUMNS = 500;

/** The rows of a model that has a prior, whitened by it; null where a coefficient has none. */
export function probe(
  model: Trainable,
  frames: readonly Frame[],
  device: Device,
  seed: number,
  most: number = COLUMNS,
): Probe | null {
  const P = model.parameters.length;
  const white = whitening(model.prior!(), P, most, device);
  if (!white) return null;
  const Q = white.columns.length;
  const { all: chosen, share } = drawn(frames, Q, seed);
  const kinds = [...new Set(chosen.map(({ frame }) => kindOf(frame)))];
  const segments = segmentsOf(chosen, Q, device);
  const largest = Math.max(...chosen.map(({ frame }) => rowsOf(frame.structure.numbers.length)));
  const A = new Float64Array(largest * P);
  const room = device.memory.alloc(8 * largest * Q);
  const filled = new Int32Array(segments.length);
  for (const { frame, fold, whole } of chosen) {
    const n = frame.structure.numbers.length;
    if (whole) model.design!.fill(frame.structure, A, P);
    else model.design!.energy(frame.structure, A.subarray(0, P));
    for (const [property, rows] of told(frame, whole).entries()) {
      const segment = segments[placeOf(fold, property)];
      const first = filled[placeOf(fold, property)];
      filled[placeOf(fold, property)] += rows.length;
      const root = property === 1 ? 1 : Math.sqrt(n);
      const picked = device.memory.f64(room, rows.length * Q);
      rows.forEach(({ row, label }, k) => {
        white.columns.forEach((column, q) => (picked[k * Q + q] = A[row * P + column] / root));
        segment.labels[first + k] = label / root;
        segment.scales[first + k] = 1 / root;
        segment.kinds[first + k] = kinds.indexOf(kindOf(frame));
      });
      device.gemm.f64(rows.length, Q, Q, room, Q, white.inverse, Q, segment.address + 8 * first * Q, Q);
    }
  }
  const shares = kinds.map(
    (kind) => chosen.filter(({ frame }) => kindOf(frame) === kind).length / chosen.length,
  );
  const stands = share < 1 ? [1, standing(chosen, 1), standing(chosen, 2)] : [1, 1, 1];
  return { device, size: Q, segments, stands, shares };
}
