import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { writeFrames } from "../../io/files.node.ts";
import type { Potential } from "../../potentials/potential.ts";
import { hessian } from "../../run/hessian.ts";
import { profileOf } from "../../run/path/profile.ts";
import { reactionCoordinate } from "../../run/path/reaction-coordinate.ts";
import { lbfgs, relax } from "../../run/relax.ts";
import type { Relaxed } from "../../run/relax.ts";
import { dimer } from "../../run/saddle/dimer.ts";
import { prfo } from "../../run/saddle/prfo.ts";
import { withoutFixed } from "../../run/saddle/quadratic.ts";
import type { Simulation } from "../../run/simulation.ts";
import type { Point } from "../../run/surface.ts";
import { vibrations } from "../../run/vibrations.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import { EXIT, MODEL, count, positive, present, refuseIdle, withCommons } from "../command.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import { refuseExisting, stem, writeWhole } from "../files.ts";
import { FIXED, fixedAtoms } from "../fixed-atoms.ts";
import { exactly, withHessian } from "../force-constants.ts";
import type { HessianFlag } from "../force-constants.ts";
import { Lookout, gradesJson, withLookout } from "../lookout.ts";
import type { LookoutFlags } from "../lookout.ts";
import { createProgress } from "../progress.ts";
import type { Progress } from "../progress.ts";
import { profileFigure } from "../report/figures.ts";
import { escape, page, section } from "../report/page.ts";
import { framesOf, readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show } from "../table.ts";

