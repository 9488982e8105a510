import type * as Surfit from "../../src/index.ts";

/** What the job gives: every number as the hexadecimal digits of its bits, so that "equal" means equal bits. */
export interface JobResult {
  readonly threads: number;
  readonly shared: boolean;
  readonly parameters: string;
  readonly energies: readonly string[];
  readonly forces: string;
  /** Force RMSE on the test set over that of predicting the mean, %. */
  readonly relative: number;
}

type Library = typeof Surfit;

const bitsOf = (x: Float64Array) =>
  Array.from(new BigUint64Array(x.slice().buffer), (b) => b.toString(16).padStart(16, "0")).join("");

/** A three-atom molecule with quadratic springs between all atoms: a closed form to learn. */
function frame(surfit: Library, k: number): Surfit.Frame {
  const random = new surfit.Random(7, "job", String(k));
  const rest = [0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0];
  const positions = Float64Array.from(rest, (x) => x + 0.1 * (random.uniform() - 0.5));
  const forces = new Float64Array(9);
  let energy = -3;
  for (const [i, j, r0, stiffness] of [
    [0, 1, 0.96, 30],
    [0, 2, 0.96, 30],
    [1, 2, 1.52, 8],
  ]) {
    const d = [0, 1, 2].map((x) => positions[3 * j + x] - positions[3 * i + x]);
    const r = Math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    energy += 0.5 * stiffness * (r - r0) * (r - r0);
    for (let x = 0; x < 3; x++) {
      const f = (stiffness * (r - r0) * d[x]) / r;
      forces[3 * i + x] += f;
      forces[3 * j + x] -= f;
    }
  }
  const structure = {
    numbers: Uint8Array.of(8, 1, 1),
    positions,
    cell: null,
    pbc: [false, false, false] as const,
  };
  return { structure, energy, forces, info: {}, arrays: {}, place: `job:${k}` };
}

/** Fits a small network in memory and evaluates it: the same code in Node and in a page. */
export async function job(surfit: Library, start: Surfit.Start | undefined): Promise<JobResult> {
  const device = surfit.createDevice({ bytes: 2 ** 27 });
  const pool = await surfit.createPool({ tasks: surfit.tasks, threads: 2, device, start });
  const frames = Array.from({ length: 60 }, (_, k) => frame(surfit, k));
  const options = surfit.fitSchema.parse({
    data: "memory",
    model: {
      descriptor: { name: "ani", size: "small" },
      regressor: { name: "neural-network", layers: [12] },
    },
    training: { epochs: 30 },
    seed: 1,
  });
  const prepared = await surfit.prepareFit(frames, options, pool);
  const steps = surfit.runFit(prepared, pool);
  let step = await steps.next();
  // oxlint-disable-next-line no-await-in-loop -- a generator is asked for one thing at a time
  while (!step.done) step = await steps.next();
  const { model, metrics } = step.value;
  pool.close();

  const bytes = surfit.writeModel(model);
  const potential = surfit.buildPotential(surfit.readModel(bytes, "memory"), device);
  const energies: string[] = [];
  const all: number[] = [];
  for (const { structure } of frames.slice(0, 5)) {
    const out = { energy: 0, forces: new Float64Array(9), virial: new Float64Array(9) };
    potential.evaluate(structure, surfit.findNeighbours(structure, potential.cutoff), out);
    energies.push(bitsOf(Float64Array.of(out.energy)));
    all.push(...out.forces);
  }
  return {
    threads: pool.threads,
    shared: device.memory.shared,
    parameters: bitsOf(
      Float64Array.from(model.terms.flatMap((t) => Object.values(t.tensors).flatMap((v) => [...v]))),
    ),
    energies,
    forces: bitsOf(Float64Array.from(all)),
    relative: metrics.test.all.forces!.relative ?? Infinity,
  };
}
