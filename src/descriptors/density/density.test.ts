import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { add, mul, select, less, square, sub, variable } from "../../formula/expression.ts";
import { evaluate } from "../../formula/javascript.ts";
import { ELEMENTS, structures } from "../../laws/potential.fixture.ts";
import { Random } from "../../math/random.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Descriptor, Features } from "../descriptor.ts";
import { environments } from "../environments.ts";
import type { Environments } from "../environments.ts";
import { densityDescriptor } from "./density.ts";
import type { DensityCentre } from "./density.ts";
import { r, x, y, z } from "./functions.ts";
import { Monomials } from "./monomials.ts";
import { evaluatePolynomial } from "./reference.fixture.ts";

const device = createDevice({ bytes: 2 ** 27 });
const S = ELEMENTS.length;
const parameters = ["reach", "strength"];
const [reach, strength] = parameters.map(variable);
const fade = select(less(r, reach), mul(strength, square(square(sub(1, mul(r, mul(r, 0.04)))))), 0);

/** Not invariant under rotation: what a density adds up may be anything. */
const functions = {
  parameters,
  functions: [[fade], [fade, x], [fade, add(y, mul(0.3, z))], [fade, mul(x, y)], [fade, sub(z, 0.2)]],
};
const V = functions.functions.length;
const valuesOf = (e: number, s: number) => [3.9 - 0.2 * e - 0.1 * s, 1 + 0.3 * s - 0.2 * e];

/** Element 0 adds all neighbours to one density, the others keep the neighbours' elements apart. */
const centres = ELEMENTS.map((_, e): DensityCentre => {
  const apart = e > 0;
  const columns = apart ? S * V : V;
  const start = Float64Array.from({ length: columns }, (__, v) => 0.1 * v - 0.3);
  const nodes = Array.from({ length: columns / V }, (__, d) => [
    [d * V, -1] as const,
    [d * V + 1, d * V + 2] as const,
    [d * V + 3, d * V + 4] as const,
    // The same column again, now as a real number.
    [d * V + 1, -1] as const,
  ]).flat();
  const monomials = new Monomials(
    nodes.map(([, im]) => im < 0),
    3,
  );
  const random = new Random(7 + e);
  for (let k = 0; k < 30; k++) {
    const factors = Array.from({ length: 1 + (k % 4) }, () => {
      const node = Math.floor(random.uniform() * nodes.length);
      return random.uniform() < 0.5 ? node : ~node;
    });
    monomials.add(k % 3, random.normal(), factors);
  }
  monomials.add(1, 0.7, []);
  const blocks = ELEMENTS.map((__, s) => ({
    neighbour: s,
    functions,
    parameters: valuesOf(e, s),
    first: apart ? s * V : 0,
    cutoff: valuesOf(e, s)[0],
  }));
  return { start, nodes, blocks, polynomial: monomials.polynomial(), labels: ["a", "b", "c"] };
});
const build = (): Descriptor => densityDescriptor({ elements: ELEMENTS, smoothness: 3 }, centres, device);

function features(env: Environments, size: number): Features {
  const counts = ELEMENTS.map((_, e) => env.starts[e + 1] - env.starts[e]);
  const pointers = counts.map((n) => device.memory.alloc(8 * n * size));
  return { counts, pointers, matrices: counts.map((n, e) => device.memory.f64(pointers[e], n * size)) };
}

const env = environments(
  Object.values(structures).map((structure) => ({ structure, neighbours: findNeighbours(structure, 4) })),
  ELEMENTS,
  3.9,
);

/** Features of centre c of element e, from the formulas. */
function direct(c: number, e: number): { A: Float64Array; G: number[] } {
  const { start, blocks, nodes, polynomial } = centres[e];
  const A = start.slice();
  for (const { neighbour, first, cutoff, parameters: values } of blocks)
    for (let p = env.offsets[c * S + neighbour]; p < env.offsets[c * S + neighbour + 1]; p++) {
      if (env.distances[p] >= cutoff) continue;
      const [px, py, pz] = env.vectors.subarray(3 * p, 3 * p + 3);
      const at = { x: px, y: py, z: pz, reach: values[0], strength: values[1] };
      const phi = evaluate(
        functions.functions.map((f) => f.reduce((a, b) => mul(a, b))),
        at,
      );
      phi.forEach((f, v) => (A[first + v] += f));
    }
  const X = nodes.map(([re, im]) => ({ re: A[re], im: im < 0 ? 0 : A[im] }));
  return { A, G: evaluatePolynomial(polynomial, X).G };
}

const each = (see: (c: number, e: number, row: number) => void) =>
  ELEMENTS.forEach((_, e) => {
    for (let c = env.starts[e]; c < env.starts[e + 1]; c++) see(c, e, c - env.starts[e]);
  });
