import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { readLabelled } from "../../io/files.node.ts";
import type { Frame } from "../../structure/structure.ts";
import { BOHR, HARTREE } from "../../structure/units.ts";
import { unitFindings } from "./assumption.ts";

const scaled = (x: Float64Array, factor: number) => x.map((v) => v * factor);
const stretched = (f: Frame, factor: number): Frame => ({
  ...f,
  structure: {
    ...f.structure,
    positions: scaled(f.structure.positions, factor),
    cell: f.structure.cell && scaled(f.structure.cell, factor),
  },
});
const errors = (frames: readonly Frame[]) =>
  unitFindings(frames)
    .filter(({ severity }) => severity === "error")
    .map(({ message, cure }) => `${message} (${cure})`);

const own = async (name: string) =>
  (await readLabelled(fileURLToPath(new URL(`../../../data/${name}`, import.meta.url)))).frames;

/** A hydrogen molecule that vibrates harmonically: E = ½ k x², energies far from those of all electrons. */
const vibration = (units = { energy: 1, force: 1 }): Frame[] =>
  Array.from({ length: 40 }, (_, t) => {
    const x = 0.1 * Math.sin(0.3 * t);
    const f = -20 * x * units.force;
    return {
      structure: {
        numbers: Uint8Array.of(1, 1),
        positions: Float64Array.of(0, 0, 0, 0.74 + x, 0, 0),
        cell: null,
        pbc: [false, false, false] as const,
      },
      energy: (10 * x * x - 3) * units.energy,
      forces: Float64Array.of(-f, 0, 0, f, 0, 0),
      info: {},
      arrays: {},
      place: `h2.xyz:${t}`,
    };
  });

describe("units that nobody stated", () => {
  it.each(["ethanol.xyz.gz", "silicon.xyz.gz", "ethanol-atoms.xyz"])("nothing against %s", async (name) => {
    expect(errors(await own(name))).toEqual([]);
  });

  it("all-electron energies in Hartree, positions in bohr or nm are refused", async () => {
    const frames = (await own("ethanol.xyz.gz")).slice(0, 60);
    const hartree = frames.map((f) => ({ ...f, energy: f.energy! / HARTREE }));
    expect(errors(hartree).join()).toContain("--units Hartree,Å");
    expect(errors(frames.map((f) => stretched(f, 1 / BOHR))).join()).toContain("--units eV,bohr");
    expect(errors(frames.map((f) => stretched(f, 0.1))).join()).toContain("--units eV,nm");
    const silicon = (await own("silicon.xyz.gz")).slice(0, 20);
    expect(errors(silicon.map((f) => stretched(f, 1 / BOHR))).join()).toContain("bohr");
  });

  it("one frame whose atoms overlap is no reason to refuse", async () => {
    const frames = (await own("ethanol.xyz.gz")).slice(0, 60);
    expect(errors([...frames, stretched(frames[0], 0.2)])).toEqual([]);
  });

  it("the ratio of energy to work betrays units and gradients, but not by being odd", () => {
    expect(unitFindings(vibration())).toEqual([]);
    expect(errors(vibration({ energy: 1, force: 1 / 0.0433641153 })).join()).toContain(
      "forces in kcal/mol/Å",
    );
    expect(errors(vibration({ energy: 1 / HARTREE, force: 1 })).join()).toContain("energies in Hartree");
    expect(errors(vibration({ energy: 1, force: -1 })).join()).toContain("--gradient-key");
    const odd = unitFindings(vibration({ energy: 1, force: 1.4 }));
    expect(odd.map(({ severity }) => severity)).toEqual(["warn"]);
  });
});

describe.each([
  ["datasets/mlearn_Si/Si_training.extxyz", ""],
  ["datasets/mlearn_Mo/Mo_training.extxyz", ""],
  ["datasets/3BPA/train_300K.xyz", ""],
  ["datasets/metatrain/ethanol_reduced_100.xyz", "--units kcal/mol,Å"],
])("published set %s", (name, words) => {
  const path = shared(name);
  it.skipIf(!path)(words ? `is refused: ${words}` : "is not refused", async () => {
    const found = errors((await readLabelled(path!)).frames);
    expect(found).toHaveLength(words ? 1 : 0);
    expect(found.join()).toContain(words);
  });
});
