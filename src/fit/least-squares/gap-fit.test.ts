import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { createPool, type Pool } from "../../device/pool.ts";
import { startThreads } from "../../device/start.node.ts";
import { readExtxyz } from "../../io/extxyz.ts";
import { KeySurvey } from "../../io/label-keys.ts";
import { applyLabels, planLabels } from "../../io/labels.ts";
import { findNeighbours, pairDistance } from "../../structure/neighbours.ts";
import type { Frame } from "../../structure/structure.ts";
import { tasks } from "../../tasks.ts";
import { runFit } from "../fit.ts";
import { fitSchema } from "../options.ts";
import { prepareFit } from "../prepare.ts";

const reference = shared("models/gap-fit-quip/Si.distance_2b.uniform.json");
const data = shared("models/gap-fit-quip/Si.np1.xyz");

const pools: Pool[] = [];
afterAll(() => pools.forEach((pool) => pool.close()));

/** What gap_fit found: points (Å), α, f_c of the points, in one order. */
interface Found {
  readonly sparsex: readonly number[];
  readonly alpha: readonly number[];
  readonly cutoff: readonly number[];
}

const found = (): Found => JSON.parse(readFileSync(reference!, "utf8")).coords[0];

/**
 * The frames as gap_fit sees them: keys in any case, and the calculator's stress where a frame has no dft_virial, which
 * its command line does not say (stress_parameter_name is "stress" by default).
 */
async function frames(): Promise<Frame[]> {
  const text = readFileSync(data!, "utf8").replaceAll("DFT_", "dft_");
  const all: Frame[] = [];
  for await (const frame of readExtxyz([Buffer.from(text)], "Si.np1.xyz")) {
    const { stress, ...info } = frame.info;
    all.push(info["dft_virial"] === undefined ? { ...frame, info: { ...info, stress } } : { ...frame, info });
  }
  const survey = new KeySurvey();
  all.forEach((frame) => survey.add(frame));
  const keys = { energy: "dft_energy", forces: "dft_force", virial: "dft_virial", stress: "stress" };
  const plan = planLabels(survey, { keys, units: { energy: "eV", length: "Å" } }, "Si.np1.xyz");
  return all.map((frame) => applyLabels(frame, plan));
}

/** Its command line: default_sigma={0.01 1.0 0.5 0.0} delta=1.0 theta_uniform=0.1 cutoff=6.0 e0_offset=2.0 sparse_jitter=1e-3. */
const configuration = ({ sparsex, cutoff }: Found, atom: number) =>
  fitSchema.parse({
    data: "Si.np1.xyz",
    split: { validation: 0, test: 0 },
    model: {
      // gap_fit finds every pair from both of its atoms: twice its sums are those of δ = 2, and α half as large.
      descriptor: {
        name: "distance-2b",
        cutoff: 6,
        width: 0.5,
        length: 0.1,
        delta: 2,
        points: { "Si-Si": sparsex },
      },
      regressor: {
        name: "sparse-gaussian-process",
        // sparse_jitter stands for itself, jitter for a part of the mean diagonal f_c(r_s)² δ².
        jitter: 1e-3 / (cutoff.reduce((sum, f) => sum + f * f, 0) / cutoff.length),
      },
      isolatedAtoms: { Si: atom + 2 },
      zbl: false,
    },
    training: {
      leastSquares: { folds: 0 },
      weights: { sigma: { default: { energy: 0.01, forces: 1, stress: 0.5 } } },
    },
  });

describe.skipIf(!reference || !data)("gap_fit of QUIP (shared models/gap-fit-quip)", () => {
  it("α of 20 pairs from energies, forces and virials as gap_fit finds them, 1e-5", async () => {
    const pool = await createPool({
      tasks,
      device: createDevice({ bytes: 2 ** 27 }),
      threads: 1,
      start: startThreads(),
    });
    pools.push(pool);
    const [given, ours] = [found(), await frames()];
    expect(ours.every(({ stress }) => stress)).toBe(true);
    const atom = ours.find(({ structure }) => structure.numbers.length === 1 && structure.cell![0] === 20)!;
    const prepared = await prepareFit(ours, configuration(given, atom.energy!), pool);
    // Its 17 energies, 1317 forces and 102 virials without those of the lone atom, which no pair sees.
    expect(prepared.plan.design!.rows).toBe(17 + 1317 + 102 - 10);
    const fit = runFit(prepared, pool, {});
    let step = await fit.next();
    while (!step.done) step = await fit.next();
    const { parameters } = step.value.trained;
    // 4 α of sums over pairs is 2 α of sums over both atoms of each.
    for (const [k, alpha] of given.alpha.entries()) expect(2 * parameters[k]).toBeCloseTo(alpha, 5);
    expect(Math.max(...given.alpha.map(Math.abs))).toBeGreaterThan(2);
  });

  it("its points are distances of the data, each nearest to another of 20 even ones from the shortest to the cutoff, 1e-8", async () => {
    const distances = (await frames()).flatMap(({ structure }) => {
      const neighbours = findNeighbours(structure, 6);
      const { offsets } = neighbours;
      return Array.from(structure.numbers, (_, i) =>
        Array.from({ length: offsets[i + 1] - offsets[i] }, (__, k) =>
          pairDistance(structure, neighbours, i, offsets[i] + k),
        ),
      )
        .flat()
        .filter((r) => r < 6);
    });
    const { sparsex } = found();
    const [first, last] = [
      distances.reduce((a, b) => Math.min(a, b)),
      distances.reduce((a, b) => Math.max(a, b)),
    ];
    const nearest = sparsex.map((x) => Math.round((19 * (x - first)) / (last - first)));
    expect(nearest.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, k) => k));
    for (const x of sparsex)
      expect(distances.reduce((least, r) => Math.min(least, Math.abs(r - x)), 1)).toBeLessThan(1e-8);
  });
});
