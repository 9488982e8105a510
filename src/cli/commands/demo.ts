import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { startPool } from "../../node.ts";
import { buildPotential } from "../../potentials/build.ts";
import { validate } from "../../schema.ts";
import { count, positive, present, withCommons } from "../command.ts";
import { writeWhole } from "../files.ts";
import { runJob } from "../fit/job.ts";
import { describeFit, reportOf, summariseFit } from "../fit/summary.ts";
import { createProgress } from "../progress.ts";
import type { Facts } from "../report/report.ts";
import { show } from "../table.ts";
import { runDynamics } from "../trajectory.ts";
import type { MdResult } from "../trajectory.ts";
import { version } from "../version.ts";
import { wholeSchema } from "../fit/schema.ts";

interface Flags {
  readonly time: number;
  readonly picoseconds: number;
  readonly threads?: number;
  readonly output: string;
  readonly json?: boolean;
}

/** surfit demo: fit, test and run on the package's own ethanol. */
export function define(command: Command): void {
  withCommons(command, [["surfit demo", "under three minutes on two cores"]])
    .option("--time <seconds>", "time to train for", positive, 100)
    .option("--picoseconds <ps>", "length of the dynamics", positive, 10)
    .option("--threads <n>", "default: all cores", count)
    .option("-o, --output <folder>", "folder of the run", "runs/demo")
    .action(run);
}

/** The data lie beside the sources, in a clone and in the package. */
function ethanol(): string {
  const path = fileURLToPath(new URL("../../../data/ethanol.xyz.gz", import.meta.url));
  if (!existsSync(path))
    throw invalid(path, "the data of the demo (a clone of the repository)", "nothing there");
  return path;
}

async function run(flags: Flags): Promise<void> {
  const progress = createProgress();
  const { output: folder } = flags;
  const training = { time: flags.time };
  const options = validate(wholeSchema, {
    data: ethanol(),
    training,
    ...(flags.threads && { threads: flags.threads }),
  });
  const pool = await startPool(flags.threads ? { threads: flags.threads } : {});
  const about = { version: version(), command: "surfit demo" };
  try {
    const job = await runJob(options, pool, { folder, force: true, ...about }, progress);
    progress.report(describeFit(job, folder));
    progress.report(`\nDynamics at constant energy from a test frame, ${flags.picoseconds} ps, 300 K:`);
    const start = job.frames[job.prepared.split.test[0]];
    const md = await runDynamics(
      buildPotential(job.result.model, pool.device),
      {
        structure: start.structure,
        folder: join(folder, "md"),
        ensemble: "nve",
        temperature: 300,
        time: flags.picoseconds,
        timestep: 0.5,
        friction: 1,
        seed: 1,
        every: 100,
        thermo: 10,
        force: true,
      },
      progress,
    );
    const date = new Date().toISOString().slice(0, 10);
    const page = reportOf(job, { title: "Ethanol", version: about.version, date }, [dynamicsFacts(md)]);
    await writeWhole(join(folder, "report.html"), page);
    const json = { ...summariseFit(job, folder), dynamics: md };
    await writeWhole(join(folder, "result.json"), `${JSON.stringify(json, null, 2)}\n`);
    present({ text: driftLine(md, folder), json }, flags.json);
  } finally {
    pool.close();
  }
}

const driftLine = (md: MdResult, folder: string): string =>
  `${show(md.picoseconds)} ps at ${show(md.temperature.mean)} K: drift ${show(md.drift.slope)} ± ${show(md.drift.error)} meV/atom/ps, ` +
  `largest deviation ${show(md.wander)} meV/atom\n\nThe report: ${folder}/report.html`;

function dynamicsFacts(md: MdResult): Facts {
  const rows = [
    ["length", `${show(md.picoseconds)} ps, ${md.steps} steps of ${md.timestep} fs`],
    ["mean temperature", `${show(md.temperature.mean)} K`],
    ["drift of the total energy", `${show(md.drift.slope)} ± ${show(md.drift.error)} meV/atom/ps`],
    ["largest deviation of the total energy", `${show(md.wander)} meV/atom`],
  ];
  return {
    title: "Dynamics at constant energy",
    head: ["what", "value"],
    rows,
    note: "Started from a test frame at 300 K.",
  };
}
