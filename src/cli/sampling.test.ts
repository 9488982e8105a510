import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cluster, morse } from "../../test/potentials.ts";
import { createDevice } from "../device/device.ts";
import { bondsToHydrogen, readFixedBonds } from "../run/constraints/read.ts";
import type { Structure } from "../structure/structure.ts";
import { writeHills, writeHillsProfile } from "./free-energy.ts";
import { createProgress } from "./progress.ts";
import { freeEnergyOf, place, readVariables, samplingOf } from "./sampling.ts";
import type { SamplingFlags } from "./sampling.ts";
import { runDynamics } from "./trajectory.ts";

const folder = mkdtempSync(join(tmpdir(), "surfit-sampling-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const device = createDevice({ bytes: 2 ** 24 });
const quiet = createProgress({ write: () => true });

/** Dynamics with its files, told as on the command line. */
async function run(name: string, time: number, flags: SamplingFlags, restart = false) {
  const sampling = samplingOf(flags, cluster(), 60, device)!;
  const own = join(folder, name);
  const options = {
    structure: cluster(),
    model: "a",
    folder: own,
    ensemble: "nvt",
    temperature: 60,
    time,
    timestep: 2,
    friction: 5,
    period: 100,
    pressure: 0,
    pressurePeriod: 1000,
    cell: "isotropic" as const,
    seed: 1,
    every: 0,
    thermo: 5,
    restart,
    ...(sampling && { sampling }),
  };
  const result = await runDynamics(morse(), options, quiet);
  const profile = freeEnergyOf(sampling, [own], 60, 12);
  if (sampling.told) await writeHills(sampling.told.hills, own);
  const text = profile && (await writeHillsProfile(profile, sampling.told!.hills, own));
  return { result, profile, text };
}

const read = (name: string, file: string) => readFileSync(join(folder, name, file), "utf8");

describe("dynamics with biases", () => {
  const told = {
    metadynamics: "distance(1,2); width=0.05; height=0.004; every=20; factor=4",
    bias: ["wall(distance(1,2); above=3.2; k=2)"],
    record: ["dihedral(1,2,3,4)"],
    constrain: ["3-4"],
  };

  test("metadynamics that was broken off goes on to the same bits, its hills and its profile too", async () => {
    const whole = await run("whole", 4, told);
    await run("broken", 1.366, told);
    const resumed = await run("broken", 4, told, true);
    for (const file of ["thermo.txt", "variables.txt", "hills.txt", "free-energy.txt", "free-energy.svg"])
      expect(read("broken", file)).toBe(read("whole", file));
    expect(resumed.profile).toEqual(whole.profile);
    expect(resumed.text).toContain("free energy along distance(1,2): lowest at");
    expect(read("whole", "hills.txt").trimEnd().split("\n")).toHaveLength(101);
    expect(read("whole", "hills.txt")).toMatch(/^# distance\(1,2\)_\(Å\) {2}height_eV\n/);
    const columns = readVariables(join(folder, "whole/variables.txt"));
    expect([...columns.keys()].slice(2)).toEqual(["distance(1,2)", "dihedral(1,2,3,4)", "tension(3,4)"]);
    expect(Object.keys(whole.result.variables!)).toEqual([...columns.keys()].slice(2));
    expect(columns.get("step")).toHaveLength(401);
  });

  test("what was biased does not go on without, nor otherwise", async () => {
    await run("settings", 0.1, told);
    const without = { record: told.record };
    await expect(run("settings", 0.2, without, true)).rejects.toThrow(
      /checkpoint bias: expected none, got wall[^]*checkpoint metadynamics: expected none/,
    );
    const stronger = { ...told, bias: ["wall(distance(1,2); above=3.2; k=3)"] };
    await expect(run("settings", 0.2, stronger, true)).rejects.toThrow("checkpoint bias: expected wall");
  });
});

describe("what is held fixed", () => {
  const s = "distance(1,2)-distance(2,3)";

  test("one variable: its tension, the slope of the free energy and its weight, and their mean", async () => {
    const { result } = await run("held", 2, { constrain: [`${s}=0.3`], record: [s] });
    const columns = readVariables(join(folder, "held/variables.txt"));
    expect([...columns.keys()].slice(2)).toEqual([s, `tension(${s})`, `slope(${s})`, `weight(${s})`]);
    for (const value of columns.get(s)!) expect(Math.abs(value - 0.3)).toBeLessThan(1e-11);
    const [slopes, weights] = ["slope", "weight"].map((name) => columns.get(`${name}(${s})`)!);
    const mean = slopes.reduce((sum, x, k) => sum + weights[k] * x, 0) / weights.reduce((a, b) => a + b, 0);
    expect(result.variables![`dF/d(${s})`].mean).toBeCloseTo(mean, 12);
    expect(Object.keys(result.variables!)).toEqual([s, `tension(${s})`, `dF/d(${s})`]);
  });

  test("with bonds, or in a ramp, there are tensions alone", () => {
    const both = samplingOf({ constrain: [s, "1-4"] }, cluster(), 60, device)!;
    expect(both.head).toBe(`# step  time_ps  tension(1,4)  tension(${s})\n`);
    const ramp = samplingOf({ constrain: [s] }, cluster(), [60, 30], device)!;
    expect(ramp.head).toBe(`# step  time_ps  tension(${s})\n`);
    expect(() => samplingOf({ constrain: [`${s}=x`] }, cluster(), 60, device)).toThrow(
      "the value at which it is held",
    );
  });
});

const refused =
  (flags: SamplingFlags, temperature: number | [number, number] = 300) =>
  () =>
    samplingOf(flags, cluster(), temperature, device);

describe("what the flags say", () => {
  test("nothing, or what cannot be", () => {
    expect(samplingOf({}, cluster(), 300, device)).toBeUndefined();
    expect(refused({ bias: ["umbrella(distance(1,7); 1; k=1)"] })).toThrow(
      "expected atoms 1 … 5, got atom 7",
    );
    expect(refused({ bias: ["umbrella(distance(1;2); 1; k=1)"] })).toThrow("at column 20");
    expect(refused({ constrain: ["1-2,x"] })).toThrow('bonds as "1-2,3-4=1.09" or "hydrogens"');
    expect(refused({ constrain: ["hydrogens"] })).toThrow("a structure with hydrogen");
    const hills = "distance(1,2), angle(1,2,3); width=0.1,0.2; height=1";
    expect(refused({ metadynamics: hills }, [300, 400])).toThrow("one value with --metadynamics");
    expect(refused({ metadynamics: "distance(1,2); height=1" })).toThrow("width: expected one for each of 1");
    expect(refused({ metadynamics: "distance(1,2); width=1" })).toThrow(
      "height: expected one positive number",
    );
    expect(refused({ metadynamics: "distance(1,2); depth=1" })).toThrow("width=, height=, every= or factor=");
    expect(samplingOf({ metadynamics: hills }, cluster(), 300, device)!.told!.hills.widths).toEqual([
      0.1, 0.2,
    ]);
  });

  test("places in degrees", () => {
    expect(place("-90deg")).toBeCloseTo(-Math.PI / 2, 15);
    expect(place("1.5")).toBe(1.5);
    expect(() => place("far")).toThrow("degrees");
  });

  test("bonds to hydrogen, across the border of a cell too", () => {
    const water: Structure = {
      numbers: Uint8Array.of(8, 1, 1, 1),
      positions: Float64Array.of(0.1, 0, 0, 1.06, 0, 0, 9.86, 0.93, 0, 5, 5, 5),
      cell: Float64Array.of(10, 0, 0, 0, 10, 0, 0, 0, 10),
      pbc: [true, true, true],
    };
    expect(bondsToHydrogen(water).map(({ atoms }) => atoms)).toEqual([
      [0, 1],
      [0, 2],
    ]);
    expect(readFixedBonds("1-2=0.96, 3-1", water)).toEqual([
      { atoms: [0, 1], length: 0.96 },
      { atoms: [2, 0] },
    ]);
  });
});
