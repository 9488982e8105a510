import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { createPool, type Pool } from "../../device/pool.ts";
import type { KernelOptions } from "../../kernels/function.ts";
import { rowAt, type Triangle } from "../../math/triangle.ts";
import { Random } from "../../math/random.ts";
import { tasks } from "../../tasks.ts";
import type { RawPoints } from "./points.ts";
import { EvidenceSearch } from "../../fit/gaussian-process/search.ts";
import { Deviation } from "./deviation.ts";
import { Prediction } from "./prediction.ts";
import { GaussianProcess, type Setting } from "./exact.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await createPool({ tasks, device: createDevice({ bytes: 2 ** 27 }), threads: 1 });
});
afterAll(() => pool.close());

/** Random points with random Jacobians: what a descriptor of N molecules could be. */
function randomPoints(N: number, D: number, M: number, energies: number[], gradients: number[]): RawPoints {
  const random = new Random(3, "points", N, D);
  return {
    x: random.normals(new Float64Array(N * D)).map((x) => 2 + 0.5 * x),
    slopes: random.normals(new Float64Array(gradients.length * M * D)),
    features: D,
    coordinates: M,
    energies: Int32Array.from(energies),
    gradients: Int32Array.from(gradients),
  };
}

const kernels: readonly KernelOptions[] = [
  {
    product: [
      { name: "constant", value: 2 },
      { name: "rbf", length: 1.3 },
    ],
  },
  { name: "matern-5/2", length: [1.1, 0.8, 1.7] },
  { name: "matern-3/2", length: 2 },
  {
    product: [
      { name: "rational-quadratic", length: 1.5, alpha: 0.8 },
      { name: "dot-product", length: 3, zeta: 2, offset: 0.4 },
    ],
  },
  {
    sum: [
      { name: "dot-product", length: [2, 3, 4], zeta: 3, offset: 1 },
      { name: "rbf", length: [1, 2, 1.5] },
      { name: "white", variance: 0.1 },
    ],
  },
];