interface Flags extends UnitFlags, HessianFlag, LookoutFlags {
  readonly output?: string;
  readonly method: "prfo" | "dimer";
  readonly irc?: boolean;
  readonly ircStep: number;
  readonly fmax: number;
  readonly steps: number;
  readonly seed: number;
  readonly fixed?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit saddle: first-order saddle point near a structure, and the way down both sides. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit saddle model.surfit guess-path/saddle.xyz", "P-RFO, then verified by its vibrations"],
      ["surfit saddle model.surfit guess.xyz --method dimer", "without force constants"],
      ["surfit saddle model.surfit guess.xyz --irc", "and down the reaction coordinate both ways"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame is the guess")
    .option(
      "-o, --output <folder>",
      "where saddle.xyz, irc.xyz, minima.xyz, irc.html go (default: <structure>-refined)",
    )
    .addOption(
      new Option("--method <name>", "prfo: with force constants; dimer: without")
        .choices(["prfo", "dimer"])
        .default("prfo"),
    )
    .option("--irc", "walk down both sides to the minima that it joins")
    .option("--irc-step <√amu Å>", "length of a step of the walk", positive, 0.1)
    .option("--fmax <eV/Å>", "stop when no force on an atom is larger", positive, 1e-3)
    .option("--steps <n>", "give up after so many", count, 300)
    .option("--seed <n>", "of the dimer's first direction", count, 1)
    .option(...FIXED)
    .option("--force", "overwrite the folder's files")
    .action(run);
  withLookout(withHessian(command));
}

interface Searching extends Point {
  step: number;
  maxForce: number;
  evaluations: number;
}

async function run(modelFile: string, file: string, flags: Flags, command: Command): Promise<void> {
  refuseIdle(command, [
    ["ircStep", "--irc", flags.irc === true],
    ["seed", "--method dimer", flags.method === "dimer", flags.method],
    ["grade", "--stop-on-extrapolation", flags.stopOnExtrapolation !== undefined],
  ]);
  const opened = await openModel(modelFile);
  const lookout = new Lookout(opened, flags, modelFile);
  const engine: Walker = { potential: lookout.surface, stop: () => lookout.alarm() };
  const [frame] = await readStructures([file], flags);
  const { structure, place } = frame;
  const fixed = fixedAtoms(flags.fixed, frame);
  refuseStrangers(engine.potential, structure, place);
  const folder = flags.output ?? `${stem(file)}-refined`;
  const names = ["saddle.xyz", "irc.xyz", "minima.xyz", "irc.html"].map((name) => join(folder, name));
  for (const name of names) refuseExisting(name, flags.force);
  const progress = createProgress();
  const found = search(structure, engine, fixed, flags, progress);
  const saddle = { ...structure, positions: found.positions };
  const exact = exactly(modelFile, engine.potential, saddle, flags);
  const H = withoutFixed(exact ?? hessian(saddle, engine.potential), fixed);
  const { external } = engine.potential;
  const { wavenumbers, modes } = vibrations(saddle, H, { external, fixed });
  const negative = [...wavenumbers].filter((w) => w < 0);
  const genuine = found.maxForce <= flags.fmax && negative.length === 1;
  mkdirSync(folder, { recursive: true });
  const sighting = lookout.look(framesOf(structure, [found]));
  await writeFrames(names[0], sighting.frames);
  const walks =
    flags.irc && genuine ? walkDown(saddle, engine, fixed, H, modes[0], flags, progress) : undefined;
  progress.done();
  const valleys = walks && lookout.look(minimaOf(walks));
  if (walks)
    await writeWalks(
      walks,
      valleys!.frames,
      structure,
      names,
      `${modelFile}: reaction coordinate through ${file}`,
    );
  const { energy, step: steps, maxForce, evaluations } = found;
  const fallen = walks?.sides.map((side) => side.minimum.energy - energy);
  const json = {
    folder,
    genuine,
    energy,
    steps,
    maxForce,
    evaluations,
    wavenumbers,
    stopped: found.stopped,
    grades: gradesJson(sighting.grades),
    ...(walks && { ends: walks.sides.map(({ end }) => end.energy - energy), minima: fallen }),
  };
  const text = [
    `energy ${energy.toFixed(6)} eV, ${show(maxForce)} eV/Å after ${steps} steps, ${evaluations} evaluations`,
    `imaginary modes: ${negative.length === 0 ? "none" : negative.map((w) => `${(-w).toFixed(1)}i`).join(", ")} cm⁻¹`,
    genuine
      ? "a first-order saddle point"
      : `NOT a first-order saddle point: ${faults(found, negative.length, flags).join(", ")}`,
    ...(walks?.sides.map((side, k) => describeSide(side, fallen![k], energy)) ?? []),
    `${folder}/: ${walks ? "saddle.xyz, irc.xyz, minima.xyz, irc.html" : "saddle.xyz"}`,
    ...(found.stopped ? ["stopped where an atom left the training data"] : []),
    ...sighting.notes,
    ...(valleys?.grades ? ["the minima:", ...valleys.notes] : []),
  ].join("\n");
  const end = genuine ? EXIT.ok : EXIT.numerical;
  present({ text, json, exitCode: found.stopped ? EXIT.extrapolation : end }, flags.json);
}

/** Why what was found is no saddle point. */
const faults = ({ maxForce }: Searching, imaginary: number, { fmax }: Flags): string[] => [
  ...(maxForce > fmax ? [`${show(maxForce)} eV/Å left, not below ${fmax}`] : []),
  ...(imaginary === 1 ? [] : [`${imaginary} imaginary modes`]),
];

/** The surface to walk on, and whether it is left where the model knows it. */
interface Walker {
  readonly potential: Potential;
  readonly stop: () => boolean;
}

function search(
  structure: Structure,
  { potential, stop }: Walker,
  fixed: readonly number[],
  flags: Flags,
  progress: Progress,
): Searching & { readonly stopped: boolean } {
  const simulation: Simulation<Searching> =
    flags.method === "prfo"
      ? prfo(structure, potential, { exact: flags.hessian !== "differences", fixed })
      : dimer(structure, potential, { seed: flags.seed, fixed });
  const state = simulation.init();
  let stopped = stop();
  while (!stopped && state.step < flags.steps && state.maxForce > flags.fmax) {
    simulation.step(state);
    progress.update(state.step / flags.steps, `step ${state.step}: ${show(state.maxForce)} eV/Å`);
    stopped = stop();
  }
  return { ...state, stopped };
}

/** Steps down one side, at most. */
const LONGEST = 1000;

/** One side of a saddle point: how far the walk went, and the minimum that lies there. */
interface Side {
  readonly end: Point;
  /** √amu Å. */
  readonly length: number;
  readonly minimum: Relaxed;
}

interface Walks {
  /** From one end over the saddle point to the other. */
  readonly images: readonly Point[];
  readonly sides: readonly Side[];
}

/** Down both sides, and from both ends to the minima. */
function walkDown(
  saddle: Structure,
  { potential }: Walker,
  fixed: readonly number[],
  H: Float64Array,
  mode: Float64Array,
  { ircStep, fmax }: Flags,
  progress: Progress,
): Walks {
  const walks = ([-1, 1] as const).map((side) => {
    const simulation = reactionCoordinate(saddle, potential, H, mode, side, { step: ircStep, fixed });
    const state = simulation.init();
    const images = [snapshot(state)];
    while (!state.ended && state.step < LONGEST) {
      simulation.step(state);
      if (!state.ended) images.push(snapshot(state));
      progress.update(null, `reaction coordinate: ${state.length.toFixed(2)} √amu Å`);
    }
    const end = images[images.length - 1];
    progress.update(null, "relaxing the end");
    const start = { ...saddle, positions: end.positions };
    return {
      images,
      end,
      length: state.length,
      minimum: relax(lbfgs(start, potential, { fixed }), start, { fmax, steps: LONGEST }),
    };
  });
  const [back, on] = walks;
  return { images: [...back.images.toReversed(), ...on.images.slice(1)], sides: walks };
}

function describeSide({ end, length, minimum }: Side, fallen: number, top: number): string {
  const rest = minimum.converged ? "" : `, not relaxed: ${show(minimum.maxForce)} eV/Å`;
  return `reaction coordinate: down ${(top - end.energy).toFixed(4)} eV in ${length.toFixed(2)} √amu Å; the minimum there lies at ${fallen.toFixed(4)} eV${rest}`;
}

/** Both minima as frames. */
const minimaOf = ({ sides }: Walks): Frame[] =>
  sides.map(({ minimum: { structure, energy, forces } }, k) => ({
    structure,
    energy,
    forces,
    info: {},
    arrays: {},
    place: `minimum ${k}`,
  }));

async function writeWalks(
  { images }: Walks,
  valleys: readonly Frame[],
  structure: Structure,
  [, irc, minima, html]: readonly string[],
  title: string,
): Promise<void> {
  await writeFrames(irc, framesOf(structure, images));
  await writeFrames(minima, valleys);
  const figure = profileFigure(profileOf(images)).svg;
  const caption = "Points: steps down from the saddle point on both sides; the length is that in plain Å.";
  const body = `<figure>${figure}<figcaption>${caption}</figcaption></figure>`;
  await writeWhole(
    html,
    page(title, `<h1>${escape(title)}</h1>`, section("Energy along the reaction coordinate", body)),
  );
}

const snapshot = (p: Point): Point => ({
  ...p,
  positions: p.positions.slice(),
  forces: p.forces.slice(),
  virial: p.virial.slice(),
});
