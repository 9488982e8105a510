import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createDevice } from "../device/device.ts";
import { readFrames } from "../io/files.node.ts";
import { rememberingModel, shaken, trainingFrames } from "../laws/extrapolation.fixture.ts";
import { molecule } from "../laws/potential.fixture.ts";
import { GradedPotential } from "../potentials/extrapolation/graded.ts";
import { ExtrapolationGuard } from "../potentials/extrapolation/guard.ts";
import type { Potential } from "../potentials/potential.ts";
import { Harvest } from "./harvest.ts";
import type { Structure } from "../structure/structure.ts";
import { createProgress } from "./progress.ts";
import { runDynamics } from "./trajectory.ts";
import type { MdOptions, MdResult } from "./dynamics-options.ts";
import { ExtrapolationWatch } from "./watch.ts";
import type { WatchOptions } from "./watch.ts";

const folder = mkdtempSync(join(tmpdir(), "surfit-watch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);

const device = createDevice({ bytes: 2 ** 26 });
const model = rememberingModel(device);
const guard = ExtrapolationGuard.demand(model, device);

const gradesOf = (structure: Structure) => guard.grade(structure).range;

/** Springs to the places of the molecule, with grades of how far the atoms are pushed along x, in Å. */
function springs(): Potential {
  return {
    cutoff: guard.cutoff,
    elements: null,
    evaluate({ positions }, _, out) {
      positions.forEach((x, k) => {
        const d = x - molecule.positions[k];
        out.energy += 2 * d * d;
        out.forces[k] -= 4 * d;
        if (k % 3 === 0 && out.grades) out.grades[k / 3] = Math.abs(d);
      });
    },
  };
}

function run(name: string, watch: Partial<WatchOptions>, more: Partial<MdOptions> = {}): Promise<MdResult> {
  const surface = new GradedPotential(springs());
  const options = { grade: "range", above: 0.1, ...watch };
  return runDynamics(
    surface,
    {
      structure: molecule,
      model: "a",
      folder: path(name),
      ensemble: "nvt",
      temperature: 600,
      time: 0.2,
      timestep: 1,
      friction: 20,
      period: 100,
      pressure: 0,
      pressurePeriod: 1000,
      cell: "isotropic" as const,
      seed: 3,
      every: 10,
      thermo: 10,
      watch: new ExtrapolationWatch(surface, guard, options),
      ...more,
    },
    createProgress({ write: () => true }),
  );
}

async function framesOf(file: string) {
  const frames = [];
  for await (const frame of readFrames(file)) frames.push(frame);
  return frames;
}

describe("a harvest", () => {
  test("takes each kind of surroundings once, also those of an earlier run, and only from the grade wanted on", async () => {
    const options = { file: path("once.xyz"), grade: "range", above: 0.5 };
    const harvest = await Harvest.open(guard, options);
    const strange = shaken(molecule, 0.3, 1);
    const offers = [
      [trainingFrames[3].structure, false],
      [strange, true],
      [strange, false],
      [shaken(strange, 1e-4, 2), false],
      [shaken(molecule, 0.3, 3), true],
    ] as const;
    for (const [structure, taken] of offers)
      expect(harvest.offer(structure, gradesOf(structure), { step: 1 })).toBe(taken);
    const third = shaken(molecule, 0.4, 4);
    const again = await Harvest.open(guard, options);
    expect(again.frames).toBe(2);
    expect(again.offer(strange, gradesOf(strange), {})).toBe(false);
    expect(again.offer(third, gradesOf(third), {})).toBe(true);
    const frames = await framesOf(options.file);
    expect(frames.map(({ structure }) => structure.positions)).toEqual(
      [strange, shaken(molecule, 0.3, 3), third].map(({ positions }) => positions),
    );
    // What the model says of them is no label.
    expect(frames.every(({ energy, forces }) => energy === undefined && forces === undefined)).toBe(true);
    expect(frames[0].arrays.range_grade.values).toEqual(guard.grade(strange).range);
    expect(frames[0].info).toMatchObject({
      step: 1,
      largest_range_grade: Math.max(...guard.grade(strange).range),
    });
  });

  test("is cut back to where a checkpoint saw it, unless it is another file", async () => {
    const options = { file: path("cut.xyz"), grade: "range", above: 0.5 };
    const harvest = await Harvest.open(guard, options);
    const [first, second] = [shaken(molecule, 0.3, 1), shaken(molecule, 0.3, 2)];
    harvest.offer(first, gradesOf(first), {});
    const { mark } = harvest;
    const before = readFileSync(options.file);
    harvest.offer(second, gradesOf(second), {});
    expect(harvest.frames).toBe(2);
    expect((await Harvest.open(guard, options, { file: "other.xyz", length: 3 })).frames).toBe(2);
    expect((await Harvest.open(guard, options, mark)).frames).toBe(1);
    expect(readFileSync(options.file)).toEqual(before);
    truncateSync(options.file, 10);
    await expect(Harvest.open(guard, options, mark)).rejects.toThrow(
      /cut\.xyz: expected at least the \d+ bytes/,
    );
  });
});

describe("a run that is watched", () => {
  test("stops at the grade, keeps the frame and says why; a higher grade goes on from there to the same bits", async () => {
    const whole = await run("whole", { stop: 9 });
    expect(whole.extrapolation).toMatchObject({ stopped: null, harvested: 0 });
    expect(whole.steps).toBe(200);
    const { largest } = whole.extrapolation!;
    const stop = 0.6 * largest;
    const part = await run("part", { stop });
    const { stopped } = part.extrapolation!;
    expect(part.steps).toBe(stopped!.step);
    expect(part.steps).toBeLessThan(200);
    const [frame] = await framesOf(path("part/extrapolation.xyz"));
    const d = frame.structure.positions.map((x, k) => (k % 3 ? 0 : Math.abs(x - molecule.positions[k])));
    expect(Math.max(...d)).toBeGreaterThanOrEqual(stop);
    expect(d.indexOf(Math.max(...d))).toBe(3 * stopped!.atom);
    expect(frame.arrays.range_grade.values).toEqual(guard.grade(frame.structure).range);
    const { step: _, ...reason } = stopped!;
    expect(reason).toEqual(guard.explain(frame.structure, stopped!.atom));
    const end = await run("part", { stop: 9 }, { restart: true });
    expect(end.steps).toBe(200);
    for (const name of ["trajectory.xyz", "thermo.txt"])
      expect(readFileSync(path(`part/${name}`))).toEqual(readFileSync(path(`whole/${name}`)));
  });

  test("that starts outside stops before the first step", async () => {
    const structure = { ...molecule, positions: molecule.positions.map((x) => x + 0.5) };
    const { extrapolation, steps } = await run("outside", { stop: 0.4 }, { structure });
    expect([steps, extrapolation!.stopped!.step]).toEqual([0, 0]);
    expect(existsSync(path("outside/extrapolation.xyz"))).toBe(true);
  });

  test("harvests the same frames whether it was interrupted or not", async () => {
    const whole = await run("h-whole", { harvest: path("h-whole.xyz") });
    expect(whole.extrapolation!.harvested).toBeGreaterThan(2);
    expect(whole.extrapolation!.noteworthy).toBeGreaterThan(whole.extrapolation!.harvested);
    await run("h-part", { harvest: path("h-part.xyz") }, { time: 0.1 });
    // Killed later than the last checkpoint: what was harvested since is harvested again.
    const last = readFileSync(path("h-whole.xyz"), "utf8").split("\n").slice(0, 11).join("\n");
    appendFileSync(path("h-part.xyz"), `${last}\n`);
    const part = await run("h-part", { harvest: path("h-part.xyz") }, { restart: true });
    expect(readFileSync(path("h-part.xyz"))).toEqual(readFileSync(path("h-whole.xyz")));
    expect(part.extrapolation!.harvested).toBe(whole.extrapolation!.harvested);
    const again = await run("h-again", { harvest: path("h-whole.xyz") });
    expect(again.extrapolation).toMatchObject({ added: 0, harvested: whole.extrapolation!.harvested });
  });

  test("does not start on a harvest that is no structure file", async () => {
    writeFileSync(path("bad.xyz"), "this is not\na structure\n");
    await expect(run("bad", { harvest: path("bad.xyz") })).rejects.toThrow("bad.xyz:1");
  });
});
