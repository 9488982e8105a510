import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCoefficients } from "../src/io/lammps/coefficients.ts";
import { lammps, runLammps } from "./lammps.ts";
import { shared } from "./shared.ts";
import { workplace } from "./command.ts";

const { folder, surfit } = workplace("fitsnap");

const read = (path: string) => readCoefficients(readFileSync(path, "utf8"), path)[0];

/** The numbers of a run's model, without the header that tells how they were made. */
function tensors(run: string): Buffer {
  const bytes = readFileSync(join(folder, run, "model.surfit"));
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
}

/** A text without its comments, which tell the command. */
const numbersOf = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => !line.startsWith("#"));

/** Cells of FitSNAP's table of errors by name of the row. */
function cellsOf(file: string): Map<string, number[]> {
  const rows = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter(([, name]) => name?.startsWith("("));
  return new Map(rows.map(([, name, ...cells]) => [name, cells.filter(Boolean).map(Number)]));
}

const command = lammps("snap", "zbl");
const input = shared("datasets/fitsnap_Ta/Ta-example.in");
const standard = shared("datasets/fitsnap_Ta/20May21_Standard");

describe.skipIf(!input || !standard)("FitSNAP's tantalum example as it is", () => {
  it("gives FitSNAP's coefficients, parameters and table of errors", () => {
    const run = surfit("fit", input!, "-o", "ta");
    expect(run.code, run.stderr).toBe(0);
    const [own, theirs] = [
      read(join(folder, "ta/Ta_pot.snapcoeff")),
      read(join(standard!, "Ta_pot.snapcoeff")),
    ];
    expect([own.symbol, own.radius, own.weight]).toEqual([theirs.symbol, theirs.radius, theirs.weight]);
    own.coefficients.forEach((x, k) => expect(Math.abs(x / theirs.coefficients[k] - 1)).toBeLessThan(1e-8));
    const [cells, expected] = [
      cellsOf(join(folder, "ta/Ta_metrics.md")),
      cellsOf(join(standard!, "Ta_metrics.md")),
    ];
    expect(cells.size).toBe(78);
    for (const [name, numbers] of expected) {
      // Forces on the sites of a perfect crystal: noise of 1e-15 eV/Å.
      if (/Volume.*Force/.test(name)) expect(Math.max(...cells.get(name)!.slice(1, 3))).toBeLessThan(1e-12);
      else expect(cells.get(name), name).toEqual(numbers);
    }
  });

  it("goes to LAMMPS with its reference potential, and comes back", () => {
    const run = surfit("export", "--to", "lammps", "ta/model.surfit", "out", "--name", "Ta", "--json");
    expect(run.code, run.stderr).toBe(0);
    const { energy, files } = JSON.parse(run.stdout) as { energy: number; files: string[] };
    expect(files).toEqual([
      "Ta.snapcoeff",
      "Ta.snapparam",
      "data.lammps",
      "expected.json",
      "in.lammps",
      "potential.lammps",
    ]);
    expect(surfit("export", "--to", "lammps", "ta/model.surfit", "out").stderr).toContain("(or --force)");
    expect(surfit("import", "out", "back.surfit").code).toBe(0);
    const same = ["--structure", "ta/predicted-train.xyz.gz", "--json"];
    const again = surfit("export", "--to", "lammps", "back.surfit", "twice", ...same);
    expect((JSON.parse(again.stdout) as { energy: number }).energy).toBe(energy);
  });

  it.skipIf(!command)(
    "LAMMPS gives the energy and forces of the exported folder (LMP or lmp, with ML-SNAP)",
    () => {
      const names = readdirSync(join(folder, "out"));
      const files = Object.fromEntries(names.map((n) => [n, readFileSync(join(folder, "out", n), "utf8")]));
      const expected = JSON.parse(files["expected.json"]) as { energy: number; forces: number[][] };
      const found = runLammps(command!, files);
      expect(Math.abs(found.energy / expected.energy - 1)).toBeLessThan(1e-10);
      const forces = expected.forces.flat();
      const most = Math.max(...forces.map(Math.abs));
      forces.forEach((f, k) => expect(Math.abs(found.forces[k] - f) / most).toBeLessThan(1e-10));
    },
  );

  it("goes on after an interruption, to the same files", () => {
    const names = ["Ta_pot.snapcoeff", "Ta_pot.snapparam", "Ta_metrics.md"];
    const before = names.map((name) => numbersOf(join(folder, "ta", name)));
    for (const name of names) rmSync(join(folder, "ta", name));
    const run = surfit("fit", "ta/fit.yaml", "--resume");
    expect(run.code, run.stderr).toBe(0);
    expect(names.map((name) => numbersOf(join(folder, "ta", name)))).toEqual(before);
  });

  it("is recorded in fit.yaml, which gives the same model", () => {
    const run = surfit("fit", "ta/fit.yaml", "-o", "again", "--json");
    expect(run.code, run.stderr).toBe(0);
    expect(tensors("again").equals(tensors("ta"))).toBe(true);
  });
});

it("an input that cannot be followed is refused with all its reasons", () => {
  mkdirSync(join(folder, "JSON"));
  writeFileSync(
    join(folder, "bad.in"),
    "[BISPECTRUM]\ntype = Ta\ntwojmax = 6\nrcut = 4\n[SOLVER]\nsolver = PYTORCH\n",
  );
  const { code, stderr } = surfit("fit", "bad.in");
  expect(code).toBe(1);
  expect(stderr).toContain("bad.in:4 [BISPECTRUM] rcut: expected a key that surfit can honour");
  expect(stderr).toContain("bad.in:6 [SOLVER] solver: expected one of SVD, RIDGE, LASSO, ARD, got PYTORCH");
  expect(stderr).toContain("bad.in [GROUPS]: expected this section");
});

const pace = shared("datasets/fitsnap_Ta/pace_17Oct22_Standard");
const json = shared("datasets/fitsnap_Ta/JSON");

describe.skipIf(!pace || !json)("FitSNAP's ACE example", () => {
  it("has FitSNAP's errors or less, and a .yace that comes back", () => {
    const text = readFileSync(join(pace!, "Ta.in"), "utf8").replace(
      /^dataPath = .*$/m,
      `dataPath = ${json!}`,
    );
    writeFileSync(join(folder, "pace.in"), text);
    const run = surfit("fit", "pace.in", "-o", "pace");
    expect(run.code, run.stderr).toBe(0);
    const [own, theirs] = [join(folder, "pace/Ta_metrics.md"), join(pace!, "Ta_metrics.md")].map(cellsOf);
    expect([...own.keys()]).toEqual([...theirs.keys()]);
    // 71 functions, where FitSNAP has 68 of these products: never worse in what is minimised.
    for (const quantity of ["Energy", "Force"]) {
      const name = `('*ALL', 'Weighted', '${quantity}')`;
      const [count, , rmse] = own.get(name)!;
      expect(count).toBe(theirs.get(name)![0]);
      expect(rmse / theirs.get(name)![2]).toBeLessThan(1);
      expect(rmse / theirs.get(name)![2]).toBeGreaterThan(0.95);
    }
    expect(surfit("import", "pace/Ta_pot.yace", "back-pace.surfit").code).toBe(0);
  });
});
