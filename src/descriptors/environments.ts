import { invalid } from "../error.ts";
import { symbolOf } from "../structure/elements.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";

/**
 * The surroundings of a set of centre atoms of one or several structures, laid out for the loop skeletons.
 * Centres are sorted by element (stable), so the features of one element form one contiguous matrix.
 * The pairs of a centre are sorted by the neighbour's element (stable).
 */
export interface Environments {
  /** Number of centres. */
  readonly count: number;
  /** Number of atoms of all structures together. */
  readonly atoms: number;
  /** Atomic numbers of the model; element indices below point into it. */
  readonly elements: readonly number[];
  /** Centres of element e are rows starts[e] … starts[e+1], [S + 1]. */
  readonly starts: Int32Array;
  /** Atom number of each centre, [count]. */
  readonly centre: Int32Array;
  /** Structure number of each centre, [count] (all 0 for one structure). */
  readonly structure: Int32Array;
  /** Pairs of centre c with neighbours of element s are offsets[c*S + s] … offsets[c*S + s + 1], [count*S + 1]. */
  readonly offsets: Int32Array;
  /** Atom number of each pair's neighbour, [pairs]. */
  readonly neighbour: Int32Array;
  /** r_ij, [pairs, 3], Å. */
  readonly vectors: Float64Array;
  /** |r_ij|, [pairs], Å; all < cutoff. */
  readonly distances: Float64Array;
}

/** Atom range [first, last) whose members are centres; all atoms by default. */
export type Range = readonly [first: number, last: number];

/** A structure with a neighbour list whose cutoff is at least the one asked for. */
export interface Surroundings {
  readonly structure: Structure;
  readonly neighbours: Neighbours;
}

/**
 * The surroundings of the atoms of the structures, numbered one structure after another.
 * Only pairs closer than `cutoff` (Å) are taken; an atom whose element the model does not know is an InputError.
 */
export function environments(
  structures: readonly Surroundings[],
  elements: readonly number[],
  cutoff: number,
  range?: Range,
): Environments {
  return new EnvironmentsBuilder(elements, cutoff).build(structures, range);
}

/** Builds Environments again and again into the same buffers: each result is valid until the next `build`. */
export class EnvironmentsBuilder {
  readonly #elements: readonly number[];
  readonly #cutoff: number;
  /** Element index of each atomic number, −1 where unknown. */
  readonly #indexOf = new Int8Array(256).fill(-1);

  // Per centre.
  readonly #starts: Int32Array;
  #centre = new Int32Array(0);
  #structure = new Int32Array(0);
  #offsets = new Int32Array(1);
  // Per pair.
  #neighbour = new Int32Array(0);
  #vectors = new Float64Array(0);
  #distances = new Float64Array(0);
  // One centre's pairs before they are sorted by element.
  #rowAtom = new Int32Array(64);
  #rowElement = new Uint8Array(64);
  #rowVector = new Float64Array(192);
  #rowDistance = new Float64Array(64);
  readonly #slots: Int32Array;

  constructor(elements: readonly number[], cutoff: number) {
    this.#elements = elements;
    this.#cutoff = cutoff;
    for (const [e, z] of elements.entries()) this.#indexOf[z] = e;
    this.#starts = new Int32Array(elements.length + 1);
    this.#slots = new Int32Array(elements.length);
  }

  build(structures: readonly Surroundings[], range?: Range): Environments {
    const atoms = structures.reduce((n, { structure }) => n + structure.numbers.length, 0);
    const [first, last] = range ?? [0, atoms];
    const most = this.#sortCentres(structures, first, last);
    const count = this.#starts[this.#elements.length];
    this.#reserve(count, most);
    const pairs = this.#collect(structures, count);
    return {
      count,
      atoms,
      elements: this.#elements,
      starts: this.#starts,
      centre: this.#centre.subarray(0, count),
      structure: this.#structure.subarray(0, count),
      offsets: this.#offsets.subarray(0, count * this.#elements.length + 1),
      neighbour: this.#neighbour.subarray(0, pairs),
      vectors: this.#vectors.subarray(0, 3 * pairs),
      distances: this.#distances.subarray(0, pairs),
    };
  }

