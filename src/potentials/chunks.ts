import { invalid } from "../error.ts";
import { ELEMENTS, symbolOf } from "../structure/elements.ts";
import type { Range } from "../descriptors/environments.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import type { Evaluation, Potential } from "./potential.ts";

/** Atoms whose energies are computed together. Fixed, so that sums never depend on the number of threads. */
export const CHUNK = 64;

/** Below this many atoms a chunk sees the whole structure; above, only the part it needs. Changes no bits. */
export const WHOLE = 4 * CHUNK;

/** Number of chunks of n atoms. */
export const chunksOf = (n: number): number => Math.ceil(n / CHUNK);

/** A part of a structure as a structure of its own. */
export interface Part {
  readonly structure: Structure;
  readonly neighbours: Neighbours;
  /** The atoms whose energies are wanted. */
  readonly range: Range;
  /** Number in the whole structure of each atom of the part; null where they are the same. */
  readonly atoms: Int32Array | null;
}

/** What one chunk contributes: written from zero, then added to the whole, always in the order of the chunks. */
export interface Contribution extends Evaluation {
  readonly atoms: Int32Array | null;
}

/** Cuts chunks out of structures, into buffers that are used again: a part is valid until the next one. */
export class Cutter {
  #slot = new Int32Array(0);
  #atoms = new Int32Array(0);
  #numbers = new Uint8Array(0);
  #positions = new Float64Array(0);
  #offsets = new Int32Array(0);
  #index = new Int32Array(0);

  /** Atoms first … last and everything that their pairs reach. */
  cut(structure: Structure, neighbours: Neighbours, [first, last]: Range): Part {
    const n = structure.numbers.length;
    if (n <= WHOLE) return { structure, neighbours, range: [first, last], atoms: null };
    const begin = neighbours.offsets[first];
    const pairs = neighbours.offsets[last] - begin;
    this.#reserve(n, last - first + pairs, pairs);
    const atoms = this.#collect(neighbours, first, last);
    const own = last - first;
    for (let a = 0; a <= atoms; a++)
      this.#offsets[a] = a <= own ? neighbours.offsets[first + a] - begin : pairs;
    for (let a = 0; a < atoms; a++) {
      const i = this.#atoms[a];
      this.#numbers[a] = structure.numbers[i];
      for (let k = 0; k < 3; k++) this.#positions[3 * a + k] = structure.positions[3 * i + k];
      this.#slot[i] = 0;
    }
    return {
      structure: {
        numbers: this.#numbers.subarray(0, atoms),
        positions: this.#positions.subarray(0, 3 * atoms),
        cell: structure.cell,
        pbc: structure.pbc,
      },
      neighbours: {
        cutoff: neighbours.cutoff,
        offsets: this.#offsets.subarray(0, atoms + 1),
        index: this.#index.subarray(0, pairs),
        shift: neighbours.shift.subarray(3 * begin, 3 * (begin + pairs)),
      },
      range: [0, own],
      atoms: this.#atoms.subarray(0, atoms),
    };
  }

  /** Numbers the atoms of the part (own first, then in the order met) and its pairs; returns how many atoms. */
  #collect({ offsets, index }: Neighbours, first: number, last: number): number {
    const [slot, atoms] = [this.#slot, this.#atoms];
    let count = 0;
    for (let i = first; i < last; i++) {
      atoms[count++] = i;
      slot[i] = count;
    }
    const begin = offsets[first];
    for (let p = begin; p < offsets[last]; p++) {
      const j = index[p];
      if (slot[j] === 0) {
        atoms[count++] = j;
        slot[j] = count;
      }
      this.#index[p - begin] = slot[j] - 1;
    }
    return count;
  }

