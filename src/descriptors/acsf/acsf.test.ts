import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { elementsOf, numberOf } from "../../structure/elements.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import { atomFeatures, difference, readStructure } from "../golden.fixture.ts";
import type { StoredStructure } from "../golden.fixture.ts";
import { acsf } from "./acsf.ts";
import { gastegger, imbalzanoCentred, imbalzanoShifted } from "./grids.ts";

interface Stored {
  readonly name: string;
  readonly structure: StoredStructure;
  readonly descriptors: readonly {
    readonly type: string;
    readonly species: readonly string[];
    readonly params: {
      readonly r_cut: number;
      readonly g2_params: readonly (readonly [number, number])[];
      readonly g3_params: readonly number[];
      readonly g4_params: readonly (readonly [number, number, number])[];
      readonly g5_params: readonly (readonly [number, number, number])[];
    };
    readonly values: readonly (readonly number[])[];
  }[];
}

const device = createDevice({ bytes: 2 ** 27 });
const file = shared("descriptors/dscribe.json");
const stored = file ? (JSON.parse(readFileSync(file, "utf8")) as { structures: Stored[] }).structures : [];

const angular = (type: "G4" | "G5") => (p: readonly [number, number, number]) => ({
  type,
  eta: p[0],
  zeta: p[1],
  lambda: p[2],
});

describe.skipIf(!file)("acsf equals DScribe (shared reference data)", () => {
  it.each(stored)("$name", ({ structure, descriptors }) => {
    const { species, params, values } = descriptors.find(({ type }) => type === "ACSF")!;
    const options = acsf.options.parse({
      convention: "dscribe",
      cutoff: { type: "cosine", radius: params.r_cut },
      radial: [
        { type: "G1" },
        ...params.g2_params.map(([eta, shift]) => ({ type: "G2", eta, shift })),
        ...params.g3_params.map((kappa) => ({ type: "G3", kappa })),
      ],
      angular: [...params.g4_params.map(angular("G4")), ...params.g5_params.map(angular("G5"))],
    });
    const descriptor = acsf.build(options, elementsOf(species.map(numberOf)), device);
    expect(difference(values, atomFeatures(descriptor, device, readStructure(structure)))).toBeLessThan(
      1e-11,
    );
  });
});

const fc = (r: number, rc: number) => 0.5 * (Math.cos((Math.PI * r) / rc) + 1);

describe("acsf by hand", () => {
  const water = {
    numbers: Uint8Array.of(8, 1, 1),
    positions: Float64Array.of(0, 0, 0, 0.96, 0, 0, 0, 1.1, 0),
    cell: null,
    pbc: [false, false, false] as const,
  };

  it("sums over j < k once, with λ, ζ, η and the cutoff of the function itself", () => {
    const options = acsf.options.parse({
      cutoff: { type: "cosine", radius: 5 },
      radial: [],
      angular: [
        { type: "G5", eta: 0.3, zeta: 2, lambda: 1 },
        { type: "G4", eta: 0.3, zeta: 3.5, lambda: -1, cutoff: { type: "cosine", radius: 4 } },
      ],
    });
    const descriptor = acsf.build(options, [1, 8], device);
    expect(descriptor.labels(1)).toEqual([
      "G5 η=0.3 ζ=2 λ=1 H-H",
      "G4 η=0.3 ζ=3.5 λ=-1 H-H",
      "G5 η=0.3 ζ=2 λ=1 H-O",
      "G4 η=0.3 ζ=3.5 λ=-1 H-O",
      "G5 η=0.3 ζ=2 λ=1 O-O",
      "G4 η=0.3 ζ=3.5 λ=-1 O-O",
    ]);
    const [a, b, c] = [0.96, 1.1, Math.hypot(0.96, 1.1)];
    const wide = 0.5 * Math.exp(-0.3 * (a * a + b * b)) * fc(a, 5) * fc(b, 5);
    const narrow = 2 ** -2.5 * Math.exp(-0.6 * c * c) * fc(a, 4) * fc(b, 4) * fc(c, 4);
    const oxygen = atomFeatures(descriptor, device, water)[0];
    expect(difference([oxygen], [[wide, narrow, 0, 0, 0, 0]])).toBeLessThan(1e-15);
  });

  it("takes explicit sets as they are, and refuses to build from unresolved ones", () => {
    const radial = [{ type: "G2", eta: 1, shift: 0 }];
    const given = acsf.options.parse({ cutoff: { radius: 4 }, radial, angular: [] });
    const resolved = acsf.resolve(given, pairStatistics([water], 6));
    expect(resolved).toEqual({
      convention: "behler",
      cutoff: { type: "poly2", radius: 4 },
      radial,
      angular: [],
      neighbours: { H: ["H", "O"], O: ["H"] },
    });
    expect(() => acsf.build(acsf.options.parse({}), [1, 8], device)).toThrow(/resolve the options first/);
  });

  it("resolves to the same after a round trip through the file", () => {
    const statistics = pairStatistics([water], 6);
    for (const size of ["small", "medium", "large"]) {
      const resolved = acsf.resolve(acsf.options.parse({ size }), statistics);
      const read = acsf.options.parse(JSON.parse(JSON.stringify(resolved)));
      expect(read).toEqual(resolved);
      expect(acsf.resolve(read, statistics)).toEqual(resolved);
    }
  });

  it("refuses what is not an option, ζ < 1 and a negative cutoff", () => {
    expect(acsf.options.safeParse({ cutof: {} }).success).toBe(false);
    expect(acsf.options.safeParse({ angular: [{ type: "G5", eta: 1, zeta: 0.5, lambda: 1 }] }).success).toBe(
      false,
    );
    expect(acsf.options.safeParse({ cutoff: { radius: -1 } }).success).toBe(false);
  });
});

