import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { Sha256 } from "../../fit/hash.ts";
import { writeModel } from "../../io/model.ts";
import { startPool } from "../../node.ts";
import { buildPotential } from "../../potentials/build.ts";
import { validate } from "../../schema.ts";
import type { Potential } from "../../potentials/potential.ts";
import { lbfgs, relax } from "../../run/relax.ts";
import { atLeastOne, positive, present, withCommons } from "../command.ts";
import { writeWhole } from "../files.ts";
import { runJob } from "../fit/job.ts";
import type { FinishedJob } from "../fit/job.ts";
import { describeFit, reportOf, summariseFit } from "../fit/summary.ts";
import { createProgress } from "../progress.ts";
import type { Progress } from "../progress.ts";
import { traceFigure } from "../report/figures.ts";
import type { Facts } from "../report/report.ts";
import { duration, show } from "../table.ts";
import { readThermo } from "../thermo.ts";
import { runDynamics } from "../trajectory.ts";
import type { MdResult } from "../dynamics-options.ts";
import { version } from "../version.ts";
import { wholeSchema } from "../fit/schema.ts";

interface Flags {
  readonly time: number;
  readonly picoseconds: number;
  readonly threads?: number;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The demo's own folder: each demo overwrites the last. */
const OWN = "runs/demo";

/** surfit demo: fit, test and run on the package's own ethanol. */
export function define(command: Command): void {
  withCommons(command, [["surfit demo", "under three minutes on two cores"]])
    .option("--time <seconds>", "time to train for", positive, 80)
    .option("--picoseconds <ps>", "length of the dynamics", positive, 10)
    .option("--threads <n>", "default: all cores", atLeastOne)
    .option("-o, --output <folder>", "folder of the run", OWN)
    .option("--force", `overwrite another folder than ${OWN}, which a demo always may`)
    .action(run);
}

/** The data lie beside the sources, in a clone and in the package. */
function ethanol(): string[] {
  const paths = ["ethanol.xyz.gz", "ethanol-atoms.xyz"].map((name) =>
    fileURLToPath(new URL(`../../../data/${name}`, import.meta.url)),
  );
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined)
    throw invalid(missing, "the data of the demo (a clone of the repository)", "nothing there");
  return paths;
}

async function run(flags: Flags): Promise<void> {
  const progress = createProgress();
  const { output: folder, threads, json } = flags;
  const options = validate(wholeSchema, {
    data: { files: ethanol() },
    training: { time: flags.time },
    ...(threads && { threads }),
  });
  const pool = await startPool({ threads });
  const about = { version: version(), command: "surfit demo" };
  const date = new Date().toISOString().slice(0, 10);
  const path = (name: string) => join(folder, name);
  try {
    const job = await runJob(
      options,
      pool,
      { folder, force: flags.force || folder === OWN, ...about },
      progress,
    );
    const write = (facts: readonly Facts[]) =>
      writeWhole(
        path("report.html"),
        reportOf(job, { title: "Ethanol", version: about.version, date }, facts),
      );
    await write([]);
    if (!json) process.stdout.write(`${describeFit(job, folder)}\n\n`);
    const md = await dynamics(job, buildPotential(job.result.model, pool.device), flags, progress);
    await write([dynamicsFacts(md, path("md/thermo.txt"))]);
    const result = { ...summariseFit(job, folder), dynamics: md };
    await writeWhole(path("result.json"), `${JSON.stringify(result, null, 2)}\n`);
    present({ text: driftLine(md, folder), json: result }, json);
  } finally {
    pool.close();
  }
}

/** Constant energy from the minimum next to a test frame; half of the kinetic energy will go into the vibrations. */
async function dynamics(
  job: FinishedJob,
  potential: Potential,
  flags: Flags,
  progress: Progress,
): Promise<MdResult> {
  const { structure } = job.frames[job.prepared.split.test[0]];
  const minimum = relax(lbfgs(structure, potential), structure, { fmax: 0.01, steps: 500 });
  return runDynamics(
    potential,
    {
      structure: minimum.structure,
      model: new Sha256().update(writeModel(job.result.model)).digest(),
      folder: join(flags.output, "md"),
      ensemble: "nve",
      temperature: 600,
      time: flags.picoseconds,
      timestep: 0.5,
      friction: 1,
      period: 100,
      pressure: 0,
      pressurePeriod: 1000,
      cell: "isotropic",
      seed: 1,
      every: 100,
      thermo: 10,
      force: true,
    },
    progress,
  );
}

const driftLine = (md: MdResult, folder: string): string =>
  [
    `Dynamics at constant energy: ${show(md.picoseconds)} ps in ${duration(md.seconds)}, mean temperature ${show(md.temperature.mean)} K`,
    `drift ${show(md.drift.slope)} ± ${show(md.drift.error)} meV/atom/ps, largest deviation ${show(md.wander)} meV/atom`,
    "",
    `The report: ${folder}/report.html`,
  ].join("\n");

function dynamicsFacts(md: MdResult, thermo: string): Facts {
  const table = readThermo(thermo);
  const [times, invariants] = [table.map((row) => row[1]), table.map((row) => row[4])];
  const deviations = invariants.map((x) => (1000 * (x - invariants[0])) / md.atoms);
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
    figure: traceFigure(times, deviations, "time (ps)", "total energy less its start (meV/atom)"),
    note: "From the minimum next to a test frame, with velocities of 600 K, half of which the vibrations take up.",
  };
}
