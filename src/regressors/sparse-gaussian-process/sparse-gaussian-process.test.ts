import { describe, expect, it } from "vitest";
import { angle3b } from "../../descriptors/kernel-sums/angle-3b.ts";
import { descriptors } from "../../descriptors/table.ts";
import { createDevice } from "../../device/device.ts";
import { featureStatistics } from "../../fit/features.ts";
import * as laws from "../../laws/potential.ts";
import { ELEMENTS, molecule, structures } from "../../laws/potential.fixture.ts";
import { Random } from "../../math/random.ts";
import { compose, type Composed } from "../../potentials/compose.ts";
import { buildTrainable } from "../../potentials/build.ts";
import type { Term } from "../../potentials/potential.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import { priorOf } from "./prior.ts";
import { sparseGaussianProcess } from "./sparse-gaussian-process.ts";

const device = createDevice({ bytes: 2 ** 28 });
const all = Object.values(structures);
const statistics = pairStatistics(all, 6);

/** Instead of a choice. */
const first = (_: string, __: Float64Array, ___: number, count: number): number[] =>
  Array.from({ length: count }, (____, k) => k);

/** A joined model with seeded coefficients on points drawn from noise around its own features. */
function termOf(more: object): Term {
  const joined = descriptors["joined"];
  const parts = [
    { name: "distance-2b", cutoff: 3.5, size: "small", fade: "poly2" },
    { name: "angle-3b", cutoff: 3, size: "small", fade: "poly2" },
    { name: "soap", cutoff: 3.2, nmax: 2, lmax: 2, fade: { type: "poly2", width: 1 } },
  ];
  const see = joined.resolve(joined.options.parse({ parts }), statistics);
  const descriptor = joined.build(see, ELEMENTS, device);
  const means = featureStatistics(descriptor, all, device);
  const options = sparseGaussianProcess.options.parse({ count: 12, select: "random", ...more });
  const surveyed = ELEMENTS.map((_, e) => {
    const size = descriptor.size(e);
    const noise = new Random(e, "points").normals(new Float64Array(20 * size));
    const rows = noise.map((x, k) => means[e].mean[k % size] * (1 + 0.3 * x));
    return { rows, count: 20, parts: descriptor.parts!(e) };
  });
  const tensors = sparseGaussianProcess.represent!(options, surveyed, first, 1);
  for (const [name, values] of Object.entries(tensors))
    if (name.endsWith("coefficients")) new Random(7, name).normals(values);
  return {
    type: "composed",
    options: {
      descriptor: { name: "joined", ...(see as object) },
      regressor: { name: "sparse-gaussian-process", ...options },
    },
    tensors,
  };
}

const kinds = {
  "dot-product^4 of p/‖p‖": {},
  "rbf of p/‖p‖": { kernel: { name: "rbf", length: 0.5 } },
  "sum of rbf and dot-product of features as they are": {
    kernel: {
      sum: [
        { name: "rbf", length: 2 },
        { name: "dot-product", zeta: 2, length: 3 },
      ],
    },
    normalise: false,
    delta: 0.3,
  },
};

describe.each(Object.entries(kinds))("sparse Gaussian process, %s", (_, more) => {
  const model = buildTrainable(termOf(more), ELEMENTS, device) as Composed;

  it("obeys the laws of potentials", () => {
    for (const structure of all) {
      laws.forcesAreDerivatives(model, structure);
      laws.turnsWithTheStructure(model, structure);
      laws.isPermutationInvariant(model, structure);
      if (structure.cell) laws.virialIsDerivative(model, structure);
    }
  });

  it("rows of the design matrix times the parameters are energy, forces and virial", () => {
    const n = molecule.numbers.length;
    const P = model.parameters.length;
    const rows = new Float64Array((1 + 3 * n + 6) * P);
    model.design!.fill(molecule, rows, P);
    const out = {
      energies: new Float64Array(1),
      forces: new Float64Array(3 * n),
      virials: new Float64Array(9),
    };
    model.forward(model.batch([molecule]), out);
    const told = [out.energies[0], ...out.forces, ...[0, 4, 8, 5, 2, 1].map((k) => out.virials[k])];
    const size = Math.max(...told.map(Math.abs));
    told.forEach((value, r) => {
      let sum = 0;
      for (let k = 0; k < P; k++) sum += rows[r * P + k] * model.parameters[k];
      expect(Math.abs(sum - value)).toBeLessThan(1e-10 * size);
    });
  });

  it("gradient by the parameters is that of differences", () => {
    const n = molecule.numbers.length;
    const batch = model.batch([molecule]);
    const labels = () => ({
      energies: new Float64Array(1),
      forces: new Float64Array(3 * n),
      virials: new Float64Array(9),
    });
    const seeds = labels();
    for (const [k, part] of Object.values(seeds).entries()) new Random(k, "seeds").normals(part);
    const gradient = new Float64Array(model.parameters.length);
    const out = labels();
    model.forward(batch, out);
    model.parameterGradient(batch, seeds, gradient);
    const value = () => {
      const now = labels();
      model.forward(batch, now);
      return (Object.keys(now) as (keyof typeof now)[]).reduce(
        (sum, key) => sum + now[key].reduce((s, x, k) => s + x * seeds[key][k], 0),
        0,
      );
    };
    const size = Math.max(...gradient.map(Math.abs));
    for (let k = 0; k < gradient.length; k += 7) {
      const before = value();
      model.parameters[k] += 1;
      // Linear: a step of 1 has no error of its own.
      expect(Math.abs(value() - before - gradient[k])).toBeLessThan(1e-9 * size);
      model.parameters[k] -= 1;
    }
  });
});

