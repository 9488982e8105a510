import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { shared } from "../../test/shared.ts";
import type { Frame } from "../structure/structure.ts";
import { readFrames, readLabelled, writeAtomically, writeFrames } from "./files.node.ts";

const folder = mkdtempSync(join(tmpdir(), "surfit-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

async function* failing() {
  yield new Uint8Array(10);
  throw new Error("no more");
}

it("reads plain and gzip files, several gzip files in one, whatever the ending says", async () => {
  const text = "1\nenergy=1\nH 0 0 0\n";
  writeFileSync(join(folder, "a.xyz"), text);
  writeFileSync(join(folder, "b.xyz.gz"), Buffer.concat([gzipSync(text), gzipSync(text)]));
  writeFileSync(join(folder, "c.xyz"), gzipSync(text));
  const count = async (name: string) => (await collect(readFrames(join(folder, name)))).length;
  expect([await count("a.xyz"), await count("b.xyz.gz"), await count("c.xyz")]).toEqual([1, 2, 1]);
  writeFileSync(join(folder, "d.xyz.gz"), gzipSync(text).subarray(0, -4));
  await expect(count("d.xyz.gz")).rejects.toThrow("expected a whole gzip file, got damaged or truncated");
  await expect(count("none.xyz")).rejects.toThrow("expected a file, got nothing of that name");
  writeFileSync(join(folder, "empty.xyz"), "");
  await expect(readLabelled(join(folder, "empty.xyz"))).rejects.toThrow("at least one frame");
});

it("writes whole files or none", async () => {
  const frame: Frame = {
    structure: {
      numbers: Uint8Array.of(1),
      positions: Float64Array.of(1 / 3, 0, 0),
      cell: null,
      pbc: [false, false, false],
    },
    energy: -1 / 3,
    info: {},
    arrays: {},
    place: "here",
  };
  for (const name of ["out.xyz", "out.xyz.gz"]) {
    await writeFrames(join(folder, name), [frame, frame]);
    const { frames } = await readLabelled(join(folder, name));
    expect(frames.map((f) => [f.energy, f.structure.positions[0]])).toEqual([
      [-1 / 3, 1 / 3],
      [-1 / 3, 1 / 3],
    ]);
  }
  const before = readFileSync(join(folder, "out.xyz"), "utf8");
  await expect(writeAtomically(join(folder, "out.xyz"), failing())).rejects.toThrow("no more");
  expect(readFileSync(join(folder, "out.xyz"), "utf8")).toBe(before);
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

it("reads what ASE writes", async () => {
  const path = fileURLToPath(new URL("../../test/golden/ase.xyz", import.meta.url));
  const [water, methylidyne] = (await readLabelled(path)).frames;
  expect(water).toMatchObject({
    energy: -1 / 3,
    stress: Float64Array.of(1, 6, 5, 6, 2, 4, 5, 4, 3),
    configType: "water",
    structure: {
      numbers: Uint8Array.of(8, 1, 1),
      cell: Float64Array.of(5, 0, 0, 1, 6, 0, 0, -2, 7),
      pbc: [true, false, true],
    },
  });
  expect(water.info).toEqual({
    text: "two words",
    quote: 'say "hi"  there', // ASE's writer leaves the backslash bare, and its reader drops it too
    vector: [1.5, -2],
    matrix: [
      [0, 1, 2],
      [3, 4, 5],
    ],
    flags: [true, false],
    yes: true,
    nested: [
      ["a", 1],
      [true, 0.5],
    ],
    "odd key": 3,
  });
  expect(water.arrays).toEqual({
    tag: { kind: "integer", width: 1, values: Int32Array.of(1, -2, 3) },
    mask: { kind: "logical", width: 1, values: Uint8Array.of(1, 0, 1) },
    name: { kind: "string", width: 1, values: ["O1", "H1", "H2"] },
  });
  expect(water.forces![7]).toBe(-1);
  expect(methylidyne.structure).toMatchObject({
    numbers: Uint8Array.of(6, 1),
    cell: null,
    pbc: [false, false, false],
  });
});

// What ASE 3.29 reads from the same files: frames, atoms, Σ energy, Σ |forces|, Σ |stress| (eV, Å).
const sets: [file: string, ...figures: number[]][] = [
  ["mlearn_Si/Si_test.extxyz", 25, 1525, -7730.51219078, 2590.3777442299997, 1.6577464575],
  ["boron/B_DFT_data.xyz", 39, 276, -1284.20314615, 3098.2213296399996, 44.03906308256374],
  ["metatrain/carbon_reduced_100.xyz", 100, 400, -63232.28457599996, 688.0581851699998, 112.90845750908704],
  ["fitsnap_Ta/Ta_363.extxyz", 363, 4224, -47590.824251999984, 4276.936541999998, 360.10623312019993],
];
const size = (values: Float64Array | undefined) => values?.reduce((sum, x) => sum + Math.abs(x), 0) ?? 0;
for (const [file, ...figures] of sets) {
  const path = shared(`datasets/${file}`);
  describe.skipIf(!path)(`reference data ${file}`, () => {
    it("is read as ASE reads it, labels found", async () => {
      const { frames } = await readLabelled(path!);
      const total = (of: (f: Frame) => number) => frames.reduce((sum, f) => sum + of(f), 0);
      const found = [
        frames.length,
        total((f) => f.structure.numbers.length),
        total((f) => f.energy!),
        total((f) => size(f.forces)),
        total((f) => size(f.stress)),
      ];
      for (const [k, figure] of figures.entries())
        expect(Math.abs(found[k] - figure)).toBeLessThanOrEqual(1e-12 * Math.abs(figure));
    });
  });
}
