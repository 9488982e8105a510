import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { buildPotential } from "../../potentials/build.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Frame } from "../../structure/structure.ts";
import { readExtxyz } from "../extxyz.ts";
import { parseGap } from "./gap.ts";
import { readGap } from "./read.ts";

const xml = shared("models/gap-quip-test/GAP.xml");
const sample = shared("models/gap-quip-test/gap_sample.xyz");

const files = () => {
  const text = readFileSync(xml!, "utf8");
  const names = parseGap(text, "GAP.xml").coordinates.flatMap(({ pointsFile }) => pointsFile ?? []);
  return {
    text,
    files: Object.fromEntries(names.map((n) => [n, readFileSync(join(dirname(xml!), n), "utf8")])),
  };
};

describe.skipIf(!xml || !sample)("GAP of QUIP (shared models/gap-quip-test)", () => {
  it("energy and forces of 81 atoms as QUIP has them, 1e-7", async () => {
    const { text, files: points } = files();
    const potential = buildPotential(readGap(text, "GAP.xml", points), createDevice({ bytes: 2 ** 26 }));
    let frame: Frame | undefined;
    for await (const f of readExtxyz([readFileSync(sample!)], "gap_sample.xyz")) frame = f;
    const { structure, info, arrays } = frame!;
    const out = {
      energy: 0,
      forces: new Float64Array(3 * structure.numbers.length),
      virial: new Float64Array(9),
    };
    potential.evaluate(structure, findNeighbours(structure, potential.cutoff), out);
    expect(Math.abs(out.energy - Number(info["energy"]))).toBeLessThan(1e-7);
    const forces = arrays["force"].values as Float64Array;
    expect(Math.max(...forces.map((f, k) => Math.abs(f - out.forces[k])))).toBeLessThan(1e-7);
    expect(Math.max(...forces.map(Math.abs))).toBeGreaterThan(1);
  });

  it("refuses what it does not read, by name", () => {
    const { text, files: points } = files();
    expect(() => readGap(text.replaceAll("distance_2b", "soap_turbo"), "GAP.xml", points)).toThrow(
      /GAP\.xml:123: descriptor: expected one that is read: distance_2b, angle_3b, soap.*soap_turbo/,
    );
    expect(() => readGap(text, "GAP.xml", {})).toThrow(/sparseX_filename: expected a file beside it/);
    expect(() => readGap("<a></a>", "GAP.xml", {})).toThrow(/gpCoordinates/);
  });
});
