import { afterAll, describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { createPool, type Pool } from "../../device/pool.ts";
import { leastSquares } from "../../math/least-squares.ts";
import { buildTrainable } from "../../potentials/build.ts";
import type { Frame } from "../../structure/structure.ts";
import { tasks } from "../../tasks.ts";
import { labelledFrames } from "../linear-pair.fixture.ts";
import { fitSchema } from "../options.ts";
import { prepareFit } from "../prepare.ts";
import { LeftOut } from "./left-out.ts";
import { FOLDS, probe } from "./probe.ts";

const pools: Pool[] = [];
afterAll(() => pools.forEach((pool) => pool.close()));

const frames = labelledFrames(24, [1, -2, 3, 1]).map((frame, k): Frame => ({
  ...frame,
  configType: k % 2 === 0 ? "cold" : "hot",
}));

const prepared = async (sigma: object, more: object = {}) => {
  const pool = await createPool({ tasks, device: createDevice({ bytes: 2 ** 27 }), threads: 1 });
  pools.push(pool);
  const options = fitSchema.parse({
    data: "made.xyz",
    split: { validation: 0, test: 0 },
    model: {
      descriptor: {
        name: "joined",
        parts: [
          { name: "distance-2b", cutoff: 3.4, size: "small" },
          { name: "soap", cutoff: 3.4, nmax: 3, lmax: 2 },
        ],
      },
      regressor: { name: "sparse-gaussian-process", count: 20, ...more },
      zbl: false,
      isolatedAtoms: { H: 0 },
    },
    training: { weights: { sigma } },
  });
  return prepareFit(frames, options, pool);
};

describe("expected errors of a Gaussian process", () => {
  it("errors of frames left out are those of fits without them", async () => {
    const { learned, dataset } = await prepared({ default: { energy: 0.01, forces: 0.1, stress: 0.1 } });
    const device = createDevice({ bytes: 2 ** 27 });
    const model = buildTrainable(learned.term, dataset.elements, device);
    const seen = probe(model, frames, device, 1)!;
    const P = seen.size;
    expect(seen.stands).toEqual([1, 1, 1]);
    expect(seen.shares).toEqual([0.5, 0.5]);
    const sigma = [0.01, 0.1, 0.3];
    const errors = new LeftOut(seen).errors(sigma)!;
    // The same with QR of the weighted rows themselves and of the prior.
    const sums = sigma.map(() => [0, 0, 0, 0]);
    for (let fold = 0; fold < FOLDS; fold++) {
      const kept = seen.segments.filter((s) => s.fold !== fold);
      const rows = P + kept.reduce((n, s) => n + s.rows, 0);
      const [A, b] = [new Float64Array(rows * P), new Float64Array(rows)];
      for (let k = 0; k < P; k++) A[k * P + k] = 1;
      let at = P;
      for (const s of kept) {
        const Phi = device.memory.f64(s.address, s.rows * P);
        A.set(
          Phi.map((x) => x / sigma[s.property]),
          at * P,
        );
        b.set(
          s.labels.map((y) => y / sigma[s.property]),
          at,
        );
        at += s.rows;
      }
      const { x } = leastSquares(A, b, rows, P);
      for (const s of seen.segments.filter((one) => one.fold === fold)) {
        const Phi = device.memory.f64(s.address, s.rows * P);
        for (let r = 0; r < s.rows; r++) {
          let error = -s.labels[r];
          for (let k = 0; k < P; k++) error += Phi[r * P + k] * x[k];
          sums[s.property][2 * s.kinds[r]] += (error * s.scales[r]) ** 2;
          sums[s.property][2 * s.kinds[r] + 1]++;
        }
      }
    }
    for (const [t, list] of errors.entries())
      for (const [kind, rms] of list.entries())
        if (sums[t][2 * kind + 1] === 0) expect(rms).toBe(0);
        else expect(rms / Math.sqrt(sums[t][2 * kind] / sums[t][2 * kind + 1])).toBeCloseTo(1, 8);
  });

  it("some columns of many: whitened rows have the products that K⁻¹ of these columns gives", async () => {
    const { learned, dataset } = await prepared({ default: { energy: 0.01, forces: 0.1, stress: 0.1 } });
    const device = createDevice({ bytes: 2 ** 27 });
    const model = buildTrainable(learned.term, dataset.elements, device);
    const P = model.parameters.length;
    const Q = 11;
    const seen = probe(model, frames, device, 1, Q)!;
    expect(P).toBeGreaterThan(Q);
    expect(seen.size).toBe(Q);
    const R = model.prior!();
    const columns = Array.from({ length: Q }, (_, i) => Math.floor((i * P) / Q));
    const K = Float64Array.from({ length: Q * Q }, (_, at) => {
      const [i, j] = [columns[Math.floor(at / Q)], columns[at % Q]];
      let sum = 0;
      for (let k = 0; k < P; k++) sum += R[k * P + i] * R[k * P + j];
      return sum;
    });
    // Energies, which their labels tell apart.
    const energies = seen.segments.filter((s) => s.property === 0);
    for (const { structure, energy } of frames) {
      const row = new Float64Array(P);
      model.design!.energy(structure, row);
      const root = Math.sqrt(structure.numbers.length);
      const a = Float64Array.from(columns, (k) => row[k] / root);
      const { x } = leastSquares(K, a, Q, Q);
      const product = a.reduce((sum, v, k) => sum + v * x[k], 0);
      const found = energies.flatMap((s) => {
        const k = s.labels.indexOf(energy! / root);
        return k < 0 ? [] : [device.memory.f64(s.address + 8 * k * Q, Q)];
      });
      expect(found).toHaveLength(1);
      expect(found[0].reduce((sum, v) => sum + v * v, 0) / product).toBeCloseTo(1, 6);
    }
  });

  it("are found where none are given, recorded, and the same again", async () => {
    const { resolved, notes } = await prepared({});
    const sigma = resolved.training.weights.sigma["default"];
    expect(sigma.energy).toBeGreaterThan(0);
    expect(notes.some((note) => note.startsWith("expected errors by cross-validation: "))).toBe(true);
    expect((await prepared({})).resolved.training.weights.sigma).toEqual({ default: sigma });
    const given = { default: { energy: 0.5, forces: 0.5, stress: 0.5 } };
    expect((await prepared(given)).resolved.training.weights.sigma).toEqual(given);
  });

  it("fit better than such as are far off", async () => {
    const { learned, dataset, resolved } = await prepared({});
    const device = createDevice({ bytes: 2 ** 27 });
    const leftOut = new LeftOut(
      probe(buildTrainable(learned.term, dataset.elements, device), frames, device, 1)!,
    );
    const { energy, forces, stress } = resolved.training.weights.sigma["default"];
    const found = leftOut.score([energy, forces, stress]);
    expect(found).toBeLessThan(leftOut.score([0.001, 0.1, 0.3]) + 1e-9);
    expect(found).toBeLessThan(leftOut.score([1, 10, 10]) - 1);
  });
});