  #reserve(n: number, atoms: number, pairs: number): void {
    if (this.#slot.length < n) this.#slot = new Int32Array(n);
    const most = Math.min(n, atoms);
    if (this.#atoms.length < most) {
      this.#atoms = new Int32Array(most);
      this.#numbers = new Uint8Array(most);
      this.#positions = new Float64Array(3 * most);
      this.#offsets = new Int32Array(most + 1);
    }
    if (this.#index.length < pairs) this.#index = new Int32Array(Math.ceil(1.1 * pairs));
  }
}

/** A buffer that gives zeroed contributions for parts of any size. */
export class ContributionBuffer {
  #forces = new Float64Array(0);
  #energies = new Float64Array(0);
  #grades = new Float64Array(0);
  readonly #virial = new Float64Array(9);

  /** Zeros for a part of n atoms with what `out` asks for, valid until the next call. */
  reserve(n: number, atoms: Int32Array | null, out: Evaluation): Contribution {
    if (this.#energies.length < n) {
      this.#energies = new Float64Array(Math.ceil(1.25 * n));
      this.#grades = new Float64Array(this.#energies.length);
      this.#forces = new Float64Array(3 * this.#energies.length);
    }
    return {
      energy: 0,
      forces: this.#forces.subarray(0, 3 * n).fill(0),
      virial: this.#virial.fill(0),
      ...(out.energies ? { energies: this.#energies.subarray(0, n).fill(0) } : {}),
      ...(out.grades ? { grades: this.#grades.subarray(0, n).fill(0) } : {}),
      atoms,
    };
  }
}

/** ADDS a chunk's contribution to the whole. */
export function addContribution(part: Contribution, out: Evaluation): void {
  const { atoms, forces, energies, grades } = part;
  const n = forces.length / 3;
  out.energy += part.energy;
  for (let k = 0; k < 9; k++) out.virial[k] += part.virial[k];
  for (let a = 0; a < n; a++) {
    const [from, to] = [3 * a, 3 * (atoms === null ? a : atoms[a])];
    out.forces[to] += forces[from];
    out.forces[to + 1] += forces[from + 1];
    out.forces[to + 2] += forces[from + 2];
  }
  if (energies && out.energies)
    for (let a = 0; a < n; a++) out.energies[atoms === null ? a : atoms[a]] += energies[a];
  if (grades && out.grades)
    for (let a = 0; a < n; a++) {
      const i = atoms === null ? a : atoms[a];
      out.grades[i] = Math.max(out.grades[i], grades[a]);
    }
}

/** An InputError that names the first atom whose element is not among those known. */
export function demandElements({ numbers }: Structure, elements: readonly number[]): void {
  const known = new Uint8Array(256);
  for (const z of elements) known[z] = 1;
  for (let i = 0; i < numbers.length; i++)
    if (known[numbers[i]] === 0)
      throw invalid(
        `atom ${i}`,
        `an element of the model (${elements.map(symbolOf).join(", ")})`,
        nameOf(numbers[i]),
      );
}

const nameOf = (z: number): string => (z >= 1 && z <= ELEMENTS ? symbolOf(z) : `atomic number ${z}`);

/** Evaluates a potential chunk by chunk; `part` ADDS what the atoms in its range contribute. */
export class ChunkedEvaluation {
  readonly #elements: readonly number[];
  readonly #cutter = new Cutter();
  readonly #buffer = new ContributionBuffer();

  constructor(elements: readonly number[]) {
    this.#elements = elements;
  }

  run(
    structure: Structure,
    neighbours: Neighbours,
    out: Evaluation,
    range: Range | undefined,
    part: Potential["evaluate"],
  ): void {
    demandElements(structure, this.#elements);
    const [first, last] = range ?? [0, structure.numbers.length];
    for (let a = first; a < last; a += CHUNK) {
      const piece = this.#cutter.cut(structure, neighbours, [a, Math.min(a + CHUNK, last)]);
      const n = piece.structure.numbers.length;
      const contribution = this.#buffer.reserve(n, piece.atoms, out);
      part(piece.structure, piece.neighbours, contribution, piece.range);
      addContribution(contribution, out);
    }
  }
}
