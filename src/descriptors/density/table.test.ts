import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { Random } from "../../math/random.ts";
import { canonical, combinations, combine, Monomials } from "./monomials.ts";
import type { Polynomial } from "./monomials.ts";
import { makePlan } from "./plan.ts";
import { evaluatePolynomial, type Complex } from "./reference.fixture.ts";
import { LANES, NODE } from "./lanes.ts";
import { ProductTable } from "./table.ts";

const device = createDevice({ bytes: 2 ** 27 });
const exact = createDevice({ memory: device.memory, deterministic: true });
const NODES = 6;
/** X_1 and X_4 are real. */
const real = Array.from({ length: NODES }, (_, k) => k % 3 === 1);

interface Term {
  readonly feature: number;
  readonly coefficient: number;
  readonly factors: readonly number[];
}

const terms = (most: number): fc.Arbitrary<Term[]> =>
  fc.array(
    fc.record({
      feature: fc.integer({ min: 0, max: 2 }),
      coefficient: fc.double({ min: -2, max: 2, noNaN: true }),
      factors: fc.array(fc.integer({ min: -NODES, max: NODES - 1 }), { maxLength: most }),
    }),
    { maxLength: 25 },
  );

function polynomialOf(list: readonly Term[]): Polynomial {
  const monomials = new Monomials(real, 3);
  for (const { feature, coefficient, factors } of list) monomials.add(feature, coefficient, factors);
  return monomials.polynomial();
}

/** Different numbers in each lane. */
function numbers(seed: number): Complex[][] {
  const random = new Random(seed);
  return Array.from({ length: LANES }, () =>
    real.map((r) => ({ re: random.normal(), im: r ? 0 : random.normal() })),
  );
}

const put = (at: number, lanes: readonly (readonly Complex[])[]) =>
  lanes.forEach((X, l) =>
    X.forEach((x, k) => {
      const node = device.memory.f64(at + NODE * (k + 1), 2 * LANES);
      node[l] = x.re;
      node[LANES + l] = x.im;
    }),
  );

const get = (at: number, l: number): Complex[] =>
  real.map((_, k) => {
    const node = device.memory.f64(at + NODE * (k + 1), 2 * LANES);
    return { re: node[l], im: node[LANES + l] };
  });

const [X, Y, dX, G] = [1, 2, 3, 4].map(() => device.memory.alloc(2 ** 20));
const close = (a: number, b: number, scale: number) =>
  expect(Math.abs(a - b)).toBeLessThan(1e-12 * Math.max(1, scale));
const size = (dG: readonly (readonly Complex[])[]) =>
  Math.max(0, ...dG.flat().flatMap(({ re, im }) => [Math.abs(re), Math.abs(im)]));

