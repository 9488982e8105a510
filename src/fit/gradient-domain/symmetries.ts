import { invalid } from "../../error.ts";
import { assign } from "../../math/assignment.ts";
import { symmetricEigen } from "../../math/symmetric-eigen.ts";
import {
  after,
  closure,
  identity,
  type Permutation,
} from "../../regressors/symmetric-gradient-domain/group.ts";

/** Geometries that are matched in pairs, at most: the symmetries of a molecule show in a few dozen. */
const MATCHED = 250;
/** Larger groups are no gain: a rigid molecule has few. */
const MOST = 512;

/** Distances between all atoms, [n, n], and the sizes of the eigenvectors' components by atom, [n, n]. */
interface Graph {
  readonly distances: Float64Array;
  readonly spectrum: Float64Array;
}

/** Two graphs laid over each other: atom a of the first on atom p[a] of the second, and what distances then differ by. */
interface Match {
  readonly p: Permutation;
  readonly cost: number;
}

/**
 * The permutations that a molecule goes through in these geometries [n, 3]: atoms of every pair of geometries are
 * matched by the eigenvectors of their distance matrices (S. Umeyama, DOI 10.1109/34.6778) as an assignment, the matches
 * made consistent along a minimum spanning tree, and closed to a group (S. Chmiela et al., DOI 10.1016/j.cpc.2019.02.007).
 */
export function learnSymmetries(
  numbers: Uint8Array,
  geometries: readonly Float64Array[],
): readonly Permutation[] {
  const n = numbers.length;
  const every = Math.max(1, Math.ceil(geometries.length / MATCHED));
  const graphs = geometries.filter((_, k) => k % every === 0).map((positions) => graphOf(positions, n));
  const found = alongTree(graphs, numbers);
  const group = closure(found, n, MOST);
  if (group) return group;
  throw invalid(
    "model.regressor.permutations",
    `generators of the molecule's group, or none: the training frames are too different for it to be learned`,
    `more than ${MOST} permutations`,
  );
}

function graphOf(positions: Float64Array, n: number): Graph {
  const distances = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [x, y, z] = [0, 1, 2].map((k) => positions[3 * i + k] - positions[3 * j + k]);
      distances[i * n + j] = distances[j * n + i] = Math.sqrt(x * x + y * y + z * z);
    }
  const { vectors } = symmetricEigen(distances.slice(), n);
  const spectrum = new Float64Array(n * n);
  for (let k = 0; k < n; k++) for (let a = 0; a < n; a++) spectrum[a * n + k] = Math.abs(vectors[k * n + a]);
  return { distances, spectrum };
}

/** Root of the sum of squares of A[a, b] − B[p[a], p[b]]. */
function mismatch(A: Float64Array, B: Float64Array, p: Permutation): number {
  const n = p.length;
  let sum = 0;
  for (let a = 0; a < n; a++) for (let b = 0; b < a; b++) sum += (A[a * n + b] - B[p[a] * n + p[b]]) ** 2;
  return Math.sqrt(2 * sum);
}

/** The better of the assignment and of atoms as they are. */
function match(A: Graph, B: Graph, numbers: Uint8Array, cost: Float64Array): Match {
  const n = numbers.length;
  for (let a = 0; a < n; a++)
    for (let b = 0; b < n; b++) {
      let likeness = 0;
      for (let k = 0; k < n; k++) likeness += A.spectrum[a * n + k] * B.spectrum[b * n + k];
      // No likeness exceeds 1, so atoms of another element are never chosen.
      cost[a * n + b] = numbers[a] === numbers[b] ? -likeness : 2 * n;
    }
  const same = { p: identity(n), cost: mismatch(A.distances, B.distances, identity(n)) };
  const p = [...assign(cost, n)];
  const other = { p, cost: mismatch(A.distances, B.distances, p) };
  return other.cost < same.cost ? other : same;
}

const inverse = (p: Permutation): number[] => {
  const q = identity(p.length);
  p.forEach((j, i) => (q[j] = i));
  return q;
};

/** Permutations from the first graph to each other one, along the tree of the cheapest matches (R. C. Prim 1957). */
function alongTree(graphs: readonly Graph[], numbers: Uint8Array): Permutation[] {
  const n = numbers.length;
  const cost = new Float64Array(n * n);
  const fromFirst: Permutation[] = [identity(n)];
  const nearest: { readonly from: number; readonly match: Match }[] = [];
  let last = 0;
  const left = new Set(graphs.keys());
  left.delete(0);
  while (left.size > 0) {
    for (const k of left) {
      // Each pair is matched once, the earlier graph first.
      const [u, v] = [Math.min(last, k), Math.max(last, k)];
      const found = match(graphs[u], graphs[v], numbers, cost);
      const own = u === last ? found : { p: inverse(found.p), cost: found.cost };
      if (!nearest[k] || own.cost < nearest[k].match.cost) nearest[k] = { from: last, match: own };
    }
    let next = -1;
    for (const k of left) if (next < 0 || nearest[k].match.cost < nearest[next].match.cost) next = k;
    left.delete(next);
    const { from, match: chosen } = nearest[next];
    fromFirst[next] = after(chosen.p, fromFirst[from]);
    last = next;
  }
  const different = new Map(fromFirst.map((p) => [p.join(), p]));
  return [...different.values()];
}
