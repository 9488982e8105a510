import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { strToU8, unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { shared } from "../../test/shared.ts";
import { readLabelled } from "./files.node.ts";
import { parseNpy } from "./npy.ts";
import { parseNpz, readNpz } from "./npz.ts";
import { symbolOf } from "../structure/elements.ts";
import { atomEnergy } from "../structure/atom-energy.ts";
import { suggestEnergyUnit } from "./suggest-units.ts";

const golden = (name: string) => fileURLToPath(new URL(`../../test/golden/${name}`, import.meta.url));
const KCAL = 4184 / 6.02214076e23 / 1.602176634e-19;
const eighths = (from: number) => Float64Array.from({ length: 12 }, (_, k) => (from + k) / 8);

const header = (text: string) =>
  Uint8Array.from([0x93, ...strToU8("NUMPY"), 1, 0, text.length, 0, ...strToU8(text)]);

it("reads an sGDML archive: Fortran order, big-endian float32, text, cell and declared units", async () => {
  const { frames, plan } = await readLabelled(golden("sgdml.npz"));
  expect(frames.length).toBe(2);
  expect(plan.notes).toContain('energy in kcal/mol, as the file declares under "energy_unit"');
  const [, second] = frames;
  expect(second.structure).toEqual({
    numbers: Uint8Array.of(6, 8, 1, 1),
    positions: eighths(12),
    cell: Float64Array.of(5, 0, 0, 0, 6, 0, 0, 0, 7),
    pbc: [true, true, true],
  });
  expect(second.energy).toBeCloseTo(-2.5 * KCAL, 14);
  expect(second.forces![11]).toBeCloseTo((-23 / 8) * KCAL, 14);
  expect(second.info).toMatchObject({ name: "methanol", type: "d" });
});

it("reads an rMD17 archive when its units are given, refuses it when not, with a suggestion", async () => {
  const file = golden("rmd17.npz");
  await expect(readLabelled(file)).rejects.toThrow(
    "an energy unit given by you (--units kcal/mol,Å, say), as the file has none, got the first energy, -72000.25, suggests kcal/mol",
  );
  const { frames } = await readLabelled(file, { units: { energy: "kcal/mol" } });
  expect(frames[0]).toMatchObject({
    energy: -72000.25 * KCAL,
    info: { old_indices: 7 },
    place: `${file}[0]`,
  });
  expect(frames[1].info.old_indices).toBe(2 ** 40);
  expect(frames[1].forces).toEqual(eighths(12).map((x) => -x * KCAL));
});

it("refuses damage and archives without structures", async () => {
  const bytes = new Uint8Array(readFileSync(golden("rmd17.npz")));
  expect(() => parseNpz(bytes.subarray(0, bytes.length - 40), "a.npz")).toThrow(
    "invalid a.npz: expected a whole .npz archive",
  );
  expect(() => parseNpz(zipSync({ "x.npy": strToU8("hello, this is text") }), "a.npz")).toThrow(
    "a.npz x.npy: expected a .npy array",
  );
  expect(() => parseNpy(header("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }"), "a")).toThrow(
    "dtype <c16",
  );
  expect(() => parseNpy(header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"), "a")).toThrow(
    "expected 2 values of 8 bytes, got 0 bytes",
  );
  const empty = { "E.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }") };
  await expect(readNpz([zipSync(empty)], "a.npz").next()).rejects.toThrow(
    "positions under one of coords, R, positions, coordinates, pos, coord, qm_coord, got E [0]",
  );
});

it("suggests a unit from the energy of all electrons", () => {
  // Hartree–Fock limits of the atoms, Hartree: C −37.689, O −74.809, Ar −526.818 (C. F. Bunge et al., DOI 10.1006/adnd.1993.1003).
  for (const [z, e] of [
    [6, -37.689],
    [8, -74.809],
    [18, -526.818],
  ])
    expect(atomEnergy(z) / 27.211386 / e).toBeCloseTo(1, 1);
  const ethanol = [6, 6, 8, 1, 1, 1, 1, 1, 1];
  expect([-154.9, -4215, -97200, -406700].map((e) => suggestEnergyUnit(e, ethanol))).toEqual([
    "Hartree",
    "eV",
    "kcal/mol",
    "kJ/mol",
  ]);
  expect(suggestEnergyUnit(-12.3, ethanol)).toBeUndefined();
});

it("reads a folder of .npy files as one archive, with symbols or numbers as text", async () => {
  const folder = mkdtempSync(join(tmpdir(), "surfit-npy-"));
  try {
    const entries = unzipSync(new Uint8Array(readFileSync(golden("rmd17.npz"))));
    for (const [name, data] of Object.entries(entries))
      if (name !== "nuclear_charges.npy") writeFileSync(join(folder, name), data);
    const text = join(folder, "nuclear_charges.txt");
    const options = { units: { energy: "kcal/mol" } };
    const { frames: packed } = await readLabelled(golden("rmd17.npz"), options);
    const symbols = [...packed[0].structure.numbers].map(symbolOf);
    for (const words of [symbols.join(" "), packed[0].structure.numbers.join("\n")]) {
      writeFileSync(text, words);
      const { frames } = await readLabelled(folder, options);
      expect(frames).toEqual(packed.map((frame, k) => ({ ...frame, place: `${folder}[${k}]` })));
    }
    await expect(readLabelled(folder)).rejects.toThrow("suggests kcal/mol");
    writeFileSync(text, "C Xx O H");
    await expect(readLabelled(folder, options)).rejects.toThrow("expected chemical symbols, got Xx");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const path = shared("datasets/rmd17/rmd17_ethanol_train_01.npz");
describe.skipIf(!path)("reference data rMD17 ethanol", () => {
  it("has 1000 geometries; figures of NumPy", async () => {
    const { frames } = await readLabelled(path!, { units: { energy: "kcal/mol" } });
    expect(frames.length).toBe(1000);
    const [first] = frames;
    expect([...first.structure.numbers]).toEqual([6, 6, 8, 1, 1, 1, 1, 1, 1]);
    expect(first.energy! / KCAL).toBeCloseTo(-97079.92222178938, 9);
    const sum = frames.reduce((s, f) => s + f.forces!.reduce((t, x) => t + Math.abs(x), 0), 0) / KCAL;
    expect(sum / 547086.3856135458).toBeCloseTo(1, 12);
    await expect(readLabelled(path!)).rejects.toThrow("suggests kcal/mol");
  });
});
