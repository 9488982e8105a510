/**
 * Energy, forces and virial of silicon by a composed model: evaluations per second per atom, where the time goes, the
 * exponent of time against atoms, the fraction of this core's 128-bit SIMD peak, and all threads beside one.
 * node bench/evaluate.ts [largest number of atoms] [threads]
 */
import { descriptors } from "../src/descriptors/table.ts";
import { createDevice } from "../src/device/device.ts";
import { createPool, defaultThreads } from "../src/device/pool.ts";
import { startThreads } from "../src/device/start.node.ts";
import { featureStatistics } from "../src/fit/features.ts";
import { Random } from "../src/math/random.ts";
import { buildTrainable } from "../src/potentials/build.ts";
import type { Composed } from "../src/potentials/compose.ts";
import { ParallelPotential } from "../src/potentials/parallel.ts";
import type { Evaluation, Potential, Term } from "../src/potentials/potential.ts";
import { regressors } from "../src/regressors/table.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import { pairStatistics } from "../src/structure/statistics.ts";
import type { Structure } from "../src/structure/structure.ts";
import { tasks } from "../src/tasks.ts";
import { countingDevice } from "./counting-device.ts";
import { measurePeak } from "./peak.ts";
import { shakenSilicon } from "./silicon.ts";

const largest = Number(process.argv[2] ?? 100_000);
const threads = Number(process.argv[3] ?? defaultThreads());
const random = new Random(1, "silicon");

/** So many atoms, or as near as cells go, shaken by 0.05 Å. */
const silicon = (atoms: number): Structure => shakenSilicon(Math.round(Math.cbrt(atoms / 2)), 0.05, random);

const device = createDevice();
const sample = silicon(128);
const SKIN = 0.5;

function term(name: string): Term {
  const see = descriptors[name];
  const seeing = see.resolve(see.options.parse({}), pairStatistics([sample], 6)) as object;
  const learn = regressors["neural-network"];
  const learning = learn.options.parse({}) as object;
  const statistics = featureStatistics(see.build(seeing, [14], device), [sample], device);
  return {
    type: "composed",
    options: { descriptor: { name, ...seeing }, regressor: { name: "neural-network", ...learning } },
    tensors: learn.initialise(learning, statistics, 1, 1),
  };
}

const zeros = (n: number): Evaluation => ({
  energy: 0,
  forces: new Float64Array(3 * n),
  virial: new Float64Array(9),
});

/** Microseconds of processor time of this process: what other programs take of the core does not count. */
const used = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Seconds of processor time and of the clock, the least of several rounds. */
function time(run: () => void, least = 0.5): { cpu: number; clock: number } {
  const best = { cpu: Infinity, clock: Infinity };
  const until = performance.now() + 1000 * least;
  do {
    const [start, before] = [performance.now(), used()];
    run();
    best.cpu = Math.min(best.cpu, (used() - before) / 1e6);
    best.clock = Math.min(best.clock, (performance.now() - start) / 1e3);
  } while (performance.now() < until);
  return best;
}

const percent = (x: number) => `${(100 * x).toFixed(0)} %`;

const mean = (v: readonly number[]) => v.reduce((s, t) => s + t, 0) / v.length;

/** Exponent of a power law through the points, by least squares of the logarithms. */
function exponent(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [x.map(Math.log), y.map(Math.log)];
  const [ma, mb] = [mean(a), mean(b)];
  const top = a.reduce((s, t, i) => s + (t - ma) * (b[i] - mb), 0);
  return top / a.reduce((s, t) => s + (t - ma) ** 2, 0);
}

/** Where the time of an evaluation goes, with a new neighbour list, over several evaluations. */
function stages(potential: Composed, structure: Structure): string {
  const spent = new Map<string, number>();
  let last = 0;
  const mark = (stage: string) => {
    const now = used();
    spent.set(stage, (spent.get(stage) ?? 0) + now - last);
    last = now;
  };
  potential.watch = mark;
  const [until, begin] = [performance.now() + 300, (last = used())];
  do {
    const neighbours = findNeighbours(structure, potential.cutoff + SKIN);
    mark("neighbour list");
    potential.evaluate(structure, neighbours, zeros(structure.numbers.length));
    mark("sum");
  } while (performance.now() < until);
  potential.watch = null;
  return [...spent].map(([stage, t]) => `${stage} ${percent(t / (last - begin))}`).join(", ");
}

async function main(): Promise<void> {
  const peak = measurePeak("f64", device.memory);
  console.log(`128-bit SIMD peak of one core: ${peak.toFixed(1)} GFLOP/s in f64; ${threads} threads`);
  for (const name of Object.keys(descriptors)) await report(name, peak);
}

async function report(name: string, peak: number): Promise<void> {
  const chosen = term(name);
  const potential = buildTrainable(chosen, [14], device) as Composed;
  const counting = countingDevice(device);
  const counted = buildTrainable(chosen, [14], counting);
  const pool = await createPool({ tasks, threads, device, start: startThreads() });
  const parallel = await ParallelPotential.create({ elements: [14], terms: [chosen], provenance: {} }, pool);
  console.log(
    `\n${name}: ${potential.descriptor.size(0)} features, cutoff ${potential.cutoff.toFixed(2)} Å, ` +
      `${potential.parameters.length} parameters`,
  );
  const [sizes, times] = [[] as number[], [] as number[]];
  for (let atoms = 100; atoms <= largest; atoms *= 10) {
    const structure = silicon(atoms);
    const n = structure.numbers.length;
    const run = (p: Potential) => {
      const neighbours = findNeighbours(structure, p.cutoff + SKIN);
      return time(() => p.evaluate(structure, neighbours, zeros(n)));
    };
    const [one, all] = [run(potential), run(parallel)];
    counting.flops.kernels = counting.flops.products = 0;
    if (n < 2000) counted.evaluate(structure, findNeighbours(structure, counted.cutoff + SKIN), zeros(n));
    const { kernels, products } = counting.flops;
    const listing = time(() => findNeighbours(structure, potential.cutoff + SKIN), 0.1).cpu;
    sizes.push(n);
    times.push(one.cpu);
    console.log(
      `${String(n).padStart(6)} atoms: ${((1e6 * one.cpu) / n).toFixed(1)} µs per atom on one thread, ` +
        `${(n / one.cpu).toFixed(0)} atoms/s per thread, list ${((1e6 * listing) / n).toFixed(1)} µs per atom; ` +
        `${threads} threads ${(one.clock / all.clock).toFixed(2)} × as fast`,
    );
    console.log(`        ${stages(potential, structure)}`);
    if (kernels > 0)
      console.log(
        `        ${((kernels + products) / n / 1e3).toFixed(1)} kflop per atom (products ${percent(products / (kernels + products))}): ` +
          `${((kernels + products) / one.cpu / 1e9).toFixed(2)} GFLOP/s, ${percent((kernels + products) / one.cpu / 1e9 / peak)} of the peak`,
      );
  }
  if (sizes.length > 1) console.log(`time ∝ atoms^${exponent(sizes, times).toFixed(3)}`);
  pool.close();
}

await main();
