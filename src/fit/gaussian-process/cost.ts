import type { Pool } from "../../device/pool.ts";
import type { KernelOptions } from "../../kernels/function.ts";
import { packedNumbers } from "../../math/triangle.ts";
import { GaussianProcess } from "../../regressors/gaussian-process/exact.ts";
import type { RawPoints } from "../../regressors/gaussian-process/points.ts";
import { batchBytes, lookedAt } from "./deviations.ts";
import { thinned } from "./sample.ts";
import { labelSquares } from "./start.ts";

/** What a fit is going to do. */
export interface Work {
  readonly pool: Pool;
  readonly kernel: KernelOptions;
  /** All observations, and those that hyper-parameters are told from. */
  readonly raw: RawPoints;
  readonly thin: RawPoints;
  readonly labels: Float64Array;
  /** Arguments of the kernel; active coordinates of the molecule. */
  readonly args: number;
  readonly coordinates: number;
  /** Most evaluations of the evidence. */
  readonly searches: number;
  /** Whether standard deviations are kept; frames in the sets that tell whether they are right. */
  readonly certain: boolean;
  readonly held: number;
}

const sizeOf = ({ energies, gradients, coordinates }: RawPoints): number =>
  energies.length + gradients.length * coordinates;

const shapeOf = ({ energies, gradients, coordinates, features, x }: RawPoints) => ({
  points: x.length / features,
  energies: energies.length,
  gradients: gradients.length,
  coordinates,
  features,
});

/** Bytes of matrices in the memory that kernels see, of all threads. */
export function deviceBytes({ pool, raw, thin, args, coordinates, searches, certain }: Work): number {
  const { threads } = pool;
  const [n, s] = [sizeOf(raw), sizeOf(thin)];
  const searching = searches > 0;
  return (
    GaussianProcess.bytes(shapeOf(raw), args, threads, n === s && searching) +
    (n === s ? 0 : GaussianProcess.bytes(shapeOf(thin), args, threads, searching)) +
    (certain ? batchBytes(n, coordinates, threads) : 0)
  );
}

/** The same, and where standard deviations are kept those of the factor's copy and its file. */
export const bytesOf = (work: Work): number =>
  deviceBytes(work) + (work.certain ? 16 * packedNumbers(sizeOf(work.raw)) : 0);

/** Observations of the process that is timed. */
const PROBE = 300;

/** Seconds of a fit: products at their speed, rows of covariances as a small process takes for its own. */
export async function secondsOf(work: Work): Promise<number> {
  const { raw, thin, coordinates, searches, certain, held, pool } = work;
  const [n, s] = [sizeOf(raw), sizeOf(thin)];
  const rate = multiplyRate(pool);
  const pair = await pairSeconds(work);
  const evaluation = s ** 3 / rate + s * s * (pair.covariance + pair.slopes);
  const columns = 1 + coordinates;
  const looked = certain ? lookedAt(held, n, columns) : 0;
  return (
    searches * evaluation +
    n ** 3 / 3 / rate +
    n * n * pair.covariance +
    looked * (n * columns) * (n / rate + 2 * pair.covariance)
  );
}

/** Seconds of all threads for a pair of observations: of its covariance, and of its part in the slopes of the evidence. */
async function pairSeconds({ pool, kernel, raw, labels, searches }: Work) {
  const probe = thinned(raw, labels, PROBE);
  const small = await GaussianProcess.create(pool, kernel, probe.raw, probe.labels, searches > 0);
  const theta = Float64Array.from(small.kernel.hyperparameters, ({ value }) => value);
  const squares = labelSquares(probe.labels, probe.raw.energies.length);
  const setting = {
    theta,
    noise: { energies: 1e-2 * (squares.energies || 1), gradients: 1e-2 * (squares.gradients || 1) },
  };
  const spent = { covariance: Infinity, slopes: Infinity };
  const time = async (what: keyof typeof spent, run: () => Promise<unknown>) => {
    const began = performance.now();
    await run();
    spent[what] = Math.min(spent[what], (performance.now() - began) / 1000 / small.size ** 2);
  };
  // engines compile in the first rounds
  for (let round = 0; round < 3; round++) {
    await time("covariance", () => small.covariance(setting));
    const evidence = searches > 0 ? await small.solve(setting) : null;
    if (evidence) await time("slopes", () => small.slopes(evidence, setting));
  }
  return { covariance: spent.covariance, slopes: Number.isFinite(spent.slopes) ? spent.slopes : 0 };
}

/** Operations per second of all threads in a matrix product. */
export function multiplyRate({ device, threads }: Pool): number {
  const n = 192;
  const address = device.memory.alloc(8 * 3 * n * n);
  const [a, b, c] = [0, 1, 2].map((k) => address + 8 * k * n * n);
  let best = Infinity;
  for (let k = 0; k < 4; k++) {
    const began = performance.now();
    device.gemm.f64(n, n, n, a, n, b, n, c, n);
    best = Math.min(best, performance.now() - began);
  }
  // Threads get in each other's way.
  return ((2 * n ** 3) / best) * 1000 * threads * 0.7;
}