describe.each(kernels.map((kernel) => ({ name: JSON.stringify(kernel), kernel })))("$name", ({ kernel }) => {
  const raw = randomPoints(4, 3, 2, [0, 1, 3], [1, 2, 3]);
  const labels = new Random(5, "labels").normals(new Float64Array(3 + 6));
  const noise = { energies: 0.02, gradients: 0.03 };
  const settingOf = (process: GaussianProcess, logs: Float64Array): Setting => {
    const H = process.kernel.hyperparameters.length;
    return {
      theta: Float64Array.from(process.kernel.hyperparameters, ({ value }, h) => value * Math.exp(logs[h])),
      noise: {
        energies: noise.energies * Math.exp(logs[H]),
        gradients: noise.gradients * Math.exp(logs[H + 1]),
      },
    };
  };

  it("slopes of the evidence are its slopes", async () => {
    const process = await GaussianProcess.create(pool, kernel, raw, labels, true);
    const H = process.kernel.hyperparameters.length;
    const at = async (logs: Float64Array) => (await process.solve(settingOf(process, logs)))!;
    const zero = new Float64Array(H + 2);
    const slopes = await process.slopes(await at(zero), settingOf(process, zero));
    for (let h = 0; h < H + 2; h++) {
      const [up, down] = [1e-5, -1e-5].map((step) => zero.with(h, step));
      const wanted = ((await at(up)).logLikelihood - (await at(down)).logLikelihood) / 2e-5;
      expect(slopes[h]).toBeCloseTo(wanted, 6);
    }
  });

  it("derivatives of the covariance are those of its values, and K is positive definite", async () => {
    // Values at points moved along their coordinates stand for slopes there.
    const h = 1e-4;
    const { x, slopes, features: D, coordinates: M } = raw;
    const moved: number[] = [...x];
    for (const [g, i] of raw.gradients.entries())
      for (let c = 0; c < M; c++)
        for (const step of [h, -h])
          for (let d = 0; d < D; d++) moved.push(x[i * D + d] + step * slopes[(g * M + c) * D + d]);
    const N = moved.length / D;
    const values: RawPoints = {
      x: Float64Array.from(moved),
      slopes: new Float64Array(0),
      features: D,
      coordinates: M,
      energies: Int32Array.from({ length: N }, (_, i) => i),
      gradients: new Int32Array(0),
    };
    const quiet = { energies: 0, gradients: 0 };
    const [a, b] = await Promise.all([
      GaussianProcess.create(pool, kernel, raw, labels, false),
      GaussianProcess.create(pool, kernel, values, new Float64Array(N), false),
    ]);
    const theta = Float64Array.from(a.kernel.hyperparameters, ({ value }) => value);
    await a.covariance({ theta, noise: quiet });
    await b.covariance({ theta, noise: quiet });
    const { memory } = pool.device;
    const at = (L: Triangle, i: number, j: number) => memory.f64(rowAt(L, i) + 8 * j, 1)[0];
    const value = (i: number, j: number) => at(b.matrix, Math.max(i, j), Math.min(i, j));
    const first = x.length / D;
    /** Combinations of values that observation o stands for. */
    const stencil = (o: number): [number, number][] =>
      o < 3
        ? [[raw.energies[o], 1]]
        : [
            [first + 2 * (o - 3), 0.5 / h],
            [first + 2 * (o - 3) + 1, -0.5 / h],
          ];
    for (let o = 0; o < a.size; o++)
      for (let p = 0; p < o; p++) {
        let wanted = 0;
        for (const [i, u] of stencil(o)) for (const [j, v] of stencil(p)) wanted += u * v * value(i, j);
        // matern-3/2 has a kink in its second derivative where both points are one
        const same = o >= 3 && p >= 3 && Math.floor((o - 3) / M) === Math.floor((p - 3) / M);
        const tolerance = same && kernel["name"] === "matern-3/2" ? 1e-2 : 2e-5;
        expect(Math.abs(at(a.matrix, o, p) - wanted)).toBeLessThan(tolerance * Math.max(1, Math.abs(wanted)));
      }
    expect(await a.solve({ theta, noise: { energies: 1e-9, gradients: 1e-9 } })).not.toBeNull();
  });

  it("predictions go through observations, with slopes that are their slopes", async () => {
    const process = await GaussianProcess.create(pool, kernel, raw, labels, false);
    const theta = Float64Array.from(process.kernel.hyperparameters, ({ value }) => value);
    const { weights } = (await process.solve({ theta, noise: { energies: 1e-9, gradients: 1e-9 } }))!;
    const prediction = new Prediction(pool.device, process.kernel, raw, process.mean);
    prediction.set(theta, weights);
    const D = raw.features;
    const dEdx = new Float64Array(D);
    const at = (x: Float64Array) => prediction.evaluate(x, null);
    const white = JSON.stringify(kernel).includes("white");
    // Two slopes of three features at a point: nothing that a surface could not fulfil.
    for (const [g, i] of raw.gradients.entries()) {
      prediction.evaluate(raw.x.slice(i * D, (i + 1) * D), dEdx);
      for (let c = 0; c < raw.coordinates; c++) {
        const at = g * raw.coordinates + c;
        const row = raw.slopes.subarray(at * D, (at + 1) * D);
        const slope = row.reduce((sum, s, d) => sum + s * dEdx[d], 0);
        expect(slope).toBeCloseTo(labels[raw.energies.length + at], 5);
      }
    }
    for (const [e, i] of raw.energies.entries()) {
      const x = raw.x.slice(i * D, (i + 1) * D);
      if (!white) expect(prediction.evaluate(x, dEdx)).toBeCloseTo(labels[e], 5);
      else prediction.evaluate(x, dEdx);
      for (let d = 0; d < D; d++) {
        const [up, down] = [1e-5, -1e-5].map((step) => at(x.with(d, x[d] + step)));
        // matern-3/2 has a kink in its slope at every observation
        const tolerance = kernel["name"] === "matern-3/2" ? 1e-4 : 1e-7;
        expect(Math.abs(dEdx[d] - (up - down) / 2e-5)).toBeLessThan(tolerance * (1 + Math.abs(dEdx[d])));
      }
    }
  });
});

interface SklearnCase {
  readonly kernel_initial: string;
  readonly kernel: string;
  readonly theta_log: number[];
  readonly alpha_jitter: number;
  readonly optimised: boolean;
  readonly X: number[][];
  readonly y: number[];
  readonly X_test: number[][];
  readonly mean: number[];
  readonly std: number[];
  readonly log_marginal_likelihood: number;
  readonly lml_gradient_wrt_log_theta: number[];
}
const reference = shared("reference/gpr_sklearn.json");

