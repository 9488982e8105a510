import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { workplace } from "./command.ts";

const { folder, surfit } = workplace("analyse");

function json(...args: readonly string[]): unknown {
  const { code, stdout, stderr } = surfit(...args, "--json");
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as unknown;
}

interface Mean {
  readonly mean: number;
  readonly error: number;
}
interface Analysis {
  readonly meanDipole: number;
  readonly velocityTemperature: Mean;
  readonly dielectricConstant?: Mean;
  readonly heatCapacity?: Mean;
  readonly temperature: Mean;
  readonly diffusion: Readonly<Record<string, Mean>>;
}

interface Modes {
  readonly wavenumbers: readonly number[];
  readonly intensities: readonly number[];
}

const CHARGES = "H=0.3,Cl=-0.3";

beforeAll(() => {
  const bond = "{ depth: 4.4, alpha: 1.9, distance: 1.27 }";
  const loose = "{ depth: 0.01, alpha: 1.5, distance: 2.6 }";
  const pairs = `pairs: { H-Cl: ${bond}, H-H: ${loose}, Cl-Cl: ${loose} }`;
  const terms = `[{ type: morse, cutoff: 2, ending: switched, ${pairs} }]`;
  writeFileSync(join(folder, "hcl.yaml"), `elements: [H, Cl]\nterms: ${terms}\n`);
  const atoms = "H 0 0 0 0.3\nCl 0 0 1.27 -0.3\n";
  const columns = "Properties=species:S:1:pos:R:3:q:R:1";
  writeFileSync(join(folder, "gas.xyz"), `2\n${columns} pbc="F F F"\n${atoms}`);
  writeFileSync(
    join(folder, "box.xyz"),
    `2\n${columns} Lattice="12 0 0 0 12 0 0 0 12" pbc="T T T"\n${atoms}`,
  );
});

/** Wavenumbers and the column of a table that `surfit analyse` wrote. */
const curve = (file: string) =>
  readFileSync(join(folder, file), "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split(" ").map(Number));

describe("surfit analyse", () => {
  test("the dipole's spectrum of a run has the line and the intensity of surfit vibrations", () => {
    const modes = json("vibrations", "hcl.yaml", "gas.xyz", "--charges", "q", "--spectrum", "ir") as Modes;
    expect(existsSync(join(folder, "ir.svg"))).toBe(true);
    const run = ["--temperature", "100", "--time", "3", "--timestep", "0.25", "--every", "4"];
    json("md", "hcl.yaml", "gas.xyz", ...run, "--charges", CHARGES, "-o", "gas-md");
    const trajectory = readFileSync(join(folder, "gas-md/trajectory.xyz"), "utf8");
    expect(trajectory).toMatch(/dipole="0 0 -0\.381/);
    const others = ["--charges", "H=0.2,Cl=-0.2", "-o", "gas-md", "--restart"];
    expect(surfit("md", "hcl.yaml", "gas.xyz", ...run, ...others).stderr).toMatch(
      /gas-md\/checkpoint.*model/s,
    );
    const found = json("analyse", "gas-md") as Analysis;
    expect(found.meanDipole).toBeCloseTo(0.3 * 1.27, 2);
    // Constant energy has no heat capacity to tell.
    expect(found.heatCapacity).toBeUndefined();
    const rows = curve("gas-md-analysis/infrared.txt").filter(([w]) => w > 500);
    const [top] = rows.toSorted((a, b) => b[1] - a[1])[0];
    expect(Math.abs(top - modes.wavenumbers[0])).toBeLessThan(60);
    // One mode, which alone carries the temperature of the velocities, about half of the 100 K at the start.
    const area = rows.reduce((sum, [, y]) => sum + y, 0) * (rows[1][0] - rows[0][0]);
    expect(Math.abs(found.velocityTemperature.mean - 50)).toBeLessThan(10);
    expect(found.velocityTemperature.error).toBeGreaterThan(0);
    expect(Math.abs(area / modes.intensities[0] - 1)).toBeLessThan(0.06);
  }, 60_000);

  test("of a box: dielectric constant and heat capacity with errors; dipoles from charges given later are the same", () => {
    const run = ["--ensemble", "nvt", "--temperature", "400", "--time", "4", "--every", "10"];
    json("md", "hcl.yaml", "box.xyz", ...run, "--thermo", "5", "--charges", "q", "-o", "with");
    json("md", "hcl.yaml", "box.xyz", ...run, "--thermo", "5", "-o", "without");
    const own = json("analyse", "with", "--temperature", "400", "--cutoff", "5") as Analysis;
    const { dielectricConstant: epsilon, heatCapacity, temperature } = own;
    expect(epsilon!.mean).toBeGreaterThan(1);
    expect(epsilon!.error).toBeGreaterThan(0);
    expect(heatCapacity!.error).toBeGreaterThan(0);
    expect(Math.abs(temperature.mean - 400)).toBeLessThan(5 * temperature.error);
    const given = ["--charges", CHARGES, "--temperature", "400", "--cutoff", "5"];
    const later = json("analyse", "without", ...given) as Analysis;
    expect(later.dielectricConstant!.mean).toBeCloseTo(epsilon!.mean, 10);
    expect(later.heatCapacity).toEqual(heatCapacity);
  }, 60_000);

  test("what cannot be told is an error that says why", () => {
    expect(surfit("analyse", "with", "--charges", CHARGES).stderr).toContain("without a dipole of their own");
    expect(surfit("vibrations", "hcl.yaml", "gas.xyz", "--spectrum", "x").stderr).toContain("gives a dipole");
    expect(surfit("vibrations", "hcl.yaml", "gas.xyz", "--charges", "z").stderr).toContain(
      "a column of gas.xyz",
    );
    expect(surfit("vibrations", "hcl.yaml", "gas.xyz", "--masses", "O=18").stderr).toContain(
      "an element or an atom",
    );
    const frames = Array.from(
      { length: 20 },
      (_, k) => `1\nLattice="5 0 0 0 5 0 0 0 5" pbc="T T T" time_fs=${k}\nAr ${k === 9 ? 4.9 : 0.1} 0 0\n`,
    );
    writeFileSync(join(folder, "wrapped.xyz"), frames.join(""));
    expect(surfit("analyse", "wrapped.xyz").stderr).toContain("not wrapped into the cell");
  }, 60_000);
});
