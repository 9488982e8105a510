import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { difference } from "../../descriptors/golden.fixture.ts";
import { createDevice } from "../../device/device.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Model } from "../../potentials/potential.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import { readGapFiles } from "./folder.node.ts";
import { readGap } from "./read.ts";
import { writeGap } from "./write.ts";

const place = (name: string) => fileURLToPath(new URL(`../../../test/golden/quip/${name}`, import.meta.url));
const golden = JSON.parse(readFileSync(place("quip.json"), "utf8")) as {
  ethanol: { numbers: number[]; positions: number[][]; energy: number; forces: number[][] }[];
};
const [stored] = golden.ethanol;
const structure: Structure = {
  numbers: Uint8Array.from(stored.numbers),
  positions: Float64Array.from(stored.positions.flat()),
  cell: null,
  pbc: [false, false, false],
};

const modelOf = async (name: string): Promise<Model> => {
  const files = await readGapFiles(place(name));
  return readGap(files[name], name, files);
};

const device = createDevice({ bytes: 2 ** 26 });

const folder = mkdtempSync(join(tmpdir(), "quip-"));
afterAll(() => rmSync(folder, { recursive: true }));
const python = process.env["SURFIT_PYTHON"] ?? "python3";
const quippy = spawnSync(python, ["-c", "import quippy"]).status === 0;

const SCRIPT = `
import json, sys
from ase import Atoms
from quippy.potential import Potential
given = json.load(sys.stdin)
atoms = Atoms(given["numbers"], given["positions"])
atoms.calc = Potential(param_filename=sys.argv[1])
print("RESULT" + json.dumps({"energy": float(atoms.get_potential_energy()), "forces": atoms.get_forces().tolist()}))
`;

describe("a GAP written for QUIP", () => {
  it.each(["silicon.xml", "ethanol.xml"])("%s: the same model comes back", async (name) => {
    const model = await modelOf(name);
    const again = readGap(writeGap(model, "my model"), "again.xml", {});
    expect(again.elements).toEqual(model.elements);
    const [one, two] = [model, again].map(({ terms }) =>
      terms.map(({ tensors }) => Object.values(tensors).flatMap((values) => [...values])),
    );
    expect(two).toEqual(one);
    expect(JSON.stringify(again.terms.at(-1)!.options)).toEqual(JSON.stringify(model.terms.at(-1)!.options));
  });

  it.skipIf(!quippy)("QUIP reads it and gives our energies and forces, 1e-10 (quippy)", async () => {
    const model = await modelOf("ethanol.xml");
    const file = join(folder, "ethanol.xml");
    writeFileSync(file, writeGap(model, "ethanol"));
    const { stdout } = spawnSync(python, ["-c", SCRIPT, file], {
      input: JSON.stringify(stored),
      encoding: "utf8",
    });
    const line = stdout.split("\n").find((text) => text.startsWith("RESULT"))!;
    const found = JSON.parse(line.slice("RESULT".length)) as { energy: number; forces: number[][] };
    const potential = buildPotential(model, device);
    const out = {
      energy: 0,
      forces: new Float64Array(3 * stored.numbers.length),
      virial: new Float64Array(9),
    };
    potential.evaluate(structure, findNeighbours(structure, potential.cutoff), out);
    expect(Math.abs(found.energy - out.energy)).toBeLessThan(1e-10);
    expect(difference([found.forces.flat()], [[...out.forces]])).toBeLessThan(1e-10);
  });

  it.each([
    ["basis", "gto", /soap\.basis: expected equispaced, as QUIP has it, got gto/],
    ["convention", "full", /soap\.convention: expected quip/],
    ["fade", { type: "poly2", width: 1 }, /soap\.fade\.type: expected cosine/],
    ["weighting", { type: "exp", r0: 1, c: 1, m: 1, d: 1 }, /weighting\.type: expected pow/],
    ["compression", "crossover", /soap\.compression/],
  ])("%s %s is refused by name", async (key, value, message) => {
    const model = await modelOf("silicon.xml");
    const terms = model.terms.map((term) => {
      const { descriptor, regressor } = term.options as Record<
        "descriptor" | "regressor",
        { name: string } | undefined
      >;
      if (descriptor?.name !== "soap") return term;
      return { ...term, options: { descriptor: { ...descriptor, [key]: value }, regressor } };
    });
    expect(() => writeGap({ ...model, terms }, "x")).toThrow(message);
  });

  it("refuses other potentials", async () => {
    const model = await modelOf("silicon.xml");
    const terms = [...model.terms, { type: "zbl", options: {}, tensors: {} }];
    expect(() => writeGap({ ...model, terms }, "x")).toThrow(
      /terms\[4\]\.type: expected isolated-atoms or a sparse/,
    );
    expect(() => writeGap({ ...model, terms: [] }, "x")).toThrow(/a sparse Gaussian process, got none/);
  });
});
