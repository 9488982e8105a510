import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { readModel, writeModel } from "../../io/model.ts";
import { buildPotential, buildTrainable } from "../../potentials/build.ts";
import { ExtrapolationGuard } from "../../potentials/extrapolation/guard.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Frame } from "../../structure/structure.ts";
import { runFit } from "../fit.ts";
import { labelledFrames } from "../linear-pair.fixture.ts";
import { fitSchema } from "../options.ts";
import { prepareFit } from "../prepare.ts";
import { poolsOf } from "../pools.fixture.ts";
import { tasks } from "../../tasks.ts";
import { evaluated } from "../../potentials/evaluated.fixture.ts";

const poolOf = poolsOf(tasks, 2 ** 27);

const frames = labelledFrames(24, [1, -2, 3, 1]).map((frame, k): Frame => ({
  ...frame,
  configType: k % 2 === 0 ? "cold" : "hot",
}));

const sigma = {
  default: { energy: 0.01, forces: 0.05, stress: 0.02 },
  hot: { energy: 0.02, forces: 0.2, stress: 0.1 },
};
const configuration = (more: object = {}) =>
  fitSchema.parse({
    data: "made.xyz",
    split: { validation: 0, test: 0.25 },
    model: {
      descriptor: {
        name: "joined",
        parts: [
          { name: "distance-2b", cutoff: 3.4, size: "small" },
          { name: "angle-3b", cutoff: 3, size: "small" },
          { name: "soap", cutoff: 3.4, nmax: 3, lmax: 2 },
        ],
      },
      regressor: { name: "sparse-gaussian-process", count: 20 },
      zbl: false,
    },
    training: { leastSquares: { folds: 3 }, weights: { sigma }, ...more },
  });

async function finish<T, R>(steps: AsyncGenerator<T, R>): Promise<R> {
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value;
  }
}

async function fitted(threads: number) {
  const pool = await poolOf(threads);
  const prepared = await prepareFit(frames, configuration(), pool);
  return { prepared, result: await finish(runFit(prepared, pool, {})) };
}

describe("a Gaussian approximation potential, fitted", () => {
  it("minimises |(K α − y)/σ|² + αᵀ K α, has the same bits on two threads and after a file", async () => {
    const { prepared, result } = await fitted(1);
    const { learned, dataset, split, training } = prepared;
    const device = createDevice({ bytes: 2 ** 26 });
    const model = buildTrainable(learned.term, dataset.elements, device);
    const alpha = result.trained.parameters;
    const P = alpha.length;
    expect(P).toBe(10 + 18 + 20);
    // Slope of the sum of squares, term by term; what cancels says how exact it can be.
    const slope = new Float64Array(P);
    const size = new Float64Array(P);
    const put = (row: Float64Array, label: number, weight: number) => {
      let sum = -label;
      for (let k = 0; k < P; k++) sum += row[k] * alpha[k];
      for (let k = 0; k < P; k++) {
        const part = weight * weight * sum * row[k];
        slope[k] += part;
        size[k] += Math.abs(part);
      }
    };
    for (const f of split.train) {
      const { energy, forces, virial } = training.data.labels(f);
      const n = training.data.size(f);
      const expected = frames[f].configType === "hot" ? sigma.hot : sigma.default;
      const rows = new Float64Array((1 + 3 * n + 6) * P);
      model.design!.fill(training.data.structure(f), rows, P);
      const row = (r: number) => rows.subarray(r * P, (r + 1) * P);
      put(row(0), energy!, 1 / (expected.energy * Math.sqrt(n)));
      forces!.forEach((y, k) => put(row(1 + k), y, 1 / expected.forces));
      // Half of the made frames have no stress.
      for (const [k, at] of [0, 4, 8, 5, 2, 1].entries())
        if (virial) put(row(1 + 3 * n + k), virial[at], 1 / (expected.stress * Math.sqrt(n)));
    }
    const R = model.prior!();
    for (let i = 0; i < P; i++) put(R.subarray(i * P, (i + 1) * P), 0, 1);
    for (let k = 0; k < P; k++) expect(Math.abs(slope[k])).toBeLessThan(1e-8 * size[k]);
    expect(result.metrics.test.all.forces!.relative).toBeLessThan(25);
    expect(result.closedForm!.folds.every(({ leftOut }) => leftOut!.forces!.rmse > 0)).toBe(true);

    const { result: again } = await fitted(2);
    expect(again.trained.parameters).toEqual(alpha);

    const loaded = buildPotential(readModel(writeModel(result.model), "model"), device);
    const { structure } = frames[split.test[0]];
    const out = evaluated(loaded, structure);
    expect(out.energy).toBeCloseTo(result.compare(split.test[0]).energy![0], 8);
    expect(loaded.deviation(structure)).toBeGreaterThan(0);

    // A lone atom is all there is: the deviation of the whole is its own.
    const atom = {
      numbers: structure.numbers.slice(0, 1),
      positions: new Float64Array(3),
      cell: null,
      pbc: [false, false, false] as const,
    };
    expect(loaded.gradeBy("deviation")).toBe(true);
    const graded = {
      energy: 0,
      forces: new Float64Array(3),
      virial: new Float64Array(9),
      grades: new Float64Array(1),
    };
    loaded.evaluate(atom, findNeighbours(atom, loaded.cutoff), graded);
    expect(graded.grades[0]).toBeCloseTo(loaded.deviation(atom)!, 10);
    const guard = ExtrapolationGuard.demand(result.model, device);
    expect(Math.max(...guard.grade(structure).deviation)).toBeGreaterThan(0);
  });

  it("names what it lacks", async () => {
    const pool = await poolOf(1);
    const { default: _, ...some } = sigma;
    await expect(prepareFit(frames, configuration({ weights: { sigma: some } }), pool)).rejects.toThrow(
      "expected one of training.weights.sigma (hot), which has no default",
    );
    await expect(
      prepareFit(frames, configuration({ weights: { sigma }, optimiser: "adam" }), pool),
    ).rejects.toThrow("training.weights.sigma");
  });
});