describe.each([
  ["fused", device],
  ["plain", exact],
])("tables of products, %s", (_, on) => {
  it("value, adjoint and tangent of any polynomial to degree 6", () => {
    fc.assert(
      fc.property(terms(6), fc.integer({ min: 1, max: 1000 }), (list, seed) => {
        const p = polynomialOf(list);
        const table = new ProductTable(p, on);
        const lanes = numbers(seed);
        const weights = new Random(seed + 1).normals(new Float64Array(3 * LANES));
        const along = numbers(seed + 2);
        put(X, lanes);
        table.prepare(X);
        table.value(X, G);
        const values = device.memory.f64(G, 3 * LANES).slice();
        device.memory.f64(G, 3 * LANES).set(weights);
        table.adjoint(X, G, Y);
        put(dX, along);
        table.tangent(X, dX, G);
        const tangents = device.memory.f64(G, 3 * LANES);
        for (let l = 0; l < LANES; l++) {
          const reference = evaluatePolynomial(p, lanes[l]);
          const scale = size(reference.dG) * 20;
          reference.G.forEach((g, f) => close(values[f * LANES + l], g, scale));
          reference.dG.forEach((d, f) => {
            const slope = d.reduce(
              (sum, { re, im }, k) => sum + re * along[l][k].re + im * along[l][k].im,
              0,
            );
            close(tangents[f * LANES + l], slope, scale);
          });
          get(Y, l).forEach((y, k) => {
            const w = (part: "re" | "im") =>
              reference.dG.reduce((sum, d, f) => sum + weights[f * LANES + l] * d[k][part], 0);
            close(y.re, w("re"), 4 * scale);
            if (!real[k]) close(y.im, w("im"), 4 * scale);
          });
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it("one combination: value and derivatives in one sweep, live weights", () => {
    fc.assert(
      fc.property(terms(4), fc.integer({ min: 1, max: 1000 }), (list, seed) => {
        const p = polynomialOf(list);
        const one = combinations(p, 1);
        const table = new ProductTable(one, on);
        const weights = new Random(seed).normals(new Float64Array(3));
        combine(p, weights, one);
        table.refresh();
        const lanes = numbers(seed);
        put(X, lanes);
        table.prepare(X);
        table.gradient(X, G, Y);
        for (let l = 0; l < LANES; l++) {
          const reference = evaluatePolynomial(p, lanes[l]);
          const scale = size(reference.dG) * 60;
          const total = reference.G.reduce((sum, g, f) => sum + weights[f] * g, 0);
          close(device.memory.f64(G, LANES)[l], total, scale);
          get(Y, l).forEach((y, k) => {
            const w = (part: "re" | "im") =>
              reference.dG.reduce((sum, d, f) => sum + weights[f] * d[k][part], 0);
            close(y.re, w("re"), scale);
            if (!real[k]) close(y.im, w("im"), scale);
          });
        }
      }),
      { seed: 4, numRuns: 40 },
    );
  });
});

it("derivatives of some features alone", () => {
  const p = polynomialOf([
    { feature: 0, coefficient: 2, factors: [0, ~2] },
    { feature: 1, coefficient: 3, factors: [0, 2, 3] },
    { feature: 2, coefficient: 5, factors: [5] },
  ]);
  const table = new ProductTable(p, device);
  put(X, numbers(1));
  table.prepare(X);
  device.memory.f64(G, 3 * LANES).fill(1);
  table.adjoint(X, G, Y, 2, 3);
  expect(get(Y, 0)).toEqual(real.map((_, k) => ({ re: k === 5 ? 5 : 0, im: 0 })));
  table.adjoint(X, G, Y, 1, 2);
  expect(get(Y, 0)[3].re).not.toBe(0);
  expect(get(Y, 0)[5].re).toBe(0);
});

describe("monomials", () => {
  it("a product, its conjugate and other orders of its factors are one", () => {
    const m = new Monomials(real, 1);
    m.add(0, 1, [0, ~2, 3]);
    m.add(0, 2, [2, ~3, ~0]);
    m.add(0, 4, [3, 0, ~2]);
    const p = m.polynomial();
    expect([...p.factors]).toEqual([0, ~2, 3]);
    expect([...p.coefficient]).toEqual([7]);
    expect(canonical([~1, ~0], real)).toEqual([0, 1]);
  });

  it("what cancels to rounding is left out", () => {
    const m = new Monomials(real, 2);
    for (const c of [0.1, 0.2, -0.3]) m.add(0, c, [0, 2]);
    m.add(1, 1e-20, [0, 2]);
    const p = m.polynomial();
    expect([...p.feature]).toEqual([1]);
    expect([...p.coefficient]).toEqual([1e-20]);
  });

  it("pairs that many monomials have in common are multiplied once", () => {
    const list = [1, 3, 4, 5].map((k) => ({ feature: 0, coefficient: k, factors: [0, 2, k] }));
    const plan = makePlan(polynomialOf(list));
    expect(plan.segments.map(({ first, last }) => last - first)).toEqual([4]);
    expect(plan.products).toEqual([]);
  });
});
