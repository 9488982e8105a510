import { afterAll, beforeAll, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { createPool, type Pool } from "../../device/pool.ts";
import { Random } from "../../math/random.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Structure } from "../../structure/structure.ts";
import { tasks } from "../../tasks.ts";
import { runFit, type FitResult } from "../fit.ts";
import { fitSchema, type FitOptions } from "../options.ts";
import { prepareFit } from "../prepare.ts";
import { evaluated } from "../../potentials/evaluated.fixture.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await createPool({ tasks, device: createDevice({ bytes: 2 ** 28 }), threads: 1 });
});
afterAll(() => pool.close());

/** Water with bonds and an angle that are springs. */
const frames = (() => {
  const random = new Random(1, "water");
  const water = [0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0];
  return Array.from({ length: 40 }, (_, k) => {
    const positions = Float64Array.from(water, (x) => x + 0.05 * random.normal());
    const structure: Structure = {
      numbers: Uint8Array.of(8, 1, 1),
      positions,
      cell: null,
      pbc: [false, false, false],
    };
    const forces = new Float64Array(9);
    let energy = 0;
    for (const [i, j, r0] of [
      [0, 1, 0.96],
      [0, 2, 0.96],
      [1, 2, 1.52],
    ]) {
      const d = [0, 1, 2].map((c) => positions[3 * i + c] - positions[3 * j + c]);
      const r = Math.hypot(...d);
      energy += 5 * (r - r0) ** 2;
      d.forEach((x, c) => {
        forces[3 * i + c] -= (10 * (r - r0) * x) / r;
        forces[3 * j + c] += (10 * (r - r0) * x) / r;
      });
    }
    return { structure, energy, forces, info: {}, arrays: {}, place: `water ${k}` };
  });
})();

const options: FitOptions = fitSchema.parse({
  data: "water",
  split: { validation: 15, test: 0 },
  model: {
    descriptor: { name: "inverse-distances" },
    regressor: { name: "gaussian-process", sample: 60, steps: 8, starts: 2 },
  },
});

/** A fit, perhaps from a checkpoint on, and the checkpoints after each of its steps. */
async function fit(resume?: Uint8Array): Promise<FitResult & { readonly checkpoints: Uint8Array[] }> {
  const checkpoints: Uint8Array[] = [];
  const prepared = await prepareFit(frames, options, pool, { resume });
  const save = (checkpoint: Uint8Array) => void checkpoints.push(checkpoint);
  const running = runFit(prepared, pool, { save, saveEvery: 0 });
  for (;;) {
    // reports come one after another
    const next = await running.next();
    if (next.done) return { ...next.value, checkpoints };
  }
}

it("goes on from any step to the bits of a fit that was not interrupted", async () => {
  const whole = await fit();
  const { length } = whole.checkpoints;
  expect(length).toBeGreaterThan(10);
  for (const k of [0, 4, 9, length - 1]) {
    // one fit after another on the same pool
    const parted = await fit(whole.checkpoints[k]);
    expect(parted.solved!.hyperparameters).toEqual(whole.solved!.hyperparameters);
    expect(parted.model.terms.at(-1)!.tensors).toEqual(whole.model.terms.at(-1)!.tensors);
    expect(parted.metrics.validation).toEqual(whole.metrics.validation);
  }
});

it("the deviations that a fit judges by are those of its model", async () => {
  const { model, solved } = await fit();
  const { scale, frames: count } = solved!.calibration!.energies;
  expect(count).toBe(15);
  expect(scale).toBeGreaterThan(0);
  const potential = buildPotential(model, pool.device);
  const { split } = await prepareFit(frames, options, pool);
  const ratios = split.validation.map((f) => {
    const { structure, energy } = frames[f];
    const out = evaluated(potential, structure);
    return Math.abs(out.energy - energy) / potential.deviation(structure)!;
  });
  // The scale puts 68 % of 15, the 11th, at one.
  expect(ratios.toSorted((a, b) => a - b)[10]).toBeCloseTo(1, 6);
});
