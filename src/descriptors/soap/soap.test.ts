import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { instantiate } from "../../device/modules.ts";
import { supports } from "../../formula/assembler.ts";
import { numberOf } from "../../structure/elements.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Descriptor } from "../descriptor.ts";
import { environments } from "../environments.ts";
import { atomFeatures, difference, readStructure, type StoredStructure } from "../golden.fixture.ts";
import { bases, basisNames } from "./bases.ts";
import { gaussLegendre, scaledBessel } from "./quadrature.ts";
import { emitRadial, type RadialKernels } from "./radial-kernel.ts";
import { radialTable } from "./radial-table.ts";
import { soap } from "./soap.ts";

const device = createDevice({ bytes: 2 ** 29 });

interface Stored {
  readonly type: string;
  readonly species: string[];
  readonly params: { r_cut: number; n_max: number; l_max: number; sigma: number; rbf: string };
  readonly centers?: number[];
  readonly values: number[][];
  /** Of the first centre: [atom, x y z, feature], the first atoms only. */
  readonly derivatives?: { readonly values_center0: number[][][] } | null;
}

/** The options that say what dscribe's parameters say. */
const likeDscribe = ({ r_cut, n_max, l_max, sigma, rbf }: Stored["params"]) =>
  soap.options.parse({
    cutoff: r_cut,
    nmax: n_max,
    lmax: l_max,
    sigma,
    basis: rbf,
    fade: { type: "hard" },
    // Gaussians that reach inside with a thousandth of their height.
    reach: r_cut + sigma * Math.sqrt(-2 * Math.log(1e-3)),
    convention: "dscribe",
  });

/** ∂G/∂R of centre c by atoms 0 … count, [atom, x y z, feature]. */
function derivatives(d: Descriptor, structure: Structure, atom: number, count: number): number[][][] {
  const neighbours = findNeighbours(structure, d.cutoff);
  const env = environments([{ structure, neighbours }], d.elements, d.cutoff);
  const c = env.centre.indexOf(atom);
  const S = d.elements.length;
  const e = d.elements.indexOf(structure.numbers[atom]);
  const [first, last] = [env.offsets[c * S], env.offsets[(c + 1) * S]];
  const rows = new Float64Array(3 * (last - first) * d.size(e));
  d.jacobian(env, c, rows);
  return Array.from({ length: count }, (_, a) =>
    [0, 1, 2].map((k) =>
      Array.from({ length: d.size(e) }, (__, t) => {
        let sum = 0;
        for (let p = 0; p < last - first; p++) {
          const slope = rows[(t * (last - first) + p) * 3 + k];
          if (env.neighbour[first + p] === a) sum += slope;
          if (a === atom) sum -= slope;
        }
        return sum;
      }),
    ),
  );
}

const dscribe = shared("descriptors/dscribe.json");
const featomic = shared("descriptors/featomic/soap-power-spectrum-values.npy.gz");

describe.skipIf(!dscribe)("soap like dscribe (shared descriptors/dscribe.json)", () => {
  // A suite that is skipped is gone through all the same.
  const { structures } = (dscribe ? JSON.parse(readFileSync(dscribe, "utf8")) : { structures: [] }) as {
    structures: { name: string; structure: StoredStructure; descriptors: Stored[] }[];
  };
  const cases = structures.flatMap(({ name, structure, descriptors }) =>
    descriptors
      .filter(({ type }) => type === "SOAP")
      .map((stored) => [`${name}, ${stored.params.rbf}`, structure, stored] as const),
  );
  it.each(cases)(
    "%s: values to 2e-9, derivatives to 1e-8 (numerical ones to 1e-5)",
    (_, stored, expected) => {
      const elements = expected.species.map(numberOf).sort((a, b) => a - b);
      const structure = readStructure(stored);
      const d = soap.build(likeDscribe(expected.params), elements, device);
      const rows = atomFeatures(d, device, structure);
      const centres = expected.centers ?? [...rows.keys()];
      expect(
        difference(
          centres.map((c) => rows[c]),
          expected.values,
        ),
      ).toBeLessThan(2e-9);
      if (!expected.derivatives) return;
      // dscribe leaves the centre where it is when its atom moves, so only the other atoms' derivatives are the same.
      const others = (rows: number[][][]) => rows.filter((_, a) => a !== centres[0]);
      const reference = others(expected.derivatives.values_center0);
      const own = others(derivatives(d, structure, centres[0], expected.derivatives.values_center0.length));
      expect(Math.max(...reference.flat(2).map(Math.abs))).toBeGreaterThan(1e-3);
      const analytical = expected.params.rbf === "gto";
      expect(difference(own.flat(), reference.flat())).toBeLessThan(analytical ? 1e-8 : 1e-5);
    },
  );
});

/** Of feature t, by its l. */
const sign = (t: number) => ((Math.floor(t / 64) % 9) % 2 === 0 ? 1 : -1);

