/**
 * What grading every atom costs beside an evaluation without: silicon by a composed model that remembers training
 * structures, 1024 atoms, one thread; the same interleaved, so that the ratio stands on a busy machine too.
 * node bench/extrapolation.ts
 */
import { descriptors } from "../src/descriptors/table.ts";
import { createDevice } from "../src/device/device.ts";
import { rememberTraining } from "../src/fit/record.ts";
import { Random } from "../src/math/random.ts";
import { buildPotential } from "../src/potentials/build.ts";
import { GradedPotential } from "../src/potentials/extrapolation/graded.ts";
import { ExtrapolationGuard } from "../src/potentials/extrapolation/guard.ts";
import { recordTensors } from "../src/potentials/extrapolation/record.ts";
import { graders } from "../src/potentials/extrapolation/table.ts";
import type { Model } from "../src/potentials/potential.ts";
import { regressors } from "../src/regressors/table.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import { pairStatistics } from "../src/structure/statistics.ts";
import type { Frame, Structure } from "../src/structure/structure.ts";
import { shakenSilicon } from "./silicon.ts";

const ROUNDS = 15;
const random = new Random(1, "silicon");

/** n cells along each of three vectors, shaken by 0.1 Å. */
const silicon = (n: number): Structure => shakenSilicon(n, 0.1, random);

const device = createDevice();
const frames = Array.from({ length: 40 }, (_, k): Frame => {
  const structure = silicon(3);
  return { structure, info: {}, arrays: {}, place: `${k}` };
});
const structures = frames.map(({ structure }) => structure);

/** A model with random weights; how long its memory took, beside the features alone. */
function modelOf(name: string): Model {
  const see = descriptors[name];
  const seeing = see.resolve(see.options.parse({}), pairStatistics(structures, 6)) as object;
  const learn = regressors["neural-network"];
  const learning = learn.options.parse({}) as object;
  const D = see.build(seeing, [14], device);
  const start = performance.now();
  const { statistics, record } = rememberTraining(D, frames, device, 1);
  const seconds = (performance.now() - start) / 1000;
  const atoms = structures.reduce((sum, { numbers }) => sum + numbers.length, 0);
  console.log(
    `${name}: ${D.size(0)} features; remembering ${record.elements[0].frames.length} of ${atoms} environments took ${seconds.toFixed(2)} s`,
  );
  return {
    elements: [14],
    terms: [
      {
        type: "composed",
        options: {
          descriptor: { name, ...seeing },
          regressor: { name: "neural-network", ...learning },
          training: { places: record.places },
        },
        tensors: { ...learn.initialise(learning, statistics, 1, 1), ...recordTensors(record) },
      },
    ],
    provenance: {},
  };
}

const used = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

const median = (x: readonly number[]): number => x.toSorted((a, b) => a - b)[x.length >> 1];

const sample = silicon(8);
const n = sample.numbers.length;
for (const name of ["acsf", "ani"]) {
  const model = modelOf(name);
  const plain = buildPotential(model, device);
  const graded = Object.keys(graders).flatMap((grade) => {
    const potential = buildPotential(model, device);
    return potential.gradeBy(grade) ? [{ grade, potential: new GradedPotential(potential) }] : [];
  });
  const guard = ExtrapolationGuard.demand(model, device);
  const neighbours = findNeighbours(sample, plain.cutoff);
  const evaluate = (potential: typeof plain | GradedPotential) => () =>
    potential.evaluate(sample, neighbours, {
      energy: 0,
      forces: new Float64Array(3 * n),
      virial: new Float64Array(9),
    });
  const runs: readonly (readonly [what: string, run: () => unknown])[] = [
    ["evaluation", evaluate(plain)],
    ...graded.map(({ grade, potential }) => [`with the ${grade} grade`, evaluate(potential)] as const),
    ["all grades apart from an evaluation", () => guard.grade(sample, neighbours)],
  ];
  const times = runs.map(([, run]) => (run(), [] as number[]));
  for (let round = 0; round < ROUNDS; round++)
    runs.forEach(([, run], k) => {
      const start = used();
      run();
      times[k].push(used() - start);
    });
  runs.forEach(([what], k) => {
    const ratio = median(times[k].map((t, round) => t / times[0][round]));
    console.log(
      `  ${what.padEnd(36)} ${(median(times[k]) / n).toFixed(1).padStart(7)} µs per atom  ${ratio.toFixed(3)} of the evaluation`,
    );
  });
}
