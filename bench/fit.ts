/**
 * Training of an ethanol-sized job: seconds and frames per second of an epoch on one thread and on all, the share of
 * the 128-bit SIMD peak, and of what this machine's own matrix product reaches.
 * node bench/fit.ts [frames] [threads]
 */
import { createDevice } from "../src/device/device.ts";
import { createPool, defaultThreads } from "../src/device/pool.ts";
import { startThreads } from "../src/device/start.node.ts";
import { gradientTask } from "../src/fit/gradient-task.ts";
import { fitSchema } from "../src/fit/options.ts";
import { prepareFit, type PreparedFit } from "../src/fit/prepare.ts";
import { Random } from "../src/math/random.ts";
import { buildTrainable } from "../src/potentials/build.ts";
import type { Frame } from "../src/structure/structure.ts";
import { tasks } from "../src/tasks.ts";
import { countingDevice } from "./counting-device.ts";
import { measurePeak, rate } from "./peak.ts";

const count = Number(process.argv[2] ?? 400);
const most = Number(process.argv[3] ?? defaultThreads());

/** C, C, O and the hydrogens of ethanol, Å. */
const ETHANOL = [
  [0, 0, 0, 6],
  [1.51, 0, 0, 6],
  [2.0, 1.33, 0, 8],
  [-0.37, -1.03, 0, 1],
  [-0.37, 0.51, 0.89, 1],
  [-0.37, 0.51, -0.89, 1],
  [1.89, -0.52, 0.89, 1],
  [1.89, -0.52, -0.89, 1],
  [2.97, 1.27, 0, 1],
];

/** Shaken ethanol; the labels need not be physics, they cost the same. */
function frames(): Frame[] {
  const random = new Random(1, "ethanol");
  return Array.from({ length: count }, (_, f) => ({
    structure: {
      numbers: Uint8Array.from(ETHANOL, ([, , , z]) => z),
      positions: Float64Array.from(
        ETHANOL.flatMap((r) => r.slice(0, 3)),
        (x) => x + 0.08 * random.normal(),
      ),
      cell: null,
      pbc: [false, false, false] as const,
    },
    energy: random.normal(),
    forces: random.normals(new Float64Array(27)),
    info: {},
    arrays: {},
    place: `shaken:${f + 1}`,
  }));
}

const options = fitSchema.parse({
  data: "shaken",
  training: { epochs: 1 },
  split: { validation: 0, test: 0 },
});

/** Seconds of one epoch: the least of several, features kept since the first. */
async function epochSeconds({ training }: PreparedFit): Promise<number> {
  const { gradients, train, perBatch, start } = training;
  const gradient = new Float64Array(start.length);
  const lambda = { energy: 1, forces: 1, stress: 1, huber: Infinity };
  let best = Infinity;
  for (let repeat = 0; repeat < 8; repeat++) {
    const began = performance.now();
    for (let at = 0; at < train.length; at += perBatch)
      await gradients.gradient(train.slice(at, at + perBatch), lambda, gradient);
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  return best;
}

/** Floating-point operations of one epoch, counted on one thread. */
async function flops(): Promise<number> {
  const device = countingDevice(createDevice());
  const counted = { "fit.gradient": gradientTask(buildTrainable) };
  const pool = await createPool({ tasks: counted, device, threads: 1 });
  const { training } = await prepareFit(frames(), options, pool);
  const gradient = new Float64Array(training.start.length);
  const lambda = { energy: 1, forces: 1, stress: 1, huber: Infinity };
  // Once to fill the caches, once to count.
  await training.gradients.gradient(training.train, lambda, gradient);
  device.flops.kernels = device.flops.products = 0;
  await training.gradients.gradient(training.train, lambda, gradient);
  pool.close();
  return device.flops.kernels + device.flops.products;
}

const percent = (x: number) => `${(100 * x).toFixed(0)} %`;

async function main(): Promise<void> {
  const own = createDevice();
  const peak = measurePeak("f64", own.memory);
  const n = 256;
  const [a, b, c] = [0, 0, 0].map(() => own.memory.alloc(8 * n * n));
  const product = rate(2 * n ** 3, () => own.gemm.f64(n, n, n, a, n, b, n, c, n));
  const work = await flops();
  console.log(
    `peak of one core ${peak.toFixed(1)} GFLOP/s, product of ${n}³ ${product.toFixed(1)} GFLOP/s (f64)`,
  );
  let one = 0;
  for (const threads of new Set([1, most])) {
    const pool = await createPool({ tasks, device: createDevice(), threads, start: startThreads() });
    const prepared = await prepareFit(frames(), options, pool);
    const seconds = await epochSeconds(prepared);
    one ||= seconds;
    const speed = work / seconds / threads / 1e9;
    console.log(
      `${threads} threads: ${seconds.toFixed(3)} s per epoch of ${count} frames, ${(count / seconds).toFixed(0)} frames/s, ` +
        `${prepared.plan.parameters} parameters; ${speed.toFixed(2)} GFLOP/s per thread, ${percent(speed / peak)} of the peak, ` +
        `${percent(speed / product)} of the product; ${(one / seconds).toFixed(2)} × one thread`,
    );
    pool.close();
  }
}

await main();