describe("prior of a sparse Gaussian process", () => {
  it("|R α|² = αᵀ K α, block by block, nothing where nothing is known", () => {
    const K = Float64Array.of(2, 0.5, 0.5, 1);
    const blocks = [
      { covariance: K, count: 2 },
      { covariance: null, count: 1 },
      { covariance: Float64Array.of(4), count: 1 },
    ];
    const R = priorOf(blocks, 0, device);
    const alpha = [0.3, -2, 9, 0.7];
    let total = 0;
    for (let i = 0; i < 4; i++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += R[4 * i + k] * alpha[k];
      total += sum * sum;
    }
    const expected = 2 * 0.09 + 2 * 0.5 * 0.3 * -2 + 4 + 4 * 0.49;
    expect(total).toBeCloseTo(expected, 12);
  });

  it("raises the jitter where K is singular, and says so where it is no kernel", () => {
    const R = priorOf([{ covariance: Float64Array.of(1, 1, 1, 1), count: 2 }], 0, device);
    expect(R[3]).toBeGreaterThan(0);
    expect(() => priorOf([{ covariance: Float64Array.of(1, 2, 2, 1), count: 2 }], 0, device)).toThrow(
      /positive definite/,
    );
  });
});

/** So many environments of one part, of any features. */
const surveyed = (count: number) => [
  {
    rows: Float64Array.from({ length: 3 * count }, (_, k) => Math.sqrt(k + 1)),
    count,
    parts: [{ name: "soap", size: 3 }],
  },
];

/** Points of 3 features. */
const rows = (points: Float64Array): number[][] =>
  Array.from({ length: points.length / 3 }, (_, k) => [...points.subarray(3 * k, 3 * k + 3)]);

/** How many points count makes of so many environments. */
const pointsOf = (count: number | "auto", among: number) => {
  const options = sparseGaussianProcess.options.parse({ count });
  return sparseGaussianProcess.represent!(options, surveyed(among), first, 1)["0.0.points"].length / 3;
};

describe("representative environments", () => {
  it("auto: one for twenty of the data, 100 to 500, and no more than there are", () => {
    expect([60, 1500, 4000, 30_000].map((n) => pointsOf("auto", n))).toEqual([60, 100, 200, 500]);
    expect(pointsOf(7, 60)).toBe(7);
  });

  it("a thinner model has every so many of the points, and its parts agree with them", () => {
    const options = sparseGaussianProcess.options.parse({ count: 12 });
    const tensors = sparseGaussianProcess.represent!(options, surveyed(20), first, 1);
    const thin = sparseGaussianProcess.thin!(tensors, 4);
    expect(thin["0.parts"]).toEqual(Float64Array.of(3, 4));
    const whole = rows(tensors["0.0.points"]);
    expect(rows(thin["0.0.points"])).toEqual([whole[0], whole[3], whole[6], whole[9]]);
    expect(thin["0.coefficients"]).toHaveLength(4);
    expect(sparseGaussianProcess.build(options, [3], thin, device).parameters).toHaveLength(4);
    expect(sparseGaussianProcess.thin!(tensors, 50)).toEqual(tensors);
  });
});

describe("kernel sums", () => {
  it("the covariance of a part is what its features are at its own points: δ² f_s f_t k(q_s, q_t)", () => {
    const points = {
      "C:H-O": [
        [1.1, 1.4, 2],
        [1.3, 1.2, 1.9],
        [2.4, 1.5, 2.6],
      ],
    };
    const options = angle3b.options.parse({ cutoff: 3, lengths: [1, 0.8, 0.9], points, delta: 0.6 });
    const d = angle3b.build(options, [1, 6, 8], device);
    const covariance = d.parts!(1)[0].covariance!;
    const potential = compose(
      d,
      {
        parameters: new Float64Array(0),
        decays: new Uint8Array(0),
        tensors: {},
        forward: () => {},
        pullback: () => {},
        parameterGradient: () => {},
      },
      device,
    );
    expect(potential.cutoff).toBe(3);
    const [[a, b, c]] = points["C:H-O"];
    // C at the origin, H on x, O in the plane, so that the distances are those of the first point.
    const x = (a * a + b * b - c * c) / (2 * a);
    const structure = {
      numbers: Uint8Array.of(6, 1, 8),
      positions: Float64Array.of(0, 0, 0, a, 0, 0, x, Math.sqrt(b * b - x * x), 0),
      cell: null,
      pbc: [false, false, false] as const,
    };
    const features = featureStatistics(d, [structure], device)[1].mean;
    features.forEach((g, s) => expect(g).toBeCloseTo(covariance[s], 12));
  });
});
