import { describe, expect, it } from "vitest";
import { ethanol } from "../../../test/ethanol.ts";
import { createDevice } from "../../device/device.ts";
import { Memory } from "../../device/memory.ts";
import { Random } from "../../math/random.ts";
import { FeatureBuffer } from "../../potentials/feature-buffer.ts";
import { repeat } from "../../structure/cell.ts";
import { elementsOf } from "../../structure/elements.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import { acsf } from "../acsf/acsf.ts";
import { ani } from "../ani/ani.ts";
import type { Descriptor, Features } from "../descriptor.ts";
import { environments } from "../environments.ts";
import { symmetryFunctions } from "../symmetry-functions/symmetry-functions.ts";

const memory = new Memory({ bytes: 2 ** 26 });
const devices = (["f64", "f32"] as const).map((precision) => createDevice({ memory, precision }));
const random = new Random(11, "single");

const shaken = (s: Structure): Structure => ({
  ...s,
  positions: s.positions.map((x) => x + 0.05 * random.normal()),
});
/** Diamond, a = 5.43 Å. */
const silicon = repeat(
  {
    numbers: new Uint8Array(2).fill(14),
    positions: Float64Array.of(0, 0, 0, 1.3575, 1.3575, 1.3575),
    cell: Float64Array.of(0, 2.715, 2.715, 2.715, 0, 2.715, 2.715, 2.715, 0),
    pbc: [true, true, true],
  },
  [2, 2, 2],
);

const angular = [
  { type: "G4", eta: 0.05, zeta: 1, lambda: 1 },
  { type: "G4", eta: 0.02, zeta: 16, lambda: -1 },
  { type: "G5", eta: 0.03, zeta: 2.5, lambda: 1 },
];
const bumps = [
  { type: "C4", from: 0, to: 5, angles: [20, 140], shape: "poly2" },
  { type: "C5", from: 0.5, to: 4.5, angles: [60, 180], shape: "poly2" },
];
type Build = (elements: readonly number[], device: (typeof devices)[number]) => Descriptor;
const builds: Record<string, Build> = {
  "acsf, tanh³": (elements, device) =>
    acsf.build(
      acsf.options.parse({
        cutoff: { type: "tanh3", radius: 5 },
        radial: [
          { type: "G2", eta: 0.5, shift: 1 },
          { type: "G3", kappa: 2 },
        ],
        angular,
      }),
      elements,
      device,
    ),
  "acsf, poly2": (elements, device) =>
    acsf.build(
      acsf.options.parse({ cutoff: { type: "poly2", radius: 4.7 }, radial: [{ type: "G1" }], angular }),
      elements,
      device,
    ),
  ani: (elements, device) =>
    ani.build(
      ani.options.parse({
        radial: { cutoff: 5, eta: 16, shifts: [1, 2] },
        angular: { cutoff: 3.5, eta: 8, zeta: 32, shifts: [1, 2], angles: [0.4, 1.2, 2.5] },
      }),
      elements,
      device,
    ),
  "symmetry-functions with compact support": (elements, device) =>
    symmetryFunctions.build(
      symmetryFunctions.options.parse({
        cutoff: { type: "cosine", radius: 5 },
        functions: Object.fromEntries(
          elements.map((z) => [
            { 1: "H", 6: "C", 8: "O", 14: "Si" }[z]!,
            [{ type: "C2", from: 0, to: 4, shape: "poly2" }, ...bumps],
          ]),
        ),
      }),
      elements,
      device,
    ),
};

const all = ({ matrices }: Features) => Float64Array.from(matrices.flatMap((m) => [...m]));
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, k) => sum + x * b[k], 0);

/** All operations of a descriptor on one structure: features, pullback, pushforward, a Jacobian. */
function operations(d: Descriptor, structure: Structure, one: boolean) {
  const neighbours = findNeighbours(structure, d.cutoff);
  const env = environments([{ structure, neighbours }], d.elements, d.cutoff);
  const sizes = d.elements.map((_, e) => d.size(e));
  const reserve = () => new FeatureBuffer(memory, sizes).reserve(env.starts);
  const numbers = new Random(5, "seeds");
  const [G, dG, w] = [reserve(), reserve(), reserve()];
  for (const m of w.matrices) numbers.normals(m);
  const tangents = numbers.normals(new Float64Array(3 * env.neighbour.length));
  if (one) for (const [p, j] of env.neighbour.entries()) if (j !== 1) tangents.fill(0, 3 * p, 3 * p + 3);
  const gradient = new Float64Array(tangents.length);
  d.forward(env, G);
  d.pullback(env, w, gradient);
  d.pushforward(env, tangents, dG);
  const S = d.elements.length;
  const rows = new Float64Array(3 * Math.max(...sizes) * (env.offsets[S] - env.offsets[0]));
  d.jacobian(env, 0, rows);
  const [values, moved, weights] = [all(G), all(dG), all(w)];
  return { values, gradient, moved, rows, weights, tangents };
}

