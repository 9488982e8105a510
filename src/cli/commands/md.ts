import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { startPool } from "../../node.ts";
import { GradedPotential } from "../../potentials/extrapolation/graded.ts";
import { demandGuard, findGuard } from "../../potentials/extrapolation/find.ts";
import type { Guard } from "../../potentials/extrapolation/grader.ts";
import { graders } from "../../potentials/extrapolation/table.ts";
import { ParallelPotential } from "../../potentials/parallel.ts";
import type { Potential } from "../../potentials/potential.ts";
import { withCharges, withChargesOf } from "../charges.ts";
import type { ChargesFlag } from "../charges.ts";
import {
  EXIT,
  MODEL,
  atLeastOne,
  count,
  positive,
  present,
  refuseIdle,
  withCommons,
  withPrecision,
} from "../command.ts";
import type { Idle } from "../command.ts";
import { deviationsOf } from "../deviations.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import type { Engine } from "../engine.ts";
import { stem } from "../files.ts";
import { warnStrange } from "../grades.ts";
import { createProgress } from "../progress.ts";
import { ensembles } from "../../run/ensembles.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { duration, show, textTable } from "../table.ts";
import { runDynamics } from "../trajectory.ts";
import { idleIn, withThermostat } from "../dynamics-options.ts";
import type { MdOptions, MdResult, Span } from "../dynamics-options.ts";
import { freeEnergyOf, samplingOf, withSampling } from "../sampling.ts";
import type { Parts, SamplingFlags } from "../sampling.ts";
import { writeHills, writeHillsProfile } from "../free-energy.ts";
import { boardOf, placeOf, runWalkers } from "../walkers.ts";
import type { Place, WalkersFlags } from "../walkers.ts";
import { ExtrapolationWatch } from "../watch.ts";
import type { WatchResult } from "../watch.ts";

/** surfit md: molecular dynamics. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit md model.surfit start.xyz --temperature 300 --time 10", "10 ps at constant energy"],
      ["surfit md model.surfit start.xyz --ensemble nvt --temperature 500", "with a Langevin thermostat"],
      ["surfit md model.surfit bulk.xyz --ensemble npt --cell full --pressure 1", "constant pressure"],
      ["surfit md model.surfit start.xyz --ensemble bussi --temperature 300..900", "heated evenly"],
      ["surfit md model.surfit start.xyz -o start-md --restart", "go on where it stopped"],
      ["surfit md model.surfit start.xyz --time 100 --harvest new.xyz", "collect what the model never saw"],
      ["surfit md model.surfit start.xyz --stop-on-extrapolation 1", "stop where it is far outside"],
      ["surfit md model.surfit starts.xyz --walkers 4 --time 50", "four runs, of the frames in turn"],
      ['surfit md model.surfit start.xyz --bias "wall(distance(1,2); above=3; k=5)"', "an energy added"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame is the start; walkers start from all in turn")
    .addOption(new Option("--ensemble <name>", ENSEMBLES).choices(Object.keys(ensembles)).default("nve"))
    .option("--temperature <K>", "of the starting velocities and the thermostat; 300..600: a ramp", span, 300)
    .option("--time <ps>", "length of the run", positive, 1)
    .option("--pressure <GPa>", "of a barostat; 0..5: a ramp", anySpan, 0)
    .option("--pressure-period <fs>", "time constant of a barostat", positive, 1000)
    .option(
      "--compressibility <1/GPa>",
      "of the substance, about: the pace of npt-rescaling (default: 0.01; water 0.45)",
      positive,
    )
    .addOption(
      new Option("--cell <what>", "what of the cell moves with npt")
        .choices(["isotropic", "axes", "full"])
        .default("isotropic"),
    )
    .option("--seed <n>", "of velocities and noise", count, 1)
    .option("--walkers <n>", "so many runs with seeds of their own, the frames of the file in turn", count)
    .option("--jobs <n>", "walkers at once, each a process of its own; default: all cores", count)
    .addOption(new Option("--walker <k/n>", "which of them this is").argParser(placeOf).hideHelp())
    .option("--threads <n>", "default: all cores", atLeastOne)
    .option("--every <steps>", "steps between frames of the trajectory", count, 20)
    .option("--thermo <steps>", "steps between lines of the thermo table", count, 10)
    .option(
      "--deviations",
      "write standard deviations into the trajectory: energy_deviation, and force_deviation of atoms",
    )
    .option(
      "-o, --output <folder>",
      "where trajectory.xyz, thermo.txt and the checkpoint go (default: <structure>-md)",
    )
    .addOption(
      new Option("--grade <name>", `how far atoms leave the training data: ${GRADES}`)
        .choices(Object.keys(graders))
        .default("range"),
    )
    .option(
      "--stop-on-extrapolation <grade>",
      "end the run when an atom has this grade, exit code 4",
      positive,
    )
    .option("--harvest <file.xyz>", "add frames with such atoms to a file, each kind of surroundings once")
    .option("--harvest-above <grade>", `what is worth harvesting (default: ${NOTEWORTHY})`, positive)
    .option("--checkpoint <s>", "between checkpoints", positive, 30)
    .option("--restart", "go on from the checkpoint in the folder; the result is the same to the bit")
    .option("--force", "overwrite a folder that is there")
    .action(run);
  withSampling(withCharges(withThermostat(command))).option(
    "--bins <n>",
    "of the free energy that metadynamics gives",
    count,
    50,
  );
  withPrecision(command);
}

const ENSEMBLES = Object.entries(ensembles)
  .map(([name, { summary }]) => `${name}: ${summary}`)
  .join("; ");

/** "300" or "300..600". */
function anySpan(text: string): Span {
  const ends = text.split("..").map((word) => (word.trim() === "" ? NaN : Number(word)));
  if (ends.length > 2 || !ends.every(Number.isFinite))
    throw new InvalidArgumentError("A number, or two as in 300..600, is expected.");
  return ends.length === 1 ? ends[0] : [ends[0], ends[1]];
}

