import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Random } from "../../math/random.ts";
import { reweight } from "./reweight.ts";
import { umbrellas } from "./windows.ts";

/** pymbar's own numbers: test/golden/mbar.py. */
const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/mbar.json", import.meta.url), "utf8"),
) as {
  readonly centres: readonly number[];
  readonly springs: readonly number[];
  readonly samples: readonly (readonly number[])[];
  readonly edges: readonly number[];
  readonly f: readonly number[];
  readonly df: readonly (readonly number[])[];
  readonly overlap: readonly (readonly number[])[];
  readonly profile: readonly number[];
  readonly profile_errors: readonly number[];
  readonly perturbed: readonly (readonly number[])[];
  readonly perturbed_errors: readonly (readonly number[])[];
};

describe("MBAR beside pymbar", () => {
  const x = Float64Array.from(golden.samples.flat());
  const solved = reweight({
    energies: golden.centres.map((c, k) => x.map((s) => 0.5 * golden.springs[k] * (s - c) ** 2)),
    weights: new Float64Array(x.length).fill(1),
    counts: Float64Array.from(golden.samples, (s) => s.length),
  });
  const K = golden.centres.length;

  test("free energies, their errors and the overlap of the windows", () => {
    for (const [k, f] of golden.f.entries()) {
      expect(solved.f[k]).toBeCloseTo(f, 10);
      const theta = solved.covariance;
      const variance = theta[0] - 2 * theta[k] + theta[k * K + k];
      expect(Math.sqrt(Math.max(0, variance))).toBeCloseTo(golden.df[0][k], 9);
      for (const [l, o] of golden.overlap[k].entries()) expect(solved.overlap[k * K + l]).toBeCloseTo(o, 10);
    }
  });

  test("profile and its errors", () => {
    const { edges, profile, profile_errors: errors } = golden;
    const count = edges.length - 1;
    const width = (edges[count] - edges[0]) / count;
    const bins = Int32Array.from(x, (s) => Math.floor((s - edges[0]) / width));
    const { probabilities: p, covariance: c } = solved.probabilities(bins, count);
    const low = profile.indexOf(0);
    for (let b = 0; b < count; b++) {
      expect(-Math.log(p[b] / p[low])).toBeCloseTo(profile[b], 10);
      expect(-Math.log(p[b] / p[4])).toBeCloseTo(golden.perturbed[4][b], 10);
      const error = (a: number) =>
        Math.sqrt(Math.max(0, c[b * count + b] - 2 * c[b * count + a] + c[a * count + a]));
      expect(error(low)).toBeCloseTo(errors[b], 8);
      expect(error(4)).toBeCloseTo(golden.perturbed_errors[4][b], 8);
    }
  });

  test("what each sample adds to an estimate gives the same errors", () => {
    const { edges, profile_errors: errors, profile, df } = golden;
    const count = edges.length - 1;
    const width = (edges[count] - edges[0]) / count;
    const bins = Int32Array.from(x, (s) => Math.floor((s - edges[0]) / width));
    const binned = solved.probabilities(bins, count);
    const deviation = (influence: Float64Array) => {
      let [variance, at] = [0, 0];
      for (const { length } of golden.samples) {
        const own = influence.subarray(at, (at += length));
        const mean = own.reduce((a, b) => a + b, 0) / length;
        variance += own.reduce((sum, y) => sum + (y - mean) ** 2, 0);
      }
      return Math.sqrt(variance);
    };
    const low = profile.indexOf(0);
    for (let b = 0; b < count; b++)
      if (b !== low) expect(deviation(binned.influence(b, low)) / errors[b]).toBeCloseTo(1, 0.5);
    for (let k = 1; k < K; k++) expect(deviation(solved.influence(k, 0)) / df[0][k]).toBeCloseTo(1, 1);
  });
});

const kT = 0.0258;
const turn = 2 * Math.PI;
const V = (s: number) => 0.06 * Math.cos(3 * s) + 0.03 * Math.cos(s + 1);
const near = (s: number) => s - turn * Math.round(s / turn);

describe("windows round a full turn", () => {
  const random = new Random(3, "windows");
  /** Independent values under an umbrella, by inverting the distribution function on a fine grid. */
  const window = (centre: number) => {
    const energyAt = (s: number) => 0.5 * 0.4 * near(s - centre) ** 2;
    const grid = Float64Array.from({ length: 20_000 }, (_, k) => -Math.PI + (turn * (k + 0.5)) / 20_000);
    let total = 0;
    const reached = grid.map((s) => (total += Math.exp(-(V(s) + energyAt(s)) / kT)));
    const draw = () => {
      const level = random.uniform() * total;
      return grid[reached.findIndex((x) => x > level)];
    };
    return { energyAt, samples: Float64Array.from({ length: 400 }, draw) };
  };
  const windows = Array.from({ length: 10 }, (_, k) => window(-Math.PI + (turn * k) / 10));
  const found = umbrellas(windows, { kT, bins: 36, period: turn });

  test("the profile closes, and is right within its errors", () => {
    const zero = found.mbar.energies.indexOf(0);
    const mass = found.centres.map((c) => {
      const points = Array.from({ length: 50 }, (_, i) => c + ((i + 0.5) / 50 - 0.5) * found.width);
      return points.reduce((sum, s) => sum + Math.exp(-V(s) / kT), 0);
    });
    for (const { energies, errors } of [found.mbar, found.wham]) {
      const z = energies.map((F, b) =>
        b === zero ? 0 : (F - energies[zero] + kT * Math.log(mass[b] / mass[zero])) / errors[b],
      );
      expect(Math.max(...z.map(Math.abs))).toBeLessThan(3.5);
      expect(Math.sqrt(z.reduce((sum, x) => sum + x * x, 0) / z.length)).toBeLessThan(1.5);
      expect(Math.sqrt(z.reduce((sum, x) => sum + x * x, 0) / z.length)).toBeGreaterThan(0.3);
      expect(Math.max(...errors)).toBeLessThan(0.015);
    }
    expect(found.overlaps).toHaveLength(10);
    expect(Math.min(...found.overlaps)).toBeGreaterThan(0.03);
    for (const g of found.inefficiencies) expect(g).toBeLessThan(2.5);
  });
});
