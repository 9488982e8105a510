import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { createDevice } from "../src/device/device.ts";
import { formatFrame } from "../src/io/extxyz.ts";
import { writeModel } from "../src/io/model.ts";
import { rememberingModel, trainingFrames } from "../src/laws/extrapolation.fixture.ts";
import { molecule } from "../src/laws/potential.fixture.ts";
import type { Structure } from "../src/structure/structure.ts";
import { workplace } from "./command.ts";

const { path, surfit } = workplace("walks");

const json = (...args: readonly string[]): Record<string, unknown> => {
  const { code, stdout, stderr } = surfit(...args, "--json");
  expect([code, code === 0 || code === 3 || code === 4 ? "" : stderr]).toEqual([code, ""]);
  return { code, ...(JSON.parse(stdout) as Record<string, unknown>) };
};

const write = (file: string, ...structures: readonly Structure[]) =>
  writeFileSync(
    path(file),
    structures.map((structure) => formatFrame({ structure, info: {}, arrays: {}, place: "" })).join(""),
  );

/** A training frame, and one far from all of them. */
const near = trainingFrames[4].structure;
const far: Structure = { ...molecule, positions: molecule.positions.map((x) => 0.85 * x) };

beforeAll(() => {
  writeFileSync(path("m.surfit"), writeModel(rememberingModel(createDevice({ bytes: 2 ** 26 }))));
  write("near.xyz", near);
  write("far.xyz", far);
  const pairs = "pairs: { Ar-Ar: { epsilon: 0.0104, sigma: 3.4 } }";
  writeFileSync(path("ar.yaml"), `elements: [Ar]\nterms: [{ type: lennard-jones, cutoff: 12, ${pairs} }]\n`);
  const places = [0, 0, 0, 3.9, 0, 0, 0.2, 3.7, 0.1, 3.5, 3.6, 1, 1.8, 2, 3.2, 2, 1.5, -3];
  write("ar.xyz", {
    numbers: new Uint8Array(6).fill(18),
    positions: Float64Array.from(places),
    cell: null,
    pbc: [false, false, false],
  });
});

describe("walks on a model's surface tell how far they left the training data", () => {
  test("relax grades what it found, as columns and in words", () => {
    const inside = surfit("relax", "m.surfit", "near.xyz", "-o", "r.xyz", "--steps", "0");
    expect(inside.stdout).toContain("within the training data: largest grades range 0, distance");
    expect(readFileSync(path("r.xyz"), "utf8")).toMatch(/:range_grade:R:1:distance_grade:R:1[: ]/);
    const outside = surfit("relax", "m.surfit", "far.xyz", "-o", "r2.xyz", "--steps", "0");
    expect(outside.stdout).toContain("warning: what was found outside the training data");
    expect(outside.stdout).toContain("nearest training frame");
  });

  test("relax, saddle and path stop at a grade with exit code 4", () => {
    const stop = ["--stop-on-extrapolation", "0.5"] as const;
    const relaxed = json("relax", "m.surfit", "far.xyz", "-o", "r3.xyz", ...stop);
    expect(relaxed).toMatchObject({ code: 4, frames: [{ steps: 0, stopped: true }] });
    expect(json("saddle", "m.surfit", "far.xyz", "-o", "s", ...stop)).toMatchObject({
      code: 4,
      stopped: true,
    });
    const ends = ["near.xyz", "far.xyz", "--no-relax-ends", "--steps", "2"];
    const walked = json("path", "m.surfit", ...ends, "-o", "p", ...stop);
    expect(walked).toMatchObject({ code: 4, stopped: true, steps: 0 });
    expect(surfit("path", "m.surfit", ...ends, "-o", "q").stdout).toMatch(
      /warning: \d of 9 structures outside/,
    );
    expect(surfit("relax", "ar.yaml", "ar.xyz", ...stop)).toMatchObject({ code: 1 });
  });

  test("hop refuses minima outside, unless told not to", () => {
    const bound = json("hop", "m.surfit", "near.xyz", "--hops", "3", "-o", "h.xyz", "--within", "1e-9");
    expect(bound).toMatchObject({ code: 0, foundAt: 0 });
    expect(Number(bound["refused"]) + Number(bound["failed"])).toBe(3);
    const free = json("hop", "m.surfit", "near.xyz", "--hops", "3", "-o", "h2.xyz", "--within", "inf");
    expect(free).toMatchObject({ refused: 0 });
    expect(surfit("hop", "ar.yaml", "ar.xyz", "--within", "none").code).toBe(2);
  });
});

test("md --jobs is refused where nothing would run side by side", () => {
  const alone = surfit("md", "ar.yaml", "ar.xyz", "--jobs", "2");
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining("--jobs: expected --walkers")]);
});

