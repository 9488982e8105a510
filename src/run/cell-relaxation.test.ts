import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { strain, volume } from "../structure/cell.ts";
import { EV_A3_IN_GPA } from "../structure/units.ts";
import { cellRelaxation } from "./cell-relaxation.ts";
import type { CellRelaxationOptions } from "./cell-relaxation.ts";
import { A0, diamond, silicon } from "./crystal.fixture.ts";
import { elasticConstants } from "./elastic.ts";

const potential = silicon(createDevice({ bytes: 2 ** 24 }));
const crystal = diamond(5.6);
const bent = strain(
  { ...crystal, positions: crystal.positions.map((x, i) => x + 0.1 * Math.sin(7 * i)) },
  [0.05, 0.02, 0, 0.02, -0.03, 0, 0, 0, 0],
);

function relaxed(options: CellRelaxationOptions) {
  const simulation = cellRelaxation(bent, potential, options);
  const state = simulation.init();
  while ((state.maxForce > 1e-6 || state.maxStress > 1e-5) && state.step < 200) simulation.step(state);
  expect(state.maxForce).toBeLessThan(1e-6);
  expect(state.maxStress).toBeLessThan(1e-5);
  return state;
}

const length = (cell: Float64Array, k: number) => Math.hypot(...cell.subarray(3 * k, 3 * k + 3));

describe("relaxation of a cell", () => {
  it("a bent crystal finds its lattice constant, and its cell does not turn", () => {
    const { cell, energy } = relaxed({});
    for (let k = 0; k < 3; k++) expect(length(cell!, k)).toBeCloseTo(A0, 5);
    expect(volume(cell!)).toBeCloseTo(A0 ** 3, 3);
    expect(energy / 8 / 2.1683).toBeCloseTo(-2, 6);
  });

  it("under pressure the stress is the pressure, and the enthalpy is least", () => {
    const { cell, virial } = relaxed({ pressure: 5 });
    const V = volume(cell!);
    expect((virial[0] / V) * EV_A3_IN_GPA).toBeCloseTo(5, 4);
    // Bulk modulus 101 GPa: ΔV/V = −P/B to first order.
    expect((A0 ** 3 - V) / A0 ** 3).toBeCloseTo(5 / 101.4, 2);
  });

  it("isotropic: only the volume moves; axes: no angle moves", () => {
    const { cell, virial } = relaxed({ cell: "isotropic" });
    const ratio = cell![0] / bent.cell![0];
    cell!.forEach((x, k) => expect(x).toBeCloseTo(ratio * bent.cell![k], 10));
    expect(Math.abs(virial[0] + virial[4] + virial[8])).toBeLessThan(1e-6);
    const axes = relaxed({ cell: "axes" });
    // Lengths along x and y change by factors of their own.
    expect(axes.cell![0] / bent.cell![0]).not.toBeCloseTo(axes.cell![4] / bent.cell![4], 3);
    expect(axes.cell![2]).toBe(0);
  });
});

describe("elastic constants", () => {
  const perfect = diamond(A0);
  it("silicon of Stillinger and Weber: the literature's, atoms relaxed and not", () => {
    // H. Balamane, T. Halicioglu, W. A. Tiller, Phys. Rev. B 46, 2250 (1992): 151.4, 76.4, 56.4 GPa, B = 101.4; C44
    // without relaxation 117.2 GPa in E. R. Cowley, Phys. Rev. Lett. 60, 2379 (1988), whose ε is 1.0677 times larger.
    const { constants: C, bulk, stable, asymmetry } = elasticConstants(perfect, potential);
    expect(C[0]).toBeCloseTo(151.4, 1);
    expect(C[1]).toBeCloseTo(76.4, 1);
    expect(C[21]).toBeCloseTo(56.4, 0);
    expect(bulk).toBeCloseTo(101.4, 1);
    expect([C[7], C[14], C[28], C[35]].every((c, k) => Math.abs(c - C[k < 2 ? 0 : 21]) < 0.01)).toBe(true);
    expect(asymmetry).toBeLessThan(0.01);
    expect(stable).toBe(true);
    const stiff = elasticConstants(perfect, potential, { relax: false });
    expect(stiff.constants[21] * 1.0677).toBeCloseTo(117.2, 0);
  });

  it("a molecule has none", () => {
    expect(() => elasticConstants({ ...perfect, cell: null, pbc: [false, false, false] }, potential)).toThrow(
      /periodic/,
    );
  });
});
