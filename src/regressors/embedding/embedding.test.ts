import { describe, expect, it } from "vitest";
import type { Features } from "../../descriptors/descriptor.ts";
import { createDevice } from "../../device/device.ts";
import { evaluate } from "../../formula/javascript.ts";
import { gradient } from "../../formula/derivative.ts";
import { variable } from "../../formula/expression.ts";
import { Random } from "../../math/random.ts";
import { linear } from "../linear/linear.ts";
import { embedding } from "./embedding.ts";
import { embeddingEnergy, embeddings } from "./functions.ts";
import { slopesAlong } from "../slope.fixture.ts";

const device = createDevice({ bytes: 2 ** 25 });
const SIZES = [5, 3, 4];
/** Element 1 has no rows; element 2 has more than one block and an odd rest. */
const COUNTS = [7, 0, 261];
const total = COUNTS.reduce((a, b) => a + b, 0);
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, k) => sum + x * b[k], 0);

describe("embedding functions", () => {
  const x = variable("x");
  const at = (name: keyof typeof embeddings, m: number, value: number) => {
    const F = embeddings[name].F(x, m);
    return evaluate([F, ...gradient(F, [x])], { x: value });
  };

  it("are 0 at 0, odd, and |ρ|^m far away", () => {
    for (const name of ["FinnisSinclair", "FinnisSinclairShiftedScaled"] as const)
      for (const m of [0.5, 0.7, 2]) {
        expect(Math.abs(at(name, m, 0)[0])).toBeLessThan(1e-15);
        const [plus, slope] = at(name, m, 40);
        expect(plus / 40 ** m - 1).toBeLessThan(1e-12);
        expect(at(name, m, -40)[0]).toBe(-plus);
        expect(at(name, m, -40)[1]).toBe(slope);
        expect(Math.abs(slope / (m * 40 ** (m - 1)) - 1)).toBeLessThan(1e-12);
      }
  });

  it("are linear for m = 1", () => {
    for (const value of [-3, -1e-8, 0, 0.5])
      for (const name of ["FinnisSinclair", "FinnisSinclairShiftedScaled"] as const) {
        const [F, slope] = at(name, 1, value);
        expect(F).toBeCloseTo(value, 15);
        expect(slope).toBeCloseTo(1, 12);
      }
  });

  it("have the closed value of the shifted, scaled square root", () => {
    // m = ½: ν = 2, a = ½² = ¼, b = ½.
    const rho = 0.3;
    const e = Math.exp(-rho);
    expect(at("FinnisSinclairShiftedScaled", 0.5, rho)[0]).toBeCloseTo(Math.sqrt(e / 4 + rho) - e / 2, 14);
  });

  it("give way to the core repulsion", () => {
    const [rho, c] = ["rho", "c"].map(variable);
    const shares = [{ weight: 2, exponent: 1 }];
    const E = embeddingEnergy("FinnisSinclair", shares, [rho], { c, switch: { cutoff: 10, width: 4 } });
    const value = (core: number) => evaluate([E], { rho: 3, c: core })[0];
    expect(value(5)).toBe(11);
    expect(value(8)).toBeCloseTo(8 + 3, 14);
    expect(value(12)).toBe(12);
  });
});

describe("a fit that goes on from a linear one", () => {
  const random = new Random(11);
  const statistics = SIZES.map((K) => {
    const draw = () => random.normals(new Float64Array(K));
    const deviation = draw().map((x, t) => (t === 1 ? 0 : Math.abs(x)));
    return { count: 9, mean: draw(), deviation, min: draw(), max: draw() };
  });
  const tensors = Object.fromEntries(
    SIZES.map((K, e) => [`${e}.coefficients`, random.normals(new Float64Array(K + 1))]),
  );
  const options = embedding.options.parse({});
  const from = { name: "linear", options: {}, tensors };
  const adopted = embedding.adopt!(options, from, statistics, 1)!;

  it("starts from its energies at the mean features, and from nearly those elsewhere", () => {
    const models = [
      linear.build(linear.options.parse({}), SIZES, tensors, device),
      embedding.build(options, SIZES, adopted, device),
    ];
    const address = SIZES.map((K) => device.memory.alloc(16 * K));
    const matrices = SIZES.map((K, e) => {
      const rows = device.memory.f64(address[e], 2 * K);
      rows.set(statistics[e].mean);
      for (let t = 0; t < K; t++) rows[K + t] = rows[t] + statistics[e].deviation[t] * random.normal();
      return rows;
    });
    const G = { matrices, pointers: address, counts: [2, 2, 2] };
    const [expected, found] = models.map((model) => {
      const energies = new Float64Array(6);
      model.forward(G, energies);
      return energies;
    });
    for (let c = 0; c < 6; c++) expect(Math.abs(found[c] - expected[c])).toBeLessThan(c % 2 ? 1e-2 : 1e-12);
    expect(Math.abs(found[1] - expected[1])).toBeGreaterThan(0);
  });

  it("needs a linear density and a linear model", () => {
    const roots = embedding.options.parse({ densities: [{ exponent: 0.5 }] });
    expect(embedding.adopt!(roots, from, statistics, 1)).toBeUndefined();
    expect(
      embedding.adopt!(options, { ...from, options: { quadratic: true } }, statistics, 1),
    ).toBeUndefined();
    expect(embedding.adopt!(options, { ...from, name: "neural-network" }, statistics, 1)).toBeUndefined();
  });
});

