import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { extxyz } from "../src/io/extxyz.ts";
import { readFrames, writeFrames } from "../src/io/files.node.ts";
import { findFormat } from "../src/io/table.ts";
import { inverse, volume } from "../src/structure/cell.ts";
import type { Frame } from "../src/structure/structure.ts";
import { close, collect, expected, parse, problems, read, sameStructure, textOf } from "./format-files.ts";
import type { Read } from "./format-files.ts";

const folder = mkdtempSync(join(tmpdir(), "surfit-formats-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("POSCAR", () => {
  const poscar = findFormat("POSCAR");

  it("VASP 5: a factor, fractions, what may move, velocities", async () => {
    const [frame] = await read("CONTCAR");
    sameStructure(frame, expected["CONTCAR"][0]);
    // ASE takes away what selective dynamics forbids.
    close(
      frame.arrays["velocities"].values as Float64Array,
      [1, 2, -3, 4, -5, 6, -7, 8, 9].map((v) => v / 1000),
    );
    expect([...(frame.arrays["move_mask"].values as Uint8Array)]).toEqual([1, 1, 0, 0, 0, 0, 1, 0, 1]);
    expect(frame.info["comment"]).toBe("quartz, somehow");
  });

  it("VASP 4: elements in the title or given, minus the volume, Cartesian", async () => {
    const [frame] = await read("vasp4.vasp");
    sameStructure(frame, expected["vasp4.vasp"][0]);
    expect(volume(frame.structure.cell!)).toBeCloseTo(64, 12);
    const [given] = await read("vasp4.vasp", { types: ["Ta", "Nb"] });
    expect([...given.structure.numbers]).toEqual([73, 41, 41]);
  });

  it("three factors; the same numbers in Direct and Cartesian", async () => {
    const text = "x\n2 3 4\n1 0 0\n0 1 0\n0 0 1\nH\n1\nCartesian\n0.5 0.5 0.5\n";
    const [a] = await parse(poscar, text);
    const [b] = await parse(poscar, text.replace("Cartesian", "Direct"));
    expect([...a.structure.cell!]).toEqual([2, 0, 0, 0, 3, 0, 0, 0, 4]);
    expect([...a.structure.positions]).toEqual([1, 1.5, 2]);
    expect(b.structure.positions).toEqual(a.structure.positions);
  });

  it("errors have a line and say what was expected; a second frame is one", async () => {
    const text = textOf("CONTCAR");
    const wrong = text.replace("0.10 0.20 0.30", "0.10 abc 0.30").replace("T   F   T", "T   F");
    expect(await problems(parse(poscar, wrong))).toBe(
      'invalid file:10: expected position 1 of 3: 3 finite numbers, got "0.10 abc 0.30   T   T   F"\n' +
        'invalid file:12: expected T or F for x, y and z of selective dynamics, got "T F"',
    );
    expect(await problems(parse(poscar, text.replace("Si O", "Si Xx")))).toContain(
      "file:7: expected the element",
    );
    expect(await problems(parse(poscar, text.split("\n").slice(0, 14).join("\n")))).toContain(
      "velocity 2 of 3",
    );
    const [frame] = await read("CONTCAR");
    expect(await problems(writeFrames(join(folder, "POSCAR"), [frame, frame]))).toContain("one frame");
  });

  it("what may move and velocities survive", async () => {
    const [frame] = await read("CONTCAR");
    await writeFrames(join(folder, "CONTCAR"), [frame]);
    const [back] = await collect(readFrames(join(folder, "CONTCAR")));
    expect(back.arrays).toEqual(frame.arrays);
  });
});

/** Atoms of `wanted`, each found once at a place that a lattice vector brings there. */
function sameCrystal({ structure }: Frame, wanted: Read): void {
  close(structure.cell!, wanted.cell!, 1e-12);
  expect(structure.numbers.toSorted()).toEqual(Uint8Array.from(wanted.numbers).toSorted());
  const inv = inverse(structure.cell!);
  const found = wanted.numbers.map((z, i) =>
    [...structure.numbers.keys()].findIndex((j) => {
      const d = [0, 1, 2].map((k) => structure.positions[3 * j + k] - wanted.positions[3 * i + k]);
      const f = [0, 1, 2].map((k) => d[0] * inv[k] + d[1] * inv[3 + k] + d[2] * inv[6 + k]);
      return structure.numbers[j] === z && f.every((x) => Math.abs(x - Math.round(x)) < 1e-9);
    }),
  );
  expect(new Set(found).size).toBe(found.length);
  expect(found).not.toContain(-1);
}

