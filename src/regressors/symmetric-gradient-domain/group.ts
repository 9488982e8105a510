import { invalid } from "../../error.ts";
import { allPairs } from "../../descriptors/molecular/coordinates.ts";

/** Atoms in a new order: atom i goes where atom p[i] was. */
export type Permutation = readonly number[];

/** (p ∘ q)[i] = p[q[i]]. */
export const after = (p: Permutation, q: Permutation): number[] => q.map((i) => p[i]);

export const identity = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Every product of the given permutations of n atoms, the identity first; null where there are more than `most`. */
export function closure(generators: readonly Permutation[], n: number, most: number): Permutation[] | null {
  const found = new Map<string, Permutation>();
  const queue: Permutation[] = [identity(n)];
  found.set(queue[0].join(), queue[0]);
  for (const p of queue)
    for (const g of generators) {
      const product = after(g, p);
      const key = product.join();
      if (found.has(key)) continue;
      if (found.size === most) return null;
      found.set(key, product);
      queue.push(product);
    }
  return queue;
}

/** Refuses what is no group of permutations of these atoms that keeps the elements. */
export function checkGroup(permutations: readonly Permutation[], numbers: Uint8Array, place: string): void {
  const n = numbers.length;
  for (const [k, p] of permutations.entries()) {
    if (p.toSorted((a, b) => a - b).join() !== identity(n).join())
      throw invalid(`${place}[${k}]`, `each of the numbers 0 to ${n - 1} once`, p.join(" "));
    const wrong = p.findIndex((j, i) => numbers[j] !== numbers[i]);
    if (wrong >= 0)
      throw invalid(`${place}[${k}]`, "atoms of one element exchanged", `${wrong} and ${p[wrong]}`);
  }
  const all = closure(permutations, n, permutations.length);
  if (all?.length !== permutations.length)
    throw invalid(place, "a group: with two permutations also their product, and the identity", "others");
}

/** Where feature (i, j), i < j, of `allPairs` lies after each permutation: x′[t] = x[place[t]], [permutations, D]. */
export function pairPlaces(permutations: readonly Permutation[], n: number): Int32Array {
  const pairs = allPairs(n);
  const number = new Int32Array(n * n);
  for (const [t, [i, j]] of pairs.entries()) number[i * n + j] = number[j * n + i] = t;
  return Int32Array.from(permutations.flatMap((p) => pairs.map(([i, j]) => number[p[i] * n + p[j]])));
}
