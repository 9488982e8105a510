/** Kernel models: factorisation beside the matrix product, Müller–Brown with 2088 observations, the price of predictions. */
import { molecularDescriptors } from "../src/descriptors/molecular/table.ts";
import { PoolCholesky } from "../src/math/pool-cholesky.ts";
import { packedNumbers, rowAt } from "../src/math/triangle.ts";
import { Random } from "../src/math/random.ts";
import { startPool } from "../src/node.ts";
import { buildTerm } from "../src/potentials/build.ts";
import { GaussianProcess } from "../src/regressors/gaussian-process/exact.ts";
import { moleculePoints } from "../src/regressors/gaussian-process/molecules.ts";
import { Prediction } from "../src/regressors/gaussian-process/prediction.ts";
import { EvidenceSearch, settingOf } from "../src/fit/gaussian-process/search.ts";
import { thinned } from "../src/fit/gaussian-process/sample.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import { measurePeak } from "./peak.ts";

const pool = await startPool({ bytes: 2 ** 31 });
const { memory, gemm } = pool.device;
const seconds = (began: number): number => (performance.now() - began) / 1000;
/** Seconds of processor time of all threads: what other work on the machine does not count into. */
const busy = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;

/** C = A B, [512, 512], on one thread. */
const [a, b, c] = [0, 1, 2].map(() => memory.alloc(8 * 512 * 512));
const product = (() => {
  gemm.f64(512, 512, 512, a, 512, b, 512, c, 512);
  const before = busy();
  for (let k = 0; k < 10; k++) gemm.f64(512, 512, 512, a, 512, b, 512, c, 512);
  return (10 * 2 * 512 ** 3) / (busy() - before) / 1e9;
})();
const peak = measurePeak("f64", memory);
console.log(
  `matrix product, one thread: ${product.toFixed(1)} GFLOP/s of ${peak.toFixed(1)} at the SIMD peak`,
);

const most = 5000;
const address = memory.alloc(8 * packedNumbers(most));
const cholesky = await PoolCholesky.create(pool, most);
// The first of them only warms the engine.
for (const [round, n] of [1000, 1000, 2088, most].entries()) {
  const A = { address, n, stride: 0 };
  for (let i = 0; i < n; i++) {
    const row = memory.f64(rowAt(A, i), i + 1);
    for (let j = 0; j <= i; j++) row[j] = Math.exp(-(((i - j) / 200) ** 2)) + (i === j ? 0.01 : 0);
  }
  const [began, before] = [performance.now(), busy()];
  // one size after another
  const good = await cholesky.factor(n, A);
  if (round === 0) continue;
  const [s, spent] = [seconds(began), busy() - before];
  const [speed, own] = [s, spent].map((time) => n ** 3 / 3 / time / 1e9);
  const share = ((100 * own) / product).toFixed(0);
  const ofPeak = ((100 * own) / peak).toFixed(0);
  console.log(
    `Cholesky n = ${n}: ${s.toFixed(2)} s, ${speed.toFixed(1)} GFLOP/s on ${pool.threads} threads; ` +
      `${own.toFixed(1)} GFLOP per second of processor time, ${share} % of the product's, ${ofPeak} % of the SIMD peak` +
      (good ? "" : " (not positive definite)"),
  );
}

/** Müller–Brown: energy and both slopes at 696 points. */
const surface = buildTerm({ type: "mueller-brown", options: {}, tensors: {} }, [1], pool.device);
function draw(count: number, key: string) {
  const random = new Random(5, key);
  const positions: number[] = [];
  const energies: number[] = [];
  const gradients: number[] = [];
  while (energies.length < count) {
    const structure = {
      numbers: Uint8Array.of(1),
      positions: Float64Array.of(-1.5 + 2.7 * random.uniform(), -0.2 + 2.2 * random.uniform(), 0),
      cell: null,
      pbc: [false, false, false] as const,
    };
    const out = { energy: 0, forces: new Float64Array(3), virial: new Float64Array(9) };
    surface.evaluate(structure, findNeighbours(structure, 1), out);
    if (out.energy > 10) continue;
    positions.push(...structure.positions);
    energies.push(out.energy);
    gradients.push(-out.forces[0], -out.forces[1]);
  }
  return { positions: Float64Array.from(positions), energies, gradients };
}

const train = draw(696, "train");
const test = draw(1000, "test");
const mean = train.energies.reduce((sum, e) => sum + e, 0) / 696;
const plane = molecularDescriptors["cartesian"].build({ axes: "xy" }, Uint8Array.of(1), pool.device);
const all = Int32Array.from({ length: 696 }, (_, i) => i);
const [began, before] = [performance.now(), busy()];
const raw = moleculePoints(plane, train.positions, all, all);
const labels = Float64Array.from([...train.energies.map((e) => e - mean), ...train.gradients]);
const kernel = {
  product: [
    { name: "constant", value: 1e4 },
    { name: "rbf", length: 0.5 },
  ],
};
const thin = thinned(raw, labels, 400);
const sample = await GaussianProcess.create(pool, kernel, thin.raw, thin.labels, true);
const unknowns = {
  start: Float64Array.of(1e4, 0.5, 1e-4, 1e-2),
  moves: [true, true, true, true],
  down: 14,
  up: 11,
};
const search = new EvidenceSearch(sample, unknowns, { starts: 1, steps: 20, seed: 1 });
while (!(await search.step()));
const found = seconds(began);
const whole = await GaussianProcess.create(pool, kernel, raw, labels, false);
const setting = settingOf(unknowns, search.best);
const solved = await whole.solve(setting);
const fitted = seconds(began);
const prediction = new Prediction(pool.device, whole.kernel, raw, whole.mean);
prediction.set(setting.theta, solved!.weights);
const errors = test.energies.map(
  (e, k) => prediction.evaluate(test.positions.subarray(3 * k, 3 * k + 2), null) + mean - e,
);
const [total, spent] = [seconds(began), busy() - before];
const rmse = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
console.log(
  `\nMüller–Brown, ${labels.length} observations (energy and gradient at 696 points): ${total.toFixed(2)} s in all, ${spent.toFixed(2)} s of processor time; ` +
    `hyper-parameters from ${thin.labels.length} of them ${found.toFixed(2)} s, solution ${(fitted - found).toFixed(2)} s, ` +
    `1000 predictions ${(total - fitted).toFixed(2)} s; RMSE ${rmse.toExponential(1)} below 10 (the tutorial: 174 s)`,
);

pool.close();
await import("./prices.ts");