const largest = (x: Float64Array) => x.reduce((most, y) => Math.max(most, Math.abs(y)), 0);

/** Largest difference, relative to the largest number. */
function distance(a: Float64Array, b: Float64Array): number {
  expect(largest(a)).toBeGreaterThan(1e-4);
  return largest(a.map((x, k) => x - b[k])) / largest(a);
}

describe.each(Object.entries(builds))("%s in f32", (_, build) => {
  it.each([
    ["ethanol", shaken(ethanol)],
    ["silicon", shaken(silicon)],
  ])(
    "%s: features, derivatives and tangents within 3e-6 of f64, the laws of derivatives too",
    (__, structure) => {
      const [d64, d32] = devices.map((device) => build(elementsOf(structure.numbers), device));
      const [exact, found] = [operations(d64, structure, false), operations(d32, structure, false)];
      for (const key of ["values", "gradient", "moved", "rows"] as const)
        expect(distance(exact[key], found[key]), key).toBeLessThan(3e-6);
      const sizes = dot(found.weights.map(Math.abs), found.moved.map(Math.abs));
      const difference = dot(found.weights, found.moved) - dot(found.gradient, found.tangents);
      expect(Math.abs(difference) / sizes, "adjointness").toBeLessThan(1e-6);
    },
  );

  it("turning and shifting change features by less than 1e-6", () => {
    const structure = shaken(ethanol);
    const [, d32] = devices.map((device) => build(elementsOf(structure.numbers), device));
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const positions = structure.positions.slice();
    for (let i = 0; i < positions.length; i += 3) {
      const [x, y] = [positions[i], positions[i + 1]];
      positions[i] = c * x - s * y + 5.3;
      positions[i + 1] = s * x + c * y - 1.7;
    }
    const turned = operations(d32, { ...structure, positions }, false);
    expect(distance(operations(d32, structure, false).values, turned.values)).toBeLessThan(1e-6);
  });

  it.each(["f64", "f32"] as const)("without fused multiply-add the same to rounding, %s", (precision) => {
    const structure = shaken(ethanol);
    const plain = createDevice({ memory, precision, deterministic: true });
    const [fused, rounded] = [devices[precision === "f64" ? 0 : 1], plain].map((device) =>
      operations(build(elementsOf(structure.numbers), device), structure, false),
    );
    for (const key of ["values", "gradient", "moved", "rows"] as const)
      expect(distance(fused[key], rounded[key]), key).toBeLessThan(precision === "f64" ? 1e-13 : 3e-6);
  });

  it("gives G in f64: sums are not rounded to f32", () => {
    const structure = shaken(silicon);
    const [, d32] = devices.map((device) => build([14], device));
    const { values } = operations(d32, structure, false);
    expect(values.some((x) => x !== Math.fround(x))).toBe(true);
  });
});

describe.each(["f64", "f32"] as const)("tangents of one atom, %s", (precision) => {
  it.each(Object.keys(builds))("%s: what does not move is skipped, the sums are the same", (name) => {
    const structure = shaken(ethanol);
    const device = devices[precision === "f64" ? 0 : 1];
    const d = builds[name](elementsOf(structure.numbers), device);
    const { moved, rows, tangents } = operations(d, structure, true);
    const neighbours = findNeighbours(structure, d.cutoff);
    const env = environments([{ structure, neighbours }], d.elements, d.cutoff);
    const S = d.elements.length;
    const pairs = env.offsets[S];
    for (let t = 0; t < d.size(0); t++) {
      let along = 0;
      for (let p = 0; p < 3 * pairs; p++) along += rows[3 * pairs * t + p] * tangents[p];
      expect(Math.abs(moved[t] - along)).toBeLessThan((precision === "f64" ? 1e-13 : 1e-6) * largest(rows));
    }
  });
});

it("a weight beyond f32 is an error that says so", () => {
  const [d] = [builds["acsf, tanh³"]([14], devices[1])];
  const neighbours = findNeighbours(silicon, d.cutoff);
  const env = environments([{ structure: silicon, neighbours }], d.elements, d.cutoff);
  const w = new FeatureBuffer(memory, [d.size(0)]).reserve(env.starts);
  w.matrices[0].fill(1e40);
  expect(() => d.pullback(env, w, new Float64Array(3 * env.neighbour.length))).toThrow(
    "is 1e+40, beyond what f32 holds: use f64",
  );
});
