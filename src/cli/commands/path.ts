import { join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { writeFrames } from "../../io/files.node.ts";
import { band, highest } from "../../run/path/band.ts";
import type { BandState } from "../../run/path/band.ts";
import { evenDistances, laidOver, straight } from "../../run/path/interpolation.ts";
import { profileOf } from "../../run/path/profile.ts";
import type { Profile } from "../../run/path/profile.ts";
import { string } from "../../run/path/string.ts";
import { lbfgs, relax } from "../../run/relax.ts";
import type { Point } from "../../run/surface.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { EXIT, count, positive, present, refuseIdle, withCommons } from "../command.ts";
import type { Idle } from "../command.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import type { Engine } from "../engine.ts";
import { refuseExisting, stem, writeWhole } from "../files.ts";
import { createProgress } from "../progress.ts";
import type { Progress } from "../progress.ts";
import { profileFigure } from "../report/figures.ts";
import { escape, page, section } from "../report/page.ts";
import { framesOf, readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags {
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
    .argument("<model>", "model file")
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
    .option("--force", "overwrite the folder's files")
    .action(run);
}

/** A path under way, of either method. */
interface Walk {
  readonly images: readonly Point[];
  maxForce: number;
  step: number;
  evaluations: number;
}

async function run(modelFile: string, files: string[], flags: Flags, command: Command): Promise<void> {
  const { method, start } = flags;
  refuseIdle(command, [
    ...["optimiser", "spring", "climb"].map((name): Idle => [name, "--method neb", method === "neb", method]),
    ["images", "a first path that is made", start !== "file", "--start file"],
  ]);
  if (flags.images < 3) throw invalid("--images", "3 or more, ends included", flags.images);
  const engine = await openModel(modelFile);
  const frames = await readStructures(files, flags);
  if (frames.length < 2) throw invalid(files[0], "a reactant and a product", "one frame");
  const folder = flags.output ?? `${stem(files[0])}-path`;
  const names = ["path.xyz", "saddle.xyz", "path.html"].map((name) => join(folder, name));
  for (const name of names) refuseExisting(name, flags.force);
  for (const { structure, place } of frames) {
    refuseStrangers(engine.potential, structure, place);
    refuseOthers(frames[0].structure, structure, place);
  }
  const progress = createProgress();
  const first = firstPath(
    frames.map((f) => f.structure),
    engine,
    flags,
    progress,
  );
  const { structure } = frames[0];
  const walk = follow(structure, first, engine, flags, progress);
  progress.done();
  const profile = profileOf(walk.images);
  const path = framesOf(structure, walk.images);
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
  };
  present(
    { text: describe(profile, walk, folder, flags), json, exitCode: converged ? EXIT.ok : EXIT.numerical },
    flags.json,
  );
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
  { potential, device }: Engine,
  flags: Flags,
  progress: Progress,
): Float64Array[] {
  const ended = (structure: Structure): Structure => {
    if (!flags.relaxEnds) return structure;
    progress.update(null, "relaxing the ends");
    const found = relax(lbfgs(structure, potential), structure, { fmax: flags.fmax / 3, steps: flags.steps });
    if (found.converged) return found.structure;
    throw invalid(
      "surfit path",
      `ends that relax to ${flags.fmax / 3} eV/Å in ${flags.steps} steps`,
      `${show(found.maxForce)} eV/Å`,
    );
  };
  const reactant = ended(structures[0]);
  const last = ended(structures[structures.length - 1]);
  if (flags.start === "file") {
    const inner = structures.slice(1, -1).map((s) => laidOver(reactant, s));
    return [reactant.positions, ...inner, laidOver(reactant, last)];
  }
  const product = laidOver(reactant, last);
  if (product.every((x, i) => Math.abs(x - reactant.positions[i]) < SAME))
    throw invalid("surfit path", "two different minima", "ends that come to the same one");
  const line = straight(reactant.positions, product, flags.images);
  return flags.start === "straight" ? line : evenDistances(reactant, line, device);
}

function follow(
  structure: Structure,
  first: Float64Array[],
  { potential }: Engine,
  flags: Flags,
  progress: Progress,
): Walk {
  const { spring, climb, steps, fmax } = flags;
  const simulation =
    flags.method === "neb"
      ? band(structure, first, () => potential, { spring, climb, method: flags.optimiser })
      : string(structure, first, () => potential);
  const state = simulation.init() as BandState;
  while (state.step < steps && !(state.maxForce <= fmax && (state.climbing ?? 0) >= 0)) {
    (simulation as { step(s: BandState): void }).step(state);
    progress.update(state.step / steps, `step ${state.step}: ${show(state.maxForce)} eV/Å`);
    if (!climb && state.maxForce <= fmax) break;
  }
  return state;
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
