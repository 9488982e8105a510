import { existsSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { invalid } from "../error.ts";
import type { HillsProfile } from "../run/free-energy/hills-profile.ts";
import { EXIT } from "./command.ts";
import type { MdResult } from "./dynamics-options.ts";
import { refuseExisting } from "./files.ts";
import { writeHills, writeHillsProfile } from "./free-energy.ts";
import { HillBoard, laidHills } from "./hill-board.ts";
import { runJobs } from "./jobs.ts";
import type { Progress } from "./progress.ts";
import { freeEnergyOf } from "./sampling.ts";
import type { Parts } from "./sampling.ts";
import { show, textTable } from "./table.ts";

/** Which of how many walkers a process is, from 0 on. */
export interface Place {
  readonly walker: number;
  readonly of: number;
}

/** Reads "2/4". */
export function placeOf(text: string): Place {
  const found = /^([1-9]\d*)\/([1-9]\d*)$/.exec(text);
  if (!found || Number(found[1]) > Number(found[2]))
    throw new InvalidArgumentError("One of several, as in 2/4, is expected.");
  return { walker: Number(found[1]) - 1, of: Number(found[2]) };
}

/** The folder of a walker, from 0 on. */
const folderOf = (folder: string, k: number): string =>
  join(folder, `walker-${String(k + 1).padStart(2, "0")}`);

const hillsOf = (folder: string, walkers: number): string[] =>
  Array.from({ length: walkers }, (_, k) => join(folderOf(folder, k), "hills.log"));

/** Where a walker's process meets the others, whose folders are beside its own. */
export const boardOf = (own: string, { walker, of }: Place): HillBoard =>
  new HillBoard(hillsOf(join(own, ".."), of), walker);

/** What runs of several walkers are told. */
export interface WalkersFlags {
  readonly walkers: number;
  readonly jobs?: number;
  readonly seed: number;
  readonly temperature: unknown;
  readonly bins: number;
  readonly restart?: boolean;
  readonly force?: boolean;
}

/** What they came to. */
export interface Walkers {
  readonly text: string;
  readonly exitCode: number;
  readonly json: {
    readonly folder: string;
    readonly walkers: readonly MdResult[];
    readonly freeEnergy?: HillsProfile;
  };
}

/** Flags that each walker's process is given anew. */
const OWN = new Set(["--restart", "--force", "--json"]);

/** Runs this very command once for each walker, each a process with its own seed, folder and checkpoint. */
export async function runWalkers(
  folder: string,
  flags: WalkersFlags,
  sampling: Parts | undefined,
  progress: Progress,
): Promise<Walkers> {
  const { walkers, restart, force, seed } = flags;
  if (walkers < 2) throw invalid("--walkers", "2 or more", walkers);
  if (!restart) refuseExisting(folder, force);
  const folders = Array.from({ length: walkers }, (_, k) => folderOf(folder, k));
  // Old hills would pass for those of this run.
  if (!restart) for (const file of hillsOf(folder, walkers)) rmSync(file, { force: true });
  const words = process.argv.slice(2).filter((word) => !OWN.has(word));
  const jobs = folders.map((own, k) => ({
    name: `walker ${k + 1}`,
    words: [
      ...words,
      "--walker",
      `${k + 1}/${walkers}`,
      "--seed",
      String(seed + k),
      "--threads",
      "1",
      "--output",
      own,
      restart && existsSync(join(own, "checkpoint")) ? "--restart" : "--force",
    ],
  }));
  // Walkers that lay hills together wait for each other.
  const atOnce = sampling?.told ? walkers : (flags.jobs ?? availableParallelism());
  const printed = await runJobs(jobs, atOnce, "walkers", (done, said) => progress.update(done, said));
  progress.done();
  const results = printed as unknown as readonly MdResult[];
  const found = sampling?.told && (await profileOf(sampling, folder, folders, flags));
  const stopped = results.flatMap(({ extrapolation }, k) => (extrapolation?.stopped ? [k + 1] : []));
  const notes =
    stopped.length > 0 ? ["", `outside the training data, and stopped: walker ${stopped.join(", ")}`] : [];
  return {
    exitCode: stopped.length > 0 ? EXIT.extrapolation : EXIT.ok,
    text: [
      describe(results, seed),
      ...(found ? [found.text] : []),
      ...notes,
      "",
      `${folder}/: walker-*/`,
    ].join("\n"),
    json: { folder, walkers: results, ...(found?.profile && { freeEnergy: found.profile }) },
  };
}

/** The free energy of all walkers together, written to their common folder. */
async function profileOf(
  sampling: Parts,
  folder: string,
  folders: readonly string[],
  { temperature, bins, walkers }: WalkersFlags,
) {
  const { hills } = sampling.told!;
  hills.table = laidHills(hillsOf(folder, walkers));
  await writeHills(hills, folder);
  const profile = freeEnergyOf(sampling, folders, Number(temperature), bins);
  return { profile, text: profile ? await writeHillsProfile(profile, hills, folder) : "" };
}

function describe(results: readonly MdResult[], seed: number): string {
  const rows = results.map(({ steps, temperature, potential, drift }, k) => [
    String(k + 1),
    String(seed + k),
    String(steps),
    `${show(temperature.mean)} ± ${show(temperature.deviation)}`,
    `${potential.mean.toFixed(4)} ± ${show(potential.deviation)}`,
    show(drift.slope),
  ]);
  const head = ["walker", "seed", "steps", "temperature (K)", "potential energy (eV)", "drift (meV/atom/ps)"];
  return textTable(head, rows);
}
