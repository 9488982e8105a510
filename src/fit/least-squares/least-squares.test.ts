import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { readModel, writeModel } from "../../io/model.ts";
import { Random } from "../../math/random.ts";
import { buildPotential, buildTerm } from "../../potentials/build.ts";
import type { Term } from "../../potentials/potential.ts";
import { volume } from "../../structure/cell.ts";
import { runFit, type FitResult } from "../fit.ts";
import { labelledFrames } from "../linear-pair.fixture.ts";
import { lossWeights } from "../optimiser.ts";
import { fitSchema } from "../options.ts";
import { prepareFit } from "../prepare.ts";
import type { Frame } from "../../structure/structure.ts";
import { poolsOf } from "../pools.fixture.ts";
import { tasks } from "../../tasks.ts";
import { evaluated } from "../../potentials/evaluated.fixture.ts";

const poolOf = poolsOf(tasks, 2 ** 27);

const frames = labelledFrames(48, [1, -2, 3, 1]).map((frame, k): Frame => {
  const random = new Random(4, "noise", k);
  return {
    ...frame,
    configType: ["cold", "warm", "hot"][k % 3],
    energy: frame.energy! + 0.02 * random.normal(),
    forces: frame.forces!.map((f) => f + 0.02 * random.normal()),
  };
});

const configuration = (leastSquares: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
  fitSchema.parse({
    data: "made.xyz",
    split: (more["split"] as object) ?? { validation: 0.1, test: 0.2 },
    model: {
      descriptor: { name: "acsf", size: "small" },
      regressor: { name: "linear" },
      zbl: false,
      ...(more["model"] as object),
    },
    training: { leastSquares, ...(more["training"] as object) },
  });

async function fit(
  options: ReturnType<typeof configuration>,
  threads = 1,
  resume?: Uint8Array,
  save?: (bytes: Uint8Array) => void,
): Promise<FitResult> {
  const pool = await poolOf(threads);
  const prepared = await prepareFit(frames, options, pool, { resume });
  return finish(runFit(prepared, pool, { save, saveEvery: 0 }));
}

async function finish(running: ReturnType<typeof runFit>): Promise<FitResult> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- reports come one after another
    const { value, done } = await running.next();
    if (done) return value;
  }
}

describe("a fit in closed form", () => {
  it("is the minimum: the gradient of the loss vanishes there", async () => {
    const prepared = await prepareFit(frames, configuration(), await poolOf(1));
    const { gradients, train, options, start } = prepared.training;
    const lambda = lossWeights(options, options.weights.energyEnd);
    const slope = async (theta: Float64Array) => {
      const gradient = new Float64Array(theta.length);
      gradients.parameters.set(theta);
      gradients.changed();
      await gradients.gradient(train, lambda, gradient);
      return Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
    };
    const before = await slope(start);
    const { trained, metrics } = await finish(runFit(prepared, gradients.pool, {}));
    expect(await slope(trained.parameters)).toBeLessThan(1e-10 * before);
    expect(trained.history).toHaveLength(1);
    expect(metrics.test.all.forces!.relative).toBeLessThan(30);
  });

  it("says how well it is determined", async () => {
    const { trained } = await fit(configuration());
    const { outcome } = trained.leastSquares!;
    const P = trained.parameters.length;
    expect(outcome).toMatchObject({ solver: "qr", parameters: P, rank: P, effective: P, strength: null });
    expect(outcome.condition!).toBeGreaterThan(outcome.scaledCondition!);
    expect(outcome.folds.map(({ name }) => name).toSorted()).toEqual(["cold", "hot", "warm"]);
    expect(outcome.folds.reduce((sum, { leverage }) => sum + leverage, 0)).toBeCloseTo(P, 6);
  });

  it("is held back where coefficients are many for the equations, and leaves fewer folds out where memory is short", async () => {
    const few = await prepareFit(
      frames.slice(0, 12),
      configuration({}, { split: { validation: 0, test: 0 } }),
      await poolOf(1),
    );
    expect(few.resolved.training.leastSquares.solver).toBe("bayesian-ridge");
    expect(few.plan.design).toMatchObject({ solver: "bayesian-ridge", folds: 3 });
    const bytes = few.plan.design!.bytes;
    const tight = configuration({ memory: (0.95 * bytes) / 2 ** 20 }, { split: { validation: 0, test: 0 } });
    const prepared = await prepareFit(frames.slice(0, 12), tight, await poolOf(1));
    expect(prepared.plan.design!.folds).toBeLessThan(3);
    expect(prepared.plan.design!.bytes).toBeLessThanOrEqual(0.95 * bytes);
  });

  it("knows the errors of a fold as a fit without it has them", async () => {
    const { trained } = await fit(configuration());
    const warm = trained.leastSquares!.outcome.folds.find(({ name }) => name === "warm")!;
    // The same without these frames in the training set: their weight is 0, but they are predicted.
    const weights = { configType: { warm: 0 } };
    const without = await fit(configuration({}, { training: { weights } }));
    const errors = without.metrics.train.byConfigType["warm"];
    expect(warm.leftOut!.forces!.rmse).toBeCloseTo(errors.forces!.rmse, 9);
    expect(warm.leftOut!.energyPerAtom!.mae).toBeCloseTo(errors.energyPerAtom!.mae, 9);
  });

  it("has the same bits on any number of threads and after any interruption", async () => {
    const images: Uint8Array[] = [];
    const model = { regressor: { name: "linear", quadratic: true } };
    const options = configuration({ folds: 2, solver: "ridge", strength: 1e-6 }, { model });
    const whole = await fit(options, 1, undefined, (bytes) => void images.push(bytes.slice()));
    expect(images.length).toBeGreaterThan(2);
    for (const [threads, image] of [
      [2, undefined],
      [3, images[1]],
    ] as const) {
      const again = await fit(options, threads, image);
      expect(again.trained.parameters).toEqual(whole.trained.parameters);
      expect(again.trained.leastSquares!.outcome).toEqual(whole.trained.leastSquares!.outcome);
    }
  });

  it("refuses what it cannot do", async () => {
    const network = { model: { regressor: { name: "neural-network" } } };
    const optimiser = "least-squares";
    await expect(fit(configuration({}, { ...network, training: { optimiser } }))).rejects.toThrow(
      "not linear",
    );
    await expect(fit(configuration({}, { training: { weights: { huber: 1 } } }))).rejects.toThrow("huber");
    await expect(fit(configuration({ memory: 0.1 }))).rejects.toThrow("training.leastSquares.memory");
    const groups = { cold: { energy: 1, forces: 1, stress: 1 } };
    await expect(fit(configuration({}, { training: { weights: { groups } } }))).rejects.toThrow(
      "expected one of training.weights.groups",
    );
    const adam = { training: { weights: { groups }, optimiser: "adam" } };
    await expect(fit(configuration({}, adam))).rejects.toThrow("training.weights.groups");
  });
});