describe.skipIf(!featomic)("soap like featomic (shared descriptors/featomic)", () => {
  it("power spectrum of nine atoms, 3456 features, to 1e-8", () => {
    const input = JSON.parse(
      readFileSync(shared("descriptors/featomic/soap-power-spectrum-values-input.json")!, "utf8"),
    ) as { systems: { types: number[]; positions: number[][] }[] };
    const bytes = gunzipSync(readFileSync(featomic!));
    const from = bytes.indexOf("\n") + 1;
    const values = new Float64Array(Uint8Array.from(bytes.subarray(from)).buffer);
    const [{ types, positions }] = input.systems;
    const options = soap.options.parse({
      cutoff: 5.5,
      nmax: 8,
      lmax: 8,
      sigma: 0.3,
      basis: "power-gto",
      fade: { type: "cosine", width: 0.5 },
      redundant: true,
    });
    const structure = {
      numbers: Uint8Array.from(types),
      positions: Float64Array.from(positions.flat()),
      cell: null,
      pbc: [false, false, false] as const,
    };
    const rows = atomFeatures(soap.build(options, [1, 6, 8], device), device, structure);
    // featomic has (−1)^l/√(2l + 1) for our 1/√(2l + 1), as Clebsch–Gordan coefficients would: p·p′ is the same.
    const expected = rows.map((row, i) => row.map((_, t) => sign(t) * values[i * row.length + t]));
    expect(difference(rows, expected)).toBeLessThan(1e-8);
  });
});

const water: Structure = {
  numbers: Uint8Array.of(8, 1, 1, 8, 1, 1),
  positions: Float64Array.of(
    0,
    0,
    0,
    0.96,
    0,
    0,
    -0.24,
    0.93,
    0,
    2.7,
    0.3,
    0.4,
    3.1,
    1.1,
    0.1,
    3.2,
    -0.4,
    0.9,
  ),
  cell: null,
  pbc: [false, false, false],
};

const small = { cutoff: 3.2, nmax: 3, lmax: 2, sigma: 0.4, fade: { type: "poly2", width: 1 } };
const size = (more: object) =>
  soap.build(soap.options.parse({ ...small, ...more }), [1, 6, 8], device).size(0);
const rows = (more: object) =>
  atomFeatures(soap.build(soap.options.parse({ ...small, ...more }), [1, 8], device), device, water);
const build = (basis: string, nmax: number) =>
  soap.build(soap.options.parse({ ...small, basis, nmax }), [1], device);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((s, x, k) => s + x * b[k], 0);

describe("soap", () => {
  it("has N(N + 1)/2 (lmax + 1) features, N = S nmax, and fewer with compressions", () => {
    expect(size({})).toBe(((9 * 10) / 2) * 3);
    expect(size({ compression: "crossover" })).toBe(3 * 6 * 3);
    expect(size({ compression: "mu2" })).toBe(6 * 3);
    expect(size({ compression: "mu1nu1" })).toBe(9 * 3 * 3);
  });

  it("p·p′ is that of all pairs of channels, listed once or not", () => {
    const [once, all] = [rows({}), rows({ redundant: true })];
    for (const i of [0, 1]) expect(dot(once[i], once[5])).toBeCloseTo(dot(all[i], all[5]), 12);
  });
});

describe("integrals of soap", () => {
  it.each(basisNames)(
    "%s: polynomials of the table are within 1e-11 of the functions, slopes within 1e-9",
    (name) => {
      const shape = { nmax: 7, lmax: 4, cutoff: 5, reach: 5.5, sigma: 0.4 };
      const f = bases[name].integrals(shape, device);
      const { memory } = device;
      const table = radialTable(f, 35, shape.reach, shape.sigma, memory);
      const near = memory.alloc(8 * 6);
      const [values, slopes] = [memory.alloc(8 * 72), memory.alloc(8 * 72)];
      for (const deterministic of [false, true]) {
        const fused = !deterministic && supports().relaxedSimd;
        const kernels = instantiate(
          emitRadial(table, fused, memory.shared),
          memory.memory,
        ) as unknown as RadialKernels;
        for (const r of [0, 0.31, 1.7, 3.999, 5.49]) {
          // Two neighbours along z, the second a little farther.
          memory.f64(near, 6).set([0, 0, 0, 0, r, r + 1e-4]);
          kernels.rowsAndSlopes(near, 16, 2, values, slopes);
          const [one, two, slope] = [values, values + 8 * 36, slopes].map((at) => memory.f64(at, 35));
          f(r).forEach((x, k) => expect(Math.abs(one[k] - x)).toBeLessThan(1e-11));
          if (r < 5.4)
            one.forEach((x, k) => expect(Math.abs((two[k] - x) / 1e-4 - slope[k])).toBeLessThan(2e-3));
        }
      }
    },
  );

  it("functions that rounding makes dependent are an error", () => {
    expect(() => build("polynomial", 14)).toThrow(/soap\.nmax: expected at most \d+: more of these radial/);
    expect(() => build("gto", 20)).toThrow(/soap\.nmax/);
    expect(build("power-gto", 20).size(0)).toBe(210 * 3);
  });

  it("i_l(x) e^−x by its closed forms", () => {
    for (const x of [1e-9, 0.01, 0.7, 5, 80, 700]) {
      const i = scaledBessel(6, x);
      const [sinh, cosh] = [-Math.expm1(-2 * x) / 2, (1 + Math.exp(-2 * x)) / 2];
      expect(i[0] / (sinh / x)).toBeCloseTo(1, 13);
      if (x > 0.5) expect(i[1] / ((x * cosh - sinh) / x ** 2)).toBeCloseTo(1, 12);
      if (x > 0.5) expect(i[2] / (((x * x + 3) * sinh - 3 * x * cosh) / x ** 3)).toBeCloseTo(1, 11);
    }
  });

  it("Gauss and Legendre are exact for polynomials", () => {
    const { x, w } = gaussLegendre(12, -1, 3);
    for (const k of [0, 1, 7, 23]) {
      const sum = x.reduce((s, t, i) => s + w[i] * t ** k, 0);
      expect(sum / ((3 ** (k + 1) - (-1) ** (k + 1)) / (k + 1))).toBeCloseTo(1, 12);
    }
  });
});
