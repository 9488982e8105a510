import { invalid } from "../error.ts";
import { completeCell, faceDistances, fractional, reduceCell } from "./cell.ts";
import type { Structure } from "./structure.ts";

/**
 * Full list of pairs (i, j): both i→j and j→i are listed, images included, i→i images too, never i→i itself.
 * r_ij = r_j + shift·cell − r_i. The pairs of an atom are sorted by j, then by shift (first, second, third component).
 */
export interface Neighbours {
  /** Every pair closer than this is listed, Å (pairs farther apart may be listed too). */
  readonly cutoff: number;
  /** Pairs of atom i are offsets[i] … offsets[i+1], [n + 1]. */
  readonly offsets: Int32Array;
  /** Atom j of each pair, [pairs]. */
  readonly index: Int32Array;
  /** Lattice translation of j, [pairs, 3]; zero along directions that are not periodic. */
  readonly shift: Int32Array;
}

/** Atoms sorted into bins along the (reduced) lattice vectors. */
interface Bins {
  /** Number of bins along each direction. */
  readonly shape: readonly number[];
  /** How many bins away a neighbour can be, along each direction. */
  readonly reach: readonly number[];
  /** Atoms of bin b are order[starts[b]] … order[starts[b+1]]. */
  readonly starts: Int32Array;
  readonly order: Int32Array;
  /** Atom positions moved into the cell, [n, 3], Å, and the lattice translations taken out, [n, 3]. */
  readonly wrapped: Float64Array;
  readonly taken: Int32Array;
}

/** Growing list of pairs in the order they are found. */
class Pairs {
  count = 0;
  index = new Int32Array(1024);
  shift = new Int32Array(3 * 1024);

  push(j: number, s0: number, s1: number, s2: number): void {
    if (this.count === this.index.length) this.#grow();
    const p = this.count++;
    this.index[p] = j;
    this.shift[3 * p] = s0;
    this.shift[3 * p + 1] = s1;
    this.shift[3 * p + 2] = s2;
  }

  #grow(): void {
    const index = new Int32Array(2 * this.index.length);
    const shift = new Int32Array(2 * this.shift.length);
    index.set(this.index);
    shift.set(this.shift);
    this.index = index;
    this.shift = shift;
  }
}

// Relative slack of the bins, so that rounding of fractional coordinates never hides a pair; the pair test is exact.
const SLACK = 1e-9;

/**
 * Every pair closer than `cutoff` (Å), by sorting atoms into bins: time and memory ∝ atoms at constant density.
 * Right for cells smaller than twice the cutoff (several images of the same j), any skew, mixed periodicity,
 * atoms outside the cell, and molecules. The result depends on positions and cell only, not on the bins.
 */
export function findNeighbours(structure: Structure, cutoff: number): Neighbours {
  const { positions, pbc } = structure;
  if (!(cutoff >= 0) || cutoff === Infinity) throw invalid("cutoff", "a length in Å, zero or more", cutoff);
  const bad = positions.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0)
    throw invalid(`positions of atom ${Math.floor(bad / 3)}`, "finite coordinates in Å", `${positions[bad]}`);
  if (positions.length <= 3 * FEW && !pbc.includes(true)) return amongFew(positions, cutoff);
  const { reduced, transform } = reduceCell(completeCell(structure.cell, pbc), pbc);
  const bins = sortIntoBins(positions, reduced, pbc, cutoff);
  return collect(structure, cutoff, reduced, transform, bins);
}

/** Below this many atoms of a molecule, looking at all pairs takes less time than bins. */
const FEW = 64;

/** The same list without bins, for few atoms that are not periodic. */
function amongFew(positions: Float64Array, cutoff: number): Neighbours {
  const n = positions.length / 3;
  const rc2 = cutoff * cutoff;
  const offsets = new Int32Array(n + 1);
  const found = new Int32Array(n * n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const [xi, yi, zi] = [positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]];
    for (let j = 0; j < n; j++) {
      const dx = positions[3 * j] - xi;
      const dy = positions[3 * j + 1] - yi;
      const dz = positions[3 * j + 2] - zi;
      if (dx * dx + dy * dy + dz * dz < rc2 && j !== i) found[count++] = j;
    }
    offsets[i + 1] = count;
  }
  return { cutoff, offsets, index: found.slice(0, count), shift: new Int32Array(3 * count) };
}

