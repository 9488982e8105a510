/** All orders of 0 … n − 1. */
function orders(n: number): number[][] {
  if (n === 0) return [[]];
  return orders(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, k) => [...rest.slice(0, k), n - 1, ...rest.slice(k)]),
  );
}

/** All permutations of `count` atoms that exchange atoms only within each group. */
export function groupPermutations(count: number, groups: readonly (readonly number[])[]): number[][] {
  let all: number[][] = [Array.from({ length: count }, (_, i) => i)];
  for (const group of groups) {
    all = all.flatMap((before) =>
      orders(group.length).map((order) => {
        const after = [...before];
        order.forEach((from, to) => (after[group[to]] = before[group[from]]));
        return after;
      }),
    );
  }
  return all;
}

/** Atoms of each element, in the order of their first atoms. */
export function likeAtoms(numbers: Uint8Array): number[][] {
  const groups = new Map<number, number[]>();
  numbers.forEach((z, i) => groups.set(z, [...(groups.get(z) ?? []), i]));
  return [...groups.values()];
}
