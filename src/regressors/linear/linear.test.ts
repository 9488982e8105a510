import { describe, expect, it } from "vitest";
import type { Features } from "../../descriptors/descriptor.ts";
import { createDevice } from "../../device/device.ts";
import { Random } from "../../math/random.ts";
import type { Regressor } from "../regressor.ts";
import { linear } from "./linear.ts";
import { countOf } from "./options.ts";
import { slopesAlong } from "../slope.fixture.ts";

const device = createDevice({ bytes: 2 ** 25 });
const SIZES = [5, 3, 4];
/** Element 1 has no rows; element 2 has more than one block. */
const COUNTS = [7, 0, 261];
const random = new Random(7);

function features(sizes = SIZES): Features {
  const pointers = COUNTS.map((n, e) => device.memory.alloc(8 * n * sizes[e]));
  const matrices = COUNTS.map((n, e) => random.normals(device.memory.f64(pointers[e], n * sizes[e])));
  return { matrices, pointers, counts: COUNTS };
}

function build(quadratic: boolean): Regressor {
  const tensors = SIZES.map((K, e) => {
    const values = random.normals(new Float64Array(countOf({ quadratic }, K)));
    return [`${e}.coefficients`, values] as const;
  });
  return linear.build({ quadratic, bias: true }, SIZES, Object.fromEntries(tensors), device);
}

const total = COUNTS.reduce((a, b) => a + b, 0);
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, k) => sum + x * b[k], 0);

/** Rows of ∂/∂θ of seed_c E_c + dG_c·∂E_c/∂G_c, summed, from the basis. */
function gradientFromBasis(model: Regressor, G: Features, seeds: Float64Array, dG: Features): Float64Array {
  const sum = new Float64Array(model.parameters.length);
  let c = 0;
  COUNTS.forEach((n, e) => {
    for (let k = 0; k < n; k++, c++) {
      const row = (F: Features) => F.matrices[e].subarray(k * SIZES[e], (k + 1) * SIZES[e]);
      const values = new Float64Array(sum.length);
      model.basis!.addValues(e, row(G), values);
      values.forEach((x, p) => (sum[p] += seeds[c] * x));
      model.basis!.addSlopes(e, row(G), row(dG), sum);
    }
  });
  return sum;
}

describe.each([false, true])("linear, quadratic: %s", (quadratic) => {
  const model = build(quadratic);
  const [G, dG, dEdG] = [features(), features(), features()];
  const seeds = random.normals(new Float64Array(total));
  const energies = new Float64Array(total);

  it("is the polynomial that its coefficients name, in LAMMPS's order", () => {
    model.forward(G, energies);
    const [a, b, c] = G.matrices[0];
    const theta = model.tensors["0.coefficients"];
    let value = theta[0];
    for (let t = 0; t < 5; t++) value += theta[1 + t] * G.matrices[0][t];
    if (quadratic) {
      // α₁₁, α₁₂ … α₁₅, α₂₂ …: the halves stand on the diagonal only.
      value += (theta[6] * a * a) / 2 + theta[7] * a * b + theta[8] * a * c;
      const rest = G.matrices[0].slice(0, 5);
      let k = 6;
      for (let t = 0; t < 5; t++)
        for (let u = t; u < 5; u++, k++)
          if (k > 8) value += theta[k] * rest[t] * rest[u] * (t === u ? 0.5 : 1);
    }
    expect(Math.abs(energies[0] - value)).toBeLessThan(1e-13);
  });

  it("has the derivative of its energies", () => {
    const { slope, difference } = slopesAlong(model, G, dG, dEdG, 1e-4);
    expect(Math.abs(slope)).toBeGreaterThan(1);
    expect(Math.abs(difference - slope)).toBeLessThan(1e-8 * Math.abs(slope));
  });

  it("is linear in its parameters: gradients, rows of the basis and energies agree", () => {
    const gradient = new Float64Array(model.parameters.length);
    model.parameterGradient(G, seeds, dG, gradient);
    const rows = gradientFromBasis(model, G, seeds, dG);
    gradient.forEach((x, k) => expect(Math.abs(x - rows[k])).toBeLessThan(1e-11));
    model.pullback(G, energies, dEdG);
    const value = dot(energies, seeds) + dG.matrices.reduce((s, m, e) => s + dot(m, dEdG.matrices[e]), 0);
    expect(Math.abs(dot(gradient, model.parameters) - value)).toBeLessThan(1e-10 * Math.abs(value));
  });

  it("uses tensors that lie in the device's memory in place, and refuses others than its own", () => {
    const again = linear.build({ quadratic, bias: true }, SIZES, model.tensors, device);
    expect(again.parameters.byteOffset).toBe(model.parameters.byteOffset);
    expect(() => linear.build({ quadratic, bias: true }, [5, 3, 5], model.tensors, device)).toThrow(
      "2.coefficients",
    );
  });
});

it("one combination of the features gives the energies of the linear model", () => {
  const model = build(false);
  const { size, weights, rest } = model.combination!;
  expect(size).toBe(1);
  const [G, ones] = [features(), [1, 1, 1]];
  const [y, dEdy] = [features(ones), features(ones)];
  y.matrices.forEach((m, e) =>
    m.forEach((_, k) => (m[k] = dot(weights[e], G.matrices[e].subarray(k * SIZES[e], (k + 1) * SIZES[e])))),
  );
  const [whole, energies] = [new Float64Array(total), new Float64Array(total)];
  model.forward(G, whole);
  rest.pullback(y, energies, dEdy);
  energies.forEach((x, c) => expect(Math.abs(x - whole[c])).toBeLessThan(1e-13));
  expect(dEdy.matrices.every((m) => m.every((x) => x === 1))).toBe(true);
  expect(build(true).combination).toBeUndefined();
});

it("starts from the mean energy", () => {
  const K = new Float64Array(4);
  const some = { count: 1, mean: K, deviation: K, min: K, max: K };
  expect(linear.initialise({ quadratic: true, bias: true }, [some], 1, 1, -3)).toEqual({
    "0.coefficients": Float64Array.of(-3, ...new Float64Array(14)),
  });
});
