import { describe, expect, it } from "vitest";
import type { Features } from "../../descriptors/descriptor.ts";
import { createDevice } from "../../device/device.ts";
import { Random } from "../../math/random.ts";
import type { FeatureStatistics, Regressor } from "../regressor.ts";
import { regressors } from "../table.ts";
import { activationNames } from "./activations.ts";

const method = regressors["neural-network"];
const device = createDevice({ bytes: 2 ** 26 });
const SIZES = [5, 3, 4];
/** Element 1 has no rows; element 2 has more than one block and an odd number. */
const COUNTS = [7, 0, 131];

function features(counts: readonly number[], random: Random): Features {
  const pointers = counts.map((n, e) => device.memory.alloc(8 * n * SIZES[e]));
  const matrices = counts.map((n, e) => random.normals(device.memory.f64(pointers[e], n * SIZES[e])));
  return { matrices, pointers, counts };
}

const statistics = (random: Random): FeatureStatistics[] =>
  SIZES.map((size) => ({
    count: 100,
    mean: random.normals(new Float64Array(size)),
    deviation: Float64Array.from({ length: size }, () => 0.5 + random.uniform()),
    min: new Float64Array(size).fill(-3),
    max: new Float64Array(size).fill(3),
  }));

function network(options: Record<string, unknown>, seed = 3): Regressor {
  const full = method.options.parse(options);
  const random = new Random(seed);
  const tensors = method.initialise(full, statistics(random), 0.7, seed, -1.3);
  for (const [name, values] of Object.entries(tensors))
    if (name.includes("biases")) for (let i = 0; i < values.length; i++) values[i] = 0.3 * random.normal();
  return method.build(full, SIZES, tensors, device);
}

const total = COUNTS.reduce((a, b) => a + b, 0);

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Σ seeds·E + Σ dG·∂E/∂G, the second part from pullback. */
function objective(
  net: Regressor,
  G: Features,
  seeds: Float64Array,
  dG: Features,
  scratch: Features,
): number {
  const energies = new Float64Array(total);
  net.pullback(G, energies, scratch);
  return dot(energies, seeds) + dG.matrices.reduce((sum, m, e) => sum + dot(m, scratch.matrices[e]), 0);
}

