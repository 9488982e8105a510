import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../../../test/shared.ts";
import { createDevice } from "../../../device/device.ts";
import { leastSquares } from "../../../math/least-squares.ts";
import { allPairs } from "../coordinates.ts";
import { pullback } from "../descriptor.ts";
import { molecularDescriptors } from "../table.ts";
import { invariantMonomials } from "./monomials.ts";
import { groupPermutations } from "./permutations.ts";

const device = createDevice({ bytes: 2 ** 25 });
const method = molecularDescriptors["permutation-invariant-polynomials"];
const BOHR = 0.529177210903;
const WAVENUMBERS = 219474.6313632;

interface Fit {
  readonly n_terms: number;
  readonly train_rmse_cm?: number;
  readonly test_rmse_cm?: number;
  readonly test_rmse_E_cm?: number;
  readonly test_rmse_G_cm_per_bohr?: number;
}

const counts = shared("reference/pip_counts.json");
const fits = shared("reference/pip_fits.json");
const fit = (name: string): Fit =>
  (JSON.parse(readFileSync(fits!, "utf8")) as { fits: Record<string, Fit> }).fits[name];

describe.skipIf(counts === undefined)("numbers of polynomials (shared pip_counts.json)", () => {
  const { groups } = JSON.parse(readFileSync(counts ?? "/dev/null", "utf8") || '{"groups":{}}') as {
    groups: Record<string, { natoms: number; cumulative: number[] }>;
  };
  it.each(Object.entries(groups))("%s", (name, { natoms, cumulative }) => {
    let next = 0;
    const atoms = name.split("_").map((size) => Array.from({ length: Number(size) }, () => next++));
    const pairs = allPairs(natoms);
    const pairOf = new Map(pairs.map(([i, j], t) => [i * natoms + j, t]));
    const images = groupPermutations(natoms, atoms).map((p) =>
      pairs.map(([i, j]) => pairOf.get(Math.min(p[i], p[j]) * natoms + Math.max(p[i], p[j]))!),
    );
    const degrees = natoms < 5 ? 6 : 4;
    for (let degree = 1; degree <= degrees; degree++)
      expect(invariantMonomials(pairs.length, degree, images).orbits + 1).toBe(cumulative[degree]);
  });
});

interface Point {
  readonly positions: Float64Array;
  readonly energy: number;
  readonly gradient?: Float64Array;
}

/**
 * Blocks of count, energy, and rows of symbol, place and perhaps gradient; bohr and hartree become Å and cm⁻¹(/bohr). None
 * without a file: a suite that is skipped is gone through all the same.
 */
function readPoints(path: string | undefined, lengthUnit: number): { symbols: string[]; points: Point[] } {
  if (path === undefined) return { symbols: [], points: [] };
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const points: Point[] = [];
  let symbols: string[] = [];
  for (let at = 0; at < lines.length;) {
    const n = Number(lines[at]);
    const rows = lines.slice(at + 2, at + 2 + n).map((line) => line.trim().split(/\s+/));
    symbols = rows.map(([symbol]) => symbol);
    points.push({
      energy: Number(lines[at + 1].trim().split(/\s+/)[0]) * WAVENUMBERS,
      positions: Float64Array.from(rows.flatMap((row) => row.slice(1, 4).map((x) => Number(x) * lengthUnit))),
      ...(rows[0].length >= 7 && {
        gradient: Float64Array.from(
          rows.flatMap((row) => row.slice(4, 7).map((x) => Number(x) * WAVENUMBERS)),
        ),
      }),
    });
    at += 2 + n;
  }
  return { symbols, points };
}

const labels = ({ energy, gradient }: Point) => [energy, ...gradient!];

const rms = (errors: readonly number[]) =>
  Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);

