import { describe, expect, it } from "vitest";
import { type Pool } from "../device/pool.ts";
import { buildPotential, buildTrainable } from "../potentials/build.ts";
import type { Frame } from "../structure/structure.ts";
import { runFit, type FitResult } from "./fit.ts";
import { labelledFrames } from "./linear-pair.fixture.ts";
import { fitSchema, type FitOptions } from "./options.ts";
import { prepareFit, type PreparedFit } from "./prepare.ts";
import { poolsOf } from "./pools.fixture.ts";
import { tasks } from "../tasks.ts";
import { evaluated } from "../potentials/evaluated.fixture.ts";

const FRAMES = labelledFrames(24, [1, -2, 3, 1]).map((frame, f) => ({
  ...frame,
  energy: frame.energy! - 5 * frame.structure.numbers.length,
  configType: f % 2 ? "crystal" : "cluster",
}));

const OPTIONS: FitOptions = fitSchema.parse({
  data: "made.xyz",
  split: { validation: 4, test: 4 },
  model: {
    descriptor: { name: "acsf", size: "small" },
    regressor: { name: "neural-network", layers: [5] },
  },
  training: { epochs: 5, batch: 4, weights: { stress: 1 } },
});

const poolOf = poolsOf(tasks, 2 ** 26);

async function fit(
  options: FitOptions,
  threads: number,
): Promise<{ prepared: PreparedFit; result: FitResult; pool: Pool }> {
  const pool = await poolOf(threads);
  const prepared = await prepareFit(FRAMES, options, pool);
  const job = runFit(prepared, pool);
  for (;;) {
    const { value, done } = await job.next();
    if (done) return { prepared, result: value, pool };
  }
}

const errors = async (epochs: number) => {
  // These random atoms come arbitrarily close, where repulsion that is known would hide what is learned.
  const model = { ...OPTIONS.model, zbl: false };
  const { result } = await fit({ ...OPTIONS, model, training: { ...OPTIONS.training, epochs } }, 1);
  return result.metrics.test;
};

const weigh = (configType: Record<string, number>) => ({
  ...OPTIONS,
  training: { ...OPTIONS.training, batch: 1, weights: { ...OPTIONS.training.weights, configType } },
});

