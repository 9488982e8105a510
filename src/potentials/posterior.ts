import { invalid } from "../error.ts";

/**
 * What is known of the parameters of a model linear in them: their covariance RᵀR, as the upper triangle R [P, P], row
 * after row. The energy of a structure with ∂E/∂θ = φ has the standard deviation |R φ|, eV.
 */
export class Posterior {
  readonly root: Float64Array;
  readonly parameters: number;

  constructor(root: Float64Array) {
    this.root = root;
    this.parameters = Math.round(Math.sqrt(2 * root.length + 0.25) - 0.5);
    if ((this.parameters * (this.parameters + 1)) / 2 !== root.length)
      throw invalid(
        "tensor training.posterior",
        "the upper triangle of a square matrix",
        `${root.length} numbers`,
      );
  }

  /** |R φ| for φ [count] = ∂E/∂θ from parameter `first` on; the others do not count. */
  deviation(phi: Float64Array, first = 0): number {
    const { root, parameters: P } = this;
    let total = 0;
    for (let i = 0, row = 0; i < first + phi.length; row += P - i, i++) {
      const from = Math.max(first, i);
      let sum = 0;
      for (let k = from, at = row + from - i; k < first + phi.length; k++) sum += root[at++] * phi[k - first];
      total += sum * sum;
    }
    return Math.sqrt(total);
  }
}

/** The upper triangle of R [n, n] in rows of `stride` numbers, times a factor. */
export function packUpper(R: Float64Array, stride: number, n: number, factor = 1): Float64Array {
  const packed = new Float64Array((n * (n + 1)) / 2);
  for (let i = 0, at = 0; i < n; i++) for (let k = i; k < n; k++) packed[at++] = factor * R[i * stride + k];
  return packed;
}
