import { volume } from "../structure/cell.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import type { Batch, Evaluation, Labels, Term, Trainable } from "../potentials/potential.ts";
import type { Device } from "../device/device.ts";
import { taskNamed, type Job, type Pool, type Tasks } from "../device/pool.ts";
import { gradientTask } from "./gradient-task.ts";
import { covarianceTask } from "./kalman/covariance-task.ts";
import { normalTask } from "./marquardt/normal.ts";
import { Random } from "../math/random.ts";
import type { Frame } from "../structure/structure.ts";

/** For tests: E = ½ Σ_ij Σ_k θ_k (1 − r_ij/rc)^(k+2): linear in θ, so the least-squares answer is known. */
export const TERM: Term = { type: "linear-pair", options: {}, tensors: {} };
export const SIZE = 4;
const CUTOFF = 3.5;

interface Pairs extends Batch {
  /** Structure, i, j, then the distance vector. */
  readonly pairs: readonly (readonly [s: number, i: number, j: number, x: number, y: number, z: number])[];
}

class LinearPair implements Trainable {
  readonly cutoff = CUTOFF;
  readonly elements = null;
  readonly parameters = new Float64Array(SIZE);
  readonly tensors = { theta: this.parameters };
  readonly decays = new Uint8Array(SIZE).fill(1);

  batch(structures: readonly Structure[]): Pairs {
    const pairs: Pairs["pairs"][number][] = [];
    let first = 0;
    structures.forEach((structure, s) => {
      const { positions, cell, numbers } = structure;
      const { offsets, index, shift } = findNeighbours(structure, CUTOFF);
      for (let i = 0; i < numbers.length; i++)
        for (let p = offsets[i]; p < offsets[i + 1]; p++) {
          const d = [0, 1, 2].map((k) => {
            let x = positions[3 * index[p] + k] - positions[3 * i + k];
            if (cell) for (let l = 0; l < 3; l++) x += shift[3 * p + l] * cell[3 * l + k];
            return x;
          });
          pairs.push([s, first + i, first + index[p], d[0], d[1], d[2]]);
        }
      first += numbers.length;
    });
    return { structures: structures.length, atoms: first, bytes: 48 * pairs.length, pairs };
  }

  /** Calls back with ½φ_k and ½φ_k′/r of each pair within the cutoff. */
  #each(
    batch: Batch,
    f: (pair: Pairs["pairs"][number], k: number, value: number, slope: number) => void,
  ): void {
    for (const pair of (batch as Pairs).pairs) {
      const r = Math.sqrt(pair[3] ** 2 + pair[4] ** 2 + pair[5] ** 2);
      const u = 1 - r / CUTOFF;
      if (u > 0)
        for (let k = 0; k < SIZE; k++)
          f(pair, k, 0.5 * u ** (k + 2), (-0.5 * (k + 2) * u ** (k + 1)) / CUTOFF / r);
    }
  }

  forward(batch: Batch, out: Labels): void {
    for (const a of [out.energies, out.forces, out.virials]) a.fill(0);
    this.#each(batch, ([s, i, j, ...d], k, value, slope) => {
      const theta = this.parameters[k];
      out.energies[s] += theta * value;
      for (let a = 0; a < 3; a++) {
        out.forces[3 * i + a] += theta * slope * d[a];
        out.forces[3 * j + a] -= theta * slope * d[a];
        for (let b = 0; b < 3; b++) out.virials[9 * s + 3 * a + b] -= theta * slope * d[a] * d[b];
      }
    });
  }

  parameterGradient(batch: Batch, seeds: Labels, gradient: Float64Array): void {
    this.#each(batch, ([s, i, j, ...d], k, value, slope) => {
      let sum = seeds.energies[s] * value;
      for (let a = 0; a < 3; a++) {
        sum += (seeds.forces[3 * i + a] - seeds.forces[3 * j + a]) * slope * d[a];
        for (let b = 0; b < 3; b++) sum -= seeds.virials[9 * s + 3 * a + b] * slope * d[a] * d[b];
      }
      gradient[k] += sum;
    });
  }

  evaluate(structure: Structure, _: unknown, out: Evaluation): void {
    const labels = {
      energies: new Float64Array(1),
      forces: new Float64Array(out.forces.length),
      virials: new Float64Array(9),
    };
    this.forward(this.batch([structure]), labels);
    out.energy += labels.energies[0];
    labels.forces.forEach((x, k) => (out.forces[k] += x));
    labels.virials.forEach((x, k) => (out.virial[k] += x));
  }
}

const buildLinearPair = (): LinearPair => new LinearPair();

/** Random frames, every other one periodic with stress, labelled by a linear pair potential of parameters `truth`. */
export function labelledFrames(count: number, truth: ArrayLike<number>, seed = 1): Frame[] {
  const model = new LinearPair();
  model.parameters.set(truth);
  return Array.from({ length: count }, (_, f) => {
    const random = new Random(seed, f);
    const n = 3 + (f % 3);
    const periodic = f % 2 === 1;
    const structure: Structure = {
      numbers: new Uint8Array(n).fill(14),
      positions: Float64Array.from({ length: 3 * n }, () => 3.5 * random.uniform()),
      cell: periodic ? Float64Array.of(4, 0, 0, 0.3, 4, 0, 0, 0.2, 4.2) : null,
      pbc: [periodic, periodic, periodic],
    };
    const out = { energy: 0, forces: new Float64Array(3 * n), virial: new Float64Array(9) };
    model.evaluate(structure, null, out);
    const stress = structure.cell ? out.virial.map((w) => -w / volume(structure.cell!)) : undefined;
    return {
      structure,
      energy: out.energy,
      forces: out.forces,
      stress,
      info: {},
      arrays: {},
      place: `made:${f + 1}`,
    };
  });
}

/** The work of a fit of linear pair potentials. */
export const TASKS: Tasks = {
  "fit.gradient": gradientTask(buildLinearPair),
  "fit.covariance": covarianceTask,
  "fit.normal": normalTask,
};

/** A pool whose threads take turns in an order of the test's choosing, all on one real thread. */
export function turnPool(device: Device, tasks: Tasks, threads: number, seed: number): Pool {
  const random = new Random(seed, "turns");
  return {
    threads,
    device,
    prepare: async (name: string, spec: unknown): Promise<Job> => {
      const work = Array.from({ length: threads }, (_, index) =>
        taskNamed(tasks, name)({ index, device }, spec),
      );
      return {
        run: async (chunks: number) => {
          for (let c = 0; c < chunks; c++) work[random.integer(threads)](c);
        },
      };
    },
    close: () => undefined,
  };
}
