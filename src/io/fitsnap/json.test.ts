import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { formatOf, readFrames, readLabelled } from "../files.node.ts";
import { readFitsnapJson } from "./json.ts";

const DATA = {
  Energy: -10.5,
  AtomTypes: ["Ta", "W"],
  NumAtoms: 2,
  Positions: [
    [0, 0, 0],
    [1.5, 1.5, 1.5],
  ],
  Lattice: [
    [3, 0, 0],
    [0.5, 3, 0],
    [0, 0, 3],
  ],
  Forces: [
    [0.25, 0, 0],
    [-0.25, 0, 0],
  ],
  Stress: [
    [1000, 20, 0],
    [20, 2000, 0],
    [0, 0, 3000],
  ],
  Charges: [0.5, -0.5],
};
const STYLES = {
  PositionsStyle: "angstrom",
  LatticeStyle: "angstrom",
  EnergyStyle: "electronvolt",
  ForcesStyle: "electronvoltperangstrom",
  StressStyle: "kB",
  AtomTypeStyle: "chemicalsymbol",
  Label: "two atoms",
};
const textOf = (data: object = {}, styles: object = {}, head = "# by hand\n") =>
  `${head}${JSON.stringify({ Dataset: { Data: [{ ...DATA, ...data }], ...STYLES, ...styles } }, null, 1)}`;

async function read(text: string) {
  const frames = [];
  for await (const frame of readFitsnapJson([new TextEncoder().encode(text)], "x.json")) frames.push(frame);
  return frames;
}

const folder = mkdtempSync(join(tmpdir(), "surfit-fitsnap-"));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, text: string) => {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), text);
};

describe("a file by hand", () => {
  it("keeps what it says, with declared units and sign", async () => {
    const [{ structure, info, arrays }] = await read(textOf());
    expect(structure).toEqual({
      numbers: Uint8Array.of(73, 74),
      positions: Float64Array.of(0, 0, 0, 1.5, 1.5, 1.5),
      cell: Float64Array.of(3, 0, 0, 0.5, 3, 0, 0, 0, 3),
      pbc: [true, true, true],
    });
    expect(info).toEqual({
      Energy: -10.5,
      Stress: DATA.Stress,
      Label: "two atoms",
      stress_sign: "pressure",
      energy_unit: "eV",
      length_unit: "Å",
      force_unit: "eV/Å",
      stress_unit: "kbar",
    });
    expect(arrays["Forces"]).toEqual({
      kind: "real",
      width: 3,
      values: Float64Array.of(0.25, 0, 0, -0.25, 0, 0),
    });
    expect(arrays["Charges"].values).toEqual(Float64Array.of(0.5, -0.5));
  });

  it("labels come out in eV, eV/Å and eV/Å³, tension positive; the folder is the config type", async () => {
    put("JSON/Bulk/a.json", textOf());
    put("JSON/Liquid/b.json", textOf({ Energy: -1 }, {}, ""));
    const path = join(folder, "JSON");
    expect((await formatOf(path)).name).toBe("fitsnap");
    const { frames } = await readLabelled(path);
    expect(frames.map((f) => [f.energy, f.configType])).toEqual([
      [-10.5, "Bulk"],
      [-1, "Liquid"],
    ]);
    // 1 kbar = 0.1 GPa = 0.1/160.21766339 eV/Å³.
    expect(frames[0].stress![0]).toBeCloseTo(-1000 * (0.1 / 160.21766339), 9);
    expect(frames[0].info).toEqual({ Label: "two atoms" });
    put("JSON/Liquid/c.xyz", "1\nenergy=1\nH 0 0 0\n");
    await expect(formatOf(path)).rejects.toThrow("files of one format in a folder, got");
  });

  it("says what is wrong, with place, all at once", async () => {
    const bad = read(
      textOf({ AtomTypes: ["Ta", "Xx"], Positions: [[0, 0, 0]], NumAtoms: 3 }, { StressStyle: "psi" }),
    );
    await expect(bad).rejects.toThrow("invalid x.json Dataset.StressStyle: expected one of electronvolt,");
    await expect(bad).rejects.toThrow("invalid x.json AtomTypes[1]: expected a chemical symbol, got Xx");
    await expect(bad).rejects.toThrow(
      "x.json Positions: expected three numbers for each of 2 atoms, got 1 rows",
    );
    await expect(bad).rejects.toThrow("invalid x.json NumAtoms: expected 2, as AtomTypes has, got 3");
    await expect(read(textOf({ Forces: [[1, 2, 3]] }))).rejects.toThrow(
      "x.json Forces: expected three numbers",
    );
    await expect(
      read(
        textOf({
          Lattice: [
            [1, 0, 0],
            [2, 0, 0],
            [0, 0, 1],
          ],
        }),
      ),
    ).rejects.toThrow("Lattice");
    await expect(read(textOf().slice(0, 200))).rejects.toThrow(/invalid x\.json:\d+: expected JSON/);
    await expect(read("{}")).rejects.toThrow("FitSNAP's JSON with Dataset.Data");
  });
});

const json = shared("datasets/fitsnap_Ta/JSON");
const xyz = shared("datasets/fitsnap_Ta/Ta_363.extxyz");
describe.skipIf(!json || !xyz)("FitSNAP's tantalum set", () => {
  it("363 configurations in 12 groups equal the set's extended XYZ (10 decimals)", async () => {
    const { frames } = await readLabelled(json!);
    const expected = new Map<string, (typeof frames)[number]>();
    for (const frame of (await readLabelled(xyz!)).frames)
      expected.set(`${frame.configType}/${String(frame.info["file"])}`, frame);
    expect([frames.length, expected.size]).toEqual([363, 363]);
    expect(new Set(frames.map((f) => f.configType)).size).toBe(12);
    let largest = 0;
    for (const frame of frames) {
      const own = expected.get(`${frame.configType}/${frame.place.split("/").at(-1)}`)!;
      expect(frame.structure.numbers).toEqual(own.structure.numbers);
      const pairs = [
        [frame.structure.positions, own.structure.positions],
        [frame.structure.cell!, own.structure.cell!],
        [frame.forces!, own.forces!],
        [[frame.energy!], [own.energy!]],
      ];
      // The set was converted by 160.21766208 GPa, here by LAMMPS's 160.21765.
      frame.stress!.forEach((x, k) => {
        const y = own.stress![k];
        expect(Math.abs(x - y)).toBeLessThan(6e-11 + 8e-8 * Math.abs(y));
      });
      for (const [a, b] of pairs) a.forEach((x, k) => (largest = Math.max(largest, Math.abs(x - b[k]))));
    }
    expect(largest).toBeLessThan(6e-11);
    expect(frames.some((f) => f.structure.cell!.some((x, k) => k % 4 !== 0 && x !== 0))).toBe(true);
  });

  it("reads the frames one at a time", async () => {
    for await (const frame of readFrames(json!)) {
      expect(frame.info["config_type"]).toBe("Displaced_A15");
      break;
    }
  });
});