describe.skipIf(reference === undefined)(
  "scikit-learn's Gaussian processes (shared gpr_sklearn.json)",
  () => {
    const { cases } = JSON.parse(readFileSync(reference ?? "/dev/null", "utf8") || '{"cases":[]}') as {
      cases: SklearnCase[];
    };
    it.each(cases.map((c) => [c.kernel, c] as const))("%s: mean, evidence and its slopes", async (_, c) => {
      const { raw, kernel, theta } = subjectOf(c, c.theta_log);
      const process = await GaussianProcess.create(pool, kernel, raw, Float64Array.from(c.y), true);
      const setting = {
        theta,
        noise: { energies: c.alpha_jitter, gradients: 0 },
      };
      const evidence = (await process.solve(setting))!;
      expect(evidence.logLikelihood / c.log_marginal_likelihood).toBeCloseTo(1, 8);
      const slopes = await process.slopes(evidence, setting);
      const size = Math.max(1, ...c.lml_gradient_wrt_log_theta.map(Math.abs));
      for (const [h, wanted] of c.lml_gradient_wrt_log_theta.entries())
        expect(Math.abs(slopes[h] - wanted) / size).toBeLessThan(1e-8);
      const prediction = new Prediction(pool.device, process.kernel, raw, process.mean);
      prediction.set(setting.theta, evidence.weights);
      for (const [k, x] of c.X_test.entries())
        expect(prediction.evaluate(Float64Array.from(x), null)).toBeCloseTo(c.mean[k], 8);
    });

    it.each(cases.map((c) => [c.kernel, c] as const))("%s: standard deviations", async (_, c) => {
      const { raw, kernel, theta } = subjectOf(c, c.theta_log);
      const gaussian = await GaussianProcess.create(pool, kernel, raw, Float64Array.from(c.y), false);
      await gaussian.solve({ theta, noise: { energies: c.alpha_jitter, gradients: 0 } });
      const { device } = pool;
      const deviation = new Deviation(device, gaussian.kernel, raw, gaussian.mean, gaussian.matrix, 2);
      deviation.set(theta);
      for (const [k, x] of c.X_test.entries())
        expect(Math.sqrt(deviation.value(Float64Array.from(x)))).toBeCloseTo(c.std[k], 8);
    });

    it.each(cases.filter((c) => c.optimised).map((c) => [c.kernel_initial, c] as const))(
      "%s: hyper-parameters by the evidence",
      async (_, c) => {
        const { raw, kernel, theta } = subjectOf(c, [0, Math.log(0.5)]);
        const gaussian = await GaussianProcess.create(pool, kernel, raw, Float64Array.from(c.y), true);
        const unknowns = {
          start: Float64Array.from([...theta, c.alpha_jitter, 1]),
          moves: [true, true, false, false],
          down: 12,
          up: 12,
        };
        const search = new EvidenceSearch(gaussian, unknowns, { starts: 1, steps: 60, seed: 1 });
        for (let done = false; !done;) {
          // each evaluation needs the one before
          done = await search.step();
        }
        expect(search.bestValue).toBeCloseTo(c.log_marginal_likelihood, 6);
        theta.forEach((start, h) =>
          expect(Math.abs(Math.log(start) + search.best[h] - c.theta_log[h])).toBeLessThan(1e-4),
        );
      },
    );
  },
);

/** The case's kernel with these logarithms of its numbers. */
function subjectOf(c: SklearnCase, logs: readonly number[]) {
  const [variance, ...lengths] = logs.map(Math.exp);
  const length = lengths.length === 1 ? lengths[0] : lengths;
  const raw: RawPoints = {
    x: Float64Array.from(c.X.flat()),
    slopes: new Float64Array(0),
    features: 2,
    coordinates: 0,
    energies: Int32Array.from(c.X.keys()),
    gradients: new Int32Array(0),
  };
  const kernel = {
    product: [
      { name: "constant", value: variance },
      { name: "rbf", length },
    ],
  };
  return { raw, kernel, theta: Float64Array.from([variance, ...lengths]) };
}
