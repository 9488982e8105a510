import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { ethanol } from "../../../test/ethanol.ts";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { type Pool } from "../../device/pool.ts";
import { readLabelled } from "../../io/files.node.ts";
import { readModel, writeModel } from "../../io/model.ts";
import * as laws from "../../laws/potential.ts";
import { Random } from "../../math/random.ts";
import { buildPotential, buildTrainable } from "../../potentials/build.ts";
import type { Labels, Model } from "../../potentials/potential.ts";
import type { Frame } from "../../structure/structure.ts";
import { unpackCheckpoint } from "../checkpoint.ts";
import { runFit } from "../fit.ts";
import { fitSchema } from "../options.ts";
import { prepareFit } from "../prepare.ts";
import { learnSymmetries } from "./symmetries.ts";
import { poolsOf } from "../pools.fixture.ts";
import { tasks } from "../../tasks.ts";

const poolOf = poolsOf(tasks, 2 ** 28);

let frames: readonly Frame[];
beforeAll(async () => {
  const file = fileURLToPath(new URL("../../../data/ethanol.xyz.gz", import.meta.url));
  ({ frames } = await readLabelled(file, {}));
});

const options = (regressor: Record<string, unknown> = {}, split: Record<string, unknown> = {}) =>
  fitSchema.parse({
    data: "made.xyz",
    split: { validation: 0, test: 0.5, ...split },
    model: {
      descriptor: { name: "inverse-distances" },
      regressor: { name: "symmetric-gradient-domain", length: 14, ...regressor },
      zbl: false,
    },
  });

/** A fit to half of every so many frames, and its error of forces on the other half, eV/Å. */
async function fit(
  every: number,
  pool: Pool,
  regressor?: Record<string, unknown>,
  resume?: Uint8Array,
  save?: (bytes: Uint8Array) => void,
) {
  const some = frames.filter((_, k) => k % every === 0);
  const prepared = await prepareFit(some, options(regressor), pool, { resume });
  const running = runFit(prepared, pool, { ...(save && { save }), saveEvery: save ? 0 : 1e9 });
  for (;;) {
    // one step after another
    const next = await running.next();
    if (next.done) return { prepared, result: next.value, error: next.value.metrics.test.all.forces!.mae };
  }
}

/** Vectors of atoms [n, 3] in another order. */
const permuted = (x: Float64Array, p: readonly number[]): Float64Array =>
  x.map((_, k) => x[3 * p[Math.floor(k / 3)] + (k % 3)]);

/** Room for the labels of one geometry. */
const labels = (): Labels => ({
  energies: new Float64Array(1),
  forces: new Float64Array(27),
  virials: new Float64Array(9),
});

describe("symmetries", () => {
  it("of ethanol are the methyl group's turns and the mirror: 6", () => {
    const { numbers } = frames[0].structure;
    const group = learnSymmetries(
      numbers,
      frames.slice(0, 100).map(({ structure }) => structure.positions),
    );
    expect(group.length).toBe(6);
    for (const p of group) expect(p.map((j) => numbers[j])).toEqual([...numbers]);
  });

  it("a molecule without any has one", () => {
    const bent = { ...ethanol, numbers: Uint8Array.of(6, 7, 8, 1, 2, 3, 4, 5, 9) };
    const random = new Random(3);
    const moved = Array.from({ length: 20 }, () => bent.positions.map((x) => x + 0.05 * random.normal()));
    expect(learnSymmetries(bent.numbers, moved)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8]]);
  });
});

describe("atoms that mix", () => {
  it("have no group that could be learned", () => {
    const random = new Random(4);
    const numbers = new Uint8Array(8).fill(18);
    const gas = Array.from({ length: 30 }, () => random.normals(new Float64Array(24)));
    expect(() => learnSymmetries(numbers, gas)).toThrow(/too different/);
  });
});

