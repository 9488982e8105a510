import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Evaluation, Model } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { parseYace } from "./yace.ts";
import { readAce } from "./read.ts";
import { writeYace } from "./write.ts";
import { evaluated } from "../../potentials/evaluated.fixture.ts";

interface Golden {
  readonly file: string;
  readonly numbers: readonly number[];
  readonly positions: readonly number[];
  readonly cell: readonly number[] | null;
  readonly energy: number;
  readonly forces: readonly number[];
}

const text = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../test/golden/${name}`, import.meta.url)), "utf8");
/** Files of all kinds with python-ace's energies and forces, made by test/golden/ace.py. */
const golden = JSON.parse(text("ace.json")) as Golden[];
const files = [...new Set(golden.map(({ file }) => file))];

function evaluate(model: Model, { numbers, positions, cell }: Golden): Evaluation {
  const structure: Structure = {
    numbers: Uint8Array.from(numbers),
    positions: Float64Array.from(positions),
    cell: cell && Float64Array.from(cell),
    pbc: cell ? [true, true, true] : [false, false, false],
  };
  const potential = buildPotential(model, createDevice({ bytes: 2 ** 26 }));
  return evaluated(potential, structure);
}

describe("writing .yace", () => {
  it.each(files)("%s, read, has python-ace's energies and forces", (file) => {
    const model = readAce(text(`ace/${file}`), file);
    for (const expected of golden.filter((g) => g.file === file)) {
      const { energy, forces } = evaluate(model, expected);
      expect(Math.abs(energy - expected.energy)).toBeLessThan(1e-12 * Math.abs(expected.energy));
      const scale = Math.max(1, ...expected.forces.map(Math.abs));
      forces.forEach((f, k) => expect(Math.abs(f - expected.forces[k])).toBeLessThan(1e-10 * scale));
    }
  });

  it.each(files)("%s, read and written again, is the same potential", (file) => {
    const model = readAce(text(`ace/${file}`), file);
    const again = readAce(writeYace(model), `again ${file}`);
    const [expected] = golden.filter((g) => g.file === file);
    const [a, b] = [evaluate(model, expected), evaluate(again, expected)];
    expect(Math.abs(a.energy - b.energy)).toBeLessThan(1e-12 * Math.abs(a.energy));
    const scale = Math.max(1, ...a.forces.map(Math.abs));
    a.forces.forEach((f, k) => expect(Math.abs(f - b.forces[k])).toBeLessThan(1e-13 * scale));
  });

  it("refuses models that a .yace file cannot hold", () => {
    const model = readAce(text("ace/linear.yace"), "linear.yace");
    expect(() => writeYace({ ...model, terms: [] })).toThrow("ace");
    const more = [...model.terms, { type: "zbl", options: {}, tensors: {} }];
    expect(() => writeYace({ ...model, terms: more })).toThrow("terms[2]");
  });
});

const broken = (from: string | RegExp, to: string) => () =>
  parseYace(text("ace/linear.yace").replace(from, to), "x.yace");

describe("files that are not in order", () => {
  it("name the place", () => {
    expect(broken("E0: [", "E0: [1, ")).toThrow("E0");
    expect(broken("nradmax: 2", "nradmax: two")).toThrow(/x\.yace:\d+:\d+ bonds.*nradmax/);
    expect(broken("[0, 1]:", "[0, 7]:")).toThrow("an entry 0 1");
    expect(broken(/ms_combs: \[0\]/, "ms_combs: [0, 0]")).toThrow("functions.0[0].ms_combs");
    expect(broken("mu0: 0", "mu0: 1")).toThrow("functions.0[0].mu0");
  });

  it("include coefficients that a rotation changes", () => {
    const skewed = text("ace/linear.yace").replace(/(ls: \[1, 1\].*ctildes: \[)[^,]*/, "$10.5");
    expect(() => readAce(skewed, "x.yace")).toThrow("no rotation changes");
  });
});
