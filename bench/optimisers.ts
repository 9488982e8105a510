/**
 * Optimisers beside each other on one thread: errors on the validation set against seconds of processor time, which
 * other work on the machine does not count into.
 * node bench/optimisers.ts <train file> <validation file> <seconds> <model as YAML> <training as YAML> [<training> …]
 * such as: train.xyz test.xyz 60 "regressor: {name: neural-network, layers: [15, 15]}" "optimiser: adam" "optimiser: kalman"
 */
import { parse } from "yaml";
import { createDevice } from "../src/device/device.ts";
import { createPool } from "../src/device/pool.ts";
import { fitSchema } from "../src/fit/options.ts";
import { prepareFit } from "../src/fit/prepare.ts";
import { train } from "../src/fit/trainer.ts";
import { readLabelled } from "../src/node.ts";
import type { Frame } from "../src/structure/structure.ts";
import { tasks } from "../src/tasks.ts";

const [trainFile, validationFile, seconds, model, ...trainings] = process.argv.slice(2);
const frames: Frame[] = [];
for (const file of [trainFile, validationFile]) frames.push(...(await readLabelled(file)).frames);
/** Seconds of processor time of this process. */
const cpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const bare = (name: string) => name.slice(name.lastIndexOf("/") + 1);

for (const training of trainings) {
  const options = fitSchema.parse({
    data: trainFile,
    split: { method: "file", validation: [bare(validationFile)], test: 0 },
    model: parse(model) as object,
    training: { time: Number(seconds), patience: null, validate: 1, ...(parse(training) as object) },
  });
  const device = createDevice({ bytes: 3 * 2 ** 30 });
  const pool = await createPool({ tasks, device, threads: 1 });
  const prepared = await prepareFit(frames, options, pool);
  const { plan } = prepared;
  console.log(
    `\n${training}\n${plan.parameters} parameters, ${plan.epochs} epochs of ${plan.stepsPerEpoch} steps, ` +
      `${(plan.bytes.matrix / 2 ** 20).toFixed(0)} MiB matrix`,
  );
  const began = cpu();
  console.log("seconds  epoch  energy meV/atom  forces meV/Å   best so far: energy  forces");
  let [next, bestScore] = [0, Infinity];
  let best = [0, 0];
  for await (const { kind, validation, epoch } of train(prepared.training)) {
    if (kind !== "validation" || !validation) continue;
    const t = cpu() - began;
    const errors = [1000 * (validation.energy ?? 0), 1000 * (validation.forces ?? 0)];
    if (validation.score < bestScore) [bestScore, best] = [validation.score, errors];
    if (t < next && epoch < plan.epochs) continue;
    next = Math.max(0.02 * Number(seconds), 1.3 * t);
    const [now, least] = [errors, best].map((e) => e.map((x) => x.toFixed(2).padStart(10)).join("  "));
    console.log(`${t.toFixed(1).padStart(7)} ${String(epoch).padStart(6)}     ${now}              ${least}`);
  }
  pool.close();
}
