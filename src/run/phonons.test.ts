import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { repeat, volume } from "../structure/cell.ts";
import { kB } from "../structure/units.ts";
import { A0, diamond, primitiveDiamond, silicon } from "./crystal.fixture.ts";
import { exactHessian, hessian } from "./hessian.ts";
import { meshWavenumbers, phonons, phononsFrom, supercellOf } from "./phonons.ts";
import { harmonic } from "./thermochemistry.ts";
import { vibrations } from "./vibrations.ts";

const potential = silicon(createDevice({ bytes: 2 ** 24 }));
const primitive = primitiveDiamond(A0);
const found = phonons(primitive, potential, { supercell: [3, 3, 3] });
/** THz. */
const at = (...q: number[]) => [...found.wavenumbers(q)].map((w) => w * 0.0299792458);

describe("phonons of silicon by Stillinger and Weber", () => {
  it("Γ and X as in the literature", () => {
    // J. Q. Broughton, X. P. Li, Phys. Rev. B 35, 9120 (1987): 17.83 THz at Γ; 6.65 (TA), 12.99 (LA) at X here.
    const [ta1, , la] = at(0, 0, 0);
    expect(Math.max(Math.abs(ta1), Math.abs(la))).toBeLessThan(1e-3);
    expect(at(0, 0, 0)[5]).toBeCloseTo(17.83, 2);
    expect(at(0.5, 0, 0.5)[0]).toBeCloseTo(at(0.5, 0, 0.5)[1], 8);
  });

  it("sound travels as the elastic constants say: C44 = 56.4, C11 = 151.4 GPa", () => {
    const e = 0.005;
    const q = ((2 * Math.PI) / A0) * 2 * e;
    // kg/m³ of two atoms of 28.085 amu in the primitive cell.
    const density = (2 * 28.085 * 1660.53906892) / volume(primitive.cell!);
    const [ta, , la] = at(e, 0, e).map((thz) => (100 * 2 * Math.PI * thz) / q);
    expect(ta / Math.sqrt(56.45e9 / density)).toBeCloseTo(1, 3);
    expect(la / Math.sqrt(151.42e9 / density)).toBeCloseTo(1, 3);
  });

  it("at q that fit a supercell: its own vibrations", () => {
    // The cubic cell holds Γ and three X points of the primitive one.
    const cube = repeat(diamond(A0), [1, 1, 1]);
    const own = vibrations(cube, hessian(cube, potential, { step: 0.01 }), { external: true }).wavenumbers;
    const folded = [
      [0, 0, 0],
      [0.5, 0.5, 0],
      [0.5, 0, 0.5],
      [0, 0.5, 0.5],
    ].flatMap((q) => [...found.wavenumbers(q)]);
    folded.sort((a, b) => a - b);
    own.forEach((w, k) => expect(Math.abs(w - folded[k])).toBeLessThan(0.05));
  });

  it("from second derivatives of the formula: the same, without the error of differences", () => {
    const felt = supercellOf(primitive, { supercell: [3, 3, 3] });
    const exact = phononsFrom(primitive, felt, exactHessian(felt.structure, potential)!);
    expect(exact.asymmetry).toBeLessThan(1e-9);
    expect(exact.wavenumbers([0, 0, 0])[5] * 0.0299792458).toBeCloseTo(17.83, 2);
    const fine = phonons(primitive, potential, { supercell: [3, 3, 3], step: 1e-3 });
    for (const q of [
      [0, 0, 0.5],
      [0.5, 0, 0.5],
      [0.1, 0.2, 0.4],
    ])
      exact.wavenumbers(q).forEach((w, k) => expect(Math.abs(w - fine.wavenumbers(q)[k])).toBeLessThan(2e-4));
  });

  it("all modes together: k_B each at high temperature, T³ is out of reach of a coarse mesh", () => {
    const mesh = meshWavenumbers(found, 3);
    expect(harmonic(mesh, 3000).heatCapacity / (mesh.length * kB)).toBeCloseTo(1, 2);
    expect(harmonic(mesh, 300).heatCapacity / (mesh.length * kB)).toBeCloseTo(0.747, 2);
  });

  it("a molecule has none", () => {
    expect(() => phonons({ ...primitive, cell: null, pbc: [false, false, false] }, potential)).toThrow(
      /periodic/,
    );
  });
});
