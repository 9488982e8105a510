import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { startPool } from "../../node.ts";
import { ParallelPotential } from "../../potentials/parallel.ts";
import { count, positive, present, withCommons } from "../command.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import { stem } from "../files.ts";
import { createProgress } from "../progress.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { duration, show, textTable } from "../table.ts";
import { runDynamics } from "../trajectory.ts";
import type { MdOptions, MdResult } from "../trajectory.ts";

/** surfit md: molecular dynamics. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit md model.surfit start.xyz --temperature 300 --time 10", "10 ps at constant energy"],
      ["surfit md model.surfit start.xyz --ensemble nvt --temperature 500", "with a Langevin thermostat"],
      ["surfit md model.surfit start.xyz -o start-md --restart", "go on where it stopped"],
    ]),
  )
    .argument("<model>", "model file")
    .argument("<structure>", "file whose first frame is the start")
    .option("--ensemble <name>", "nve: velocity Verlet; nvt: Langevin BAOAB", "nve")
    .option("--temperature <K>", "of the starting velocities, and of the thermostat", positive, 300)
    .option("--time <ps>", "length of the run", positive, 1)
    .option("--timestep <fs>", "Δt", positive, 0.5)
    .option("--friction <1/ps>", "strength of the thermostat", positive, 5)
    .option("--seed <n>", "of velocities and noise", count, 1)
    .option("--threads <n>", "default: all cores", count)
    .option("--every <steps>", "steps between frames of the trajectory", count, 20)
    .option("--thermo <steps>", "steps between lines of the thermo table", count, 10)
    .option(
      "-o, --output <folder>",
      "where trajectory.xyz, thermo.txt and the checkpoint go (default: <structure>-md)",
    )
    .option("--restart", "go on from the checkpoint in the folder; the result is the same to the bit")
    .option("--force", "overwrite a folder that is there")
    .action(run);
}

/** Up to this many atoms one thread works alone. */
const ALONE = 200;

interface Flags extends Omit<MdOptions, "folder" | "structure" | "model">, UnitFlags {
  readonly output?: string;
  readonly threads?: number;
  readonly json?: boolean;
}

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  if (!["nve", "nvt"].includes(flags.ensemble)) throw invalid("--ensemble", "nve or nvt", flags.ensemble);
  const { model, hash, potential } = await openModel(modelFile);
  const [frame] = await readStructures([file], flags);
  refuseStrangers(potential, frame.structure, frame.place);
  const { threads } = flags;
  // The bits do not depend on the threads, so a small system need not pay for starting them.
  const pool =
    threads !== 1 && frame.structure.numbers.length > ALONE ? await startPool({ threads }) : undefined;
  const surface = pool ? await ParallelPotential.create(model, pool) : potential;
  const folder = flags.output ?? `${stem(file)}-md`;
  const progress = createProgress();
  try {
    const result = await runDynamics(
      surface,
      { ...flags, folder, structure: frame.structure, model: hash },
      progress,
    );
    present({ text: describe(result, folder), json: { folder, ...result } }, flags.json);
  } finally {
    pool?.close();
  }
}

function describe(r: MdResult, folder: string): string {
  const rows = [
    ["atoms", String(r.atoms), ""],
    ["length", `${show(r.picoseconds)} ps`, `${r.steps} steps of ${r.timestep} fs in ${duration(r.seconds)}`],
    ["temperature", `${show(r.temperature.mean)} K`, `± ${show(r.temperature.deviation)} K fluctuation`],
    [
      "potential energy",
      `${r.potential.mean.toFixed(4)} eV`,
      `± ${show(r.potential.deviation)} eV fluctuation`,
    ],
    ["drift", `${show(r.drift.slope)} meV/atom/ps`, `± ${show(r.drift.error)} (regression of the invariant)`],
    ["neighbour lists", String(r.rebuilds), "made"],
  ];
  return `${textTable(["dynamics", "value", "remark"], rows)}\n\n${folder}/trajectory.xyz, thermo.txt`;
}
