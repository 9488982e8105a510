import { Matrix, solve } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { type Pool } from "../../device/pool.ts";
import { Random } from "../../math/random.ts";
import { labelledFrames } from "../linear-pair.fixture.ts";
import { fitSchema, trainingSchema } from "../options.ts";
import { prepareFit } from "../prepare.ts";
import { train, type Report, type Trained, type Training } from "../trainer.ts";
import { LINEAR, linearTraining } from "../training.fixture.ts";
import { blockSizes, Covariance } from "./covariance.ts";
import { poolsOf } from "../pools.fixture.ts";
import { tasks } from "../../tasks.ts";

const poolOf = poolsOf(tasks, 2 ** 26);

/** Measurements Hᵀ [m, P] and errors of a linear model y = H θ, in the device's memory. */
function measurement(pool: Pool, m: number, P: number, seed: number) {
  const { memory } = pool.device;
  const stride = P + 1;
  const address = memory.alloc(8 * m * stride);
  const H = new Random(seed, "H").normals(memory.f64(address, m * stride));
  return { address, stride, H, label: new Random(seed, "y").normals(new Float64Array(m)) };
}

const row = (H: Float64Array, stride: number, k: number, P: number) => H.subarray(k * stride, k * stride + P);
const inner = (a: Float64Array, b: Float64Array) => a.reduce((s, x, k) => s + x * b[k], 0);

describe("covariance", () => {
  it("is exact recursive least squares on a linear model: (ε + Σ HHᵀ/R) θ = Σ H y/R", async () => {
    const [P, m, updates, epsilon, R] = [130, 9, 25, 0.3, 0.7];
    const pool = await poolOf(2);
    const filter = await Covariance.create(pool, [P], m);
    filter.reset(1 / epsilon);
    const theta = new Float64Array(P);
    const normal = Matrix.eye(P, P, epsilon);
    const rhs = Matrix.zeros(P, 1);
    for (let u = 0; u < updates; u++) {
      const { address, stride, H, label } = measurement(pool, m, P, u);
      const errors = new Float64Array(m);
      for (let k = 0; k < m; k++) {
        const h = row(H, stride, k, P);
        errors[k] = label[k] - inner(h, theta);
        const column = Matrix.columnVector(h);
        normal.add(column.mmul(column.transpose()).div(R));
        rhs.add(column.mul(label[k] / R));
      }
      await filter.update({ count: m, address, stride, errors }, theta, R, 1, 0);
    }
    const exact = solve(normal, rhs).to1DArray();
    const inverse = solve(normal, Matrix.eye(P, P)).to1DArray();
    theta.forEach((x, k) => expect(Math.abs(x - exact[k])).toBeLessThan(1e-10));
    filter.blocks[0].forEach((x, k) => expect(Math.abs(x - inverse[k])).toBeLessThan(1e-10));
  });

  it("forgets: with λ, the weights of old measurements fall by λ", async () => {
    const [P, m, updates, epsilon, lambda] = [20, 3, 30, 0.5, 0.9];
    const pool = await poolOf(1);
    const filter = await Covariance.create(pool, [P], m);
    filter.reset(1 / epsilon);
    const theta = new Float64Array(P);
    // With R = λ: P⁻¹ ← λ P⁻¹ + H Hᵀ.
    const normal = Matrix.eye(P, P, epsilon);
    const rhs = Matrix.zeros(P, 1);
    for (let u = 0; u < updates; u++) {
      const { address, stride, H, label } = measurement(pool, m, P, u);
      const errors = label.map((y, k) => y - inner(row(H, stride, k, P), theta));
      normal.mul(lambda);
      rhs.mul(lambda);
      for (let k = 0; k < m; k++) {
        const column = Matrix.columnVector(row(H, stride, k, P));
        normal.add(column.mmul(column.transpose()));
        rhs.add(column.mul(label[k]));
      }
      await filter.update({ count: m, address, stride, errors }, theta, lambda, lambda, 0);
    }
    const exact = solve(normal, rhs).to1DArray();
    theta.forEach((x, k) => expect(Math.abs(x - exact[k])).toBeLessThan(1e-10));
  });

  it("is symmetric to the bit, the same on one thread and two, and decoupled blocks share one innovation", async () => {
    const [P, m] = [150, 5];
    const run = async (threads: number, sizes: number[], updates = 6) => {
      const pool = await poolOf(threads);
      const filter = await Covariance.create(pool, sizes, m);
      filter.reset(2);
      const theta = new Float64Array(P);
      for (let u = 0; u < updates; u++) {
        const { address, stride, label } = measurement(pool, m, P, u);
        await filter.update({ count: m, address, stride, errors: label }, theta, 0.5, 0.98, 1e-3);
      }
      return { theta, blocks: filter.blocks };
    };
    const one = await run(1, [70, 80]);
    const two = await run(2, [70, 80]);
    expect(two.theta).toEqual(one.theta);
    expect(two.blocks[1]).toEqual(one.blocks[1]);
    for (let i = 0; i < 80; i++)
      for (let j = 0; j < i; j++) expect(one.blocks[1][i * 80 + j]).toBe(one.blocks[1][j * 80 + i]);
    // From P = 2·1 nothing couples in the first update; the second one differs.
    const [first, whole] = [await run(1, [70, 80], 1), await run(1, [P], 1)];
    whole.theta.forEach((x, k) => expect(Math.abs(x - first.theta[k])).toBeLessThan(1e-13));
    const [second, both] = [await run(1, [70, 80], 2), await run(1, [P], 2)];
    expect(both.theta.some((x, k) => Math.abs(x - second.theta[k]) > 1e-3)).toBe(true);
  });

  it("is cut into elements, parts of elements, or nothing", () => {
    expect(blockSizes("combined", 10, [0, 3, 10])).toEqual([10]);
    expect(blockSizes("element", 10, [0, 3, 10])).toEqual([3, 7]);
    expect(blockSizes(4, 10, [0, 3, 10])).toEqual([3, 3, 4]);
    expect(blockSizes("element", 10)).toEqual([10]);
  });
});