describe.each([false, true])("embedding, core: %s", (core) => {
  const random = new Random(9);
  const features = (sizes = SIZES): Features => {
    const pointers = COUNTS.map((n, e) => device.memory.alloc(8 * n * sizes[e]));
    const matrices = COUNTS.map((n, e) => random.normals(device.memory.f64(pointers[e], n * sizes[e])));
    return { matrices, pointers, counts: COUNTS };
  };
  const options = embedding.options.parse({ core, coreCutoff: 2, coreWidth: 4 });
  const statistics = SIZES.map((K) => {
    const filled = (x: number) => new Float64Array(K).fill(x);
    return { count: 9, mean: filled(0.1), deviation: filled(0.7), min: filled(-1), max: filled(1) };
  });
  const model = embedding.build(options, SIZES, embedding.initialise(options, statistics, 2, 3), device);
  const [G, dG, dEdG] = [features(), features(), features()];
  const seeds = random.normals(new Float64Array(total));
  const energies = new Float64Array(total);

  it("has the derivative of its energies", () => {
    const { slope, difference } = slopesAlong(model, G, dG, dEdG, 1e-5);
    expect(Math.abs(slope)).toBeGreaterThan(1);
    expect(Math.abs(difference / slope - 1)).toBeLessThan(1e-7);
  });

  it("has the derivative of energies and forces with respect to its parameters", () => {
    const objective = (): number => {
      model.pullback(G, energies, dEdG);
      return dot(energies, seeds) + dG.matrices.reduce((s, m, e) => s + dot(m, dEdG.matrices[e]), 0);
    };
    const slopes = new Float64Array(model.parameters.length);
    model.parameterGradient(G, seeds, dG, slopes);
    for (let k = 0; k < model.parameters.length; k++) {
      if (k >= model.starts![1] && k < model.starts![2]) {
        expect(slopes[k]).toBe(0);
        continue;
      }
      const [kept, h] = [model.parameters[k], 1e-5];
      model.parameters[k] = kept + h;
      const up = objective();
      model.parameters[k] = kept - h;
      const down = objective();
      model.parameters[k] = kept;
      const difference = (up - down) / (2 * h);
      expect(Math.abs(difference - slopes[k])).toBeLessThan(1e-6 * Math.max(10, Math.abs(slopes[k])));
    }
  });

  it("depends on its combinations only", () => {
    const { size, weights, rest } = model.combination!;
    expect(size).toBe(core ? 3 : 2);
    const widths = SIZES.map(() => size);
    const [y, dEdy] = [features(widths), features(widths)];
    y.matrices.forEach((rows, e) => {
      for (let c = 0; c < COUNTS[e]; c++)
        for (let p = 0; p < size; p++) {
          let sum = 0;
          for (let t = 0; t < SIZES[e]; t++)
            sum += weights[e][t * size + p] * G.matrices[e][c * SIZES[e] + t];
          rows[c * size + p] = sum;
        }
    });
    const direct = new Float64Array(total);
    model.pullback(G, direct, dEdG);
    rest.pullback(y, energies, dEdy);
    energies.forEach((E, c) => expect(Math.abs(E - direct[c])).toBeLessThan(1e-12));
    const [W, K] = [weights[2], SIZES[2]];
    for (let t = 0; t < K; t++) {
      let slope = 0;
      for (let p = 0; p < size; p++) slope += W[t * size + p] * dEdy.matrices[2][260 * size + p];
      expect(Math.abs(slope - dEdG.matrices[2][260 * K + t])).toBeLessThan(1e-12);
    }
  });
});