describe.skipIf(fits === undefined || shared("datasets/msa2_CH4/geom.inp") === undefined)(
  "linear fits of methane (shared pip_fits.json, msa2_CH4)",
  () => {
    const { symbols, points } = readPoints(shared("datasets/msa2_CH4/geom.inp"), 1);
    const numbers = Uint8Array.from(symbols, (s) => (s === "C" ? 6 : 1));
    const build = (degree: number) =>
      method.build(method.options.parse({ degree, range: 2 * BOHR }), numbers, device);

    it.each([2, 3, 4])("energies to degree %i", (degree) => {
      const wanted = fit(`msa2_CH4 degree ${degree}, E only, all 1000 train`);
      const d = build(degree);
      const P = d.size + 1;
      expect(P).toBe(wanted.n_terms);
      const A = new Float64Array(points.length * P);
      points.forEach(({ positions }, k) => {
        A[k * P] = 1;
        A.set(d.forward(positions), k * P + 1);
      });
      const mean = points.reduce((sum, { energy }) => sum + energy / points.length, 0);
      const b = Float64Array.from(points, ({ energy }) => energy - mean);
      const { x } = leastSquares(A.slice(), b.slice(), points.length, P);
      const errors = points.map((_, k) =>
        A.subarray(k * P, (k + 1) * P).reduce((sum, a, t) => sum + a * x[t], -b[k]),
      );
      expect(rms(errors) / wanted.train_rmse_cm!).toBeCloseTo(1, 4);
    });

    it.each([3, 4])(
      "energies and gradients of every tenth point, degree %i, judged on the rest",
      (degree) => {
        const wanted = fit(`msa2_CH4 degree ${degree}, E+G, train indices 0,10,20,.. (100), rest test`);
        const d = build(degree);
        const P = d.size + 1;
        const rowsOf = ({ positions }: Point): Float64Array => {
          const rows = new Float64Array(16 * P);
          const { features, rows: J } = d.jacobian(positions);
          rows[0] = 1;
          rows.set(features, 1);
          for (let t = 0; t < d.size; t++) {
            const one = new Float64Array(d.size);
            one[t] = 1;
            const slope = new Float64Array(15);
            pullback(J, one, slope);
            slope.forEach((s, c) => (rows[(1 + c) * P + 1 + t] = s * BOHR));
          }
          return rows;
        };
        const train = points.filter((_, k) => k % 10 === 0);
        const A = new Float64Array(16 * P * train.length);
        train.forEach((p, k) => A.set(rowsOf(p), 16 * P * k));
        const { x } = leastSquares(A, Float64Array.from(train.flatMap(labels)), 16 * train.length, P);
        const errors = points
          .filter((_, k) => k % 10 !== 0)
          .map((p) => {
            const rows = rowsOf(p);
            return labels(p).map((y, r) =>
              rows.subarray(r * P, (r + 1) * P).reduce((sum, a, t) => sum + a * x[t], -y),
            );
          });
        expect(rms(errors.map(([e]) => e)) / wanted.test_rmse_E_cm!).toBeCloseTo(1, 4);
        expect(rms(errors.flatMap(([, ...g]) => g)) / wanted.test_rmse_G_cm_per_bohr!).toBeCloseTo(1, 4);
      },
    );
  },
);

const hydronium = shared("datasets/qm22/Hydronium_8000of32141.xyz");

describe.skipIf(fits === undefined || hydronium === undefined)(
  "linear fits of hydronium, even frames fitted, odd ones judged (shared pip_fits.json, qm22)",
  () => {
    const { symbols, points } = readPoints(hydronium, 1);
    const numbers = Uint8Array.from(symbols, (s) => (s === "O" ? 8 : 1));

    it.each([4, 5, 6])("degree %i", (degree) => {
      const wanted = fit(`qm22 Hydronium_8000of32141 degree ${degree}, E only, even indices train, odd test`);
      const d = method.build(method.options.parse({ degree, range: 2 * BOHR }), numbers, device);
      const P = d.size + 1;
      expect(P).toBe(wanted.n_terms);
      const rows = points.map(({ positions }) => Float64Array.of(1, ...d.forward(positions)));
      const train = rows.filter((_, k) => k % 2 === 0);
      const A = new Float64Array(train.length * P);
      train.forEach((row, k) => A.set(row, k * P));
      const b = Float64Array.from(
        points.filter((_, k) => k % 2 === 0),
        ({ energy }) => energy - points[0].energy,
      );
      const { x } = leastSquares(A, b, train.length, P, 1e-13);
      const errors = rows.map((row, k) =>
        row.reduce((sum, a, t) => sum + a * x[t], points[0].energy - points[k].energy),
      );
      expect(rms(errors.filter((_, k) => k % 2 === 0)) / wanted.train_rmse_cm!).toBeCloseTo(1, 3);
      expect(rms(errors.filter((_, k) => k % 2 === 1)) / wanted.test_rmse_cm!).toBeCloseTo(1, 3);
    });
  },
);
