import { mkdirSync } from "node:fs";
import { Option } from "commander";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { readVariable, refuseDegrees } from "../../potentials/bias/variable.ts";
import type { Variable } from "../../potentials/bias/variable.ts";
import { ensembles } from "../../run/ensembles.ts";
import { MODEL, atLeastOne, count, positive, present, refuseIdle, withCommons } from "../command.ts";
import { idleIn, withThermostat } from "../dynamics-options.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import type { Engine } from "../engine.ts";
import { refuseExisting, stem } from "../files.ts";
import { createProgress } from "../progress.ts";
import type { Progress } from "../progress.ts";
import { place } from "../sampling.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { presentSlopes, readSlopes } from "../umbrella/held.ts";
import { describeOnto, labelWindows, readOnto } from "../umbrella/onto.ts";
import { looseOf, presentUmbrellas, readUmbrellas } from "../umbrella/sampled.ts";
import { prepareWindows, sampleWindows } from "../umbrella/windows.ts";
import type { WindowFlags } from "../umbrella/windows.ts";

interface Flags extends UnitFlags, Omit<WindowFlags, "k"> {
  readonly variable: string;
  readonly from: number;
  readonly to: number;
  readonly windows: number;
  readonly k?: number;
  readonly bins: number;
  readonly onto?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Ensembles that hold a temperature at constant volume. */
const THERMOSTATS = Object.entries(ensembles)
  .filter(([name, { barostat, warning }]) => name !== "nve" && !barostat && !warning)
  .map(([name]) => name);

/** surfit umbrella: free energy along a variable by umbrella sampling. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      [
        'surfit umbrella model.surfit start.xyz --variable "distance(1,2)" --from 1 --to 3 --windows 12 --k 10',
        "twelve windows, then WHAM and MBAR",
      ],
      [
        'surfit umbrella model.surfit start.xyz --variable "dihedral(1,2,3,4)" --from -180deg --to 150deg --windows 12 --k 0.5',
        "all round",
      ],
      [
        'surfit umbrella model.surfit start.xyz --variable "distance(1,2)" --from 1 --to 3 --windows 12 --fixed',
        "held at each place, the mean force integrated",
      ],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame is the start of the first window")
    .requiredOption("--variable <text>", "distance(1,2), dihedral(1,2,3,4), distance(1,2)-distance(3,4), …")
    .requiredOption("--from <s>", "centre of the first window; degrees as in 120deg", place)
    .requiredOption("--to <s>", "centre of the last", place)
    .requiredOption("--windows <n>", "how many, evenly spaced", count)
    .option("--k <eV/unit²>", "force constant of ½ k (s − s₀)²", positive)
    .option("--fixed", "hold the variable at each place and integrate its mean force, instead of --k")
    .option("--time <ps>", "of each window, equilibration included", positive, 5)
    .option("--equilibration <ps>", "left out at the start of each", positive, 0.5)
    .addOption(new Option("--ensemble <name>", "thermostat").choices(THERMOSTATS).default("nvt"))
    .option("--temperature <K>", "of the thermostat", positive, 300)
    .option("--seed <n>", "of velocities and noise; window k takes the k-th after it", count, 1)
    .option("--record <steps>", "between values of the variable", count, 10)
    .option("--every <steps>", "between frames of the trajectories; 0: none", count, 0)
    .option("--bins <n>", "of the profile", atLeastOne, 50)
    .option(
      "--onto <potential>",
      "the profile on this surface too, from single points of the frames (--every)",
    )
    .option("--jobs <n>", "windows that run at once, each a process of its own", atLeastOne, 1)
    .option("-o, --output <folder>", "where windows and the profile go (default: <structure>-umbrella)")
    .option("--restart", "go on with what is in the folder; a longer --time lengthens every window")
    .option("--force", "overwrite a folder that is there")
    .action(run);
  withThermostat(command);
}

/** What pulls the starts of windows that are held, eV per square of the variable's unit. */
const PULL = 20;

async function run(modelFile: string, file: string, given: Flags, command: Command): Promise<void> {
  const engine = await openModel(modelFile);
  const [frame] = await readStructures([file], given);
  refuseStrangers(engine.potential, frame.structure, frame.place);
  const variable = readVariable(given.variable, engine.device, "--variable");
  variable.demand(frame.structure);
  check(given);
  refuseIdle(command, idleIn(given.ensemble));
  for (const option of ["from", "to"] as const) refuseDegrees(variable, given[option], `--${option}`);
  const flags = { ...given, k: given.k ?? PULL };
  const folder = flags.output ?? `${stem(file)}-umbrella`;
  if (!flags.restart) refuseExisting(folder, flags.force);
  mkdirSync(folder, { recursive: true });
  const centres = Array.from(
    { length: flags.windows },
    (_, k) => flags.from + ((flags.to - flags.from) * k) / (flags.windows - 1),
  );
  const progress = createProgress();
  await prepareWindows(frame.structure, engine, variable, centres, folder, flags, progress);
  await sampleWindows(modelFile, variable, centres, folder, flags, progress);
  const found = await (flags.fixed ? integrated : sampled)(
    engine,
    variable,
    centres,
    folder,
    flags,
    progress,
  );
  progress.done();
  present(found, flags.json);
}

function check({ windows, equilibration, time, fixed, k, onto, every }: Flags): void {
  if (windows < 2) throw invalid("--windows", "2 or more", windows);
  if (!(equilibration < time))
    throw invalid("--equilibration", `less than the ${time} ps of a window`, equilibration);
  if (!fixed && k === undefined)
    throw invalid("--k", "the force constant of the umbrellas, or --fixed", "neither");
  if (onto && (fixed || every === 0))
    throw invalid("--onto", "umbrellas whose frames are kept (--every 100)", fixed ? "--fixed" : "--every 0");
}

type Windows = (
  engine: Engine,
  variable: Variable,
  centres: readonly number[],
  folder: string,
  flags: Flags & WindowFlags,
  progress: Progress,
) => Promise<{ readonly text: string; readonly json: unknown }>;

/** Windows with umbrellas: WHAM and MBAR. */
const sampled: Windows = async (engine, variable, centres, folder, flags, progress) => {
  const all = readUmbrellas(folder, variable, centres, flags);
  const { found } = all;
  const { onto: name } = flags;
  if (name) await labelWindows(name, centres.length, folder, flags, progress);
  const onto = name ? await readOnto(name, engine, variable, all, folder, flags) : undefined;
  const text = await presentUmbrellas(all, variable, centres, folder, onto);
  const { wham, mbar, overlaps, inefficiencies } = found;
  return {
    text: onto ? `${text}\n${describeOnto(onto, found.centres)}` : text,
    json: {
      folder,
      centres,
      overlaps,
      inefficiencies,
      profile: { s: found.centres, mbar, wham },
      loose: looseOf(found),
      ...(onto && { onto }),
    },
  };
};

/** Windows with the variable held: the mean force, integrated. */
const integrated: Windows = async (_, variable, centres, folder, flags) => {
  const found = readSlopes(folder, variable, centres, flags);
  const text = await presentSlopes(found, variable, centres, folder);
  const { slopes, energies, errors } = found;
  return { text, json: { folder, centres, slopes, profile: { s: centres, energies, errors } } };
};
