import { Matrix, solve } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { Random } from "../../math/random.ts";
import { labelledFrames, SIZE } from "../linear-pair.fixture.ts";
import { fitSchema, trainingSchema } from "../options.ts";
import { prepareFit } from "../prepare.ts";
import { train, type Trained, type Training } from "../trainer.ts";
import { LINEAR, linearTraining } from "../training.fixture.ts";
import { NormalEquations } from "./normal.ts";
import { poolsOf } from "../pools.fixture.ts";
import { tasks } from "../../tasks.ts";

const poolOf = poolsOf(tasks, 2 ** 26);

async function run(setup: Training): Promise<Trained> {
  const steps = train(setup);
  for (;;) {
    const { value, done } = await steps.next();
    if (done) return value;
  }
}

describe("normal equations", () => {
  it("are damped and solved as they are written, with the same bits on one thread and two", async () => {
    const [P, m, stride, mu] = [140, 30, 141, 0.3];
    const solutions: Float64Array[] = [];
    for (const threads of [1, 2]) {
      const pool = await poolOf(threads);
      const { memory } = pool.device;
      const normal = await NormalEquations.create(pool, P);
      const rows = new Random(1, "rows").normals(memory.f64(memory.alloc(8 * m * stride), m * stride));
      const errors = new Float64Array(m);
      for (let repeat = 0; repeat < 2; repeat++)
        await normal.add({ count: m, stride, address: rows.byteOffset, errors });
      const x = new Random(2, "x").normals(new Float64Array(P));
      const N = Matrix.zeros(P, P);
      for (let k = 0; k < m; k++) {
        const h = Matrix.columnVector(rows.subarray(k * stride, k * stride + P));
        N.add(h.mmul(h.transpose()).mul(2 * 0.5));
      }
      for (let i = 0; i < P; i++) N.set(i, i, N.get(i, i) * (1 + mu));
      const exact = solve(N, Matrix.columnVector(x)).to1DArray();
      expect(normal.solve(0.5, mu, 1e-9, x)).toBe(true);
      x.forEach((v, k) => expect(Math.abs(v - exact[k])).toBeLessThan(1e-10));
      solutions.push(x);
    }
    expect(solutions[1]).toEqual(solutions[0]);
  });
});

/** A linear model, all of whose observations are made. */
const linear = async (epochs: number, threads: number, more: Partial<Training>) => {
  const options = trainingSchema.parse({
    optimiser: "marquardt",
    marquardt: { forces: 1000, stress: 9, damping: 1e-12 },
  });
  const setup = await linearTraining({ epochs, threads, options, more });
  return { ...setup, workspace: await NormalEquations.create(setup.gradients.pool, SIZE) };
};

describe("training by Levenberg–Marquardt", () => {
  it("solves a linear model in one step, with the exact matrix", async () => {
    const { parameters } = await run(await linear(1, 1, { every: 1 }));
    parameters.forEach((x, k) => expect(Math.abs(x - LINEAR[k])).toBeLessThan(1e-6));
  });

  it("goes on from a kill to the same bits, on any number of threads", async () => {
    const images: Uint8Array[] = [];
    const save = (bytes: Uint8Array) => void images.push(bytes.slice());
    const whole = await run(await linear(4, 1, { save, saveEvery: 0 }));
    expect(images.length).toBeGreaterThan(3);
    for (const resume of images)
      expect((await run(await linear(4, 3, { resume }))).parameters).toEqual(whole.parameters);
  });

  it("takes a network further than L-BFGS in as many steps", async () => {
    const frames = labelledFrames(24, [1, -2, 3, 1]);
    const losses: Record<string, number> = {};
    for (const optimiser of ["marquardt", "lbfgs"]) {
      const options = fitSchema.parse({
        data: "made.xyz",
        split: { validation: 0, test: 0 },
        model: {
          descriptor: { name: "acsf", size: "small" },
          regressor: { name: "neural-network", layers: [5] },
          zbl: false,
        },
        training: { epochs: 15, batch: 4, optimiser },
      });
      const { training } = await prepareFit(frames, options, await poolOf(2));
      const { history } = await run(training);
      const [first, last] = [history[0], history.at(-1)!].map(({ loss }) => loss.energy + loss.forces);
      expect(last).toBeLessThan(first);
      losses[optimiser] = last;
    }
    expect(losses["marquardt"]).toBeLessThan(0.7 * losses["lbfgs"]);
  });
});
