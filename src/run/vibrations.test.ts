import { describe, expect, it } from "vitest";
import { cluster, morse as soft, wells } from "../../test/potentials.ts";
import { createDevice } from "../device/device.ts";
import { startPool } from "../node.ts";
import { buildPotential, buildTerm } from "../potentials/build.ts";
import { massOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { AMU_A2_FS2, kB } from "../structure/units.ts";
import { basinHopping } from "./basin-hopping.ts";
import { Random } from "../math/random.ts";
import { displacementsBy } from "./displacements.ts";
import { hessian, response, responseBy, skinOf } from "./hessian.ts";
import { lbfgs, relax } from "./relax.ts";
import { harmonic, idealGas } from "./thermochemistry.ts";
import { quantum, vibrations } from "./vibrations.ts";

const device = createDevice({ bytes: 2 ** 24 });

const pair = (z: number, r: number): Structure => ({
  numbers: Uint8Array.of(z, z),
  positions: Float64Array.of(0.1, 0.2, 0.3, 0.1 + 0.6 * r, 0.2, 0.3 + 0.8 * r),
  cell: null,
  pbc: [false, false, false],
});

describe("force constants", () => {
  it("of springs to fixed places: k on the diagonal", () => {
    const structure = cluster();
    const H = hessian(structure, wells(structure.positions, 3.7));
    H.forEach((h, k) => expect(h).toBeCloseTo(k % 16 === 0 ? 3.7 : 0, 10));
  });

  it("fourth order is nearer than second order", () => {
    const exact = hessian(cluster(), soft(), { step: 5e-4, order: 4 });
    const error = (order: 2 | 4) =>
      hessian(cluster(), soft(), { step: 0.02, order }).reduce(
        (m, h, k) => Math.max(m, Math.abs(h - exact[k])),
        0,
      );
    expect(error(4)).toBeLessThan(error(2) / 20);
  });

  it("of some atoms: rows and columns of the others are zero", () => {
    const all = hessian(cluster(), soft());
    const some = hessian(cluster(), soft(), { atoms: [0, 2] });
    for (let a = 0; a < 15; a++)
      for (let b = 0; b < 15; b++) {
        const moved = [a, b].every((k) => [0, 2].includes(Math.floor(k / 3)));
        expect(some[15 * a + b]).toBe(moved ? all[15 * a + b] : 0);
      }
  });
});

describe("displacements by several threads", () => {
  it("give the same bits as one, dipoles too", async () => {
    const pairs = { "Ar-Ar": { depth: 0.8, alpha: 1.6, distance: 2.4 } };
    const model = {
      elements: [18],
      terms: [
        { type: "morse", options: { cutoff: 5, ending: "switched", pairs }, tensors: {} },
        { type: "charges", options: { charges: [0.3, -0.2, 0.1, -0.3, 0.1] }, tensors: {} },
      ],
      provenance: {},
    };
    const alone = response(cluster(), buildPotential(model, device));
    const pool = await startPool({ threads: 3 });
    const evaluated = await displacementsBy(pool, { model }, cluster(), skinOf({}));
    let last = 0;
    const together = await responseBy(cluster(), evaluated, { watch: (done) => (last = done) });
    pool.close();
    expect(together).toEqual(alone);
    expect(alone.dipoleSlopes!.some((x) => x !== 0)).toBe(true);
    expect(last).toBe(1);
  });
});

describe("vibrations", () => {
  it("Morse's diatomic: ω = α √(2D/μ), one mode, reduced mass that of an atom", () => {
    const [depth, alpha, distance] = [4.7, 1.9, 0.74];
    const options = { cutoff: 6, pairs: { "H-H": { depth, alpha, distance } } };
    const potential = buildTerm({ type: "morse", options, tensors: {} }, [1], device);
    const structure = pair(1, distance);
    const { wavenumbers, reducedMasses, rigid, zeroPointEnergy } = vibrations(
      structure,
      hessian(structure, potential, { step: 1e-3, order: 4 }),
    );
    const mu = massOf(1) / 2;
    const omega = alpha * Math.sqrt((2 * depth) / (mu * AMU_A2_FS2));
    expect(wavenumbers).toHaveLength(1);
    expect(wavenumbers[0]).toBeCloseTo(omega / (2 * Math.PI * 2.99792458e-5), 4);
    // √m-weighted, so the mass that moves with the mode is the atom's own.
    expect(reducedMasses[0]).toBeCloseTo(massOf(1), 8);
    expect(Math.max(...rigid.map(Math.abs))).toBeLessThan(1);
    expect(zeroPointEnergy).toBeCloseTo(quantum(wavenumbers[0]) / 2, 12);
  });

  it("at a minimum of a cluster: 3n − 6, all real; modes are orthogonal with the masses", () => {
    const found = relax(lbfgs(cluster(), soft()), cluster(), { fmax: 1e-9, steps: 500 });
    const { wavenumbers, modes } = vibrations(found.structure, hessian(found.structure, soft()));
    expect(wavenumbers).toHaveLength(9);
    expect(Math.min(...wavenumbers)).toBeGreaterThan(1);
    const m = massOf(18);
    modes.forEach((u, k) =>
      modes.forEach((v, l) =>
        expect(u.reduce((sum, x, i) => sum + m * x * v[i], 0)).toBeCloseTo(k === l ? 1 : 0, 10),
      ),
    );
  });
});

/** Two oscillators at a temperature. */
const warm = (T: number) => harmonic([500, 900], T);

describe("thermochemistry", () => {
  it("nitrogen at 298.15 K and 1 bar: entropy and heat capacity of the tables", () => {
    // NIST-JANAF: S° = 191.609, C_p = 29.124 J/(mol K); r = 1.0977 Å, 2358.57 cm⁻¹ (harmonic).
    const joule = 96485.33212;
    const gas = { temperature: 298.15, pressure: 1e5, symmetry: 2 };
    const { entropy, heatCapacity, enthalpy, zeroPointEnergy } = idealGas(pair(7, 1.0977), [2358.57], gas);
    expect(entropy * joule).toBeCloseTo(191.609, 1);
    expect((heatCapacity + kB) * joule).toBeCloseTo(29.124, 1);
    // H(298) − H(0) = 8.670 kJ/mol; classical rotation lacks the −k_B θ_rot/3 of the sum over levels, 0.008.
    expect(((enthalpy - zeroPointEnergy) * joule) / 1000).toBeCloseTo(8.67 + 0.008, 2);
  });

  it("argon: Sackur and Tetrode alone, 154.845 J/(mol K)", () => {
    const atom: Structure = { ...pair(18, 1), numbers: Uint8Array.of(18), positions: new Float64Array(3) };
    const { entropy } = idealGas(atom, [], { temperature: 298.15, pressure: 1e5 });
    expect(entropy * 96485.33212).toBeCloseTo(154.845, 1);
  });

  it("oscillators: zero-point energy at 0 K, k_B each when hot, F = U − T S", () => {
    const cold = harmonic([1000, 2000], 0);
    expect(cold.freeEnergy).toBe(cold.zeroPointEnergy);
    expect(cold.zeroPointEnergy).toBeCloseTo(quantum(3000) / 2, 14);
    const hot = harmonic([10, 20], 3000);
    expect(hot.heatCapacity / kB).toBeCloseTo(2, 4);
    const slope = (warm(300.01).freeEnergy - warm(299.99).freeEnergy) / 0.02;
    expect(-slope).toBeCloseTo(warm(300).entropy, 9);
  });
});

describe("basin hopping", () => {
  it("thirteen Lennard-Jones atoms: the icosahedron, −44.326801 ε", () => {
    const options = { cutoff: 12, pairs: { "Ar-Ar": { epsilon: 1, sigma: 1 } } };
    const potential = buildTerm({ type: "lennard-jones", options, tensors: {} }, [18], device);
    const random = new Random(3);
    const structure: Structure = {
      numbers: new Uint8Array(13).fill(18),
      positions: Float64Array.from({ length: 39 }, () => 2.2 * random.uniform()),
      cell: null,
      pbc: [false, false, false],
    };
    const simulation = basinHopping(structure, potential, { temperature: 0.8 / kB, fmax: 1e-5 });
    const state = simulation.init();
    while (state.step < 300 && state.bestEnergy > -44.3268) simulation.step(state);
    expect(Math.abs(state.bestEnergy + 44.326801)).toBeLessThan(1e-6);
    const copy = structuredClone(state);
    simulation.step(state);
    basinHopping(structure, potential, { temperature: 0.8 / kB, fmax: 1e-5 }).step(copy);
    expect(copy).toEqual(state);
  });
});
