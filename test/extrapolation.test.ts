import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createDevice } from "../src/device/device.ts";
import { formatFrame } from "../src/io/extxyz.ts";
import { writeModel } from "../src/io/model.ts";
import { rememberingModel, shaken, trainingFrames } from "../src/laws/extrapolation.fixture.ts";
import { molecule } from "../src/laws/potential.fixture.ts";
import type { Structure } from "../src/structure/structure.ts";
import { workplace } from "./command.ts";

const { folder, surfit } = workplace("extrapolation");

const text = (
  structure: Structure,
  labels: { readonly energy?: number; readonly forces?: Float64Array } = {},
) => formatFrame({ structure, ...labels, info: {}, arrays: {}, place: "" });

/** A training frame, and one far from all of them. */
const near = trainingFrames[4].structure;
const far: Structure = { ...molecule, positions: molecule.positions.map((x) => 0.85 * x) };

beforeAll(() => {
  const model = rememberingModel(createDevice({ bytes: 2 ** 26 }));
  writeFileSync(join(folder, "m.surfit"), writeModel(model));
  const [term] = model.terms;
  const tensors = Object.fromEntries(
    Object.entries(term.tensors).filter(([name]) => !name.startsWith("training.")),
  );
  const old = { ...model, terms: [{ ...term, tensors }] };
  writeFileSync(join(folder, "old.surfit"), writeModel(old));
  const forces = new Float64Array(27);
  writeFileSync(
    join(folder, "two.xyz"),
    text(near, { energy: 0, forces }) + text(far, { energy: 0, forces }),
  );
  writeFileSync(join(folder, "start.xyz"), text(shaken(molecule, 0.02, 8)));
});

describe("surfit on how far atoms leave the training data", () => {
  test("predict --grades names atom, function, value, range and nearest training frame; -o keeps the grades", () => {
    const { code, stdout } = surfit("predict", "m.surfit", "two.xyz", "--grades");
    expect(code).toBe(0);
    const table = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
    const head = table.findIndex((row) => row.includes("training range"));
    expect(table[head].slice(0, 4)).toEqual(["frame", "atom", "range", "distance"]);
    expect(table[head].slice(-4)).toEqual(["function", "value", "training range", "nearest training frame"]);
    // The worst frame first.
    expect(table[head + 2][0]).toBe("two.xyz:12");
    expect(table[head + 3]).toEqual(
      expect.arrayContaining(["two.xyz:1", "0", expect.stringMatching(/^training\.xyz:\d+$/)]),
    );
    expect(stdout).toContain("1 of 2 frames have an atom with a range grade of 0.1 or more");
    expect(surfit("predict", "m.surfit", "two.xyz", "--grades", "-o", "out.xyz").code).toBe(0);
    expect(readFileSync(join(folder, "out.xyz"), "utf8")).toMatch(/:range_grade:R:1:distance_grade:R:1[: ]/);
    const json = JSON.parse(surfit("predict", "m.surfit", "two.xyz", "--grades", "--json").stdout) as {
      grades: { range: number[] };
      worst: { atom: number; grades: { range: number } };
    }[];
    expect(json[0].grades.range).toEqual(Array.from({ length: 9 }, () => 0));
    const { worst, grades } = json[1];
    expect(worst.grades.range).toBe(grades.range[worst.atom]);
    expect(worst.grades.range).toBe(Math.max(...grades.range));
  });

  test("test --grades says whether the errors are larger outside, in the page too", () => {
    const { code, stdout } = surfit("test", "m.surfit", "two.xyz", "--grades", "--report", "page.html");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /force RMSE by range grade: \S+ meV\/Å \(\d+ atoms\) below 0\.1, \S+ meV\/Å \(\d+ atoms\) above/,
    );
    expect(readFileSync(join(folder, "page.html"), "utf8")).toContain("nearest training frame");
  });

  test("md --stop-on-extrapolation ends with exit code 4 and says why, --harvest keeps frames", () => {
    const run = "md m.surfit start.xyz --time 0.2 --temperature 3000 -o md".split(" ");
    const { code, stdout } = surfit(...run, "--stop-on-extrapolation", "0.5", "--harvest", "new.xyz");
    expect(code).toBe(4);
    expect(stdout).toMatch(/stopped at step \d+: atom \d \([HCO]\), range grade 0\.\d+, distance grade/);
    expect(stdout).toMatch(/in training \S+ … \S+; nearest training frame training\.xyz:\d+/);
    expect(existsSync(join(folder, "md/extrapolation.xyz"))).toBe(true);
    expect(existsSync(join(folder, "md/checkpoint"))).toBe(true);
    expect(readFileSync(join(folder, "new.xyz"), "utf8")).toContain("largest_range_grade=");
  });

  test("walkers stop each by itself, and are told of together", () => {
    const run = "md m.surfit start.xyz --time 0.2 --temperature 3000 --walkers 2 -o walkers".split(" ");
    const { code, stdout } = surfit(...run, "--stop-on-extrapolation", "0.5");
    expect(code).toBe(4);
    expect(stdout).toContain("outside the training data, and stopped: walker 1, 2");
    const hills = ["--ensemble", "nvt", "--metadynamics", "distance(1,2); width=0.1; height=0.01; every=10"];
    expect(surfit(...run, ...hills, "--stop-on-extrapolation", "0.5", "--force").stderr).toContain(
      "walkers that lay no hills",
    );
  });

  test("a model without memory and an unknown grade are errors that say what to do", () => {
    const old = surfit("predict", "old.surfit", "two.xyz", "--grades");
    expect([old.code, old.stderr]).toEqual([
      1,
      "surfit: invalid old.surfit: expected a model that remembers its training data (fit it again), got one that does not\n",
    ]);
    const unknown = surfit("md", "m.surfit", "start.xyz", "--harvest", "n.xyz", "--grade", "taste");
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("Allowed choices are range, distance");
  });
});