function sortIntoBins(
  positions: Float64Array,
  cell: Float64Array,
  pbc: Structure["pbc"],
  cutoff: number,
): Bins {
  const n = positions.length / 3;
  const f = fractional(positions, cell);
  const wrapped = positions.slice();
  const taken = new Int32Array(3 * n);
  const low = [0, 0, 0];
  const span = [1, 1, 1];
  for (let a = 0; a < 3; a++) {
    if (pbc[a]) {
      for (let i = 0; i < n; i++) {
        const w = Math.floor(f[3 * i + a]);
        if (w === 0) continue;
        taken[3 * i + a] = w;
        f[3 * i + a] -= w;
        for (let k = 0; k < 3; k++) wrapped[3 * i + k] -= w * cell[3 * a + k];
      }
    } else {
      let [min, max] = [Infinity, -Infinity];
      for (let i = 0; i < n; i++) {
        min = Math.min(min, f[3 * i + a]);
        max = Math.max(max, f[3 * i + a]);
      }
      low[a] = n > 0 ? min : 0;
      span[a] = n > 0 ? max - min : 0;
    }
  }
  const lengths = faceDistances(cell).map((h, a) => h * span[a]);
  const shape = binCounts(lengths, cutoff, n);
  const reach = shape.map((bins, a) => {
    if (!pbc[a] && bins === 1) return 0;
    const range = Math.ceil(((cutoff * (1 + SLACK)) / lengths[a]) * bins + SLACK);
    return pbc[a] ? range : Math.min(range, bins - 1);
  });
  const bin = (i: number) => {
    let b = 0;
    for (let a = 0; a < 3; a++) {
      const x = span[a] > 0 ? Math.floor(((f[3 * i + a] - low[a]) / span[a]) * shape[a]) : 0;
      b = b * shape[a] + Math.min(Math.max(x, 0), shape[a] - 1);
    }
    return b;
  };
  const starts = new Int32Array(shape[0] * shape[1] * shape[2] + 1);
  const of = Int32Array.from({ length: n }, (_, i) => bin(i));
  for (const b of of) starts[b + 1]++;
  for (let b = 1; b < starts.length; b++) starts[b] += starts[b - 1];
  const cursor = starts.slice();
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[cursor[of[i]]++] = i;
  return { shape, reach, starts, order, wrapped, taken };
}

/** Bins about half a cutoff wide, but no more of them than atoms (sparse or tiny systems get wider ones). */
function binCounts(lengths: readonly number[], cutoff: number, n: number): number[] {
  const shape = lengths.map((h) => Math.max(1, Math.min(1024, Math.floor((2 * h) / Math.max(cutoff, 1e-3)))));
  while (shape[0] * shape[1] * shape[2] > Math.max(1, n)) {
    const widest = shape.indexOf(Math.max(...shape));
    shape[widest] = Math.max(1, Math.floor(shape[widest] * 0.7));
  }
  return shape;
}

function collect(
  structure: Structure,
  cutoff: number,
  reduced: Float64Array,
  transform: Int32Array,
  bins: Bins,
): Neighbours {
  const { positions, cell, pbc } = structure;
  const n = positions.length / 3;
  const { shape, starts, order, wrapped, taken } = bins;
  const rc2 = cutoff * cutoff;
  const loose = rc2 * (1 + SLACK) + SLACK;
  const C = cell ?? new Float64Array(9);
  const pairs = new Pairs();
  const first = new Int32Array(n);
  const counts = new Int32Array(n);
  const near = new Candidates(Math.max(n, 64));

  for (let b0 = 0; b0 < shape[0]; b0++)
    for (let b1 = 0; b1 < shape[1]; b1++)
      for (let b2 = 0; b2 < shape[2]; b2++) {
        const home = (b0 * shape[1] + b1) * shape[2] + b2;
        if (starts[home] === starts[home + 1]) continue;
        near.gather([b0, b1, b2], bins, reduced, pbc);
        for (let q = starts[home]; q < starts[home + 1]; q++) {
          const i = order[q];
          const [xi, yi, zi] = [wrapped[3 * i], wrapped[3 * i + 1], wrapped[3 * i + 2]];
          first[i] = pairs.count;
          for (let p = 0; p < near.count; p++) {
            const dx = near.xyz[3 * p] - xi;
            const dy = near.xyz[3 * p + 1] - yi;
            const dz = near.xyz[3 * p + 2] - zi;
            if (dx * dx + dy * dy + dz * dz > loose) continue;
            const j = near.atom[p];
            const t0 = near.shift[3 * p] - taken[3 * j] + taken[3 * i];
            const t1 = near.shift[3 * p + 1] - taken[3 * j + 1] + taken[3 * i + 1];
            const t2 = near.shift[3 * p + 2] - taken[3 * j + 2] + taken[3 * i + 2];
            const s0 = t0 * transform[0] + t1 * transform[3] + t2 * transform[6];
            const s1 = t0 * transform[1] + t1 * transform[4] + t2 * transform[7];
            const s2 = t0 * transform[2] + t1 * transform[5] + t2 * transform[8];
            if (j === i && s0 === 0 && s1 === 0 && s2 === 0) continue;
            // The exact test uses the positions as given and is antisymmetric to the bit, so i→j and j→i agree.
            const rx = positions[3 * j] - positions[3 * i] + (s0 * C[0] + s1 * C[3] + s2 * C[6]);
            const ry = positions[3 * j + 1] - positions[3 * i + 1] + (s0 * C[1] + s1 * C[4] + s2 * C[7]);
            const rz = positions[3 * j + 2] - positions[3 * i + 2] + (s0 * C[2] + s1 * C[5] + s2 * C[8]);
            if (rx * rx + ry * ry + rz * rz < rc2) pairs.push(j, s0, s1, s2);
          }
          counts[i] = pairs.count - first[i];
        }
      }
  return transpose(cutoff, n, pairs, first, counts);
}

