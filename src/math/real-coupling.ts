import { clebschGordan } from "./clebsch-gordan.ts";
import { complexHarmonic, type Complex } from "./spherical-harmonics.ts";

/** One coefficient of a coupling of two real harmonics to a third. */
export interface RealCoupling {
  readonly m1: number;
  readonly m2: number;
  readonly M: number;
  readonly c: number;
}

const times = ([a, b]: Complex, [c, d]: Complex): Complex => [a * c - b * d, a * d + b * c];

const cache = new Map<string, readonly RealCoupling[]>();

/**
 * Clebsch–Gordan coefficients between real harmonics: Σ_m1,m2 c Y_l1,m1 Y_l2,m2 turns like Y_LM. They are ⟨l₁m₁ l₂m₂|LM⟩
 * taken to real harmonics, which leaves real numbers where l₁ + l₂ + L is even and imaginary ones, here without
 * the i, where it is odd. Orthonormal: Σ_m1,m2 c_LM c_L'M' = δ δ.
 */
export function realCoupling(l1: number, l2: number, L: number): readonly RealCoupling[] {
  const key = `${l1} ${l2} ${L}`;
  let table = cache.get(key);
  if (!table) cache.set(key, (table = tabulate(l1, l2, L)));
  return table;
}

function tabulate(l1: number, l2: number, L: number): RealCoupling[] {
  const odd = (l1 + l2 + L) % 2 === 1;
  const sums = new Map<string, RealCoupling>();
  const put = (m1: number, m2: number, M: number, c: number) => {
    if (c === 0) return;
    const key = `${m1} ${m2} ${M}`;
    sums.set(key, { m1, m2, M, c: c + (sums.get(key)?.c ?? 0) });
  };
  for (let p = -l1; p <= l1; p++)
    for (let q = Math.max(-l2, -L - p); q <= Math.min(l2, L - p); q++) {
      const g = clebschGordan(2 * l1, 2 * p, 2 * l2, 2 * q, 2 * L, 2 * (p + q));
      // |LM⟩ enters conjugated: the coefficient of Y_LM in the product is ⟨LM|.
      for (const a of complexHarmonic(p))
        for (const b of complexHarmonic(q))
          for (const e of complexHarmonic(p + q)) {
            const [re, im] = times(times(a.c, b.c), [e.c[0], -e.c[1]]);
            put(a.m, b.m, e.m, g * (odd ? im : re));
          }
    }
  return [...sums.values()].filter(({ c }) => Math.abs(c) > 1e-14);
}
