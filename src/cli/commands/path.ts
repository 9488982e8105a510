import { join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { defaultThreads } from "../../device/pool.ts";
import { invalid } from "../../error.ts";
import { writeFrames } from "../../io/files.node.ts";
import { startPool } from "../../node.ts";
import type { Potential } from "../../potentials/potential.ts";
import { band, highest } from "../../run/path/band.ts";
import type { BandState } from "../../run/path/band.ts";
import { imagesBy } from "../../run/path/images.ts";
import type { Images } from "../../run/path/images.ts";
import { evenDistances, laidOver, straight } from "../../run/path/interpolation.ts";
import { profileOf } from "../../run/path/profile.ts";
import type { Profile } from "../../run/path/profile.ts";
import { string } from "../../run/path/string.ts";
import { lbfgs, relax } from "../../run/relax.ts";
import type { Point } from "../../run/surface.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { EXIT, MODEL, atLeastOne, count, positive, present, refuseIdle, withCommons } from "../command.ts";
import type { Idle } from "../command.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import type { Engine } from "../engine.ts";
import { refuseExisting, stem, writeWhole } from "../files.ts";
import { FIXED, fixedAtoms } from "../fixed-atoms.ts";
import { sourceOf } from "../force-constants.ts";
import type { ThreadsFlag } from "../force-constants.ts";
import { Lookout, gradesJson, withLookout } from "../lookout.ts";
import type { LookoutFlags } from "../lookout.ts";
import { createProgress } from "../progress.ts";
import type { Progress } from "../progress.ts";
import { profileFigure } from "../report/figures.ts";
import { escape, page, section } from "../report/page.ts";
import { framesOf, readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags, LookoutFlags, ThreadsFlag {
  readonly output?: string;
  readonly method: "neb" | "string";
  readonly optimiser: "lbfgs" | "fire";
  readonly images: number;
  readonly climb: boolean;
  readonly start: "even" | "straight" | "file";
  readonly relaxEnds: boolean;
  readonly spring: number;
  readonly fmax: number;
  readonly steps: number;
  readonly fixed?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit path: minimum energy path between two structures. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit path model.surfit reactant.xyz product.xyz", "climbing-image NEB with 9 images"],
      ["surfit path model.surfit a.xyz b.xyz --images 15 --fmax 0.01", "finer and tighter"],
      ["surfit path model.surfit path.xyz --start file", "from a path of its own, ends included"],
      ["surfit path model.surfit a.xyz b.xyz --method string", "the string method"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structures...>", "reactant and product: two files, or one file; its first and last frame")
    .option("-o, --output <folder>", "where path.xyz, saddle.xyz and path.html go (default: <reactant>-path)")
    .addOption(new Option("--method <name>", "how").choices(["neb", "string"]).default("neb"))
    .addOption(
      new Option("--optimiser <name>", "of the band; both take back what makes the forces grow")
        .choices(["lbfgs", "fire"])
        .default("lbfgs"),
    )
    .option("--images <n>", "images, ends included", count, 9)
    .option("--no-climb", "leave the highest image where the springs put it")
    .addOption(
      new Option(
        "--start <what>",
        "first path: distances change evenly (IDPP), a straight line, or the file's frames",
      )
        .choices(["even", "straight", "file"])
        .default("even"),
    )
    .option("--no-relax-ends", "take the ends as they are")
    .option("--spring <eV/Å²>", "of the band", positive, 5)
    .option("--fmax <eV/Å>", "stop when no force across the path is larger", positive, 0.03)
    .option("--steps <n>", "give up after so many", count, 1000)
    .option(...FIXED)
    .option("--threads <n>", "images at once (default: all cores)", atLeastOne)
    .option("--force", "overwrite the folder's files")
    .action(run);
  withLookout(command);
}

/** A path under way, of either method. */
interface Walk {
  readonly images: readonly Point[];
  maxForce: number;
  step: number;
  evaluations: number;
  /** Whether an image left the training data as far as to stop. */
  readonly stopped: boolean;
}

async function run(modelFile: string, files: string[], flags: Flags, command: Command): Promise<void> {
  const { method, start } = flags;
  refuseIdle(command, [
    ...["optimiser", "spring", "climb"].map((name): Idle => [name, "--method neb", method === "neb", method]),
    ["images", "a first path that is made", start !== "file", "--start file"],
    ["grade", "--stop-on-extrapolation", flags.stopOnExtrapolation !== undefined],
  ]);
  if (flags.images < 3) throw invalid("--images", "3 or more, ends included", flags.images);
  const opened = await openModel(modelFile);
  const lookout = new Lookout(opened, flags, modelFile);
  const engine = { ...opened, potential: lookout.surface };
  const frames = await readStructures(files, flags);
  if (frames.length < 2) throw invalid(files[0], "a reactant and a product", "one frame");
  const folder = flags.output ?? `${stem(files[0])}-path`;
  const names = ["path.xyz", "saddle.xyz", "path.html"].map((name) => join(folder, name));
  for (const name of names) refuseExisting(name, flags.force);
  for (const { structure, place } of frames) {
    refuseStrangers(engine.potential, structure, place);
    refuseOthers(frames[0].structure, structure, place);
  }
  const fixed = fixedAtoms(flags.fixed, frames[0]);
  const progress = createProgress();
  const first = firstPath(
    frames.map((f) => f.structure),
    engine,
    fixed,
    flags,
    progress,
  );
  const { structure } = frames[0];
  const team = await gather(modelFile, opened, structure, first.length, flags);
  lookout.alarm();
  let walk: Walk;
  try {
    const stop = () => lookout.alarm();
    walk = follow(structure, first, engine, { fixed, images: team?.images, stop }, flags, progress);
  } finally {
    team?.close();
  }
  progress.done();
  const profile = profileOf(walk.images);
  const sighting = lookout.look(framesOf(structure, walk.images));
  const path = sighting.frames;
  const top = highest(walk.images);
  await writeWhole(names[2], html(profile, walk, `${modelFile}: ${files.join(" → ")}`));
  await writeFrames(names[0], path);
  await writeFrames(names[1], [path[top]]);
  const converged = walk.maxForce <= flags.fmax;
  const { step: steps, maxForce, evaluations } = walk;
  const json = {
    folder,
    converged,
    steps,
    maxForce,
    evaluations,
    saddle: top,
    ...profile,
    stopped: walk.stopped,
    grades: gradesJson(sighting.grades),
  };
  const stopped = walk.stopped ? ["stopped where an image left the training data"] : [];
  const text = [describe(profile, walk, folder, flags), ...stopped, ...sighting.notes].join("\n");
  const end = converged ? EXIT.ok : EXIT.numerical;
  present({ text, json, exitCode: walk.stopped ? EXIT.extrapolation : end }, flags.json);
}

/** Atoms times images from which threads of a model save more than they cost to start. */
const WORTH = 500;

/** Threads for the images, where they pay; they do not grade, so a path that is to stop by grades walks on one. */
async function gather(
  modelFile: string,
  { model, program }: Engine,
  structure: Structure,
  images: number,
  { threads = defaultThreads(), stopOnExtrapolation }: Flags,
): Promise<{ readonly images: Images | undefined; close(): void } | null> {
  const source = sourceOf(modelFile, model, program);
  const work = images * structure.numbers.length;
  if (threads === 1 || !source || stopOnExtrapolation !== undefined || (!program && work < WORTH))
    return null;
  const pool = await startPool({ threads: Math.min(threads, images) });
  return { images: await imagesBy(pool, source, structure, images), close: () => pool.close() };
}

/** Refuses a structure whose atoms are not those of the first, one by one. */
function refuseOthers({ numbers }: Structure, { numbers: own }: Structure, place: string): void {
  const other = own.findIndex((z, i) => z !== numbers[i]);
  if (own.length === numbers.length && other < 0) return;
  const found =
    own.length === numbers.length
      ? `${symbolOf(own[other])} for ${symbolOf(numbers[other])} as atom ${other + 1}`
      : `${own.length} atoms for ${numbers.length}`;
  throw invalid(place, "the same atoms in the same order as the first structure", found);
}

/** Å; ends no farther from each other than this in any coordinate are one. */
const SAME = 0.01;

/** Images of the first path; the ends relaxed, the product laid over the reactant. */
function firstPath(
  structures: readonly Structure[],
  { potential, device }: Pick<Engine, "device"> & { readonly potential: Potential },
  fixed: readonly number[],
  flags: Flags,
  progress: Progress,
): Float64Array[] {
  const ended = (structure: Structure): Structure => {
    if (!flags.relaxEnds) return structure;
    progress.update(null, "relaxing the ends");
    const until = { fmax: flags.fmax / 3, steps: flags.steps };
    const found = relax(lbfgs(structure, potential, { fixed }), structure, until);
    if (found.converged) return found.structure;
    throw invalid(
      "surfit path",
      `ends that relax to ${flags.fmax / 3} eV/Å in ${flags.steps} steps`,
      `${show(found.maxForce)} eV/Å`,
    );
  };
  const reactant = ended(structures[0]);
  const last = ended(structures[structures.length - 1]);
  // Where atoms are fixed, the whole is not free to turn.
  const laid = (s: Structure) =>
    fixed.length > 0 && !s.pbc.some(Boolean) ? s.positions : laidOver(reactant, s);
  const product = laid(last);
  for (const i of fixed)
    if ([0, 1, 2].some((k) => Math.abs(product[3 * i + k] - reactant.positions[3 * i + k]) > SAME))
      throw invalid("--fixed", "atoms that are in the same place in both ends", `atom ${i + 1}`);
  if (flags.start === "file") return [reactant.positions, ...structures.slice(1, -1).map(laid), product];
  if (product.every((x, i) => Math.abs(x - reactant.positions[i]) < SAME))
    throw invalid("surfit path", "two different minima", "ends that come to the same one");
  const line = straight(reactant.positions, product, flags.images);
  return flags.start === "straight" ? line : evenDistances(reactant, line, device, { fixed });
}

/** What a walk is told beside its flags. */
interface Company {
  readonly fixed: readonly number[];
  readonly images: Images | undefined;
  readonly stop: () => boolean;
}

function follow(
  structure: Structure,
  first: Float64Array[],
  { potential }: { readonly potential: Potential },
  { fixed, images, stop }: Company,
  flags: Flags,
  progress: Progress,
): Walk {
  const { spring, climb, steps, fmax } = flags;
  const company = { fixed, ...(images && { images }) };
  const simulation =
    flags.method === "neb"
      ? band(structure, first, () => potential, { spring, climb, method: flags.optimiser, ...company })
      : string(structure, first, () => potential, company);
  const state = simulation.init() as BandState;
  let stopped = stop();
  while (!stopped && state.step < steps && !(state.maxForce <= fmax && (state.climbing ?? 0) >= 0)) {
    (simulation as { step(s: BandState): void }).step(state);
    progress.update(state.step / steps, `step ${state.step}: ${show(state.maxForce)} eV/Å`);
    stopped = stop();
    if (!climb && state.maxForce <= fmax) break;
  }
  return { ...state, stopped };
}

function describe(profile: Profile, walk: Walk, folder: string, { fmax }: Flags): string {
  const { lengths, energies, forward, backward } = profile;
  const rows = [...energies].map((e, k) => [String(k), lengths[k].toFixed(3), e.toFixed(4)]);
  const end = walk.maxForce <= fmax ? "converged" : "not converged";
  return [
    textTable(["image", "length (Å)", "energy (eV)"], rows),
    "",
    `barrier ${forward.toFixed(4)} eV, back ${backward.toFixed(4)} eV, reaction energy ${energies[energies.length - 1].toFixed(4)} eV`,
    `${end}: ${show(walk.maxForce)} eV/Å across the path after ${walk.step} steps, ${walk.evaluations} evaluations`,
    `${folder}/: path.xyz, saddle.xyz, path.html`,
  ].join("\n");
}

function html(profile: Profile, walk: Walk, title: string): string {
  const { forward, backward } = profile;
  return page(
    title,
    `<h1>${escape(title)}</h1>`,
    section(
      "Energy along the path",
      `<p>Barrier ${forward.toFixed(4)} eV, back ${backward.toFixed(4)} eV; ${walk.step} steps, largest force across the path ${show(walk.maxForce)} eV/Å.</p>`,
      `<figure>${profileFigure(profile).svg}<figcaption>Points: images; line: cubic pieces with the images' energies and slopes.</figcaption></figure>`,
    ),
  );
}
