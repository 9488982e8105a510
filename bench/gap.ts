/** Gaussian approximation potentials: the price of a prediction by stages, and what of the SIMD peak the kernel reaches. */
import { descriptors } from "../src/descriptors/table.ts";
import { createDevice } from "../src/device/device.ts";
import { featureStatistics } from "../src/fit/features.ts";
import { Random } from "../src/math/random.ts";
import { compose, type Watch } from "../src/potentials/compose.ts";
import { sparseGaussianProcess } from "../src/regressors/sparse-gaussian-process/sparse-gaussian-process.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import { pairStatistics } from "../src/structure/statistics.ts";
import { measurePeak } from "./peak.ts";
import { shakenSilicon } from "./silicon.ts";

const ROUNDS = 7;
const random = new Random(1, "silicon");
const silicon = shakenSilicon(5, 0.1, random);
const n = silicon.numbers.length;
const device = createDevice({ bytes: 2 ** 30 });
const peak = measurePeak("f64", device.memory);
const statistics = pairStatistics([silicon], 6);

for (const [nmax, lmax, count] of [
  [6, 5, 500],
  [8, 6, 1000],
  [10, 8, 2000],
]) {
  const method = descriptors["joined"];
  const parts = [
    { name: "distance-2b", cutoff: 5 },
    { name: "angle-3b", cutoff: 4, size: "small" },
    { name: "soap", cutoff: 5, nmax, lmax },
  ];
  const descriptor = method.build(method.resolve(method.options.parse({ parts }), statistics), [14], device);
  const size = descriptor.size(0);
  const { mean } = featureStatistics(descriptor, [silicon], device)[0];
  const rows = random.normals(new Float64Array(count * size)).map((x, k) => mean[k % size] * (1 + 0.1 * x));
  const options = sparseGaussianProcess.options.parse({ count });
  const tensors = sparseGaussianProcess.represent!(
    options,
    [{ rows, count, parts: descriptor.parts!(0) }],
    () => Array.from({ length: count }, (_, k) => k),
    1,
  );
  random.normals(tensors["0.coefficients"]);
  const model = compose(descriptor, sparseGaussianProcess.build(options, [size], tensors, device), device);
  const neighbours = findNeighbours(silicon, model.cutoff);
  const best: Partial<Record<Parameters<Watch>[0], number>> = {};
  for (let round = 0; round < ROUNDS; round++) {
    const spent: typeof best = {};
    let last = performance.now();
    model.watch = (stage) => {
      const now = performance.now();
      spent[stage] = (spent[stage] ?? 0) + now - last;
      last = now;
    };
    model.evaluate(silicon, neighbours, {
      energy: 0,
      forces: new Float64Array(3 * n),
      virial: new Float64Array(9),
    });
    for (const stage of Object.keys(spent) as (keyof typeof best)[])
      best[stage] = Math.min(best[stage] ?? Infinity, spent[stage]!);
  }
  const micro = (ms: number) => (1000 * ms) / n;
  const total = Object.values(best).reduce((a, b) => a + b, 0);
  // Products with the points, there and back.
  const K =
    size -
    descriptor.parts!(0)
      .slice(0, -1)
      .reduce((sum, part) => sum + part.size, 0);
  const speed = (4 * K * count * n) / best.regressor! / 1e6;
  console.log(
    `GAP, SOAP ${nmax}, ${lmax} (${K} features), ${count} points, 2-body, 3-body: ${micro(total).toFixed(0)} µs per atom: ` +
      `features ${micro(best.descriptor!).toFixed(0)}, kernel ${micro(best.regressor!).toFixed(0)} ` +
      `(${speed.toFixed(1)} GFLOP/s, ${((100 * speed) / peak).toFixed(0)} % of the SIMD peak), ` +
      `derivatives of the features ${micro(best.pullback!).toFixed(0)}`,
  );
}
