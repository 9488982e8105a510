import { symmetricEigen } from "../../math/symmetric-eigen.ts";

/** S^(−1/2) of a symmetric positive definite matrix [n, n] (P.-O. Löwdin, DOI 10.1063/1.1747632). */
export function inverseRoot(S: Float64Array, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(S, n);
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++)
        out[i * n + j] += (vectors[k * n + i] * vectors[k * n + j]) / Math.sqrt(values[k]);
  return out;
}
