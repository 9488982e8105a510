import { expOf } from "../formula/scalar.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";

/** A sparse symmetric matrix [n, n] that acts on x, y and z alike, and a bound of its eigenvalues. */
interface Graph {
  readonly offsets: Int32Array;
  readonly index: Int32Array;
  readonly weights: Float64Array;
  readonly diagonal: Float64Array;
  readonly largest: number;
}

/** Steepness A of the weights, reach in distances of nearest neighbours, and what is added to the diagonal. */
const [STEEPNESS, REACH, STABILISER] = [3, 2, 0.1];
/** Order of the polynomial that stands for the inverse. */
const ORDER = 16;
/** Moves of an atom, in distances of nearest neighbours, after which the weights are made anew. */
const STALE = 0.15;

/** Where the weights were made: plain data, part of a checkpoint. */
export interface Metric {
  /** [n, 3], Å. */
  readonly positions: Float64Array;
  readonly cell: Float64Array | null;
}

/** P of one place. */
export interface Preconditioner {
  readonly metric: Metric;
  /** P⁻¹ v for v [n, 3], symmetric and positive. */
  readonly apply: (v: Float64Array) => Float64Array;
  /** Whether an atom has moved so far from where P was made that it ought to be made anew. */
  readonly stale: (positions: Float64Array) => boolean;
  /** The mean of P's diagonal. */
  readonly stiffness: number;
}

/**
 * The exponential preconditioner of D. Packwood et al., J. Chem. Phys. 144, 164109 (2016), DOI 10.1063/1.4947024: the
 * Laplacian of the graph of neighbours,
 *
 *     P_ij = −exp(−A (r_ij/r_nn − 1)),  P_ii = −Σ_j P_ij + c,
 *
 * A = 3, c = 0.1, pairs up to 2 r_nn, r_nn the largest distance of an atom to its nearest neighbour. It is as stiff as a
 * crystal is against short waves and as soft against long ones. The factor μ in front is for the minimiser to find. P⁻¹
 * is a Chebyshev polynomial of P, so it is the same linear map every time, without a factorisation. Fixed atoms hold
 * their neighbours and do not go with them.
 */
export function exponentialPreconditioner(
  structure: Structure,
  metric: Metric,
  fixed: readonly number[],
): Preconditioner {
  const there = { ...structure, ...metric };
  const near = nearest(there);
  const graph = laplacian(there, near, new Set(fixed));
  const { diagonal } = graph;
  return {
    metric,
    apply: (v) => inverseTimes(graph, v),
    stale: (positions) => positions.some((x, i) => Math.abs(x - metric.positions[i]) > STALE * near),
    stiffness: diagonal.reduce((sum, d) => sum + d, 0) / diagonal.length,
  };
}

/** Å within which nearest neighbours are looked for, in turn. */
const REACHES = [3, 5, 10];

/** Of each atom's distance to its nearest neighbour, the largest; atoms that have none in reach are left out. */
function nearest(structure: Structure): number {
  let most = 0;
  for (const reach of REACHES) {
    const { offsets, index, shift } = findNeighbours(structure, reach);
    let alone = 0;
    for (let i = 0; i < structure.numbers.length; i++) {
      let least = Infinity;
      for (let p = offsets[i]; p < offsets[i + 1]; p++)
        least = Math.min(least, distance(structure, i, index[p], shift, p));
      if (least <= reach) most = Math.max(most, least);
      else alone++;
    }
    if (alone === 0) break;
  }
  return most > 0 ? most : REACHES[0];
}

function distance(
  { positions, cell }: Structure,
  i: number,
  j: number,
  shift: Int32Array,
  p: number,
): number {
  let square = 0;
  for (let a = 0; a < 3; a++) {
    let d = positions[3 * j + a] - positions[3 * i + a];
    if (cell) for (let k = 0; k < 3; k++) d += shift[3 * p + k] * cell[3 * k + a];
    square += d * d;
  }
  return Math.sqrt(square);
}

/** P; fixed atoms are bound to nothing. */
function laplacian(structure: Structure, near: number, still: ReadonlySet<number>): Graph {
  const { offsets, index, shift } = findNeighbours(structure, REACH * near);
  const weights = new Float64Array(index.length);
  const diagonal = new Float64Array(structure.numbers.length).fill(STABILISER);
  let largest = 0;
  for (let i = 0; i < diagonal.length; i++) {
    let bonds = 0;
    for (let p = offsets[i]; p < offsets[i + 1]; p++) {
      const w = expOf(-STEEPNESS * (distance(structure, i, index[p], shift, p) / near - 1));
      bonds += w;
      // A fixed neighbour holds an atom, but does not go with it.
      if (!still.has(i) && !still.has(index[p])) weights[p] = w;
    }
    diagonal[i] += bonds;
    // Gershgorin: no eigenvalue is above this.
    largest = Math.max(largest, diagonal[i] + bonds);
  }
  return { offsets, index, weights, diagonal, largest };
}

/** P v. */
function times({ offsets, index, weights, diagonal }: Graph, v: Float64Array, out: Float64Array): void {
  for (let i = 0; i < diagonal.length; i++) {
    let [x, y, z] = [diagonal[i] * v[3 * i], diagonal[i] * v[3 * i + 1], diagonal[i] * v[3 * i + 2]];
    for (let p = offsets[i]; p < offsets[i + 1]; p++) {
      const [j, w] = [3 * index[p], weights[p]];
      x -= w * v[j];
      y -= w * v[j + 1];
      z -= w * v[j + 2];
    }
    out[3 * i] = x;
    out[3 * i + 1] = y;
    out[3 * i + 2] = z;
  }
}

/** ≈ P⁻¹ v: Chebyshev iteration on the eigenvalues between c and the largest (G. H. Golub, R. S. Varga, DOI 10.1007/BF01386013). */
function inverseTimes(graph: Graph, v: Float64Array): Float64Array {
  const middle = (graph.largest + STABILISER) / 2;
  const half = (graph.largest - STABILISER) / 2;
  // Atoms that have no neighbours: P is a multiple of 1.
  if (half === 0) return v.map((b) => b / middle);
  const x = new Float64Array(v.length);
  const Px = new Float64Array(v.length);
  const step = v.map((b) => b / middle);
  let before = half / middle;
  for (let k = 0; k < ORDER; k++) {
    for (let i = 0; i < x.length; i++) x[i] += step[i];
    times(graph, x, Px);
    const now = 1 / ((2 * middle) / half - before);
    for (let i = 0; i < x.length; i++) step[i] = now * before * step[i] + ((2 * now) / half) * (v[i] - Px[i]);
    before = now;
  }
  return x;
}