/** Atoms (with images) of the bins around one bin. */
class Candidates {
  count = 0;
  atom: Int32Array;
  xyz: Float64Array;
  shift: Int32Array;

  constructor(capacity: number) {
    this.atom = new Int32Array(capacity);
    this.xyz = new Float64Array(3 * capacity);
    this.shift = new Int32Array(3 * capacity);
  }

  gather(home: readonly number[], bins: Bins, cell: Float64Array, pbc: Structure["pbc"]): void {
    const { shape, reach, starts, order, wrapped } = bins;
    this.count = 0;
    // Along a direction that is not periodic there are bins 0 … shape−1 only.
    const from = home.map((b, a) => (pbc[a] ? b - reach[a] : Math.max(0, b - reach[a])));
    const to = home.map((b, a) => (pbc[a] ? b + reach[a] : Math.min(shape[a] - 1, b + reach[a])));
    for (let c0 = from[0]; c0 <= to[0]; c0++) {
      const t0 = Math.floor(c0 / shape[0]);
      for (let c1 = from[1]; c1 <= to[1]; c1++) {
        const t1 = Math.floor(c1 / shape[1]);
        for (let c2 = from[2]; c2 <= to[2]; c2++) {
          const t2 = Math.floor(c2 / shape[2]);
          const b =
            ((c0 - t0 * shape[0]) * shape[1] + (c1 - t1 * shape[1])) * shape[2] + (c2 - t2 * shape[2]);
          const x = t0 * cell[0] + t1 * cell[3] + t2 * cell[6];
          const y = t0 * cell[1] + t1 * cell[4] + t2 * cell[7];
          const z = t0 * cell[2] + t1 * cell[5] + t2 * cell[8];
          this.#reserve(starts[b + 1] - starts[b]);
          for (let q = starts[b]; q < starts[b + 1]; q++) {
            const p = this.count++;
            const j = order[q];
            this.atom[p] = j;
            this.xyz[3 * p] = wrapped[3 * j] + x;
            this.xyz[3 * p + 1] = wrapped[3 * j + 1] + y;
            this.xyz[3 * p + 2] = wrapped[3 * j + 2] + z;
            this.shift[3 * p] = t0;
            this.shift[3 * p + 1] = t1;
            this.shift[3 * p + 2] = t2;
          }
        }
      }
    }
  }

  #reserve(more: number): void {
    if (this.count + more <= this.atom.length) return;
    const capacity = 2 * (this.count + more);
    const grown = new Candidates(capacity);
    grown.atom.set(this.atom);
    grown.xyz.set(this.xyz);
    grown.shift.set(this.shift);
    ({ atom: this.atom, xyz: this.xyz, shift: this.shift } = grown);
  }
}

/** Reading the symmetric list row by row and writing each pair to the row of its j leaves every row sorted by atom. */
function transpose(
  cutoff: number,
  n: number,
  pairs: Pairs,
  first: Int32Array,
  counts: Int32Array,
): Neighbours {
  const offsets = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) offsets[i + 1] = offsets[i] + counts[i];
  const index = new Int32Array(pairs.count);
  const shift = new Int32Array(3 * pairs.count);
  const cursor = offsets.slice(0, n);
  for (let i = 0; i < n; i++)
    for (let p = first[i]; p < first[i] + counts[i]; p++) {
      const to = cursor[pairs.index[p]]++;
      index[to] = i;
      // 0 − s, not −s: there is no negative zero in Int32Array, but the sums above would carry it.
      for (let k = 0; k < 3; k++) shift[3 * to + k] = 0 - pairs.shift[3 * p + k];
    }
  for (let i = 0; i < n; i++) sortImages(index, shift, offsets[i], offsets[i + 1]);
  return { cutoff, offsets, index, shift };
}

/** Insertion sort by shift of the images of one j, which stand side by side; one image in large cells, so free there. */
function sortImages(index: Int32Array, shift: Int32Array, from: number, to: number): void {
  for (let p = from + 1; p < to; p++)
    for (let q = p; q > from && index[q - 1] === index[q] && compare(shift, q - 1, q) > 0; q--)
      for (let k = 0; k < 3; k++) {
        const s = shift[3 * q + k];
        shift[3 * q + k] = shift[3 * (q - 1) + k];
        shift[3 * (q - 1) + k] = s;
      }
}

const compare = (shift: Int32Array, p: number, q: number) =>
  shift[3 * p] - shift[3 * q] || shift[3 * p + 1] - shift[3 * q + 1] || shift[3 * p + 2] - shift[3 * q + 2];

/** |r_j + shift·cell − r_i| of pair p of atom i, Å. */
export function pairDistance(
  { positions, cell }: Structure,
  { index, shift }: Neighbours,
  i: number,
  p: number,
): number {
  const j = index[p];
  let r2 = 0;
  for (let k = 0; k < 3; k++) {
    const image = cell
      ? shift[3 * p] * cell[k] + shift[3 * p + 1] * cell[3 + k] + shift[3 * p + 2] * cell[6 + k]
      : 0;
    r2 += (positions[3 * j + k] - positions[3 * i + k] + image) ** 2;
  }
  return Math.sqrt(r2);
}
