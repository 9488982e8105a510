import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import type { Mean } from "../../run/analysis/blocks.ts";
import type { Frame } from "../../structure/structure.ts";
import { dielectric, dipolesOf, infrared } from "../analysis/dipoles.ts";
import { distributions } from "../analysis/distributions.ts";
import type { Reach } from "../analysis/distributions.ts";
import { pageOf, tableOf } from "../analysis/findings.ts";
import type { Findings } from "../analysis/findings.ts";
import { diffusion, velocities } from "../analysis/motion.ts";
import { FEWEST, motionsOf } from "../analysis/series.ts";
import { thermodynamics } from "../analysis/thermo.ts";
import { withCharges } from "../charges.ts";
import type { ChargesFlag } from "../charges.ts";
import { count, positive, present, withCommons } from "../command.ts";
import { refuseExisting, stem, writeWhole } from "../files.ts";
import { createProgress } from "../progress.ts";
import type { Progress } from "../progress.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { bytes, textTable } from "../table.ts";

interface Flags extends UnitFlags, ChargesFlag, Reach {
  readonly output?: string;
  readonly interval?: number;
  readonly temperature?: number;
  readonly skip: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit analyse: distributions, diffusion, spectra and fluctuations of a trajectory. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      [
        "surfit analyse start-md",
        "a run of surfit md: its trajectory, and heat capacity from its thermo.txt",
      ],
      ["surfit analyse start-md/trajectory.xyz", "radial distributions, diffusion, spectra"],
      ["surfit analyse start-md --skip 200 --angles 2.8", "after equilibration; with angles"],
      ["surfit analyse water-md --charges O=-0.82,H=0.41", "infrared spectrum and dielectric constant"],
    ]),
  )
    .argument(
      "<trajectory>",
      "frames at even intervals, positions not wrapped into the cell, as surfit md writes; or the folder of surfit md",
    )
    .option("-o, --output <folder>", "where the tables and analysis.html go (default: <trajectory>-analysis)")
    .option("--cutoff <Å>", "of the radial distributions", positive, 8)
    .option("--angles <Å>", "longest bond of angular distributions (default: none)", positive)
    .option("--interval <fs>", "between frames (default: from their time_fs)", positive)
    .option("--temperature <K>", "of infrared and dielectric (default: that of the velocities)", positive)
    .option("--skip <frames>", "to leave out at the start", count, 0)
    .option("--force", "overwrite the folder's files")
    .action(run);
  withCharges(command);
}

async function run(given: string, flags: Flags): Promise<void> {
  const isFolder = existsSync(given) && statSync(given).isDirectory();
  const file = isFolder ? join(given, "trajectory.xyz") : given;
  const thermo = isFolder ? join(given, "thermo.txt") : undefined;
  const all = await readStructures([file], flags);
  const frames = all.slice(flags.skip);
  if (frames.length === 0) throw invalid("--skip", `fewer than the ${all.length} frames`, flags.skip);
  const folder = flags.output ?? `${isFolder ? given.replace(/\/+$/, "") : stem(file)}-analysis`;
  const progress = createProgress();
  const size = frames[0].structure.positions.byteLength * 2 * frames.length;
  progress.report(`${frames.length} frames of ${frames[0].structure.numbers.length} atoms, ${bytes(size)}`);
  const found = [...analyses(file, frames, thermo, flags, progress)];
  progress.done();
  const parts = found.flatMap((f) => f.parts ?? []);
  const files = [
    ...parts.map((part) => [join(folder, part.file), tableOf(part)] as const),
    [join(folder, "analysis.html"), pageOf(given, found)] as const,
  ];
  for (const [name] of files) refuseExisting(name, flags.force);
  // oxlint-disable-next-line no-await-in-loop -- small files, one after another
  for (const [name, text] of files) await writeWhole(name, text);
  const rows = found.flatMap((f) => f.rows ?? []);
  const text = [
    ...(rows.length > 0 ? [textTable(["quantity", "value", "error"], rows), ""] : []),
    `${folder}/: ${parts.map((p) => p.file).join(", ")}, analysis.html`,
    ...found.flatMap((f) => f.notes ?? []),
  ].join("\n");
  const json = Object.assign({}, ...found.map((f) => f.json ?? {})) as Readonly<Record<string, unknown>>;
  present({ text, json: { folder, frames: frames.length, ...json, parts } }, flags.json);
}

/** One analysis after another. */
function* analyses(
  file: string,
  frames: readonly Frame[],
  thermo: string | undefined,
  flags: Flags,
  progress: Progress,
): Generator<Findings> {
  yield distributions(frames, flags, (done) => progress.update(done, "distributions"));
  if (thermo) yield thermodynamics(thermo, Number(frames[0].info["time_fs"] ?? 0) / 1000);
  const dipoles = dipolesOf(frames, flags.charges);
  if (frames.length < FEWEST) {
    yield { notes: [`fewer than ${FEWEST} frames: no diffusion, no spectrum`] };
    return;
  }
  const moving = motionsOf(frames, flags.interval, file);
  progress.update(null, "displacements");
  yield diffusion(moving, frames[0]);
  progress.update(null, "spectra");
  const shaken = velocities(moving, frames);
  yield shaken;
  if (!dipoles) return;
  const T = flags.temperature ?? (shaken.json?.["velocityTemperature"] as Mean | undefined)?.mean;
  yield dielectric(frames, dipoles, T);
  yield infrared({ interval: moving.positions.interval, dipoles }, T);
}