/** The same above zero. */
function span(text: string): Span {
  const found = anySpan(text);
  if (typeof found === "number" ? found > 0 : Math.min(...found) > 0) return found;
  throw new InvalidArgumentError("Positive numbers are expected.");
}

const GRADES = Object.values(graders)
  .map(({ name, summary }) => `${name}: ${summary}`)
  .join("; ");

const NOTEWORTHY = Object.values(graders)
  .map(({ name, noteworthy }) => `${noteworthy} for ${name}`)
  .join(", ");

/** Up to this many atoms one thread works alone. */
const ALONE = 200;

type Named = Omit<MdOptions, "folder" | "structure" | "model" | "watch" | "certainty" | "sampling">;

interface Flags extends Named, UnitFlags, SamplingFlags, ChargesFlag {
  readonly bins: number;
  readonly grade: string;
  readonly stopOnExtrapolation?: number;
  readonly harvest?: string;
  readonly harvestAbove?: number;
  readonly deviations?: boolean;
  readonly output?: string;
  readonly threads?: number;
  readonly walkers?: number;
  readonly jobs?: number;
  readonly walker?: Place;
  readonly json?: boolean;
}

/** Whether runs of walkers do not wait for each other. */
const independent = ({ walkers, metadynamics }: Flags): boolean =>
  walkers !== undefined && metadynamics === undefined;

/** Options that are told in vain. */
const idleOf = (flags: Flags, watched: boolean): Idle[] => [
  ...idleIn(flags.ensemble),
  ["bins", "--metadynamics", flags.metadynamics !== undefined],
  ["jobs", "--walkers, and no --metadynamics,", independent(flags)],
  ["grade", "--stop-on-extrapolation or --harvest", watched],
  ["harvestAbove", "--stop-on-extrapolation or --harvest", watched],
];

