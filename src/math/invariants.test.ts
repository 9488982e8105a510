import { describe, expect, it } from "vitest";
import { variable } from "../formula/expression.ts";
import { evaluate } from "../formula/javascript.ts";
import { countInvariants, invariants, type Factors } from "./invariants.ts";
import { Random } from "./random.ts";
import { complexHarmonic, sphericalHarmonics, type Complex } from "./spherical-harmonics.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

const LMAX = 6;
const harmonics = sphericalHarmonics(LMAX, variable("x"), variable("y"), variable("z"));
const equal = (l: number, n: number): Factors => ({
  l: Array.from({ length: n }, () => l),
  classes: Array.from({ length: n }, () => 0),
});
const distinct = (...l: number[]): Factors => ({ l, classes: [...l.keys()] });

const CASES: readonly Factors[] = [
  distinct(0),
  equal(5, 2),
  distinct(1, 2, 3),
  { l: [2, 2, 4], classes: [0, 0, 1] },
  equal(4, 3),
  distinct(1, 1, 2, 2),
  { l: [1, 1, 2, 2], classes: [0, 0, 1, 1] },
  distinct(3, 2, 2, 1),
  equal(4, 4),
  distinct(2, 2, 2, 2),
  { l: [1, 1, 1, 3, 2], classes: [0, 0, 0, 1, 2] },
  equal(2, 5),
  equal(3, 6),
];

type Vectors = readonly (readonly number[])[];

const unit = (random: Random): number[] => {
  const w = [random.normal(), random.normal(), random.normal()];
  const r = Math.sqrt(w[0] ** 2 + w[1] ** 2 + w[2] ** 2);
  return w.map((x) => x / r);
};

/** A rotation by Rodrigues' formula, with a reflection in front where asked for. */
function turned(vectors: Vectors, [a, b, c]: readonly number[], angle: number, sign: number): Vectors {
  return vectors.map((v) => {
    const [x, y, z] = v.map((q) => sign * q);
    const s = (a * x + b * y + c * z) * (1 - Math.cos(angle));
    const cross = [b * z - c * y, c * x - a * z, a * y - b * x];
    return [x, y, z].map((q, k) => q * Math.cos(angle) + cross[k] * Math.sin(angle) + [a, b, c][k] * s);
  });
}

/** A_klm = Σ_j w_kj Y_lm(r_j), one set for each class of factors. */
function densities(vectors: Vectors, weights: Vectors): number[][] {
  const Y = vectors.map(([x, y, z]) => evaluate(harmonics, { x, y, z }));
  return weights.map((w) => harmonics.map((_, v) => Y.reduce((sum, y, j) => sum + w[j] * y[v], 0)));
}

const times = ([a, b]: Complex, [c, d]: Complex): Complex => [a * c - b * d, a * d + b * c];

/** A_lm of complex harmonics. */
const complexA = (A: readonly number[], l: number, m: number): Complex =>
  complexHarmonic(m).reduce<Complex>(
    ([re, im], t) => [re + t.c[0] * A[l * l + l + t.m], im + t.c[1] * A[l * l + l + t.m]],
    [0, 0],
  );

const values = ({ l, classes }: Factors, A: readonly number[][]): number[] => {
  const sets = l.map((lk, k) =>
    Array.from({ length: 2 * lk + 1 }, (_, m) => complexA(A[classes[k]], lk, m - lk)),
  );
  return invariants({ l, classes }).map(({ terms }) =>
    terms.reduce(
      (sum, { m, c }) => sum + m.reduce<Complex>((p, mk, k) => times(p, sets[k][mk + l[k]]), [c, 0])[0],
      0,
    ),
  );
};

describe("invariants", () => {
  it("are as many as Molien's series says for equal factors", () => {
    // 1/∏(1 − t^d) over the degrees d of the generators, l = 1: 2; l = 2: 2, 3 (Hilbert); l = 3 (even degrees): the
    // binary sextic's 2, 4, 6, 10; l = 4: the binary octavic's 2 … 7, exact to degree 7 (Shioda 1967, DOI 10.2307/2373415).
    const molien: Readonly<Record<number, readonly number[]>> = {
      1: [1, 0, 1, 0, 1, 0, 1, 0],
      2: [1, 0, 1, 1, 1, 1, 2, 1],
      3: [1, 0, 1, 0, 2, 0, 3, 0],
      4: [1, 0, 1, 1, 2, 2, 4, 4],
    };
    for (const [l, series] of Object.entries(molien))
      for (const [n, count] of series.entries())
        if (n > 0) expect(countInvariants(equal(Number(l), n)), `${l} ${n}`).toBe(count);
  });

  it("are as many as there are intermediate momenta for different factors", () => {
    for (const [a, b, c, d] of [
      [1, 1, 1, 1],
      [6, 6, 6, 6],
      [4, 2, 3, 3],
      [5, 1, 2, 2],
    ]) {
      const least = Math.max(Math.abs(a - b), Math.abs(c - d));
      const most = Math.min(a + b, c + d);
      expect(countInvariants(distinct(a, b, c, d))).toBe(Math.max(0, most - least + 1));
    }
    expect(countInvariants(distinct(1, 1, 1))).toBe(0);
    expect(countInvariants(distinct(1, 2, 4))).toBe(0);
    expect(countInvariants(distinct(2, 2, 4))).toBe(1);
  });

  it("stay the same when atoms are turned or reflected", () => {
    const random = new Random(5);
    const vectors = Array.from({ length: 8 }, () => unit(random));
    const weights = Array.from({ length: 5 }, () => vectors.map(() => random.normal()));
    for (const factors of CASES) {
      const expected = values(factors, densities(vectors, weights));
      for (const sign of [1, -1]) {
        const A = densities(turned(vectors, unit(random), 1.234, sign), weights);
        for (const [k, value] of values(factors, A).entries())
          expect(Math.abs(value - expected[k])).toBeLessThan(1e-12 * (1 + Math.abs(expected[k])));
      }
      expect(expected.every((x) => Math.abs(x) > 1e-8)).toBe(true);
    }
  });

  it("are independent functions of random environments, as many as counted", () => {
    const random = new Random(6);
    for (const factors of CASES) {
      const size = countInvariants(factors);
      expect(invariants(factors).length).toBe(size);
      const gram = new Float64Array(size * size);
      for (let n = 0; n < 4 * size; n++) {
        const vectors = Array.from({ length: 12 }, () => unit(random));
        const weights = Array.from({ length: 5 }, () => vectors.map(() => random.normal()));
        const B = values(factors, densities(vectors, weights));
        const norm = Math.sqrt(B.reduce((s, x) => s + x * x, 0));
        B.forEach((x, i) => B.forEach((y, j) => (gram[i * size + j] += (x * y) / (norm * norm))));
      }
      const { values: spectrum } = symmetricEigen(gram, size);
      const sorted = [...spectrum].toSorted((a, b) => a - b);
      expect(sorted[0] / sorted[size - 1], factors.l.join()).toBeGreaterThan(1e-3);
    }
  });
});
