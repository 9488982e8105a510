import { isIsolatedAtom } from "../../potentials/isolated-atoms.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";

/** Composition as fractions, so that cells of different size compare; isolated atoms are a kind of their own. */
export function compositionOf(frame: Frame): string {
  const { numbers } = frame.structure;
  const counts = new Map<number, number>();
  for (const z of numbers) counts.set(z, (counts.get(z) ?? 0) + 1);
  const common = [...counts.values()].reduce(divisor, 0);
  const formula = [...counts].sort(([a], [b]) => a - b).map(([z, n]) => `${symbolOf(z)}${n / common}`);
  return `${isIsolatedAtom(frame) ? "isolated " : ""}${formula.join(" ")}`;
}

/** Greatest common divisor. */
const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** Energies per atom above the lowest of the same composition; eV per atom in and out. */
export function aboveLowest(compositions: readonly string[], energies: ArrayLike<number>): Float64Array {
  const lowest = new Map<string, number>();
  compositions.forEach((kind, f) => lowest.set(kind, Math.min(lowest.get(kind) ?? Infinity, energies[f])));
  return Float64Array.from(compositions, (kind, f) => energies[f] - (lowest.get(kind) ?? NaN));
}