/** Metadynamics is of one temperature, and must have the time to lay a hill. */
function demandHills({ ensemble, time, timestep }: Flags, every: number): void {
  const those = Object.keys(ensembles).filter((name) => ensembles[name].canonical);
  if (!those.includes(ensemble))
    throw invalid("--ensemble", `${those.join(" or ")} with --metadynamics`, ensemble);
  const steps = Math.round((1000 * time) / timestep);
  if (every > steps) throw invalid("--metadynamics", `every= within the ${steps} steps of the run`, every);
}

async function run(modelFile: string, file: string, flags: Flags, command: Command): Promise<void> {
  const watched = flags.stopOnExtrapolation !== undefined || flags.harvest !== undefined;
  refuseIdle(command, idleOf(flags, watched));
  const frames = await readStructures([file], flags);
  const frame = frames[(flags.walker?.walker ?? 0) % frames.length];
  const engine = withChargesOf(await openModel(modelFile, flags.precision), flags, frame);
  const { model, hash, potential, program } = engine;
  refuseStrangers(potential, frame.structure, frame.place);
  const folder = flags.output ?? `${stem(file)}-md`;
  const board = flags.walker && boardOf(folder, flags.walker);
  const sampling = samplingOf(flags, frame.structure, flags.temperature, engine.device, board);
  if (sampling?.told) demandHills(flags, sampling.told.every);
  if (flags.walkers && !flags.walker) return walk(folder, { ...flags, walkers: flags.walkers }, sampling);
  if (!watched)
    warnStrange(findGuard(model, potential, engine.device), [frame], "the run means nothing there");
  const { threads, precision } = flags;
  // The bits do not depend on the threads, so a small system need not pay for starting them.
  const pool =
    threads !== 1 && !program && frame.structure.numbers.length > ALONE
      ? await startPool({ threads, precision })
      : undefined;
  const guard = watched ? guardOf(engine, flags, modelFile) : undefined;
  const plain = pool ? await ParallelPotential.create(model, pool, guard && flags.grade) : potential;
  const { surface, watch } = guard ? watchOf(plain, guard, flags) : { surface: plain };
  const progress = createProgress();
  try {
    const result = await runDynamics(
      surface,
      {
        ...flags,
        folder,
        structure: frame.structure,
        model: hash,
        ...(watch && { watch }),
        ...(sampling && { sampling }),
        ...(flags.deviations && { certainty: certaintyOf(potential, frame.structure, modelFile) }),
      },
      progress,
    );
    const exitCode = result.extrapolation?.stopped ? EXIT.extrapolation : EXIT.ok;
    const { warning } = ensembles[flags.ensemble];
    // A walker alone knows only a part of it.
    const freeEnergy = sampling && !flags.walker ? await profileOf(sampling, folder, flags) : undefined;
    const text = [
      describe(result, folder, ensembles[flags.ensemble].barostat),
      ...(freeEnergy ? [freeEnergy.text] : []),
      ...(warning ? [`warning: ${warning}`] : []),
    ].join("\n");
    const json = { folder, ...result, ...(freeEnergy && { freeEnergy: freeEnergy.profile }) };
    present({ text, json, exitCode }, flags.json);
  } finally {
    pool?.close();
  }
}

/** Several runs instead of one. */
async function walk(folder: string, flags: Flags & WalkersFlags, sampling: Parts | undefined): Promise<void> {
  if (flags.harvest)
    throw invalid("--harvest", "one run, not --walkers: they would share a file", flags.harvest);
  if (flags.stopOnExtrapolation !== undefined && sampling?.told)
    throw invalid(
      "--stop-on-extrapolation",
      "walkers that lay no hills: those wait for each other",
      flags.stopOnExtrapolation,
    );
  present(await runWalkers(folder, flags, sampling, createProgress()), flags.json);
}

/** The free energy of a run of metadynamics, written to its folder. */
async function profileOf(sampling: Parts, folder: string, { temperature, bins }: Flags) {
  if (sampling.told) await writeHills(sampling.told.hills, folder);
  const profile = freeEnergyOf(sampling, [folder], Number(temperature), bins);
  return profile && { profile, text: await writeHillsProfile(profile, sampling.told!.hills, folder) };
}

