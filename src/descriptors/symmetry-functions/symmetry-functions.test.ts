import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import type { Structure } from "../../structure/structure.ts";
import { acsf } from "../acsf/acsf.ts";
import { atomFeatures } from "../golden.fixture.ts";
import { fromAcsf } from "./from-acsf.ts";
import { symmetryFunctions } from "./symmetry-functions.ts";

const device = createDevice({ bytes: 2 ** 26 });

/** Three atoms: r_12 = 1.1, r_13 = 1.4, θ_213 = 100°. */
const angle = (100 * Math.PI) / 180;
const molecule: Structure = {
  numbers: Uint8Array.of(8, 1, 6),
  positions: Float64Array.of(0, 0, 0, 1.1, 0, 0, 1.4 * Math.cos(angle), 1.4 * Math.sin(angle), 0),
  cell: null,
  pbc: [false, false, false],
};
const r23 = Math.sqrt(1.1 ** 2 + 1.4 ** 2 - 2 * 1.1 * 1.4 * Math.cos(angle));

const poly2 = (x: number) => (x < 1 ? 1 - x ** 3 * (10 - 15 * x + 6 * x * x) : 0);
const bump = (a: number, left: number, right: number) =>
  poly2(Math.abs((2 * a - left - right) / (right - left)));

const oxygen = (functions: unknown[], common: object = { type: "poly2", radius: 4 }) => {
  const options = symmetryFunctions.options.parse({ cutoff: common, functions: { O: functions } });
  return atomFeatures(symmetryFunctions.build(options, [1, 6, 8], device), device, molecule)[0];
};

describe("symmetry functions against the equations", () => {
  const angles = [30, 150];
  it.each([
    [
      "G2 of one element",
      { type: "G2", neighbour: "C", eta: 0.7, shift: 1 },
      Math.exp(-0.7 * 0.16) * poly2(0.35),
    ],
    [
      "G2 weighted by Z",
      { type: "G2", eta: 0.7, shift: 1 },
      Math.exp(-0.7 * 0.01) * poly2(0.275) + 6 * Math.exp(-0.7 * 0.16) * poly2(0.35),
    ],
    [
      "G4 weighted by Z",
      { type: "G4", eta: 0.1, zeta: 2, lambda: -1 },
      (6 / 2) *
        (1 - Math.cos(angle)) ** 2 *
        Math.exp(-0.1 * (1.1 ** 2 + 1.4 ** 2 + r23 ** 2)) *
        poly2(0.275) *
        poly2(0.35) *
        poly2(r23 / 4),
    ],
    ["C2", { type: "C2", neighbour: "H", from: 0.2, to: 2.6 }, bump(1.1, 0.2, 2.6)],
    [
      "C2 asymmetric",
      { type: "C2", neighbour: "H", from: 0.2, to: 2.6, asymmetric: true },
      poly2((2 - 0.25) * 0.25),
    ],
    ["C2 weighted", { type: "C2", from: -3, to: 3 }, bump(1.1, -3, 3) + 6 * bump(1.4, -3, 3)],
    [
      "C4",
      { type: "C4", neighbours: ["C", "H"], from: -3, to: 3, angles },
      bump(1.1, -3, 3) * bump(1.4, -3, 3) * bump(r23, -3, 3) * bump(100, 30, 150),
    ],
    [
      "C5",
      { type: "C5", neighbours: ["H", "C"], from: -3, to: 3, angles },
      bump(1.1, -3, 3) * bump(1.4, -3, 3) * bump(100, 30, 150),
    ],
    [
      "C5 weighted",
      { type: "C5", from: -3, to: 3, angles },
      6 * bump(1.1, -3, 3) * bump(1.4, -3, 3) * bump(100, 30, 150),
    ],
  ])("%s", (_, f, expected) => {
    expect(oxygen([f])[0] / expected).toBeCloseTo(1, 12);
  });

  it("keeps the order of the list", () => {
    const list = [
      { type: "C5", neighbours: ["H", "C"], from: -3, to: 3, angles },
      { type: "G2", neighbour: "C", eta: 0.7, shift: 1 },
      { type: "G4", eta: 0.1, zeta: 2, lambda: -1 },
      { type: "G1", neighbour: "H" },
      { type: "G2", eta: 0.7, shift: 1 },
    ];
    expect(oxygen(list)).toEqual(list.map((f) => oxygen([f])[0]));
  });

  it.each([
    ["cosine", 0.5 * (Math.cos((Math.PI * (1.1 - 0.8)) / 3.2) + 1)],
    ["poly2", poly2((1.1 - 0.8) / 3.2)],
    ["tanh3", Math.tanh(1 - 1.1 / 4) ** 3],
    ["tanh3-one", (Math.tanh(1 - 1.1 / 4) / Math.tanh(1)) ** 3],
    ["poly1", 1 - ((1.1 - 0.8) / 3.2) ** 2 * (3 - 2 * ((1.1 - 0.8) / 3.2))],
    ["exponential", Math.exp(1 - 1 / (1 - ((1.1 - 0.8) / 3.2) ** 2))],
    ["hard", 1],
  ])("cutoff %s with an inner radius", (type, expected) => {
    const [G] = oxygen([{ type: "G1", neighbour: "H" }], { type, radius: 4, inner: 0.2 });
    expect(G).toBeCloseTo(expected, 12);
  });
});

describe("symmetry functions that cannot be", () => {
  it.each([
    ["unknown neighbours", [{ type: "G1", neighbour: "N" }], "elements of the model (H, C, O)"],
    ["no width", [{ type: "C2", from: 2, to: 2 }], "O[0].from: expected less than to = 2"],
    ["a kink at 0", [{ type: "C5", from: 0, to: 2, angles: [-20, 60] }], "centred at 0 or 180°"],
  ])("%s", (_, functions, message) => {
    expect(() => oxygen(functions)).toThrow(message);
  });

  it("an element of which the model knows nothing", () => {
    const options = symmetryFunctions.options.parse({ cutoff: { radius: 4 }, functions: { N: [] } });
    expect(() => symmetryFunctions.build(options, [1, 8], device)).toThrow("lists of H, O");
  });
});

it("acsf is the special case of the same list for every centre", () => {
  const given = acsf.options.parse({ size: "small", convention: "dscribe" });
  const resolved = acsf.resolve(given, pairStatistics([molecule], 6));
  const elements = [1, 6, 8];
  const same = symmetryFunctions.build(fromAcsf(resolved, elements), elements, device);
  expect(atomFeatures(same, device, molecule)).toEqual(
    atomFeatures(acsf.build(resolved, elements, device), device, molecule),
  );
});
