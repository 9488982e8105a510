import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { expOf } from "../../formula/scalar.ts";
import { Cholesky, solveCholesky } from "../../math/cholesky.ts";
import type { BasisShape, RadialIntegrals } from "./bases.ts";
import { gaussLegendre, scaledBessel } from "./quadrature.ts";

const POINTS = 256;
/** A Gaussian at the end of the basis has fallen to 10^−10 at the cutoff. */
const FALLEN = 10;

/**
 * Radial functions as the program QUIP has them: Gaussians φ_k(s) = exp(−(s − s_k)²/2σ²) at s_k = k s_end/nmax,
 * s_end = r_c + σ √(20 ln 10). The density's part ρ_l(s) = 4π exp(−(s² + r²)/2σ²) i_l(s r/σ²) is not projected but
 * fitted at the s_k, Σ_m w_m φ_m(s_k) = ρ_l(s_k), and f = Lᵀ w with L Lᵀ the overlap ∫ s² φ_k φ_m ds makes it one of
 * orthonormal functions. Found from what QUIP's descriptors give; see DOI 10.1063/5.0160898.
 */
export function equispaced({ nmax, lmax, cutoff, sigma }: BasisShape, device: Device): RadialIntegrals {
  const end = cutoff + sigma * Math.sqrt(2 * FALLEN * Math.LN10);
  const at = Array.from({ length: nmax }, (_, k) => (k * end) / nmax);
  const phi = (x: number) => expOf(-(x * x) / (2 * sigma * sigma));
  const { x, w } = gaussLegendre(POINTS, 0, end + 9 * sigma);
  const square = (entry: (a: number, b: number) => number) =>
    factor(
      Float64Array.from({ length: nmax * nmax }, (_, t) => entry(at[Math.floor(t / nmax)], at[t % nmax])),
      nmax,
      device,
    );
  const C = square((a, b) => phi(a - b));
  const L = square((a, b) => x.reduce((sum, s, k) => sum + w[k] * s * s * phi(s - a) * phi(s - b), 0));
  return (r) => {
    const out = new Float64Array((lmax + 1) * nmax);
    const i = at.map((s) => scaledBessel(lmax, (s * r) / sigma ** 2));
    for (let l = 0; l <= lmax; l++) {
      const fitted = Float64Array.from(at, (s, k) => 4 * Math.PI * phi(s - r) * i[k][l]);
      solveCholesky(C, nmax, fitted);
      for (let n = 0; n < nmax; n++)
        for (let k = n; k < nmax; k++) out[l * nmax + n] += L[k * nmax + n] * fitted[k];
    }
    return out;
  };
}

/** L of S = L Lᵀ [n, n]. */
function factor(S: Float64Array, n: number, device: Device): Float64Array {
  const address = device.memory.alloc(8 * n * n);
  const A = device.memory.f64(address, n * n);
  A.set(S);
  if (!new Cholesky(device, n).factor(n, address))
    throw invalid("soap.nmax", "fewer radial functions: these are dependent", n);
  return A.slice();
}
