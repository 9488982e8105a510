import { nodeOf } from "./monomials.ts";
import type { Polynomial } from "./monomials.ts";

/** A complex number. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

const times = (a: Complex, b: Complex): Complex => ({
  re: a.re * b.re - a.im * b.im,
  im: a.re * b.im + a.im * b.re,
});

const factor = (X: readonly Complex[], f: number): Complex =>
  f < 0 ? { re: X[~f].re, im: -X[~f].im } : X[f];

/** A polynomial as it is written: values [features] and derivatives by re and im of each X, [features][X]. */
export function evaluatePolynomial(p: Polynomial, X: readonly Complex[]): { G: number[]; dG: Complex[][] } {
  const G = [...p.constants];
  const dG = G.map(() => X.map(() => ({ re: 0, im: 0 })));
  for (let t = 0; t + 1 < p.firsts.length; t++) {
    const factors = [...p.factors.subarray(p.firsts[t], p.firsts[t + 1])];
    const value = factors.map((f) => factor(X, f)).reduce(times);
    for (let k = p.starts[t]; k < p.starts[t + 1]; k++) {
      const c = p.coefficient[k];
      G[p.feature[k]] += c * value.re;
      for (const [i, f] of factors.entries()) {
        const rest = factors
          .filter((_, m) => m !== i)
          .map((other) => factor(X, other))
          .reduce(times, { re: 1, im: 0 });
        const d = dG[p.feature[k]][nodeOf(f)];
        dG[p.feature[k]][nodeOf(f)] = { re: d.re + c * rest.re, im: d.im + (f < 0 ? c : -c) * rest.im };
      }
    }
  }
  return { G, dG };
}