describe("CIF", () => {
  const cif = findFormat("a.cif");

  it.each(["fluorite.cif", "wurtzite.cif"])("%s: the atoms that ASE makes of it", async (name) => {
    const [frame, ...more] = await read(name);
    expect(more).toEqual([]);
    sameCrystal(frame, expected[name][0]);
  });

  it("partial occupancy, a group without operations and bad operations are errors with their line", async () => {
    const text = textOf("fluorite.cif");
    expect(await problems(parse(cif, text.replace("(2) 1.0", "(2) 0.5")))).toBe(
      "invalid file:34: expected occupancy 1: a structure has an atom or not, got 0.5",
    );
    expect(await problems(parse(cif, text.replace("_symmetry_equiv_pos_as_xyz", "_other")))).toContain(
      'expected the symmetry operations (_symmetry_equiv_pos_as_xyz), got the group\'s name alone, "F m -3 m"',
    );
    expect(await problems(parse(cif, text.replace("1/2+x,y,z+0.5", "1/2+w,y,z")))).toContain(
      "file:21: expected a symm",
    );
    expect(await problems(parse(cif, text.replace("F1 F1- 0.25", "F1 F1-")))).toContain("rows of 6 values");
    expect(await problems(parse(cif, text.replace("5.4630(3)", "?")))).toContain(
      "a number for _cell_length_a",
    );
  });
});

describe("elements in a CIF", () => {
  const cif = findFormat("a.cif");
  const elements = async (tag: string, ...names: string[]) => {
    const cell = ["a", "b", "c"].map((k) => `_cell_length_${k} 9`).join("\n");
    const angles = ["alpha", "beta", "gamma"].map((k) => `_cell_angle_${k} 90`).join("\n");
    const places = ["x", "y", "z"].map((k) => `_atom_site_fract_${k}`).join("\n");
    const rows = names.map((name, k) => `${name} 0.${k} 0 0`).join("\n");
    const text = `data_x\n${cell}\n${angles}\nloop_\n_atom_site_${tag}\n${places}\n${rows}\n`;
    const [frame] = await parse(cif, text);
    return [...frame.structure.numbers];
  };

  it("are a symbol and a charge, or begin a label without doubt", async () => {
    expect(await elements("type_symbol", "Fe3+", "FE", "O2-", "H", "Cl1-")).toEqual([26, 26, 8, 1, 17]);
    expect(await elements("label", "Fe12A", "O1", "OW1", "C", "H2A")).toEqual([26, 8, 8, 6, 1]);
    const refused = (tag: string, name: string) => problems(elements(tag, name));
    expect(await refused("type_symbol", "OH")).toContain('file:13: expected a chemical symbol, got "OH"');
    expect(await refused("type_symbol", "Wat")).toContain("a chemical symbol");
    expect(await refused("type_symbol", "D")).toContain("a chemical symbol");
    expect(await refused("label", "CA1")).toContain('or _atom_site_type_symbol, got "CA1"');
    expect(await refused("label", "Wat")).toContain("one element in a label");
    expect(await refused("label", "HO2")).toContain("one element in a label");
  });
});

/** A line of an atom in a PDB file. */
const line = (name: string, mark = " ", x = "   1.000") =>
  `ATOM      1 ${name}${mark}GLY A   1    ${x}   2.000   3.000  1.00  0.00\n`;

describe("PDB", () => {
  const pdb = findFormat("a.pdb");

  it("models, cell, names; elements by column or by name", async () => {
    const frames = await read("peptide.pdb");
    expect(frames).toHaveLength(2);
    const [first] = expected["peptide.pdb"];
    sameStructure(frames[0], first);
    // The cell holds for every model; ASE has it in the first alone.
    sameStructure(frames[1], { ...expected["peptide.pdb"][1], cell: first.cell, pbc: first.pbc });
    expect(frames[1].arrays["name"].values).toEqual(["N", "CA", "CA"]);
    const bare = textOf("peptide.pdb").replace(/ +(N|C|CA)$/gm, "");
    const again = await parse(pdb, bare);
    expect(again.map((f) => [...f.structure.numbers])).toEqual([
      [7, 6, 20],
      [7, 6, 20],
    ]);
  });

  it("hydrogens with long names; alternative places and bad columns are errors", async () => {
    const [frame] = await parse(
      pdb,
      line("HG11") + line("1HB ") + line(" H  ") + line("CL  ") + line(" OXT"),
    );
    expect([...frame.structure.numbers]).toEqual([1, 1, 1, 17, 8]);
    expect(frame.structure.cell).toBeNull();
    expect(await problems(parse(pdb, line(" CA ", "A") + line(" CA ", "B")))).toContain(
      "file:2: expected one place",
    );
    expect(await problems(parse(pdb, line(" CA ", " ", "********")))).toContain("file:1: expected x, y, z");
    expect(await problems(parse(pdb, "MODEL        1\n" + line(" CA ")))).toContain("ENDMDL of the model");
  });
});

it("every ending leads to one format, and the table names each once", () => {
  expect(findFormat("POSCAR").name).toBe("poscar");
  expect(findFormat("a/CONTCAR.gz").name).toBe("poscar");
  expect(findFormat("input.data").name).toBe("n2p2");
  expect(findFormat("water.data").name).toBe("lammps-data");
  expect(findFormat("x.xyz")).toBe(extxyz);
});
