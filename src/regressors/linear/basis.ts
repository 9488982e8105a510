import type { LinearBasis } from "../regressor.ts";
import type { LinearOptions } from "./options.ts";

/**
 * E = Σ_k θ_k φ_k(G), φ = (1, G_1 … G_K) and with `quadratic` (½G_1², G_1G_2, …, G_1G_K, ½G_2², …): LAMMPS's order and
 * convention of quadratic SNAP (M. A. Wood, A. P. Thompson, DOI 10.1063/1.5017641).
 */
export class PolynomialBasis implements LinearBasis {
  readonly starts: readonly number[];
  readonly #quadratic: boolean;
  readonly #one: number;

  constructor(starts: readonly number[], { quadratic, bias }: LinearOptions) {
    this.starts = starts;
    this.#quadratic = quadratic;
    this.#one = bias ? 1 : 0;
  }

  addValues(e: number, G: Float64Array, row: Float64Array): void {
    let k = this.starts[e];
    const K = G.length;
    row[k++] += this.#one;
    for (let t = 0; t < K; t++) row[k++] += G[t];
    if (!this.#quadratic) return;
    for (let t = 0; t < K; t++) {
      const g = G[t];
      row[k++] += (g * g) / 2;
      for (let u = t + 1; u < K; u++) row[k++] += g * G[u];
    }
  }

  addSlopes(e: number, G: Float64Array, dG: Float64Array, row: Float64Array): void {
    let k = this.starts[e] + 1;
    const K = G.length;
    for (let t = 0; t < K; t++) row[k++] += dG[t];
    if (!this.#quadratic) return;
    for (let t = 0; t < K; t++) {
      const [g, d] = [G[t], dG[t]];
      row[k++] += g * d;
      for (let u = t + 1; u < K; u++) row[k++] += g * dG[u] + d * G[u];
    }
  }
}
