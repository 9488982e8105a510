import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import { atomFeatures, difference, readStructure } from "../golden.fixture.ts";
import type { StoredStructure } from "../golden.fixture.ts";
import { angularGrid, ani, radialGrid } from "./ani.ts";

type Stored = StoredStructure & { readonly name: string; readonly aev?: readonly (readonly number[])[] };

const device = createDevice({ bytes: 2 ** 27 });
const [values, parameters] = ["reference.json", "rHCNO-5.2R_16-3.5A_a4-8.params"].map((name) =>
  shared(`models/ani-1x/${name}`),
);
const stored = values
  ? (JSON.parse(readFileSync(values, "utf8")) as { structures: Stored[] }).structures
  : [];

/** The functions of ANI-1x from its parameter file; TorchANI reads all but the two cutoffs in single precision. */
function ani1x(path: string) {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  const list = new Map(lines.map((line) => line.replace(/[[\] ]/g, "").split("=") as [string, string]));
  const doubles = (key: string) => list.get(key)!.split(",").map(Number);
  const singles = (key: string) => doubles(key).map(Math.fround);
  const one = (key: string) => singles(key)[0];
  return ani.options.parse({
    cutoff: "cosine",
    radial: { cutoff: doubles("Rcr")[0], eta: one("EtaR"), shifts: singles("ShfR") },
    angular: {
      cutoff: doubles("Rca")[0],
      eta: one("EtaA"),
      zeta: one("Zeta"),
      shifts: singles("ShfA"),
      angles: singles("ShfZ"),
    },
  });
}

describe.skipIf(!values || !parameters)("ani equals the vectors of ANI-1x (shared reference data)", () => {
  it.each(stored.filter(({ aev }) => aev))("$name", (structure) => {
    const descriptor = ani.build(ani1x(parameters!), [1, 6, 7, 8], device);
    expect(descriptor.size(0)).toBe(384);
    expect(
      difference(structure.aev!, atomFeatures(descriptor, device, readStructure(structure))),
    ).toBeLessThan(1e-13);
  });
});

describe("ani", () => {
  it("makes ANI-1x's own grid from its ranges", () => {
    const radial = radialGrid(0.9, 5.2, 16);
    expect([radial.shifts[1], radial.shifts[15]]).toEqual([1.16875, 4.93125]);
    expect(radial.eta).toBeGreaterThan(15);
    expect(radial.eta).toBeLessThan(17);
    const angular = angularGrid(0.9, 3.5, 4, 8);
    expect(angular.shifts).toEqual([0.9, 1.55, 2.2, 2.85]);
    expect(angular.zeta).toBe(32);
    expect(angular.angles.map((a) => a / (Math.PI / 16))).toEqual(
      [1, 3, 5, 7, 9, 11, 13, 15].map((k) => expect.closeTo(k, 6)),
    );
  });

  const structure = {
    numbers: Uint8Array.of(8, 1, 1),
    positions: Float64Array.of(0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0),
    cell: null,
    pbc: [false, false, false] as const,
  };

  it("resolves auto to explicit numbers that resolve to themselves", () => {
    const statistics = pairStatistics([structure], 6);
    for (const size of ["small", "medium", "large"]) {
      const resolved = ani.resolve(ani.options.parse({ size }), statistics);
      const read = ani.options.parse(JSON.parse(JSON.stringify(resolved)));
      expect(read).toEqual(resolved);
      expect(ani.resolve(read, statistics)).toEqual(resolved);
      expect(ani.build(read, [1, 8], device).cutoff).toBeGreaterThan(1.6);
    }
    expect(() => ani.build(ani.options.parse({}), [1, 8], device)).toThrow(/resolve the options first/);
  });

  it("is smooth where three atoms are in line", () => {
    const line = (y: number) => ({
      ...structure,
      positions: Float64Array.of(0, 0, 0, 0.96, 0, 0, -0.96, y, 0),
    });
    const descriptor = ani.build(
      ani.resolve(ani.options.parse({}), pairStatistics([structure], 6)),
      [1, 8],
      device,
    );
    const [a, b] = [-1e-4, 1e-4].map((y) => atomFeatures(descriptor, device, line(y)));
    expect(difference(a, b)).toBeLessThan(1e-14);
  });
});
