/** sGDML: the price of a prediction beside the SIMD peak, and of the equations of a fit, exact and iterative. */
import { createDevice } from "../src/device/device.ts";
import { describe } from "../src/fit/gradient-domain/geometries.ts";
import { solveExactly } from "../src/fit/gradient-domain/exact.ts";
import { System } from "../src/fit/gradient-domain/system.ts";
import { Random } from "../src/math/random.ts";
import { startPool } from "../src/node.ts";
import { buildTerm } from "../src/potentials/build.ts";
import { closure } from "../src/regressors/symmetric-gradient-domain/group.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import { ethanol } from "../test/ethanol.ts";
import { measurePeak, rate } from "./peak.ts";

const device = createDevice({ bytes: 2 ** 28 });
const random = new Random(1);
const peak = measurePeak("f64", device.memory);
/** The methyl group of ethanol turned, and its mirror image. */
const permutations = closure(
  [
    [0, 1, 2, 4, 5, 3, 6, 7, 8],
    [0, 1, 2, 4, 3, 5, 7, 6, 8],
  ],
  9,
  6,
)!;
const geometries = Array.from({ length: 1000 }, () =>
  ethanol.positions.map((x) => x + 0.05 * random.normal()),
);
const inverse = (x: Float64Array): number[] =>
  Array.from({ length: 9 }, (_, i) =>
    Array.from({ length: 8 - i }, (_, k) => {
      const j = i + 1 + k;
      return 1 / Math.hypot(x[3 * i] - x[3 * j], x[3 * i + 1] - x[3 * j + 1], x[3 * i + 2] - x[3 * j + 2]);
    }),
  ).flat();

for (const M of [150, 1000]) {
  const features = Float64Array.from(geometries.slice(0, M).flatMap(inverse));
  const potential = buildTerm(
    {
      type: "symmetric-gradient-domain",
      options: { atoms: [...ethanol.numbers], permutations },
      tensors: {
        features,
        weights: random.normals(new Float64Array(features.length)),
        length: Float64Array.of(14),
        constant: new Float64Array(1),
      },
    },
    [1, 6, 8],
    device,
  );
  const neighbours = findNeighbours(ethanol, 0.1);
  const out = { energy: 0, forces: new Float64Array(27), virial: new Float64Array(9) };
  // Two products with z and two with b of every point, for every permutation.
  const flops = 8 * permutations.length * features.length;
  const speed = rate(flops, () => potential.evaluate(ethanol, neighbours, out));
  console.log(
    `ethanol, ${M} geometries, 6 permutations: energy and forces ${(flops / speed / 1e3).toFixed(1)} µs, ` +
      `${(flops / speed / 9e3).toFixed(1)} µs per atom, ${((100 * speed) / peak).toFixed(0)} % of the SIMD peak`,
  );
}

const pool = await startPool({ bytes: 2 ** 30 });
const labelled = geometries
  .slice(0, 200)
  .map((positions) => ({ positions, forces: random.normals(new Float64Array(27)) }));
const found = describe(ethanol.numbers, labelled, pool.device);
const system = await System.create(pool, ethanol.numbers, found, permutations, { part: "all" });
system.setLength(14);
const cpu = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const timed = async (what: string, flops: number, work: () => Promise<unknown>): Promise<void> => {
  await work();
  const [began, used] = [performance.now(), cpu()];
  await work();
  const busy = cpu() - used;
  console.log(
    `${what}: ${((performance.now() - began) / 1000).toFixed(2)} s, ${(flops / busy / 1e9).toFixed(1)} GFLOP/s of processor time`,
  );
};
const n = system.rows;
const pair = 2 * 36 * 21 * (21 + 18);
await timed(`covariance of ${n} equations`, ((200 * 201) / 2) * pair, async () => {
  for await (const _ of system.fill(1e-6));
});
await timed(`the same, and solved`, ((200 * 201) / 2) * pair + n ** 3 / 3, () =>
  solveExactly(system, 1e-6, pool),
);
await timed(`K v without K`, 8 * 200 * 200 * 6 * 36, () => system.multiply());
pool.close();