describe("neural network", () => {
  const random = new Random(11);
  const G = features(COUNTS, random);
  const dG = features(COUNTS, random);
  const scratch = features(COUNTS, random);
  const seeds = random.normals(new Float64Array(total));
  const architectures = [
    { layers: [] },
    { layers: [6] },
    { layers: [5, 4] },
    { layers: [4, 4, 3], residual: true },
  ];
  // Stacked, these grow beyond what differences resolve: one hidden layer of them shows the derivatives.
  const steep = ["exponential", "harmonic"];
  const cases = [
    ...activationNames.flatMap((activation) =>
      architectures.slice(0, steep.includes(activation) ? 2 : 4).map((a) => ({ ...a, activation })),
    ),
    { layers: [5, 4], activation: ["tanh", "cosine"], output: "softplus" },
    { layers: [], output: "harmonic" },
  ];

  // A difference across one of relu's kinks would be wrong, hence its smaller step and looser bound.
  for (const options of cases)
    it(`gradients are exact: ${JSON.stringify(options)}`, () => {
      const net = network(options);
      const gradient = new Float64Array(net.parameters.length).fill(1);
      net.parameterGradient(G, seeds, dG, gradient);
      const kinked = "activation" in options && options.activation === "relu";
      const step = kinked ? 1e-7 : 1e-5;
      for (let i = 0; i < gradient.length; i++) {
        const kept = net.parameters[i];
        const at = (h: number) => {
          net.parameters[i] = kept + h;
          return objective(net, G, seeds, dG, scratch);
        };
        const numeric = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
        net.parameters[i] = kept;
        const scale = Math.max(20, Math.abs(numeric));
        expect(Math.abs(gradient[i] - 1 - numeric) / scale, `parameter ${i}`).toBeLessThan(
          kinked ? 1e-5 : 1e-8,
        );
      }
    });

  it("dE/dG is exact", () => {
    const net = network({ layers: [8, 8], activation: "tanh", residual: true });
    const [energies, dEdG] = [new Float64Array(total), features(COUNTS, random)];
    net.pullback(G, energies, dEdG);
    let largest = 0;
    for (const [e, c] of [
      [0, 0],
      [0, 6],
      [2, 0],
      [2, 127],
      [2, 130],
    ])
      for (let t = 0; t < SIZES[e]; t++) {
        const x = G.matrices[e];
        const i = c * SIZES[e] + t;
        const kept = x[i];
        const row = (e === 2 ? COUNTS[0] : 0) + c;
        const at = (h: number) => {
          x[i] = kept + h;
          net.forward(G, energies);
          return energies[row];
        };
        const numeric = (8 * (at(1e-4) - at(-1e-4)) - (at(2e-4) - at(-2e-4))) / 12e-4;
        x[i] = kept;
        expect(dEdG.matrices[e][i]).toBeCloseTo(numeric, 10);
        largest = Math.max(largest, Math.abs(numeric));
      }
    expect(largest).toBeGreaterThan(0.01);
  });

  it("energies equal a direct evaluation", () => {
    const net = network({ layers: [6, 5], activation: "tanh" });
    const energies = new Float64Array(total);
    net.forward(G, energies);
    const t = net.tensors;
    for (const [e, c, row] of [
      [0, 3, 3],
      [2, 130, 137],
    ]) {
      let h = Array.from({ length: SIZES[e] }, (_, f) => {
        const x = G.matrices[e][c * SIZES[e] + f];
        return (x - t[`${e}.mean`][f]) * t[`${e}.scale`][f];
      });
      for (let l = 1; l <= 3; l++) {
        const [W, b] = [t[`${e}.weights.${l}`], t[`${e}.biases.${l}`]];
        const z = Array.from(b, (bias, o) => h.reduce((sum, x, i) => sum + x * W[i * b.length + o], bias));
        h = l < 3 ? z.map(Math.tanh) : z;
      }
      expect(energies[row]).toBeCloseTo(t[`${e}.output`][0] * h[0] + t[`${e}.output`][1], 12);
    }
  });

  it("a row's numbers do not depend on the rows around it", () => {
    const net = network({ layers: [16, 16] });
    const all = new Float64Array(total);
    const dAll = features(COUNTS, random);
    net.pullback(G, all, dAll);
    const one = features([1, 0, 0], random);
    const dOne = features([1, 0, 0], random);
    one.matrices[0].set(G.matrices[0].subarray(5 * 4, 5 * 5));
    const alone = new Float64Array(1);
    net.pullback(one, alone, dOne);
    expect(alone[0]).toBe(all[4]);
    expect(Array.from(dOne.matrices[0])).toEqual(Array.from(dAll.matrices[0].subarray(20, 25)));
  });

  it("energy part alone, and nothing for elements without rows", () => {
    const net = network({ layers: [6] });
    const [whole, energyOnly] = [
      new Float64Array(net.parameters.length),
      new Float64Array(net.parameters.length),
    ];
    const still = features(COUNTS, random);
    for (const m of still.matrices) m.fill(0);
    net.parameterGradient(G, seeds, still, whole);
    net.parameterGradient(G, seeds, null, energyOnly);
    energyOnly.forEach((x, i) => expect(whole[i]).toBeCloseTo(x, 11));
    const first = (5 + 1) * 6 + 7;
    const second = (3 + 1) * 6 + 7;
    expect(energyOnly.subarray(first, first + second).every((x) => x === 0)).toBe(true);
    expect(energyOnly.subarray(0, first).some((x) => x !== 0)).toBe(true);
  });

  it("constant features are left out, faint ones bounded, both reported", () => {
    const s: FeatureStatistics = {
      count: 10,
      mean: Float64Array.of(1, 0.5, 2),
      deviation: Float64Array.of(0, 0.1, 1e-6),
      min: Float64Array.of(1, 0, 2 - 1e-6),
      max: Float64Array.of(1, 1, 2 + 1e-6),
    };
    const tensors = method.initialise(method.options.parse({ layers: [2] }), [s], 1, 1);
    expect(Array.from(tensors["0.scale"])).toEqual([0, 10, expect.closeTo(1 / (0.05 * 0.1), 6)]);
    const remarks = method.remarks!(method.options.parse({ activation: "relu" }), [s], ["Si"]);
    expect(remarks).toHaveLength(3);
    expect(remarks[0]).toMatch(/kink/);
  });

  it("same seed, same start; another seed, another; parameters in the memory are used where they are", () => {
    const a = network({ layers: [4] }, 5);
    expect(Array.from(network({ layers: [4] }, 5).parameters)).toEqual(Array.from(a.parameters));
    expect(Array.from(network({ layers: [4] }, 6).parameters)).not.toEqual(Array.from(a.parameters));
    const again = method.build(method.options.parse({ layers: [4] }), SIZES, a.tensors, device);
    expect(again.parameters.byteOffset).toBe(a.parameters.byteOffset);
    expect(a.decays.reduce((x, y) => x + y, 0)).toBe(SIZES.reduce((n, size) => n + 4 * size + 4, 0));
  });

  it("refuses tensors of another shape", () => {
    const full = method.options.parse({ layers: [4] });
    expect(() => method.build(full, SIZES, {}, device)).toThrow(
      /0\.weights\.1: expected 20 numbers, got none/,
    );
  });
});
