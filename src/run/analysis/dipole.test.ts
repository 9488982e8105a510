import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { Random } from "../../math/random.ts";
import { buildPotential } from "../../potentials/build.ts";
import { massOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { AMU_A2_FS2, COULOMB, kB, LIGHT_CM } from "../../structure/units.ts";
import { verlet } from "../dynamics.ts";
import { response } from "../hessian.ts";
import { infraredIntensities, KM_PER_MOL } from "../infrared.ts";
import { vibrations } from "../vibrations.ts";
import { dielectricConstant, dipoleSpectrum } from "./dipole.ts";

const random = new Random(8, "dipoles");

/** A vector of a length in a random direction. */
function oriented(length: number): number[] {
  const v = [random.normal(), random.normal(), random.normal()];
  return v.map((x) => (length * x) / Math.hypot(...v));
}

describe("dielectric constant", () => {
  it("of free dipoles is Debye's, 1 + N μ²/(3 ε₀ V k_B T)", () => {
    const [N, mu, V, T] = [30, 0.4, 4000, 300];
    const dipoles = Array.from({ length: 6000 }, () => {
      const M = new Float64Array(3);
      for (let i = 0; i < N; i++) oriented(mu).forEach((x, k) => (M[k] += x));
      return M;
    });
    const { constant, mean, size } = dielectricConstant(dipoles, V, T);
    const exact = 1 + (4 * Math.PI * COULOMB * N * mu * mu) / (3 * V * kB * T);
    expect(constant.error).toBeLessThan(0.05 * exact);
    expect(Math.abs(constant.mean - exact)).toBeLessThan(4 * constant.error);
    expect(size).toBeCloseTo(mu * Math.sqrt(N), 1);
    expect(Math.hypot(...mean)).toBeLessThan(0.05 * size);
  });

  it("is what a weak field makes of dipoles, whose mean is Langevin's μ (coth x − 1/x)", () => {
    // Along the field cos θ = ln(e^{−x} + u (e^x − e^{−x}))/x has the distribution e^{x cos θ}.
    const [mu, T, field] = [0.4, 300, 0.02];
    const x = (mu * field) / (kB * T);
    const count = 200_000;
    let along = 0;
    for (let k = 0; k < count; k++)
      along += Math.log(Math.exp(-x) + random.uniform() * (Math.exp(x) - Math.exp(-x))) / x;
    const langevin = 1 / Math.tanh(x) - 1 / x;
    expect(Math.abs(along / count - langevin)).toBeLessThan(0.01);
    // The polarisability of orientation from that mean is the fluctuations' ⟨M²⟩/3k_BT to first order in x.
    const V = 1000;
    const dipoles = Array.from({ length: 4000 }, () => Float64Array.from(oriented(mu)));
    const { constant } = dielectricConstant(dipoles, V, T);
    const fromField = 1 + (4 * Math.PI * COULOMB * mu * langevin) / (V * field);
    expect(Math.abs(fromField / constant.mean - 1)).toBeLessThan(0.02);
  });

  it("asks for a box, a temperature and enough frames", () => {
    const dipoles = Array.from({ length: 100 }, () => new Float64Array(3));
    expect(() => dielectricConstant(dipoles, 0, 300)).toThrow(/periodic/);
    expect(() => dielectricConstant(dipoles, 10, 0)).toThrow(/temperature/);
    expect(() => dielectricConstant(dipoles.slice(0, 9), 10, 300)).toThrow(/64 frames/);
  });
});

const areaOf = (x: Float64Array, y: Float64Array) => y.reduce((a, b) => a + b, 0) * (x[1] - x[0]);
const topOf = (x: Float64Array, y: Float64Array) => x[y.indexOf(Math.max(...y))];

describe("infrared spectrum of the dipole", () => {
  it("of a rotor: one line where it turns, of area ⟨μ̇²⟩/k_BT", () => {
    const [mu, w, interval, T] = [0.5, 900, 1, 300];
    const omega = 2 * Math.PI * LIGHT_CM * w;
    const dipoles = Array.from({ length: 4000 }, (_, k) => {
      const angle = omega * k * interval;
      return Float64Array.of(mu * Math.cos(angle), 0, mu * Math.sin(angle));
    });
    const { wavenumbers, absorption, correlation } = dipoleSpectrum({ interval, dipoles }, T);
    expect(correlation[0]).toBeCloseTo(mu * mu, 3);
    expect(Math.abs(topOf(wavenumbers, absorption) - w)).toBeLessThan(6);
    const exact = (KM_PER_MOL * AMU_A2_FS2 * mu * mu * omega * omega) / (kB * T);
    // A line that never fades has feet from the window, which ω² raises.
    expect(Math.abs(areaOf(wavenumbers, absorption) / exact - 1)).toBeLessThan(0.03);
  });

  it("of a vibrating molecule has the wavenumber and the intensity of its normal mode", () => {
    const [q, T] = [0.3, 100];
    const bond = { depth: 4.4, alpha: 1.9, distance: 1.27 };
    const pairs = { "H-H": bond, "H-Cl": bond, "Cl-Cl": bond };
    const model = {
      elements: [1, 17],
      terms: [
        { type: "morse", options: { cutoff: 2, pairs }, tensors: {} },
        { type: "charges", options: { charges: { H: q, Cl: -q } }, tensors: {} },
      ],
      provenance: {},
    };
    const potential = buildPotential(model, createDevice({ bytes: 2 ** 24 }));
    const molecule: Structure = {
      numbers: Uint8Array.of(1, 17),
      positions: Float64Array.of(0, 0, 0, 0, 0, 1.27),
      cell: null,
      pbc: [false, false, false],
    };
    const { hessian, dipoleSlopes } = response(molecule, potential, { step: 1e-3 });
    const mode = vibrations(molecule, hessian);
    const [intensity] = infraredIntensities(mode, dipoleSlopes!);
    // The mode alone with k_B T: all of it kinetic at the start is 2 E_kin = 2 k_B T.
    const [m, M] = [massOf(1), massOf(17)];
    const speed = Math.sqrt((2 * kB * T) / ((AMU_A2_FS2 * m * M) / (m + M)));
    const velocities = Float64Array.of(0, 0, (speed * M) / (m + M), 0, 0, (-speed * m) / (m + M));
    const run = verlet(molecule, potential, { timestep: 0.1, velocities });
    const state = run.init();
    const dipoles = Array.from({ length: 3000 }, () => {
      for (let k = 0; k < 10; k++) run.step(state);
      return state.dipole!.slice();
    });
    const { wavenumbers, absorption } = dipoleSpectrum({ interval: 1, dipoles }, T);
    // Anharmonicity makes it a little slower.
    const w = topOf(wavenumbers, absorption);
    expect(mode.wavenumbers[0] - w).toBeGreaterThan(-6);
    expect(mode.wavenumbers[0] - w).toBeLessThan(40);
    expect(Math.abs(areaOf(wavenumbers, absorption) / intensity - 1)).toBeLessThan(0.05);
  });
});