  /** Centres by element; returns how many pairs are listed for them. */
  #sortCentres(structures: readonly Surroundings[], first: number, last: number): number {
    if (this.#centre.length < last - first) {
      this.#centre = new Int32Array(grown(last - first));
      this.#structure = new Int32Array(this.#centre.length);
    }
    const starts = this.#starts.fill(0);
    let pairs = 0;
    this.#visit(structures, first, last, (e, s, i) => {
      const { offsets } = structures[s].neighbours;
      pairs += offsets[i + 1] - offsets[i];
      starts[e + 1]++;
    });
    for (let e = 0; e < this.#elements.length; e++) {
      starts[e + 1] += starts[e];
      this.#slots[e] = starts[e];
    }
    this.#visit(structures, first, last, (e, s, _, a) => {
      const c = this.#slots[e]++;
      this.#centre[c] = a;
      this.#structure[c] = s;
    });
    return pairs;
  }

  /** Element index, structure, atom in it and atom number of every atom in the range. */
  #visit(
    structures: readonly Surroundings[],
    first: number,
    last: number,
    see: (e: number, s: number, i: number, a: number) => void,
  ): void {
    let base = 0;
    for (let s = 0; s < structures.length; s++) {
      const { structure, neighbours } = structures[s];
      if (neighbours.cutoff < this.#cutoff)
        throw invalid("neighbours.cutoff", `at least ${this.#cutoff} Å`, neighbours.cutoff);
      const end = Math.min(base + structure.numbers.length, last);
      for (let a = Math.max(base, first); a < end; a++)
        see(this.#elementOf(structure, a - base), s, a - base, a);
      base += structure.numbers.length;
    }
  }

  #elementOf({ numbers }: Structure, i: number): number {
    const e = this.#indexOf[numbers[i]];
    if (e >= 0) return e;
    const known = this.#elements.map(symbolOf).join(", ");
    throw invalid(`atom ${i}`, `an element of the model (${known})`, symbolOf(numbers[i]));
  }

  #reserve(count: number, pairs: number): void {
    const offsets = count * this.#elements.length + 1;
    if (this.#offsets.length < offsets) this.#offsets = new Int32Array(grown(offsets));
    // Every listed pair could be within the cutoff; a list with a skin has few more than that.
    if (this.#neighbour.length < pairs) {
      this.#neighbour = new Int32Array(grown(pairs));
      this.#vectors = new Float64Array(3 * this.#neighbour.length);
      this.#distances = new Float64Array(this.#neighbour.length);
    }
  }

  /** Fills the pairs of every centre; returns how many there are. */
  #collect(structures: readonly Surroundings[], count: number): number {
    const bases = new Int32Array(structures.length);
    for (let s = 1; s < structures.length; s++)
      bases[s] = bases[s - 1] + structures[s - 1].structure.numbers.length;
    let pairs = 0;
    for (let c = 0; c < count; c++) {
      const s = this.#structure[c];
      const near = this.#measure(structures[s], this.#centre[c] - bases[s]);
      pairs = this.#place(c, bases[s], near, pairs);
    }
    this.#offsets[count * this.#elements.length] = pairs;
    return pairs;
  }

  /** Vectors of atom i's listed neighbours that are within the cutoff, in list order. */
  #measure({ structure, neighbours: { offsets, index, shift } }: Surroundings, i: number): number {
    const { numbers, positions, cell } = structure;
    const begin = offsets[i];
    const end = offsets[i + 1];
    if (this.#rowAtom.length < end - begin) this.#growRow(end - begin);
    const indexOf = this.#indexOf;
    const rowAtom = this.#rowAtom;
    const rowElement = this.#rowElement;
    const rowVector = this.#rowVector;
    const rowDistance = this.#rowDistance;
    const cutoff2 = this.#cutoff * this.#cutoff;
    const xi = positions[3 * i];
    const yi = positions[3 * i + 1];
    const zi = positions[3 * i + 2];
    let near = 0;
    for (let p = begin; p < end; p++) {
      const j = index[p];
      let x = positions[3 * j] - xi;
      let y = positions[3 * j + 1] - yi;
      let z = positions[3 * j + 2] - zi;
      if (cell !== null) {
        const a = shift[3 * p];
        const b = shift[3 * p + 1];
        const c = shift[3 * p + 2];
        x += a * cell[0] + b * cell[3] + c * cell[6];
        y += a * cell[1] + b * cell[4] + c * cell[7];
        z += a * cell[2] + b * cell[5] + c * cell[8];
      }
      const r2 = x * x + y * y + z * z;
      if (r2 >= cutoff2) continue;
      const e = indexOf[numbers[j]];
      rowElement[near] = e >= 0 ? e : this.#elementOf(structure, j);
      rowAtom[near] = j;
      rowVector[3 * near] = x;
      rowVector[3 * near + 1] = y;
      rowVector[3 * near + 2] = z;
      rowDistance[near] = Math.sqrt(r2);
      near++;
    }
    return near;
  }

  /** Sorts one centre's pairs by element, from pair `pairs` on; returns the next free pair. */
  #place(c: number, base: number, near: number, pairs: number): number {
    const S = this.#elements.length;
    const slots = this.#slots.fill(0);
    const rowElement = this.#rowElement;
    const rowAtom = this.#rowAtom;
    const rowVector = this.#rowVector;
    const neighbour = this.#neighbour;
    const vectors = this.#vectors;
    const distances = this.#distances;
    for (let n = 0; n < near; n++) slots[rowElement[n]]++;
    let next = pairs;
    for (let e = 0; e < S; e++) {
      this.#offsets[c * S + e] = next;
      const size = slots[e];
      slots[e] = next;
      next += size;
    }
    for (let n = 0; n < near; n++) {
      const p = slots[rowElement[n]]++;
      neighbour[p] = base + rowAtom[n];
      vectors[3 * p] = rowVector[3 * n];
      vectors[3 * p + 1] = rowVector[3 * n + 1];
      vectors[3 * p + 2] = rowVector[3 * n + 2];
      distances[p] = this.#rowDistance[n];
    }
    return next;
  }

  #growRow(size: number): void {
    this.#rowAtom = new Int32Array(grown(size));
    this.#rowElement = new Uint8Array(this.#rowAtom.length);
    this.#rowVector = new Float64Array(3 * this.#rowAtom.length);
    this.#rowDistance = new Float64Array(this.#rowAtom.length);
  }
}

/** Room for a little more than asked, so that a slowly growing neighbour list seldom reallocates. */
const grown = (size: number): number => Math.ceil(1.25 * size) + 16;