describe("a fit of ethanol", () => {
  let model: Model;
  let error: number;
  beforeAll(async () => {
    const made = await fit(10, await poolOf(1));
    model = readModel(writeModel(made.result.model), "model.surfit");
    error = made.error;
  });
  const built = () => buildPotential(model, createDevice({ bytes: 2 ** 24 }));

  // Weights of 1e6 cost energies some digits, so differences are taken over a wider step.
  it("obeys the laws of a molecule's potential", () => {
    const potential = built();
    const { structure } = frames[5];
    laws.isTranslationInvariant(potential, structure);
    laws.turnsWithTheStructure(potential, structure);
    laws.forcesAreDerivatives(potential, structure, { step: 1e-3 });
    laws.virialIsDerivative(potential, structure, { step: 1e-3 });
    laws.addsToOut(potential, structure);
    laws.leavesInputAlone(potential, structure);
    laws.partsAddUp(potential, structure);
    laws.givesSameBits(potential, built(), structure);
  });

  it("gives a geometry in all its orders one energy, and forces in that order", () => {
    const potential = built();
    const { structure } = frames[5];
    const { permutations } = model.terms.at(-1)!.options as { permutations: number[][] };
    const plain = laws.evaluateOnce(potential, structure);
    expect(permutations.length).toBe(6);
    for (const p of permutations) {
      const out = laws.evaluateOnce(potential, { ...structure, positions: permuted(structure.positions, p) });
      expect(Math.abs(out.energy / plain.energy - 1)).toBeLessThan(1e-12);
      const expected = permuted(plain.forces, p);
      for (const [k, f] of out.forces.entries()) expect(Math.abs(f - expected[k])).toBeLessThan(1e-10);
    }
  });

  it("refuses another molecule, and the same one with its atoms in another order", () => {
    const potential = built();
    const { structure } = frames[0];
    const turned = { ...structure, numbers: structure.numbers.toReversed() };
    expect(() => laws.evaluateOnce(potential, turned)).toThrow(/the molecule that the model is of/);
  });

  it("has slopes by its weights", () => {
    const device = createDevice({ bytes: 2 ** 24 });
    const trainable = buildTrainable(model.terms.at(-1)!, model.elements, device);
    const { structure } = frames[5];
    const batch = trainable.batch([structure]);
    const [seeds, out] = [labels(), labels()];
    const random = new Random(2);
    for (const array of [seeds.energies, seeds.forces, seeds.virials]) random.normals(array);
    const gradient = new Float64Array(trainable.parameters.length);
    trainable.parameterGradient(batch, seeds, gradient);
    const value = () => {
      trainable.forward(batch, out);
      return [seeds.energies, seeds.forces, seeds.virials].reduce(
        (sum, seed, k) =>
          sum + seed.reduce((s, x, c) => s + x * [out.energies, out.forces, out.virials][k][c], 0),
        0,
      );
    };
    // Linear in the weights: any step will do.
    for (const k of [1, 2, 40, 333, gradient.length - 1]) {
      const before = value();
      trainable.parameters[k] += 1000;
      const slope = (value() - before) / 1000;
      trainable.parameters[k] -= 1000;
      expect(Math.abs(slope / gradient[k] - 1)).toBeLessThan(1e-6);
    }
  });

  it("has the same bits on two threads, by its own choice of a length", async () => {
    const regressor = { length: "auto", lengths: [14, 400], sample: 300 };
    const alone = await fit(25, await poolOf(1), regressor);
    const shared = await fit(25, await poolOf(2), regressor);
    expect(shared.result.model.terms).toEqual(alone.result.model.terms);
    expect(alone.result.model.terms.at(-1)!.tensors["length"][0]).toBe(14);
  });

  it("is the same by conjugate gradients", async () => {
    const made = await fit(10, await poolOf(1), { solver: "iterative", inducing: 6, tolerance: 1e-6 });
    const exact = built();
    const close = buildPotential(made.result.model, createDevice({ bytes: 2 ** 24 }));
    const [a, b] = [exact, close].map((p) => laws.evaluateOnce(p, frames[5].structure).forces);
    for (const [k, f] of a.entries()) expect(Math.abs(f - b[k])).toBeLessThan(1e-3);
    expect(made.result.solved!.lines[2]).toMatch(
      /solved by \d+ iterations with a preconditioner of 6 frames/,
    );
  });

  it("goes on from a checkpoint to the same bits", async () => {
    const regressor = { solver: "iterative", inducing: 4, tolerance: 1e-3 };
    const saved: Uint8Array[] = [];
    const whole = await fit(25, await poolOf(1), regressor, undefined, (bytes) => saved.push(bytes));
    expect(saved.length).toBeGreaterThan(6);
    const again = await fit(25, await poolOf(1), regressor, saved[5]);
    expect(again.result.model.terms).toEqual(whole.result.model.terms);
  });

  it("goes on within a factorisation, and within the choice of a length, to the same bits", async () => {
    const regressor = { solver: "exact", length: "auto", lengths: [14, 400], sample: 600 };
    const saved: Uint8Array[] = [];
    const whole = await fit(25, await poolOf(1), regressor, undefined, (bytes) => saved.push(bytes));
    const factors = saved.map((bytes) => unpackCheckpoint(bytes).arrays["factor"]?.length ?? 0);
    expect(new Set(factors).size).toBeGreaterThan(3);
    const begun = factors.findIndex((length) => length > 0);
    expect(begun).toBeGreaterThan(4);
    for (const k of [3, begun, saved.length - 3]) {
      const again = await fit(25, await poolOf(2), regressor, saved[k]);
      expect(again.result.model.terms).toEqual(whole.result.model.terms);
    }
  });

  it("says what is missing: frames, memory, numbers of atoms", async () => {
    const pool = await poolOf(1);
    const small = { solver: "exact", memory: 1 };
    await expect(fit(10, pool, small)).rejects.toThrow(/model\.regressor\.memory: expected at least \d+ MiB/);
    await expect(fit(10, pool, { permutations: [[1, 0, 2]] })).rejects.toThrow(/permutations\[0\]/);
    await expect(fit(375, pool, { length: "auto" })).rejects.toThrow(/model\.regressor\.length/);
  });

  it("learns: errors of forces fall with more frames, and symmetry helps", async () => {
    const few = await fit(30, await poolOf(1));
    const without = await fit(10, await poolOf(1), { permutations: "none" });
    expect(error).toBeLessThan(0.75 * few.error);
    expect(error).toBeLessThan(0.9 * without.error);
  });
});

