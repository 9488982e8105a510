import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { buildPotential } from "../potentials/build.ts";
import { massOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { response } from "./hessian.ts";
import { KM_PER_MOL, broadened, infraredIntensities } from "./infrared.ts";
import { vibrations } from "./vibrations.ts";

const device = createDevice({ bytes: 2 ** 24 });

const molecule = (numbers: number[], positions: number[]): Structure => ({
  numbers: Uint8Array.from(numbers),
  positions: Float64Array.from(positions),
  cell: null,
  pbc: [false, false, false],
});

/** Atoms bound by Morse's curve, with charges on them. */
const bound = (pairs: object, charges: object | number[], elements: number[]) =>
  buildPotential(
    {
      elements,
      terms: [
        { type: "morse", options: { cutoff: 1.6, pairs }, tensors: {} },
        { type: "charges", options: { charges }, tensors: {} },
      ],
      provenance: {},
    },
    device,
  );

const bond = { depth: 4.4, alpha: 1.9, distance: 1.27 };

describe("infrared intensities", () => {
  it("1 e²/amu is 974.9 km/mol", () => {
    // N_A e²/(12 ε₀ c² amu), SI, CODATA 2022.
    const e = 1.602176634e-19;
    const metres = (6.02214076e23 * e * e) / (12 * 8.8541878188e-12 * 299792458 ** 2 * 1.66053906892e-27);
    expect(KM_PER_MOL / (metres / 1000)).toBeCloseTo(1, 9);
  });

  it("a diatomic with charges ±q absorbs q²/μ, wherever it lies", () => {
    const q = 0.3;
    const potential = bound({ "H-Cl": bond, "H-H": bond, "Cl-Cl": bond }, { H: q, Cl: -q }, [1, 17]);
    const pair = molecule([1, 17], [3, -2, 1, 3 + 0.6 * 1.27, -2 + 0.8 * 1.27, 1]);
    const found = response(pair, potential, { step: 1e-3 });
    const [intensity] = infraredIntensities(vibrations(pair, found.hessian), found.dipoleSlopes!);
    const mu = (massOf(1) * massOf(17)) / (massOf(1) + massOf(17));
    expect(intensity).toBeCloseTo((KM_PER_MOL * q * q) / mu, 6);
  });

  it("a net charge changes nothing: motions of the whole move no dipole", () => {
    const [qH, qCl] = [0.9, 0.1];
    const potential = bound({ "H-Cl": bond, "H-H": bond, "Cl-Cl": bond }, { H: qH, Cl: qCl }, [1, 17]);
    const pair = molecule([1, 17], [0, 0, 0, 0, 0, 1.27]);
    const found = response(pair, potential, { step: 1e-3 });
    const [intensity] = infraredIntensities(vibrations(pair, found.hessian), found.dipoleSlopes!);
    // ∂μ/∂Q = (q_H m_Cl − q_Cl m_H)/M /√μ about the centre of mass.
    const [m, M] = [massOf(1), massOf(17)];
    const slope = (qH * M - qCl * m) / (m + M);
    expect(intensity).toBeCloseTo((KM_PER_MOL * slope * slope * (m + M)) / (m * M), 6);
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++)
        expect(found.dipoleSlopes![3 * a + b] + found.dipoleSlopes![9 + 3 * a + b]).toBeCloseTo(0, 10);
  });

  it("of carbon dioxide's stretches the symmetric one is silent", () => {
    const pairs = { "C-O": { ...bond, distance: 1.16 }, "O-O": bond, "C-C": bond };
    const potential = bound(pairs, [0.8, -0.4, -0.4], [6, 8]);
    const line = molecule([6, 8, 8], [0, 0, 0, 0, 0, 1.16, 0, 0, -1.16]);
    const found = response(line, potential, { step: 1e-3 });
    const modes = vibrations(line, found.hessian);
    const intensities = infraredIntensities(modes, found.dipoleSlopes!);
    // No bending force: two modes of 0 cm⁻¹, then the symmetric and the antisymmetric stretch.
    const [symmetric, antisymmetric] = intensities.slice(-2);
    expect(symmetric).toBeLessThan(1e-12);
    const [C, O] = [massOf(6), massOf(8)];
    // Q of the antisymmetric stretch: reduced mass 2 m_O m_C/(2 m_O + m_C), dipole 0.8 e times C's way against both O.
    expect(antisymmetric).toBeCloseTo((KM_PER_MOL * 0.64 * (2 * O + C)) / (2 * O * C), 6);
  });

  it("a surface without a dipole gives no slopes", () => {
    const options = { cutoff: 1.6, pairs: { "H-H": bond } };
    const plain = buildPotential(
      { elements: [1], terms: [{ type: "morse", options, tensors: {} }], provenance: {} },
      device,
    );
    expect(response(molecule([1, 1], [0, 0, 0, 0, 0, 1.2]), plain).dipoleSlopes).toBeUndefined();
  });
});

describe("broadened spectra", () => {
  it("have the intensities as areas, peaks 2A/πw high, and no imaginary modes", () => {
    const width = 10;
    const { wavenumbers, absorption } = broadened([-400, 1000, 2500], [99, 30, 50], { width });
    const step = wavenumbers[1] - wavenumbers[0];
    const area = absorption.reduce((sum, y) => sum + y * step, 0);
    // Lorentzian tails beyond 0 … 4000 cm⁻¹ are missing.
    expect(area).toBeGreaterThan(0.995 * 80);
    expect(area).toBeLessThan(80);
    const at = (w: number) => absorption[Math.round(w / step)];
    expect(at(2500)).toBeCloseTo((2 * 50) / (Math.PI * width), 3);
    expect(at(1006) / at(1000)).toBeCloseTo(1 / (1 + (6 / 5) ** 2), 2);
    expect(at(400)).toBeLessThan(1e-3);
  });

  it("a width that is none is refused", () => {
    expect(() => broadened([1000], [1], { width: 0 })).toThrow(/width/);
  });
});
