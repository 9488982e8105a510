import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { parseNpy } from "../../io/npy.ts";
import { finish } from "../../math/work.ts";
import { RowQr } from "../../math/qr.ts";
import { singular } from "../../math/singular.ts";
import { leastSquaresSchema } from "./options.ts";
import type { Solution } from "./solvers/solver.ts";
import { solvers, type TriangleSolver } from "./solvers/table.ts";
import { columnsOf, System, type Columns } from "./system.ts";
import { Triangles } from "./triangles.ts";

const folder = shared("datasets/fitsnap_Ta/20May21_Standard");
const read = (name: string) => parseNpy(readFileSync(`${folder}/${name}.npy`), name).values as Float64Array;

interface Config {
  readonly group: string;
  readonly natoms: number;
  readonly energy_row: number;
  readonly force_row: number;
  readonly stress_row: number;
}

const [P, N] = [31, 32];

/** FitSNAP's own design matrix of its tantalum example, its weights and the coefficients and errors it found. */
function load() {
  const [A, b, w] = ["Descriptors", "Truth-Ref", "Weights"].map(read);
  const { configs } = JSON.parse(readFileSync(`${folder}/row_map.json`, "utf8")) as { configs: Config[] };
  const coefficients = readFileSync(`${folder}/Ta_pot.snapcoeff`, "utf8")
    .split("\n")
    .filter((line) => line.includes("B["))
    .map((line) => Number(line.trim().split(/\s+/)[0]));
  return { A, b, w, configs, coefficients };
}

const blocksOf = ({ natoms: n, energy_row: e, force_row: f, stress_row: s }: Config) =>
  [
    ["Energy", e, 1],
    ["Force", f, 3 * n],
    ["Stress", s, 6],
  ] as const;

describe.skipIf(!folder)("FitSNAP's tantalum, from its own matrix", () => {
  let data: ReturnType<typeof load>;
  let triangles: Triangles;
  let columns: Columns;
  let system: System;
  const rows = 15_213;

  beforeAll(() => {
    data = load();
    const { A, b, w, configs } = data;
    const device = createDevice({ bytes: 2 ** 25 });
    const groups = [...new Set(configs.map(({ group }) => group))];
    const lanes = device.memory.alloc(8 * N * N * groups.length);
    const block = device.memory.alloc(8 * 3 * 128 * N);
    const qr = new RowQr(device, N, 3 * 128);
    for (const config of configs)
      for (const [, first, count] of blocksOf(config)) {
        const B = device.memory.f64(block, count * N);
        for (let i = 0; i < count; i++) {
          for (let k = 0; k < P; k++) B[i * N + k] = w[first + i] * A[(first + i) * P + k];
          B[i * N + P] = w[first + i] * b[first + i];
        }
        qr.append(lanes + 8 * N * N * groups.indexOf(config.group), block, count);
      }
    const layout = {
      folds: groups.map((name) => ({ name, frames: [] })),
      lanes: groups.map((_, fold) => ({ fold, blocks: [] })),
      blockRows: 0,
      rounds: 0,
      rows,
      columns: N,
      bytes: 0,
    };
    triangles = finish(Triangles.create(device, layout, lanes));
    const all = finish(triangles.all());
    columns = columnsOf(triangles.view(all), new Uint8Array(P).fill(1).fill(0, 0, 1));
    system = finish(System.create(triangles, all, columns));
  });

  const solve = (solver: TriangleSolver, more: object = {}): Solution =>
    finish(
      solvers[solver]({
        system,
        rows,
        options: leastSquaresSchema.parse({ solver, ...more }),
        folds: triangles.count,
        leaveOut: (use) =>
          triangles.leaveOut(function* (fold, rest) {
            const R = triangles.fold(fold);
            const left = yield* System.create(triangles, rest, columns);
            yield* use(left, (x) => {
              const theta = system.parametersOf(x);
              let total = R[N * N - 1] ** 2;
              for (let i = 0; i < P; i++) {
                let sum = -R[i * N + P];
                for (let k = i; k < P; k++) sum += R[i * N + k] * theta[k];
                total += sum * sum;
              }
              return total;
            });
          }),
      }),
    );

  it.each(["qr", "svd"] as const)("%s finds its 31 coefficients to 1e-11", (solver) => {
    const theta = system.parametersOf(solve(solver).x);
    data.coefficients.forEach((c, k) => expect(Math.abs(theta[k] / c - 1)).toBeLessThan(1e-11));
  });

  it("and the errors of its table, in every group, to the last digit", () => {
    const theta = system.parametersOf(solve("qr").x);
    const { A, b, w, configs } = data;
    const sums = new Map<string, [count: number, absolute: number, square: number]>();
    for (const config of configs)
      for (const [kind, first, count] of blocksOf(config))
        for (let i = first; i < first + count; i++) {
          const e = theta.reduce((sum, t, k) => sum + t * A[i * P + k], 0) - b[i];
          for (const group of ["*ALL", config.group])
            for (const [how, error] of [
              ["Unweighted", e],
              ["Weighted", w[i] * e],
            ] as const) {
              const key = `('${group}', '${how}', '${kind}')`;
              const [n, a, s] = sums.get(key) ?? [0, 0, 0];
              sums.set(key, [n + 1, a + Math.abs(error), s + error * error]);
            }
        }
    const table = readFileSync(`${folder}/Ta_metrics.md`, "utf8").split("\n").slice(2);
    expect(table).toHaveLength(6 * 13);
    for (const line of table) {
      const [, key, count, mae, rmse] = line.split("|").map((cell) => cell.trim());
      const [n, absolute, square] = sums.get(key)!;
      expect(n).toBe(Number(count));
      // Forces that symmetry makes zero are rounding noise.
      if (Number(mae) < 1e-13) continue;
      expect(Math.abs(absolute / n / Number(mae) - 1)).toBeLessThan(6e-6);
      expect(Math.abs(Math.sqrt(square / n) / Number(rmse) - 1)).toBeLessThan(6e-6);
    }
  });

  it("its condition number is that of the catalogue", () => {
    const { T, n } = system.whole;
    // T has columns of length 1; the catalogue's number is that of the columns as they are.
    const raw = T.map((x, k) => x * columns.scale[k % n]);
    const { values } = singular(triangles.device, raw, new Float64Array(n), n, false);
    expect(values[0] / values[n - 1]).toBeCloseTo(2.7e5, -4);
    expect(solve("qr").effective).toBe(P);
  });

  it("penalties hold parameters back at little cost", () => {
    const plain = solve("qr");
    for (const solver of ["ridge", "bayesian-ridge", "ard", "lasso"] as const) {
      const found = solve(solver);
      expect(system.error(found.x)).toBeGreaterThan((1 - 1e-12) * system.error(plain.x));
      expect(system.error(found.x)).toBeLessThan(3 * system.error(plain.x));
      expect(found.effective).toBeLessThan(P + 1e-9);
      expect(found.notes.join()).not.toContain("settled");
    }
  });
});
