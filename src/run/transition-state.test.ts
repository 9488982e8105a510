import { expect, test } from "vitest";
import { harmonic, idealGas } from "./thermochemistry.ts";
import { activation, wigner } from "./transition-state.ts";

test("at high temperatures harmonic rates are Vineyard's: Π ν / Π ν‡ e^{−ΔE/k_BT}", () => {
  const [minimum, saddle] = [
    [300, 500, 900],
    [-400, 450, 1000],
  ];
  const T = 20_000;
  const found = activation(
    { energy: 0.5, thermochemistry: harmonic(saddle, T) },
    { energy: -0.2, thermochemistry: harmonic(minimum, T) },
    T,
  );
  // Wavenumbers in cm⁻¹ times c in cm/s are frequencies in 1/s.
  const vineyard = ((300 * 500 * 900) / (450 * 1000)) * 2.99792458e10 * Math.exp(-0.7 / (8.617333262e-5 * T));
  expect(Math.abs(found.rate / vineyard - 1)).toBeLessThan(3e-4);
  expect(found.energy).toBeCloseTo(0.7, 14);
  // One mode less, each half a quantum.
  expect(found.groundState).toBeCloseTo(0.7 + ((450 + 1000 - 300 - 500 - 900) / 2) * 1.239841984e-4, 9);
  expect(found.freeEnergy).toBeCloseTo(found.enthalpy - T * found.entropy, 12);
});

const pair = (r: number) => ({
  numbers: Uint8Array.of(1, 1),
  positions: Float64Array.of(0, 0, 0, 0, 0, r),
  cell: null,
  pbc: [false, false, false] as const,
});

test("a diatomic that turns and flies gains what its bond's stretching loses", () => {
  const gas = { temperature: 300 };
  const found = activation(
    { energy: 1, thermochemistry: idealGas(pair(2), [-500], gas) },
    { energy: 0, thermochemistry: idealGas(pair(1), [4000], gas) },
    300,
  );
  // Rotation alone: k_B ln of the ratio of the moments of inertia; the stretching is frozen.
  expect(found.entropy).toBeCloseTo(8.617333262e-5 * Math.log(4), 9);
});

test("Wigner's factor for 500i cm⁻¹ at 300 K", () => {
  const x = (500 * 1.4387769) / 300;
  expect(wigner(-500, 300)).toBeCloseTo(1 + x ** 2 / 24, 6);
});
