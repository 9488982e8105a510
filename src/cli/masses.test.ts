import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { buildTerm } from "../potentials/build.ts";
import { exactHessian } from "../run/hessian.ts";
import { vibrations } from "../run/vibrations.ts";
import type { Structure } from "../structure/structure.ts";
import { exactly } from "./force-constants.ts";
import { massesOf } from "./masses.ts";

const water: Structure = {
  numbers: Uint8Array.of(8, 1, 1),
  positions: Float64Array.of(0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0),
  cell: null,
  pbc: [false, false, false],
};
const pair: Structure = {
  numbers: Uint8Array.of(1, 17),
  positions: Float64Array.of(0, 0, 0, 0, 0, 1.27),
  cell: null,
  pbc: [false, false, false],
};
const bond = { depth: 4.4, alpha: 1.9, distance: 1.27 };
const options = { cutoff: 4, pairs: { "H-Cl": bond, "H-H": bond, "Cl-Cl": bond } };
const morse = buildTerm({ type: "morse", options, tensors: {} }, [1, 17], createDevice({ bytes: 2 ** 24 }));

/** Reduced mass beside chlorine, amu. */
const mu = (m: number): number => (m * 35.45) / (m + 35.45);

describe("--masses", () => {
  it("names elements and single atoms, the later word wins", () => {
    expect([...massesOf({}, water)]).toEqual([15.999, 1.008, 1.008]);
    expect([...massesOf({ masses: "H=2.014102,3=3.016049" }, water)]).toEqual([15.999, 2.014102, 3.016049]);
  });

  it("that name nothing, or are none, are errors", () => {
    expect(() => massesOf({ masses: "C=13" }, water)).toThrow(/an element or an atom 1 … 3 of H2O/);
    expect(() => massesOf({ masses: "4=2" }, water)).toThrow(/got 4/);
    expect(() => massesOf({ masses: "H" }, water)).toThrow(/masses in amu/);
    expect(() => massesOf({ masses: "H=2=3" }, water)).toThrow(/masses in amu/);
    expect(() => massesOf({ masses: "H=-1" }, water)).toThrow(/masses in amu/);
  });

  it("of deuterium lower a stretch by the root of the reduced masses", () => {
    const H = exactHessian(pair, morse)!;
    const at = (masses?: string) =>
      vibrations(pair, H, { masses: massesOf({ masses }, pair) }).wavenumbers[0];
    expect(at("H=2.014102") / at()).toBeCloseTo(Math.sqrt(mu(1.008) / mu(2.014102)), 10);
  });
});

describe("--hessian", () => {
  it("auto is exact where that can be had, differences where not, and exact says where it cannot", () => {
    const blind = { ...morse, curvature: undefined };
    expect(exactly("m.yaml", morse, pair, { hessian: "auto" })).toEqual(exactHessian(pair, morse));
    expect(exactly("m.yaml", morse, pair, { hessian: "differences" })).toBeNull();
    expect(exactly("m.yaml", blind, pair, { hessian: "auto" })).toBeNull();
    expect(() => exactly("m.yaml", blind, pair, { hessian: "exact" })).toThrow(
      /--hessian: expected differences, or a model whose formulas have second derivatives, got m.yaml/,
    );
  });
});
