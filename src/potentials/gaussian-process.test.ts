import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { Random } from "../math/random.ts";
import { packTriangle } from "../math/triangle.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { strain } from "../structure/cell.ts";
import { buildPotential, snapshot } from "./build.ts";
import { GaussianProcessPotential, gaussianProcess } from "./gaussian-process.ts";
import type { Evaluation, Labels, Term } from "./potential.ts";

const device = createDevice({ bytes: 2 ** 26 });

/** Water, bent, stretched and turned. */
const N = 5;
const water = Float64Array.of(0.1, 0.2, -0.1, 0.95, 0.3, 0.1, -0.2, 0.9, 0.4);
const random = new Random(4, "water");
const positions = Float64Array.from({ length: 9 * N }, (_, k) => water[k % 9] + 0.1 * random.normal());

/** Observations of random labels: energies at 0, 1, 4, all slopes at 1 and 3; or some of the slopes. */
function term(descriptor: object, kernel: object, some: boolean, factor = false): Term {
  const coordinates = some ? [0, 4, 8, 1, 3, 5] : [0, 1].flatMap(() => [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const n = 3 + coordinates.length;
  const L = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) L[i * n + j] = i === j ? 300 : 0.1 * random.normal();
  return {
    type: "gaussian-process",
    options: { descriptor, kernel, atoms: [8, 1, 1] },
    tensors: {
      positions,
      energies: Float64Array.of(0, 1, 4),
      gradients: Float64Array.of(1, 3),
      coordinates: Float64Array.from(coordinates),
      hyperparameters: Float64Array.of(1.3, 0.7),
      weights: random.normals(new Float64Array(n)),
      ...(factor && { factor: packTriangle(L, n) }),
    },
  };
}

const structure: Structure = {
  numbers: Uint8Array.of(8, 1, 1),
  positions: water,
  cell: null,
  pbc: [false, false, false],
};
const kernel = { product: [{ name: "constant" }, { name: "matern-5/2" }] };
const build = (t: Term): GaussianProcessPotential =>
  gaussianProcess.build(
    gaussianProcess.options.parse(t.options),
    [1, 8],
    t.tensors,
    device,
  ) as GaussianProcessPotential;

function evaluate(potential: GaussianProcessPotential, s: Structure): Evaluation {
  const out = {
    energy: 0,
    forces: new Float64Array(9),
    virial: new Float64Array(9),
    energies: new Float64Array(3),
  };
  potential.evaluate(s, findNeighbours(s, 1), out);
  return out;
}

const moved = (k: number, step: number): Structure => ({
  ...structure,
  positions: water.with(k, water[k] + step),
});

const labels = (): Labels => ({
  energies: new Float64Array(1),
  forces: new Float64Array(9),
  virials: new Float64Array(9),
});

describe.each([
  ["inverse distances", { name: "inverse-distances" }, false],
  ["inverse distances, some slopes", { name: "inverse-distances" }, true],
  ["Cartesian", { name: "cartesian" }, false],
] as const)("a Gaussian process of water: %s", (_, descriptor, some) => {
  const potential = build(term(descriptor, kernel, some));

  it("forces and virial are derivatives of the energy", () => {
    const { forces, virial, energies, energy } = evaluate(potential, structure);
    for (let k = 0; k < 9; k++) {
      const [up, down] = [1e-5, -1e-5].map((h) => evaluate(potential, moved(k, h)).energy);
      expect(forces[k]).toBeCloseTo((down - up) / 2e-5, 7);
      const [large, small] = [1e-5, -1e-5].map((h) => {
        const epsilon = new Float64Array(9).with(k, h);
        return evaluate(potential, strain(structure, epsilon)).energy;
      });
      expect(virial[k]).toBeCloseTo((small - large) / 2e-5, 6);
    }
    expect(Math.max(...forces.map(Math.abs))).toBeGreaterThan(0.1);
    expect(energies!.reduce((a, b) => a + b, 0)).toBeCloseTo(energy, 12);
  });

  it("slopes by the weights are slopes", () => {
    const batch = potential.batch([structure]);
    const seeds = labels();
    for (const array of [seeds.energies, seeds.forces, seeds.virials]) new Random(3, "seeds").normals(array);
    const gradient = new Float64Array(potential.parameters.length);
    potential.forward(batch, labels());
    potential.parameterGradient(batch, seeds, gradient);
    const total = () => {
      const out = labels();
      potential.forward(batch, out);
      return (["energies", "forces", "virials"] as const).reduce(
        (sum, name) => sum + out[name].reduce((s, x, k) => s + x * seeds[name][k], 0),
        0,
      );
    };
    for (let p = 2; p < gradient.length; p++) {
      const here = potential.parameters[p];
      potential.parameters[p] = here + 1e-4;
      const up = total();
      potential.parameters[p] = here - 1e-4;
      expect(gradient[p]).toBeCloseTo((up - total()) / 2e-4, 6);
      potential.parameters[p] = here;
    }
  });
});

describe("what a Gaussian process knows of itself", () => {
  const potential = build(term({ name: "inverse-distances" }, kernel, true, true));

  it("gives the bits of its copy", () => {
    const model = {
      elements: [1, 8],
      terms: [term({ name: "inverse-distances" }, kernel, true)],
      provenance: {},
    };
    const first = buildPotential(model, device);
    const second = buildPotential(structuredClone(snapshot(model, first)), createDevice({ bytes: 2 ** 25 }));
    const [a, b] = [first, second].map((p) => {
      const out = { energy: 0, forces: new Float64Array(9), virial: new Float64Array(9) };
      p.evaluate(structure, findNeighbours(structure, 1), out);
      return out;
    });
    expect(b).toEqual(a);
  });

  it("standard deviations of energy and forces, and grades by them", () => {
    const { energy, forces } = potential.deviations(structure)!;
    expect(energy).toBeCloseTo(potential.deviation(structure)!, 12);
    expect(forces.every((s) => s > 0)).toBe(true);
    expect(potential.gradeBy("deviation")).toBe(true);
    const out = { ...evaluate(potential, structure), grades: new Float64Array(3) };
    potential.evaluate(structure, findNeighbours(structure, 1), out);
    const { guard } = potential;
    expect(guard.names).toEqual(["range", "distance", "deviation"]);
    expect(guard.grade(structure)["deviation"]).toEqual(out.grades);
    const inside = { ...structure, positions: positions.slice(9, 18) };
    expect([guard.by("range", inside), guard.by("distance", inside)]).toEqual([0, 0]);
    const far = { ...structure, positions: water.map((x) => 3 * x) };
    expect(guard.by("range", far)).toBeGreaterThan(1);
    expect(guard.by("distance", far)).toBeGreaterThan(2);
    expect(guard.explain(far, 0).value).toBeLessThan(guard.explain(far, 0).min);
    expect([...out.grades]).toEqual([energy, energy, energy].map((x) => expect.closeTo(x, 12) as number));
  });

  it("refuses other molecules and periodic images", () => {
    const other = { ...structure, numbers: Uint8Array.of(1, 8, 1) };
    expect(() => evaluate(potential, other)).toThrow(/the molecule H2O in its order/);
    const periodic = {
      ...structure,
      cell: Float64Array.of(9, 0, 0, 0, 9, 0, 0, 0, 9),
      pbc: [true, true, true] as const,
    };
    expect(() => evaluate(potential, periodic)).toThrow(/without periodic images/);
  });

  it("knows whether it depends on where the molecule is", () => {
    expect(potential.external).toBe(false);
    expect(build(term({ name: "cartesian" }, kernel, false)).external).toBe(true);
  });
});
