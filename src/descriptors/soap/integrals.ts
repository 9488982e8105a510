import { expOf } from "../../formula/scalar.ts";
import type { BasisShape, RadialIntegrals } from "./bases.ts";
import { gaussLegendre, scaledBessel } from "./quadrature.ts";

/** Points of the integrals: their error is that of rounding while σ is above a thirtieth of the reach. */
const POINTS = 256;

/** f_nl(r) = 4π ∫ s² R_n(s) exp(−(s² + r²)/2σ²) i_l(s r/σ²) ds from 0 to `end` by quadrature, R_n = values(s). */
export function projected(
  { nmax, lmax, sigma }: BasisShape,
  values: (s: number) => Float64Array,
  end: number,
): RadialIntegrals {
  const { x, w } = gaussLegendre(POINTS, 0, end);
  const R = Array.from(x, values);
  return (r) => {
    const out = new Float64Array((lmax + 1) * nmax);
    x.forEach((s, k) => {
      const i = scaledBessel(lmax, (s * r) / sigma ** 2);
      const weight = 4 * Math.PI * w[k] * s * s * expOf(-((s - r) ** 2) / (2 * sigma ** 2));
      for (let l = 0; l <= lmax; l++)
        for (let n = 0; n < nmax; n++) out[l * nmax + n] += weight * R[k][n] * i[l];
    });
    return out;
  };
}