describe("the whole fit", () => {
  it("has the same bits on one thread, on two, and from its resolved options", async () => {
    const one = await fit(OPTIONS, 1);
    const two = await fit(OPTIONS, 2);
    const again = await fit(fitSchema.parse(JSON.parse(JSON.stringify(one.prepared.resolved))), 1);
    expect(two.result.trained.parameters).toEqual(one.result.trained.parameters);
    expect(again.result.trained.parameters).toEqual(one.result.trained.parameters);
    expect(again.prepared.resolved).toEqual(one.prepared.resolved);
    expect(again.prepared.training.identity).toBe(one.prepared.training.identity);
  });

  it("gives a model whose own predictions are those of the report, known terms included", async () => {
    const { prepared, result, pool } = await fit({ ...OPTIONS, seed: 2 }, 1);
    const potential = buildPotential(result.model, pool.device);
    for (const f of prepared.split.test) {
      const { structure } = FRAMES[f];
      const out = evaluated(potential, structure);
      const { energy, forces } = result.compare(f);
      expect(energy![0]).toBeCloseTo(out.energy, 10);
      out.forces.forEach((x, k) => expect(forces![0][k]).toBeCloseTo(x, 10));
    }
  });

  it("learns: the test errors beat the mean, and get better with training", async () => {
    const [early, late] = [await errors(1), await errors(300)];
    expect(late.all.forces!.rmse).toBeLessThan(0.5 * early.all.forces!.rmse);
    expect(late.all.forces!.relative).toBeLessThan(100);
    expect(Object.keys(late.byConfigType).length).toBeGreaterThan(0);
    expect(late.all.stress!.count).toBeGreaterThan(0);
  });

  it("takes the energies of isolated atoms from the data, wherever they are, and does not train or judge on them", async () => {
    const atom: Frame = {
      ...FRAMES[0],
      structure: {
        numbers: FRAMES[0].structure.numbers.slice(0, 1),
        positions: new Float64Array(3),
        cell: null,
        pbc: [false, false, false],
      },
      energy: -7.25,
      forces: new Float64Array(3),
      stress: undefined,
      place: "atoms.xyz:1",
    };
    const copy = { ...FRAMES[3], place: "held.xyz:1" };
    const split = { ...OPTIONS.split, method: "file" as const, validation: 4, test: ["held.xyz"] };
    const prepared = await prepareFit([...FRAMES, atom, copy], { ...OPTIONS, split }, await poolOf(1));
    expect(prepared.known.isolatedAtoms.options.energies).toEqual({ Si: -7.25 });
    expect(prepared.split.test).toEqual([25]);
    expect([...prepared.split.train, ...prepared.split.validation].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 24 }, (_, f) => f).filter((f) => f !== 3),
    );
    expect(prepared.notes).toContain(
      "frames left out as copies of what a named file holds for another set: 1, such as made:4 and held.xyz:1",
    );
    expect(prepared.notes.join()).toContain("1 frame of an isolated atom is in no set");
  });

  it("refuses a checkpoint of other weights or another split of the same frames", async () => {
    const named = FRAMES.map((frame, f) => ({ ...frame, info: { w: 1, run: f % 5 } }));
    const split = { ...OPTIONS.split, method: "group" as const, key: "run" };
    const weights = { ...OPTIONS.training.weights, key: "w" };
    const options = { ...OPTIONS, split, training: { ...OPTIONS.training, weights } };
    const identity = async (info: (f: number) => Frame["info"]) =>
      (
        await prepareFit(
          named.map((frame, f) => ({ ...frame, info: info(f) })),
          options,
          await poolOf(1),
        )
      ).training.identity;
    const own = await identity((f) => named[f].info);
    expect(await identity((f) => named[f].info)).toBe(own);
    expect(await identity((f) => ({ w: f === 7 ? 2 : 1, run: f % 5 }))).not.toBe(own);
    expect(await identity((f) => ({ w: 1, run: f % 4 }))).not.toBe(own);
  });

  it("leaves frames of weight 0 out of the steps, and refuses sets of weight 0", async () => {
    const { result, prepared } = await fit(weigh({ cluster: 0 }), 1);
    expect(result.trained.parameters.every(Number.isFinite)).toBe(true);
    expect(result.metrics.train.byConfigType["cluster"].energy!.count).toBeGreaterThan(0);
    const steps = prepared.split.train.filter((f) => FRAMES[f].configType === "crystal").length;
    expect(prepared.plan.stepsPerEpoch).toBe(steps);
    const none = prepareFit(FRAMES, weigh({ cluster: 0, crystal: 0 }), await poolOf(1));
    await expect(none).rejects.toThrow("a frame of the train set with a weight above 0");
    const crystals = {
      method: "file" as const,
      validation: ["b.xyz"],
      test: 0,
      key: "config_type",
      windows: 3,
      shares: {},
      shuffle: false,
    };
    const files = FRAMES.map((frame, f) => ({ ...frame, place: `${f % 2 ? "b" : "a"}.xyz:${f}` }));
    const held = prepareFit(files, { ...weigh({ crystal: 0 }), split: crystals }, await poolOf(1));
    await expect(held).rejects.toThrow("a frame of the validation set with a weight above 0");
  });

  it("says the same of the energies of isolated atoms when it runs from its own record", async () => {
    const water = FRAMES.map((frame) => {
      const numbers = frame.structure.numbers.map((_, i) => (i === 0 ? 8 : 1));
      return { ...frame, structure: { ...frame.structure, numbers } };
    }).filter(({ structure }) => structure.numbers.length === 3);
    const given = { ...OPTIONS, split: { ...OPTIONS.split, validation: 1, test: 1 } };
    const once = await prepareFit(water, given, await poolOf(1));
    expect(once.known.isolatedAtoms.sources["O"]).toBe("least squares, not determined");
    expect(once.notes.join()).toContain("do not tell the energies of H, O apart");
    const options = fitSchema.parse(JSON.parse(JSON.stringify(once.resolved)));
    const again = await prepareFit(water, options, await poolOf(1));
    expect(again.known.isolatedAtoms).toEqual(once.known.isolatedAtoms);
    expect(again.notes).toEqual(once.notes);
    expect(again.resolved).toEqual(once.resolved);
    const model = { ...given.model, isolatedAtoms: { H: -13, O: -430 } };
    const told = await prepareFit(water, { ...given, model }, await poolOf(1));
    expect(told.resolved.model.isolatedAtoms).toEqual(model.isolatedAtoms);
    expect(told.known.isolatedAtoms.sources).toEqual({ H: "given", O: "given" });
  });

  it("plans the memory of all that is kept, surroundings included, and of every slot", async () => {
    const pool = await poolOf(2);
    const { plan, learned, dataset, groups, training } = await prepareFit(FRAMES, OPTIONS, pool);
    const model = buildTrainable(learned.term, dataset.elements, pool.device);
    const sizes = groups.map((group) => {
      const structures = group.map((f) => FRAMES[f].structure);
      return model.batch(structures, { cacheFeatures: true }).bytes;
    });
    const kept = sizes.reduce((a, b) => a + b, 0);
    expect(plan.bytes.features).toBeGreaterThanOrEqual(kept);
    expect(plan.bytes.features).toBeLessThanOrEqual(kept + 8 * Math.max(...sizes));
    expect(plan.bytes.gradients).toBeGreaterThan(8 * training.start.length * 4 * pool.threads);
    const none = { ...OPTIONS, training: { ...OPTIONS.training, cache: 0 } };
    const dropped = (await prepareFit(FRAMES, none, await poolOf(1))).plan.bytes.features;
    expect(dropped).toBeLessThan(plan.bytes.features);
  });

  it("says when a set comes out empty", async () => {
    const split = { ...OPTIONS.split, validation: 0.01, test: 0 };
    const { notes } = await prepareFit(FRAMES, { ...OPTIONS, split }, await poolOf(1));
    expect(notes.filter((note) => note.includes("set is empty"))).toEqual([
      "the validation set is empty: there are too few frames for split.validation 0.01",
    ]);
  });

  it("has the exact gradient of the loss on energies, forces and stresses", async () => {
    const pool = await poolOf(1);
    const { training, groupsOf } = await prepareFit(FRAMES, OPTIONS, pool);
    const { gradients, start } = training;
    const lambda = { energy: 1, forces: 1, stress: 1, huber: Infinity };
    const [gradient, none] = [new Float64Array(start.length), new Float64Array(start.length)];
    await gradients.gradient(groupsOf.train, lambda, gradient);
    const loss = async (k: number, h: number) => {
      gradients.parameters[k] = start[k] + h;
      gradients.changed();
      const parts = await gradients.gradient(groupsOf.train, lambda, none);
      gradients.parameters[k] = start[k];
      expect(Math.min(parts.energy, parts.forces, parts.stress)).toBeGreaterThan(0);
      return parts.energy + parts.forces + parts.stress;
    };
    const scale = Math.sqrt(gradient.reduce((s, g) => s + g * g, 0) / gradient.length);
    expect(scale).toBeGreaterThan(0);
    for (let k = 0; k < start.length; k += Math.ceil(start.length / 40)) {
      const h = 1e-5 * (1 + Math.abs(start[k]));
      const slope = ((await loss(k, h)) - (await loss(k, -h))) / (2 * h);
      expect(Math.abs(gradient[k] - slope)).toBeLessThan(1e-6 * (Math.abs(slope) + scale));
    }
  });

  it("weighs frames by configuration type and refuses types that are not there", async () => {
    const pool = await poolOf(1);
    const weights = { ...OPTIONS.training.weights, configType: { crystal: 3 } };
    const { training } = await prepareFit(
      FRAMES,
      { ...OPTIONS, training: { ...OPTIONS.training, weights } },
      pool,
    );
    expect([...training.data.weights.subarray(0, 4)]).toEqual([1, 3, 1, 3]);
    const stray = { ...OPTIONS.training, weights: { ...weights, configType: { gas: 1 } } };
    await expect(prepareFit(FRAMES, { ...OPTIONS, training: stray }, pool)).rejects.toThrow("crystal");
  });
});