it("a potential under the fit is taken off the data, and stays in the model", async () => {
  const options = { cutoff: 3.4, ending: "switched", pairs: { "Si-Si": { epsilon: 0.05, sigma: 0.9 } } };
  const reference: Term[] = [{ type: "lennard-jones", options, tensors: {} }];
  const device = createDevice({ bytes: 2 ** 25 });
  const known = buildTerm(reference[0], [14], device);
  const more = frames.map((frame): Frame => {
    const { structure } = frame;
    const out = evaluated(known, structure);
    return {
      ...frame,
      energy: frame.energy! + out.energy,
      forces: frame.forces!.map((x, k) => x + out.forces[k]),
      stress: frame.stress?.map((x, k) => x - out.virial[k] / volume(structure.cell!)),
    };
  });
  const given = configuration({}, { model: { zbl: "auto" } });
  const plain = await fit(configuration());
  const pool = await poolOf(1);
  const prepared = await prepareFit(more, given, pool, { reference });
  const { model, trained, metrics } = await finish(runFit(prepared, pool, {}));
  expect(model.terms.map(({ type }) => type)).toEqual(["isolated-atoms", "lennard-jones", "composed"]);
  trained.parameters.forEach((x, k) =>
    expect(Math.abs(x - plain.trained.parameters[k])).toBeLessThan(1e-8 * (1 + Math.abs(x))),
  );
  expect(metrics.test.all.forces!.rmse).toBeCloseTo(plain.metrics.test.all.forces!.rmse, 9);
});

describe("the standard deviation of an energy", () => {
  it("is in the model, is the largest far from the data, and holds 68 % of the errors it was told from", async () => {
    const options = configuration({}, { split: { validation: 0.5, test: 0.2 } });
    const result = await fit(options);
    const { calibration } = result.closedForm!;
    expect(calibration).toMatchObject({ from: "validation", frames: 24 });
    expect(calibration!.test!.within2).toBeGreaterThanOrEqual(calibration!.test!.within1);
    const file = readModel(writeModel(result.model), "model");
    const potential = buildPotential(file, createDevice({ bytes: 2 ** 25 }));
    const { validation } = (await prepareFit(frames, options, await poolOf(1))).split;
    const inside = validation.filter((f) => {
      const [predicted, reference] = result.compare(f).energy!;
      return Math.abs(predicted - reference) <= (1 + 1e-9) * potential.deviation(frames[f].structure)!;
    });
    expect(inside).toHaveLength(Math.ceil(0.6827 * 24));
    const { structure } = frames[0];
    const squeezed = { ...structure, positions: structure.positions.map((x) => 0.3 * x) };
    expect(potential.deviation(squeezed)).toBeGreaterThan(3 * potential.deviation(structure)!);
  });

  it("is told from energies left out one by one where nothing is held out", async () => {
    const { closedForm } = await fit(configuration({}, { split: { validation: 0, test: 0 } }));
    expect(closedForm!.calibration).toMatchObject({ from: "leave one out", frames: 48, test: null });
    expect(closedForm!.calibration!.scale).toBeGreaterThan(0.1);
  });
});

describe.each(["qr", "svd", "ridge", "bayesian-ridge", "ard", "lasso"])("solver %s", (solver) => {
  it("finds the forces behind the noise", async () => {
    const { trained, metrics } = await fit(configuration({ solver }));
    const { outcome } = trained.leastSquares!;
    expect(metrics.test.all.forces!.relative).toBeLessThan(30);
    expect(outcome.effective).toBeLessThan(trained.parameters.length + 1e-9);
    expect(outcome.effective).toBeGreaterThan(3);
    expect(outcome.noise).toBeGreaterThan(0);
  });
});
