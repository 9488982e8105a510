import { invalid } from "../../error.ts";
import { symmetricEigen } from "../../math/symmetric-eigen.ts";

/**
 * S^(−1/2) of a symmetric positive definite matrix [n, n] of overlaps of radial functions (P.-O. Löwdin,
 * DOI 10.1063/1.1747632); where rounding leaves them dependent, an error.
 */
export function inverseRoot(S: Float64Array, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(S, n);
  const independent = values.filter((value) => value > 0).length;
  if (independent < n)
    throw invalid("soap.nmax", `at most ${independent}: more of these radial functions are dependent`, n);
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++)
        out[i * n + j] += (vectors[k * n + i] * vectors[k * n + j]) / Math.sqrt(values[k]);
  return out;
}