test("hop leaves no label of the start on the minimum", () => {
  const text = readFileSync(path("ar.xyz"), "utf8").split("\n");
  writeFileSync(path("told.xyz"), [text[0], `${text[1]} energy=7.5`, ...text.slice(2)].join("\n"));
  json("hop", "ar.yaml", "told.xyz", "--hops", "1", "-o", "low.xyz");
  const [, head] = readFileSync(path("low.xyz"), "utf8").split("\n");
  expect(head).toMatch(/ energy=-0\./);
  expect(head).not.toContain("7.5");
});

test("hop goes on from its checkpoint to the bits of a search that was never stopped", () => {
  const whole = json("hop", "ar.yaml", "ar.xyz", "--hops", "12", "-o", "whole.xyz");
  json("hop", "ar.yaml", "ar.xyz", "--hops", "5", "-o", "parts.xyz");
  const { output, ...rest } = json(
    "hop",
    "ar.yaml",
    "ar.xyz",
    "--hops",
    "12",
    "-o",
    "parts.xyz",
    "--restart",
  );
  expect({ output, ...rest }).toEqual({ ...whole, output: "parts.xyz" });
  expect(readFileSync(path("parts.xyz"), "utf8")).toBe(readFileSync(path("whole.xyz"), "utf8"));
  // The octahedron.
  expect(Number(whole["energy"]) / 0.0104).toBeCloseTo(-12.712062, 3);
  const other = surfit("hop", "ar.yaml", "ar.xyz", "-o", "parts.xyz", "--restart", "--seed", "9");
  expect(other).toMatchObject({ code: 1 });
  expect(other.stderr).toContain("seed");
});

test("fixed atoms: named, or held by the file's own column", () => {
  const places = (file: string) =>
    readFileSync(path(file), "utf8")
      .trim()
      .split("\n")
      .slice(2)
      .map((line) => line.split(/\s+/).slice(1, 4).map(Number));
  const before = places("ar.xyz");
  json("relax", "ar.yaml", "ar.xyz", "-o", "held.xyz", "--fixed", "1-2,6");
  const [head, , ...lines] = readFileSync(path("ar.xyz"), "utf8").trim().split("\n");
  const masked = lines.map((line, i) => `${line.split(/\s+/).slice(0, 4).join(" ")} ${i === 3 ? "F" : "T"}`);
  writeFileSync(
    path("mask.xyz"),
    [head, 'Properties=species:S:1:pos:R:3:move_mask:L:1 pbc="F F F"', ...masked, ""].join("\n"),
  );
  json("relax", "ar.yaml", "mask.xyz", "-o", "masked.xyz");
  const stayed = (file: string) => places(file).map((p, i) => p.every((x, k) => x === before[i][k]));
  expect(stayed("held.xyz")).toEqual([true, true, false, false, false, true]);
  expect(stayed("masked.xyz")).toEqual([false, false, false, true, false, false]);
  expect(surfit("relax", "ar.yaml", "ar.xyz", "-o", "x.xyz", "--fixed", "7").stderr).toContain("atoms 1 … 6");
  expect(existsSync(path("x.xyz"))).toBe(false);
});

const xtb = spawnSync("xtb", ["--version"]).status === 0;

describe.skipIf(!xtb)("conformers with xtb (skipped without it)", () => {
  test("butane: anti and gauche, with the energies of xtb's own optimiser", { timeout: 60_000 }, () => {
    const [c, s] = [1 / Math.sqrt(3), Math.sqrt(2 / 3)];
    const rows: [string, number, number, number][] = [];
    for (let k = 0; k < 4; k++) rows.push(["C", 1.54 * s * k, 0, k % 2 ? 1.54 * c : 0]);
    for (let k = 0; k < 4; k++) {
      const [x, z, up] = [1.54 * s * k, k % 2 ? 1.54 * c : 0, k % 2 ? 1 : -1];
      for (const side of [1, -1]) rows.push(["H", x, side * 1.09 * s, z + up * 1.09 * c]);
      if (k % 3 === 0) rows.push(["H", x + (k ? 1 : -1) * 1.09 * s, 0, z - up * 1.09 * c]);
    }
    writeFileSync(path("butane.xyz"), `14\n\n${rows.map((row) => row.join(" ")).join("\n")}\n`);
    const found = json("conformers", "xtb", "butane.xyz");
    expect(found).toMatchObject({ code: 0, candidates: 3, clashed: 0, stuck: 0, reacted: 0 });
    const conformers = found["conformers"] as { energy: number; states: number; torsions: number[] }[];
    expect(conformers.map(({ states }) => states)).toEqual([1, 2]);
    // xtb 6.5, `xtb --opt vtight` from both, Hartree.
    const own = [-13.665127725438, -13.664177335712].map((e) => 27.211386245981 * e);
    conformers.forEach(({ energy }, k) => expect(Math.abs(energy - own[k])).toBeLessThan(5e-4));
    expect(1000 * (conformers[1].energy - conformers[0].energy)).toBeCloseTo(25.86, 0);
    expect(Math.abs(conformers[0].torsions[0])).toBeGreaterThan(179);
    expect(Math.abs(conformers[1].torsions[0])).toBeCloseTo(68, -1);
  });
});
