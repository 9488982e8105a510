/**
 * Optimisers beside each other on one thread: errors on the validation set against seconds of processor time, which
 * other work on the machine does not count into.
 *
 *     node bench/optimisers.ts [--seconds 30] [--figure docs/figures/optimisers.svg]
 *
 * compares on the project's own silicon and ethanol and, when asked, draws the curves;
 *
 *     node bench/optimisers.ts <train file> <validation file> <seconds> <model as YAML> <training as YAML> [<training> …]
 *
 * compares whatever is wanted, such as "regressor: {name: neural-network, layers: [15, 15]}" "optimiser: adam".
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { stackFigures, timeCurves, type TimeCurve } from "../src/cli/report/figures.ts";
import { createDevice } from "../src/device/device.ts";
import { createPool } from "../src/device/pool.ts";
import { fitSchema } from "../src/fit/options.ts";
import { prepareFit } from "../src/fit/prepare.ts";
import { train } from "../src/fit/trainer.ts";
import { readLabelled } from "../src/node.ts";
import type { Frame } from "../src/structure/structure.ts";
import { tasks } from "../src/tasks.ts";

/** Seconds of processor time of this process. */
const cpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const bare = (name: string) => name.slice(name.lastIndexOf("/") + 1);

/** What is compared. */
interface Race {
  readonly name: string;
  readonly frames: readonly Frame[];
  readonly split: object;
  readonly model: unknown;
  readonly seconds: number;
}

/** One validation: seconds, epoch, errors in meV/atom and meV/Å. */
interface Point {
  readonly seconds: number;
  readonly epoch: number;
  readonly energy: number;
  readonly forces: number;
}

/** Trains with the given options until the time is over. */
async function run({ frames, split, model, seconds }: Race, training: object) {
  const options = fitSchema.parse({ data: "data", split, model, training: { patience: null, ...training } });
  const device = createDevice({ bytes: 3 * 2 ** 30 });
  const pool = await createPool({ tasks, device, threads: 1 });
  const { plan, training: ready } = await prepareFit(frames, options, pool);
  const began = cpu();
  const points: Point[] = [];
  for await (const { kind, validation, epoch } of train(ready)) {
    const t = cpu() - began;
    if (kind === "validation" && validation)
      points.push({
        seconds: t,
        epoch,
        energy: 1000 * (validation.energy ?? NaN),
        forces: 1000 * (validation.forces ?? NaN),
      });
    if (t > 1.05 * seconds) break;
  }
  pool.close();
  return { plan, points };
}

/** Epochs that take the given time, from a short run: the learning rate falls with them. */
async function fitting(race: Race, training: object): Promise<number> {
  const epochs = 6;
  const { points } = await run(race, { ...training, epochs, validate: 2 });
  const [first, last] = [points[0], points.at(-1)!];
  return Math.max(
    epochs,
    Math.round((race.seconds * (last.epoch - first.epoch)) / (last.seconds - first.seconds)),
  );
}

/** Runs one optimiser: first-order methods are given the number of epochs that fills the time. */
async function enter(race: Race, text: string) {
  const training = { validate: 1, ...(parse(text) as { optimiser?: string; epochs?: number }) };
  const falls = training.optimiser === "adam" && training.epochs === undefined;
  const epochs = training.epochs ?? (falls ? await fitting(race, training) : 100_000);
  const validate = falls ? Math.max(1, Math.round(epochs / 100)) : training.validate;
  const { plan, points } = await run(race, { ...training, epochs, validate });
  console.log(
    `\n${race.name}, ${text}\n${plan.parameters} parameters, ${plan.stepsPerEpoch} steps in an epoch, ` +
      `${(plan.bytes.matrix / 2 ** 20).toFixed(0)} MiB matrix`,
  );
  console.log("seconds  epoch  energy meV/atom  forces meV/Å");
  let next = 0;
  for (const { seconds, epoch, energy, forces } of points) {
    if (seconds < next && seconds < points.at(-1)!.seconds) continue;
    next = Math.max(0.02 * race.seconds, 1.3 * seconds);
    const errors = [energy, forces].map((e) => e.toFixed(2).padStart(12)).join("  ");
    console.log(`${seconds.toFixed(1).padStart(7)} ${String(epoch).padStart(6)}  ${errors}`);
  }
  return points;
}

const own = (name: string) => fileURLToPath(new URL(`../data/${name}`, import.meta.url));

/** The project's own sets with networks of a size that every method can handle. */
async function ownRaces(seconds: number): Promise<Race[]> {
  const split = { method: "random", validation: 0.2, test: 0 };
  const races: [string, string, string, number[]][] = [
    ["silicon", "silicon.xyz.gz", "silicon-atoms.xyz", [12]],
    ["ethanol", "ethanol.xyz.gz", "ethanol-atoms.xyz", [4]],
  ];
  return Promise.all(
    races.map(async ([name, file, atoms, layers]) => {
      const read = await Promise.all([file, atoms].map((f) => readLabelled(own(f))));
      const model = {
        descriptor: { name: "ani", size: "small" },
        regressor: { name: "neural-network", layers },
      };
      return { name, frames: read.flatMap(({ frames }) => frames), split, model, seconds };
    }),
  );
}

const METHODS = ["optimiser: adam", "optimiser: kalman", "optimiser: marquardt", "optimiser: lbfgs"];

async function compareOwn(seconds: number, figure: string | undefined): Promise<void> {
  const panels: string[] = [];
  for (const race of await ownRaces(seconds)) {
    const curves: { name: string; points: Point[] }[] = [];
    // oxlint-disable-next-line no-await-in-loop -- one after another: they are timed
    for (const text of METHODS) curves.push({ name: text.split(" ")[1], points: await enter(race, text) });
    const draw = (what: string, value: (p: Point) => number, unit: string) => {
      const lines = curves.map(({ name, points }): TimeCurve => ({
        name,
        points: points.map((p) => ({ x: p.seconds, y: value(p) })),
      }));
      panels.push(
        timeCurves(lines, "processor time (s)", `${race.name}: ${what} RMSE of validation (${unit})`).svg,
      );
    };
    draw("force", (p) => p.forces, "meV/Å");
    draw("energy", (p) => p.energy, "meV/atom");
  }
  if (figure === undefined) return;
  mkdirSync(dirname(figure), { recursive: true });
  writeFileSync(figure, stackFigures(panels, 2));
  console.log(`\n${figure} written`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "30" }, figure: { type: "string" } },
});
if (positionals.length === 0) await compareOwn(Number(values.seconds), values.figure);
else {
  const [trainFile, validationFile, seconds, model, ...trainings] = positionals;
  const frames: Frame[] = [];
  for (const file of [trainFile, validationFile]) frames.push(...(await readLabelled(file)).frames);
  const split = { method: "file", validation: [bare(validationFile)], test: 0 };
  const race = {
    name: bare(trainFile),
    frames,
    split,
    model: parse(model) as unknown,
    seconds: Number(seconds),
  };
  for (const text of trainings) await enter(race, text);
}