const fill = (F: Features, seed: number) => F.matrices.forEach((m, e) => new Random(seed + e).normals(m));
const close = (a: number, b: number) =>
  expect(Math.abs(a - b)).toBeLessThan(1e-11 * Math.max(1, Math.abs(b)));

describe("densities", () => {
  it("are the polynomials of the sums that the formulas say", () => {
    const G = features(env, 3);
    build().forward(env, G);
    let largest = 0;
    each((c, e, row) =>
      direct(c, e).G.forEach((g, f) => {
        close(G.matrices[e][3 * row + f], g);
        largest = Math.max(largest, Math.abs(g));
      }),
    );
    expect(largest).toBeGreaterThan(1);
  });

  it("have derivatives that agree with each other, kept sums or not", () => {
    const d = build();
    const [G, w, dG] = [features(env, 3), features(env, 3), features(env, 3)];
    fill(w, 5);
    d.forward(env, G);
    const [one, two] = [new Float64Array(env.vectors.length), new Float64Array(env.vectors.length)];
    d.pullback(env, w, one);
    d.pullback({ ...env }, w, two);
    expect(two).toEqual(one);
    const along = new Random(9).normals(new Float64Array(env.vectors.length));
    d.pushforward(env, along, dG);
    let slope = 0;
    let fromRows = 0;
    each((c, e, row) => {
      const [first, last] = [3 * env.offsets[c * S], 3 * env.offsets[(c + 1) * S]];
      const rows = new Float64Array(3 * (last - first));
      d.jacobian(env, c, rows);
      for (let f = 0; f < 3; f++) {
        const weight = w.matrices[e][3 * row + f];
        slope += weight * dG.matrices[e][3 * row + f];
        for (let k = first; k < last; k++)
          fromRows += weight * rows[f * (last - first) + k - first] * along[k];
      }
    });
    close(
      one.reduce((sum, g, k) => sum + g * along[k], 0),
      slope,
    );
    close(fromRows, slope);
  });

  it("have the derivative of their values", () => {
    const d = build();
    const w = features(env, 3);
    fill(w, 6);
    const gradient = new Float64Array(env.vectors.length);
    d.pullback(env, w, gradient);
    const along = new Random(2).normals(new Float64Array(env.vectors.length));
    const value = (h: number) => {
      const vectors = env.vectors.map((v, k) => v + h * along[k]);
      const distances = env.distances.map((_, p) => Math.hypot(...vectors.subarray(3 * p, 3 * p + 3)));
      const G = features(env, 3);
      d.forward({ ...env, vectors, distances }, G);
      return G.matrices.reduce((sum, m, e) => sum + m.reduce((s, g, k) => s + g * w.matrices[e][k], 0), 0);
    };
    const h = 1e-5;
    const slope = gradient.reduce((sum, g, k) => sum + g * along[k], 0);
    expect(Math.abs((value(h) - value(-h)) / (2 * h) - slope)).toBeLessThan(1e-7 * Math.abs(slope));
  });
});

describe.each([1, 2])("%i combinations", (D) => {
  const d = build();
  const weights = ELEMENTS.map((_, e) => new Random(e).normals(new Float64Array(3 * D)));
  const folded = d.fold!(weights, D);

  it.each(["at first", "with changed weights"])("are those of the features, %s", (when) => {
    if (when !== "at first") weights.forEach((w, e) => new Random(40 + e).normals(w));
    const [G, g] = [features(env, 3), features(env, D)];
    d.forward(env, G);
    folded.forward(env, g);
    const [w, v] = [features(env, 3), features(env, D)];
    fill(v, 8);
    each((_, e, row) => {
      for (let f = 0; f < 3; f++)
        w.matrices[e][3 * row + f] = Array.from(
          { length: D },
          (__, k) => weights[e][f * D + k] * v.matrices[e][D * row + k],
        ).reduce((a, b) => a + b);
      for (let k = 0; k < D; k++) {
        const sum = [0, 1, 2].reduce((s, f) => s + G.matrices[e][3 * row + f] * weights[e][f * D + k], 0);
        close(g.matrices[e][D * row + k], sum);
      }
    });
    const results = [
      [d, w],
      [folded, v],
      [folded, v],
    ].map(([by, seeds], k) => {
      const gradient = new Float64Array(env.vectors.length);
      // The last time without what forward kept.
      (by as Descriptor).pullback(k === 2 ? { ...env } : env, seeds as Features, gradient);
      return gradient;
    });
    results[0].forEach((gradient, k) => {
      close(results[1][k], gradient);
      close(results[2][k], gradient);
    });
  });
});