/** Standard deviations of frames; a model that knows none is an InputError. */
function certaintyOf(potential: Potential, structure: Structure, place: string) {
  if (deviationsOf(potential, structure)) return (s: Structure) => deviationsOf(potential, s);
  throw invalid("--deviations", `a model that knows its standard deviations`, place);
}

/** What grades atoms as the flags ask; a model that cannot is an InputError. */
function guardOf({ model, device, potential }: Engine, { grade }: Flags, place: string): Guard {
  const guard = demandGuard(model, potential, device, place);
  if (!potential.gradeBy(grade))
    throw invalid("--grade", `a grade that ${place} knows (${guard.names.join(", ")})`, grade);
  return guard;
}

function watchOf(plain: Potential, guard: Guard, flags: Flags) {
  const surface = new GradedPotential(plain);
  const { grade, stopOnExtrapolation: stop, harvest, harvestAbove = graders[grade].noteworthy } = flags;
  const options = { grade, above: harvestAbove, ...(stop && { stop }), ...(harvest && { harvest }) };
  return { surface, watch: new ExtrapolationWatch(surface, guard, options) };
}

/** Where a run left the training data, and what was done about it. */
function extrapolationRows(r: WatchResult): string[][] {
  return [
    [`largest ${r.grade} grade`, show(r.largest), `at step ${r.step}; ${r.noteworthy} steps worth a look`],
    ...(r.harvested > 0 || r.added > 0 ? [["harvest", `+${r.added}`, `${r.harvested} frames`]] : []),
  ];
}

/** Why a run ended before its time. */
function explain({ extrapolation }: MdResult, folder: string): string[] {
  if (!extrapolation?.stopped) return [];
  const s = extrapolation.stopped;
  const grades = Object.entries(s.grades).map(([name, g]) => `${name} grade ${show(g)}`);
  return [
    "",
    `stopped at step ${s.step}: atom ${s.atom} (${symbolOf(s.element)}), ${grades.join(", ")}`,
    `  ${s.feature} = ${show(s.value)}, in training ${show(s.min)} … ${show(s.max)}` +
      (s.nearest === null ? "" : `; nearest training frame ${s.nearest}`),
    `  ${folder}/extrapolation.xyz holds the frame; to go on all the same: --restart and a higher grade`,
  ];
}

function describe(r: MdResult, folder: string, moves: boolean): string {
  const rows = [
    ["atoms", String(r.atoms), ""],
    ["length", `${show(r.picoseconds)} ps`, `${r.steps} steps of ${r.timestep} fs in ${duration(r.seconds)}`],
    ["temperature", `${show(r.temperature.mean)} K`, `± ${show(r.temperature.deviation)} K fluctuation`],
    [
      "potential energy",
      `${r.potential.mean.toFixed(4)} eV`,
      `± ${show(r.potential.deviation)} eV fluctuation`,
    ],
    ...(r.pressure && r.volume
      ? [
          ["pressure", `${show(r.pressure.mean)} GPa`, `± ${show(r.pressure.deviation)} GPa fluctuation`],
          [
            "volume",
            `${show(r.volume.mean, 6)} Å³`,
            moves ? `± ${show(r.volume.deviation)} Å³ fluctuation` : "",
          ],
        ]
      : []),
    ["drift", `${show(r.drift.slope)} meV/atom/ps`, `± ${show(r.drift.error)} (regression of the invariant)`],
    ["neighbour lists", String(r.rebuilds), "made"],
    ...Object.entries(r.variables ?? {}).map(([name, { mean, error }]) => [
      name,
      mean.toFixed(5),
      `± ${show(error)} (standard error, by blocks)`,
    ]),
    ...(r.extrapolation ? extrapolationRows(r.extrapolation) : []),
  ];
  const table = textTable(["dynamics", "value", "remark"], rows);
  return [table, ...explain(r, folder), "", `${folder}/trajectory.xyz, thermo.txt`].join("\n");
}