/** Frames of the official split of rMD17 ethanol. */
async function ethanolFrames(set: string): Promise<readonly Frame[]> {
  const file = shared(`datasets/rmd17/rmd17_ethanol_${set}_01.npz`)!;
  return (await readLabelled(file, { units: { energy: "kcal/mol", length: "Å" } })).frames;
}

const reference = shared("models/sgdml-ethanol/reference.json");
describe("the published program's fit of rMD17 ethanol", () => {
  it.skipIf(!reference)("comes out: 0.979 kcal/mol/Å, 0.193 kcal/mol", async () => {
    const listed = JSON.parse(readFileSync(reference!, "utf8")) as {
      train_indices_in_train_01: number[];
      test_mae_force: number;
      test_mae_energy: number;
    };
    const [train, test] = [await ethanolFrames("train"), await ethanolFrames("test")];
    const chosen = listed.train_indices_in_train_01.map((f) => train[f]);
    const data = [...chosen, ...test].map((frame, k) => ({
      ...frame,
      info: { ...frame.info, set: k < chosen.length ? "train" : "test" },
    }));
    const pool = await poolOf(2);
    const split = { method: "group", key: "set", test: ["test"] };
    const prepared = await prepareFit(data, options({ length: 20 }, split), pool);
    const running = runFit(prepared, pool);
    let next = await running.next();
    // one step after another
    while (!next.done) next = await running.next();
    const { metrics } = next.value;
    const kcal = 23.060548;
    expect(Math.abs(kcal * metrics.test.all.forces!.mae - listed.test_mae_force)).toBeLessThan(1e-5);
    expect(Math.abs(kcal * metrics.test.all.energy!.mae - listed.test_mae_energy)).toBeLessThan(1e-5);
  });
});
