import type { Features } from "../descriptors/descriptor.ts";
import type { Regressor } from "./regressor.ts";

/** For tests: the derivative of all energies of a model along dG, by its pullback and by central differences of step h. */
export function slopesAlong(
  model: Regressor,
  G: Features,
  dG: Features,
  dEdG: Features,
  h: number,
): { readonly slope: number; readonly difference: number } {
  const total = G.counts.reduce((a, b) => a + b, 0);
  const energies = new Float64Array(total);
  model.pullback(G, energies, dEdG);
  const slope = dG.matrices.reduce((sum, m, e) => m.reduce((s, x, k) => s + x * dEdG.matrices[e][k], sum), 0);
  const kept = G.matrices.map((m) => m.slice());
  const [after, before] = [h, -h].map((step) => {
    G.matrices.forEach((m, e) => m.forEach((_, k) => (m[k] = kept[e][k] + step * dG.matrices[e][k])));
    model.forward(G, energies);
    return energies.slice();
  });
  G.matrices.forEach((m, e) => m.set(kept[e]));
  return { slope, difference: after.reduce((sum, x, c) => sum + x - before[c], 0) / (2 * h) };
}