async function run(setup: Training, watch: (r: Report) => void = () => undefined): Promise<Trained> {
  const steps = train(setup);
  for (;;) {
    const { value, done } = await steps.next();
    if (done) return value;
    watch(value);
  }
}

const options = (kalman: object = {}, more: object = {}) =>
  trainingSchema.parse({ optimiser: "kalman", weights: { stress: 0 }, kalman, ...more });

describe("training by the Kalman filter", () => {
  it("finds the parameters of a linear model within an epoch when it sees every component", async () => {
    const exact = {
      type: "standard",
      forces: 1000,
      unit: 1,
      epsilon: 1e-9,
      q0: 0,
      qmin: 0,
      eta: 1,
      forceThreshold: 0,
    };
    const { parameters } = await run(await linearTraining({ epochs: 1, options: options(exact) }));
    parameters.forEach((x, k) => expect(Math.abs(x - LINEAR[k])).toBeLessThan(1e-4));
  });

  it.each(["component", "random", "signs"] as const)("learns from observations by %s", async (observe) => {
    const choice = options({ forces: 2, observe, epsilon: 1e-3 });
    const setup = await linearTraining({ epochs: 12, options: choice });
    const { forces } = setup.data;
    const spread = Math.sqrt(inner(forces, forces) / forces.length);
    const { history } = await run(setup);
    expect(history.at(-1)!.validation!.forces!).toBeLessThan(0.03 * spread);
  });

  it.each(["standard", "fading"] as const)(
    "goes on from a kill at any moment to the same bits, on any number of threads: %s",
    async (type) => {
      const choice = options({ type, forces: 2, energyThreshold: 0.5 });
      const images: Uint8Array[] = [];
      const save = (bytes: Uint8Array) => void images.push(bytes.slice());
      const whole = await run(
        await linearTraining({ epochs: 4, options: choice, more: { save, saveEvery: 0 } }),
      );
      expect(images.length).toBeGreaterThan(8);
      for (const resume of images) {
        const again = await run(
          await linearTraining({ epochs: 4, options: choice, threads: 3, more: { resume } }),
        );
        expect(again.parameters).toEqual(whole.parameters);
        expect(again.history.map((r) => r.validation)).toEqual(whole.history.map((r) => r.validation));
      }
    },
  );
});

const FRAMES = labelledFrames(24, [1, -2, 3, 1]);

