import { add, constant, mul, sub, type Expr } from "../../formula/expression.ts";
import type { BasisShape, RadialIntegrals } from "./bases.ts";
import { gaussLegendre, scaledBessel } from "./quadrature.ts";

/** Points of the integrals: their error is that of rounding while σ is above a thirtieth of the reach. */
const POINTS = 256;
/** Largest error of the series, as a part of the largest |f_nl|. */
const ERROR = 1e-11;
const DEGREES = [24, 32, 48, 64, 96, 128, 192, 256];

/**
 * f_nl(r) = 4π ∫ s² R_n(s) exp(−(s² + r²)/2σ²) i_l(s r/σ²) ds from 0 to `end`, R_n = values(s), as a Chebyshev series
 * on 0 … reach whose last coefficients are below 1e-11 of the largest value. Series cost no look-up and derive exactly.
 */
export function tabulated(
  r: Expr,
  { nmax, lmax, reach, sigma }: BasisShape,
  values: (s: number) => Float64Array,
  end: number,
): RadialIntegrals {
  const { x, w } = gaussLegendre(POINTS, 0, end);
  const R = Array.from(x, values);
  const integrals = (at: number): Float64Array => {
    const out = new Float64Array(nmax * (lmax + 1));
    x.forEach((s, k) => {
      const i = scaledBessel(lmax, (s * at) / sigma ** 2);
      const weight = 4 * Math.PI * w[k] * s * s * Math.exp(-((s - at) ** 2) / (2 * sigma ** 2));
      for (let n = 0; n < nmax; n++)
        for (let l = 0; l <= lmax; l++) out[n * (lmax + 1) + l] += weight * R[k][n] * i[l];
    });
    return out;
  };
  const series = chebyshev(integrals, reach);
  const T = polynomials(sub(mul(2 / reach, r), 1), series[0].length);
  return {
    f: (n, l) =>
      Array.from(series[n * (lmax + 1) + l], (c, k) => mul(c, T[k])).reduce((sum, term) => add(sum, term)),
    centre: Float64Array.from({ length: nmax }, (_, n) => integrals(0)[n * (lmax + 1)]),
  };
}

/** Coefficients of the Chebyshev series of several functions on 0 … end, of the least degree that suffices for all. */
function chebyshev(f: (x: number) => Float64Array, end: number): Float64Array[] {
  let best: Float64Array[] = [];
  for (const N of DEGREES) {
    const samples = Array.from({ length: N }, (_, j) =>
      f((end / 2) * (1 + Math.cos((Math.PI * (j + 0.5)) / N))),
    );
    best = Array.from(samples[0], (_, t) =>
      Float64Array.from({ length: N }, (__, k) => {
        let sum = 0;
        for (let j = 0; j < N; j++) sum += samples[j][t] * Math.cos((Math.PI * k * (j + 0.5)) / N);
        return ((k === 0 ? 1 : 2) * sum) / N;
      }),
    );
    const largest = Math.max(...samples.map((row) => Math.max(...row.map(Math.abs))));
    const small = (c: number) => Math.abs(c) < ERROR * largest;
    // The last degree at which any series has something, some zeros behind it to be sure.
    const last = Math.max(...best.map((c) => c.findLastIndex((v) => !small(v))));
    if (last < N - 6) return best.map((c) => c.slice(0, last + 1));
  }
  return best;
}

/** T_0 … T_{n−1} */
function polynomials(x: Expr, n: number): Expr[] {
  const T = [constant(1), x];
  for (let k = 2; k < n; k++) T.push(sub(mul(2, mul(x, T[k - 1])), T[k - 2]));
  return T;
}