describe("generators", () => {
  it("Imbalzano's sets: widths from the whole sphere to r_c/n, shifts narrow inside", () => {
    const centred = imbalzanoCentred(4, 6);
    expect(centred.length).toBe(5);
    expect(centred.map((f) => f.type === "G2" && Number(f.eta.toFixed(6)))).toEqual([
      0.027778, 0.055556, 0.111111, 0.222222, 0.444444,
    ]);
    const shifted = imbalzanoShifted(4, 6).map((f) => (f.type === "G2" ? [f.shift, f.eta] : []));
    // r_c/4, r_c/4^{3/4}, r_c/2, r_c/4^{1/4}; spacing grows, η falls.
    expect(shifted.map(([rs]) => Number(rs.toFixed(5)))).toEqual([1.5, 2.12132, 3, 4.24264]);
    expect(shifted[0][1]).toBeCloseTo(1 / (6 / 4 ** 0.75 - 1.5) ** 2, 6);
    expect(shifted.every(([, eta], m) => m === 0 || eta < shifted[m - 1][1])).toBe(true);
  });

  it("Gastegger's angular set: η = 1/2R², R evenly to r_c − 0.5 Å, both λ, every ζ", () => {
    const set = gastegger({ method: "gastegger", type: "G5", count: 3, start: 1.5, zetas: [1, 4] }, 6);
    expect(set.length).toBe(12);
    expect([set[0], set[4], set[8]].map((f) => 1 / Math.sqrt(2 * f.eta))).toEqual(
      [1.5, 3.5, 5.5].map((R) => expect.closeTo(R, 6)),
    );
    expect(set.slice(0, 4).map(({ zeta, lambda }) => [zeta, lambda])).toEqual([
      [1, 1],
      [1, -1],
      [4, 1],
      [4, -1],
    ]);
  });

  it("are asked for by name", () => {
    const statistics = pairStatistics([], 6);
    const options = acsf.options.parse({
      cutoff: { radius: 6 },
      grid: {
        radial: { method: "imbalzano", set: "both", count: 4 },
        angular: { method: "gastegger", count: 3, start: 1.5 },
      },
    });
    const { radial, angular } = acsf.resolve(options, statistics);
    expect(radial).toEqual([...imbalzanoCentred(4, 6), ...imbalzanoShifted(4, 6)]);
    expect(angular!.length).toBe(6);
  });
});