const network = (training: object) =>
  fitSchema.parse({
    data: "made.xyz",
    split: { validation: 4, test: 0 },
    model: {
      descriptor: { name: "acsf", size: "small" },
      regressor: { name: "neural-network", layers: [5] },
      zbl: false,
    },
    training: { epochs: 8, batch: 4, average: 0.9, ...training },
  });

describe("a network and the filter", () => {
  it("H holds the derivatives of the observations, to finite differences", async () => {
    const options = network({ optimiser: "kalman" });
    const { training } = await prepareFit(FRAMES, options, await poolOf(1));
    const { gradients, start } = training;
    const lambda = { energy: 2, forces: 3, stress: 0.5, huber: Infinity };
    const choice = {
      energy: { count: 1, floor: 0 },
      forces: { count: 4, floor: 0 },
      stress: { count: 1, floor: 0 },
      kind: "random" as const,
      trials: 1,
      seed: 1,
      epoch: 0,
    };
    const groups = training.train.slice(0, 3);
    const errorsAt = async (k: number, h: number) => {
      gradients.parameters.set(start);
      gradients.parameters[k] += h;
      gradients.changed();
      return (await gradients.observe(groups, lambda, choice)).errors.slice();
    };
    const seen = await gradients.observe(groups, lambda, choice);
    const H = gradients.device.memory.f64(seen.address, seen.count * seen.stride).slice();
    expect(seen.count).toBeGreaterThanOrEqual(15);
    for (let k = 0; k < start.length; k += 7) {
      const [up, down] = [await errorsAt(k, 1e-5), await errorsAt(k, -1e-5)];
      up.forEach((e, r) => {
        // The error is label − prediction.
        const slope = -(e - down[r]) / 2e-5;
        expect(Math.abs(H[r * seen.stride + k] - slope)).toBeLessThan(1e-6 * (1 + Math.abs(slope)));
      });
    }
  });

  it("has the same bits on one thread and two, and beats Adam for equal epochs", async () => {
    const scores: Record<string, number> = {};
    const bits: Float64Array[] = [];
    for (const [name, threads] of [
      ["kalman", 1],
      ["kalman", 2],
      ["adam", 1],
    ] as const) {
      const prepared = await prepareFit(FRAMES, network({ optimiser: name }), await poolOf(threads));
      const trained = await run(prepared.training);
      scores[name] = Math.min(...trained.history.map((r) => r.validation!.score));
      if (name === "kalman") bits.push(trained.parameters);
    }
    expect(bits[1]).toEqual(bits[0]);
    expect(scores["kalman"]).toBeLessThan(0.7 * scores["adam"]);
  });

  it("keeps a block for each element's network, with the same bits on any number of threads", async () => {
    const frames = FRAMES.map((frame) => ({
      ...frame,
      structure: { ...frame.structure, numbers: frame.structure.numbers.map((_, i) => (i % 2 ? 6 : 14)) },
    }));
    const options = network({
      optimiser: "kalman",
      epochs: 3,
      kalman: { blocks: "element" },
    });
    const results = [];
    for (const threads of [1, 2]) {
      const { plan, training, learned } = await prepareFit(frames, options, await poolOf(threads));
      expect(plan.blocks).toEqual(learned.sizes.map((features) => 5 * features + 5 + 5 + 1));
      results.push(await run(training));
    }
    expect(results[1].parameters).toEqual(results[0].parameters);
    const [first, last] = [results[0].history[0], results[0].history.at(-1)!];
    expect(last.validation!.score).toBeLessThan(first.validation!.score);
  });

  it("says what the covariance takes, and refuses one that is too large", async () => {
    const pool = await poolOf(1);
    const { plan } = await prepareFit(FRAMES, network({ optimiser: "kalman", kalman: { blocks: 50 } }), pool);
    expect(plan.blocks.reduce((a, b) => a + b, 0)).toBe(plan.parameters);
    expect(Math.max(...plan.blocks)).toBeLessThanOrEqual(50);
    expect(plan.bytes.matrix).toBeGreaterThan(8 * plan.parameters * 40);
    const tiny = network({ optimiser: "kalman", kalman: { memory: 0.01 } });
    await expect(prepareFit(FRAMES, tiny, pool)).rejects.toThrow(
      /kalman\.memory: expected at least \d+ MiB.*² numbers/,
    );
  });
});
