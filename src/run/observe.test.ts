import { expect, test } from "vitest";
import { drift, kineticEnergy, pressure, regress, temperature } from "./observe.ts";
import { kB } from "../structure/units.ts";

test("an ideal gas has the pressure n k_B T / V", () => {
  const kinetic = 1.5 * 1000 * kB * 300;
  // 1000 atoms in 1e6 Å³ at 300 K: 1e27/m³ · 1.380649e-23 J/K · 300 K = 4.141947 MPa.
  expect(pressure(kinetic, new Float64Array(9), 1e6)).toBeCloseTo(4.141947e-3, 9);
  expect(temperature(kinetic, 3000)).toBeCloseTo(300, 10);
});

test("1 amu at 1 Å/fs has 51.8 eV", () => {
  // ½ · 1.66053906892e-27 kg · (1e5 m/s)² / 1.602176634e-19 J/eV.
  expect(kineticEnergy(Float64Array.of(1), Float64Array.of(0.6, 0, 0.8))).toBeCloseTo(51.8213482, 6);
});

test("regression gives slope, error and drift in meV/atom/ps", () => {
  const x = [0, 1, 2, 3];
  expect(regress(x, [1, 3, 5, 7])).toEqual({ slope: 2, error: 0, intercept: 1 });
  // y = 0, 1, 1, 2: slope 0.6, residual sum 0.2, Sxx 5.
  const line = regress(x, [0, 1, 1, 2]);
  expect(line.slope).toBeCloseTo(0.6, 12);
  expect(line.error).toBeCloseTo(Math.sqrt(0.2 / 2 / 5), 12);
  const times = [0, 1000, 2000];
  expect(drift(times, [0, 0.01, 0.02], 10).slope).toBeCloseTo(1, 12);
});
