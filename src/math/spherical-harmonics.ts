import { add, constant, mul, sub, type Expr, type Operand } from "../formula/expression.ts";

/**
 * Real spherical harmonics Y_lm of the unit vector (x, y, z), orthonormal on the sphere, as formulas: Y_lm stands at
 * l² + l + m, [(lmax + 1)²], m = −l … l. With C_m + i S_m = (x + i y)^m and Q_lm(z) = N_lm P_l^m(z)/(1 − z²)^{m/2}
 * without the sign of Condon and Shortley,
 *
 *     Y_lm = √2 Q_lm C_m (m > 0),   Q_l0 (m = 0),   √2 Q_l|m| S_|m| (m < 0):
 *
 * polynomials, so no pole needs care. Recursions in the order of m and l; DOI 10.1063/5.0156307.
 */
export function sphericalHarmonics(lmax: number, x: Expr, y: Expr, z: Expr): Expr[] {
  const Y: Expr[] = [];
  let [C, S]: [Operand, Operand] = [1, 0];
  let diagonal = Math.sqrt(1 / (4 * Math.PI));
  for (let m = 0; m <= lmax; m++) {
    if (m > 0) {
      [C, S] = [sub(mul(x, C), mul(y, S)), add(mul(x, S), mul(y, C))];
      diagonal *= Math.sqrt((2 * m + 1) / (2 * m));
    }
    const norm = m === 0 ? 1 : Math.SQRT2;
    for (const [k, Q] of column(lmax, m, diagonal * norm, z).entries()) {
      const l = m + k;
      Y[l * l + l + m] = mul(Q, C);
      if (m > 0) Y[l * l + l - m] = mul(Q, S);
    }
  }
  return Y;
}

/** Q_lm for l = m … lmax from Q_mm: Q_lm = a_l (z Q_{l−1,m} − Q_{l−2,m}/a_{l−1}), a_l² = (4l² − 1)/(l² − m²). */
function column(lmax: number, m: number, diagonal: number, z: Expr): Expr[] {
  const a = (l: number) => Math.sqrt((4 * l * l - 1) / (l * l - m * m));
  const Q = [constant(diagonal)];
  for (let l = m + 1; l <= lmax; l++) {
    const [one, two] = [Q[l - m - 1], Q[l - m - 2]];
    const last = two === undefined ? 0 : mul(1 / a(l - 1), two);
    Q.push(mul(a(l), sub(mul(z, one), last)));
  }
  return Q;
}

/** A complex number. */
export type Complex = readonly [re: number, im: number];

/** One term c·Y_lm of a real harmonic in a sum. */
export interface RealTerm {
  readonly m: number;
  readonly c: Complex;
}

/**
 * The complex harmonic Y_l^m of Condon and Shortley in real ones: (−1)^m (Y_l,m + i Y_l,−m)/√2 for m > 0, Y_l0, and
 * (Y_l,|m| − i Y_l,−|m|)/√2 for m < 0, so that Y_l^−m = (−1)^m (Y_l^m)*.
 */
export function complexHarmonic(m: number): readonly RealTerm[] {
  if (m === 0) return [{ m: 0, c: [1, 0] }];
  const n = Math.abs(m);
  const sign = m > 0 && n % 2 === 1 ? -Math.SQRT1_2 : Math.SQRT1_2;
  return [
    { m: n, c: [sign, 0] },
    { m: -n, c: [0, m > 0 ? sign : -sign] },
  ];
}
