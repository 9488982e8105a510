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
import { afterAll, expect, test } from "vitest";
import { cluster, crystal, morse } from "../../test/potentials.ts";
import type { Potential } from "../potentials/potential.ts";
import { ensembles } from "../run/ensembles.ts";
import { masses } from "../structure/elements.ts";
import { createProgress } from "./progress.ts";
import { readThermo, summarise } from "./thermo.ts";
import { runDynamics } from "./trajectory.ts";
import type { MdOptions } from "./dynamics-options.ts";

const folder = mkdtempSync(join(tmpdir(), "surfit-md-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (name: string, more: Partial<MdOptions> = {}): MdOptions => ({
  structure: cluster(),
  model: "a",
  folder: join(folder, name),
  ensemble: "nve",
  temperature: 50,
  time: 0.02,
  timestep: 2,
  friction: 1,
  period: 100,
  pressure: 0,
  pressurePeriod: 1000,
  cell: "isotropic" as const,
  seed: 1,
  every: 1,
  thermo: 1,
  ...more,
});

const quiet = createProgress({ write: () => true });
const run = (o: MdOptions, potential: Potential = morse()) => runDynamics(potential, o, quiet);
const restart = (name: string, more: Partial<MdOptions> = {}) =>
  run(options(name, { time: 0.04, restart: true, ...more }));

test("a run over an old one leaves none of its files to restart from", async () => {
  await run(options("forced"));
  await expect(run(options("forced"))).rejects.toThrow("--force");
  const surface = morse();
  let calls = 0;
  const failing: Potential = {
    ...surface,
    cutoff: surface.cutoff,
    evaluate(...args) {
      if (calls++ > 3) throw new Error("power cut");
      surface.evaluate(...args);
    },
  };
  await expect(run(options("forced", { force: true }), failing)).rejects.toThrow("power cut");
  expect(existsSync(join(folder, "forced/checkpoint"))).toBe(false);
  await expect(restart("forced")).rejects.toThrow("a checkpoint to restart from");
});

test("another model, start, cell or periodicity is not the same run, and the error says which", async () => {
  await run(options("settings"));
  const { structure } = options("settings");
  const cell = Float64Array.of(30, 0, 0, 0, 30, 0, 0, 0, 30);
  await expect(restart("settings", { model: "b" })).rejects.toThrow(/checkpoint model: expected b, got a/);
  const moved = { ...structure, positions: structure.positions.map((x) => x + 0.1) };
  await expect(restart("settings", { structure: moved })).rejects.toThrow("checkpoint start");
  await expect(restart("settings", { structure: { ...structure, cell } })).rejects.toThrow("checkpoint cell");
  const periodic = { ...structure, cell, pbc: [true, true, true] as const };
  await expect(restart("settings", { structure: periodic })).rejects.toThrow("checkpoint pbc");
  await expect(restart("settings", { seed: 2 })).rejects.toThrow("checkpoint seed: expected 2, got 1");
  expect((await restart("settings")).steps).toBe(20);
});

/** Those that bear a ramp of the temperature are given one. */
const RAMPED = new Set(["nvt", "bussi", "berendsen"]);

test.each(Object.keys(ensembles))(
  "%s: tells its invariant and its drift, goes on to the same bits, does not drift away",
  async (ensemble) => {
    const told = {
      structure: crystal(),
      ensemble,
      temperature: RAMPED.has(ensemble) ? ([60, 30] as const) : 40,
      friction: 20,
      every: 0,
      timestep: 1,
      time: 0.4,
    };
    const { drift, wander, temperature } = await run(options(`${ensemble}-whole`, told));
    expect(Number.isFinite(drift.slope) && Number.isFinite(drift.error)).toBe(true);
    const rows = readThermo(join(folder, `${ensemble}-whole/thermo.txt`));
    expect(rows).toHaveLength(401);
    // meV/atom; the energies change by far more.
    expect(wander).toBeLessThan(2);
    const kinetic = rows.map((row) => row[3]);
    expect(Math.max(...kinetic) - Math.min(...kinetic)).toBeGreaterThan(0.01);
    expect(temperature.mean).toBeGreaterThan(10);

    let calls = 0;
    const surface = morse();
    const cut: Potential = {
      ...surface,
      cutoff: surface.cutoff,
      evaluate(...args) {
        if (calls++ > 150) throw new Error("power cut");
        // So slow that it is saved on the way.
        for (const until = performance.now() + 0.6; performance.now() < until;);
        surface.evaluate(...args);
      },
    };
    const broken = options(`${ensemble}-broken`, { ...told, checkpoint: 1e-9 });
    await expect(run(broken, cut)).rejects.toThrow("power cut");
    const found = await run({ ...broken, restart: true });
    expect(found.steps).toBe(400);
    for (const file of ["thermo.txt", "checkpoint"])
      expect(
        readFileSync(join(folder, `${ensemble}-broken`, file)).equals(
          readFileSync(join(folder, `${ensemble}-whole`, file)),
        ),
      ).toBe(true);
  },
);

test("starting velocities have no motion of the whole, and none comes without noise", async () => {
  const found: number[] = [];
  const m = masses(crystal().numbers);
  for (const ensemble of Object.keys(ensembles).filter((name) => name !== "nvt")) {
    const told = options(`${ensemble}-still`, { structure: crystal(), ensemble, temperature: 40, time: 0.2 });
    // oxlint-disable-next-line no-await-in-loop -- one run after another
    await run({ ...told, every: 100 });
    const text = readFileSync(join(folder, `${ensemble}-still/trajectory.xyz`), "utf8")
      .trim()
      .split("\n");
    const last = text.slice(-m.length).map((row) => row.split(/\s+/).map(Number));
    const columns = /Properties=\S+/.exec(text.at(-m.length - 1)!)![0].split(":");
    const at = columns.slice(0, columns.indexOf("velocities"));
    const first = at.filter((_, k) => k % 3 === 2).reduce((sum, n) => sum + Number(n), 0);
    for (const c of [0, 1, 2])
      found.push(Math.abs(last.reduce((sum, row, i) => sum + m[i] * row[first + c], 0)));
  }
  expect(found.length).toBeGreaterThanOrEqual(15);
  expect(Math.max(...found)).toBeLessThan(1e-9);
});

test("what was written after the checkpoint is cut off, but nothing that it knows of may be missing", async () => {
  await run(options("logs"));
  appendFileSync(join(folder, "logs/thermo.txt"), "999 0 0 0 0 0 0\n");
  await restart("logs");
  expect(readThermo(join(folder, "logs/thermo.txt")).map(([step]) => step)).toEqual(
    Array.from({ length: 21 }, (_, k) => k),
  );
  truncateSync(join(folder, "logs/trajectory.xyz"), 10);
  await expect(restart("logs")).rejects.toThrow(/trajectory\.xyz: expected at least the \d+ bytes/);
});

test("a table of more lines than a call has room for arguments is summed up", () => {
  const path = join(folder, "thermo.txt");
  const rows = Array.from({ length: 200_000 }, (_, k) => `${k} ${k * 0.002} -1 0 ${-1 + (k % 2)} 50 0\n`);
  writeFileSync(path, rows.join(""));
  expect(summarise(path, cluster(), 200_000, 2).wander).toBeCloseTo(200, 9);
});
