import { Option } from "commander";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { writeFrames } from "../../io/files.node.ts";
import { bfgs, fire, lbfgs, preconditioned, relax } from "../../run/relax.ts";
import type { Descent, Relaxed, RelaxOptions } from "../../run/relax.ts";
import type { CellMotion } from "../../run/barostats.ts";
import { relaxCell } from "../../run/cell-relaxation.ts";
import type { Simulation } from "../../run/simulation.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import {
  EXIT,
  MODEL,
  count,
  finite,
  positive,
  present,
  refuseIdle,
  withCommons,
  withPrecision,
} from "../command.ts";
import type { PrecisionFlag } from "../command.ts";
import { evaluateOnce, openModel, placing, refuseStrangers } from "../engine.ts";
import { refuseFrames, stem } from "../files.ts";
import { FIXED, fixedAtoms } from "../fixed-atoms.ts";
import { Lookout, gradesJson, withLookout } from "../lookout.ts";
import type { LookoutFlags } from "../lookout.ts";
import { createProgress } from "../progress.ts";
import { readStructures, relabel, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

type Method = (structure: Structure, potential: Potential, options?: RelaxOptions) => Simulation<Descent>;

const methods: Readonly<Record<string, readonly [method: Method, summary: string]>> = {
  lbfgs: [lbfgs, "few evaluations"],
  preconditioned: [preconditioned, "the same in the metric of the neighbours, for crystals and surfaces"],
  bfgs: [bfgs, "with a line search, for up to some hundred atoms"],
  fire: [fire, "dynamics that is stopped uphill"],
};

const HELP = Object.entries(methods)
  .map(([name, [, summary]]) => `${name}: ${summary}`)
  .join("; ");

/** Methods that can move the cell. */
const MOVES_CELLS = ["lbfgs", "preconditioned"];

interface Flags extends UnitFlags, PrecisionFlag, LookoutFlags {
  readonly output?: string;
  readonly method: string;
  readonly fmax: number;
  readonly steps: number;
  readonly cell?: CellMotion;
  readonly pressure: number;
  readonly smax: number;
  readonly fixed?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit relax: to the nearest minimum, in a fixed cell or with it. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit relax model.surfit start.xyz -o minimum.xyz", "every frame to its minimum"],
      ["surfit relax model.surfit start.xyz --method fire --fmax 0.001", "with FIRE, tighter"],
      ["surfit relax model.surfit crystal.xyz --cell full --pressure 5", "atoms and cell, at 5 GPa"],
      [
        "surfit relax model.surfit slab.xyz --method preconditioned --fixed 1-16",
        "a surface, its foot fixed",
      ],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structures...>", "files of structures")
    .option("-o, --output <file>", "relaxed frames (default: <structures>-relaxed.xyz)")
    .addOption(new Option("--method <name>", HELP).choices(Object.keys(methods)).default("lbfgs"))
    .option("--fmax <eV/Å>", "stop when no force on an atom is larger", positive, 0.01)
    .option("--steps <n>", "give up after so many", count, 1000)
    .addOption(
      new Option("--cell <what>", "relax the cell too (lbfgs, preconditioned)").choices([
        "isotropic",
        "axes",
        "full",
      ]),
    )
    .option("--pressure <GPa>", "with --cell", finite, 0)
    .option("--smax <GPa>", "with --cell: stop when stress plus pressure is smaller", positive, 0.05)
    .option(...FIXED)
    .option("--force", "overwrite the output")
    .action(run);
  withPrecision(withLookout(command));
}

/** The minimum by the method that the flags ask for. */
function minimum(
  lookout: Lookout,
  frame: Frame,
  { cell, pressure, smax, fmax, steps, method, fixed: text }: Flags,
  watch: (state: Descent) => void,
): Relaxed & { readonly stopped: boolean } {
  const { surface } = lookout;
  const { structure } = frame;
  const fixed = fixedAtoms(text, frame);
  let stopped = false;
  const until = { fmax, steps, watch, stop: () => (stopped = lookout.alarm()) };
  const precondition = method === "preconditioned";
  const found = cell
    ? relaxCell(structure, surface, { ...until, cell, pressure, smax, fixed, precondition })
    : relax(methods[method][0](structure, surface, { fixed }), structure, until);
  return { ...found, stopped };
}

async function run(modelFile: string, files: string[], flags: Flags, command: Command): Promise<void> {
  refuseIdle(command, [
    ["pressure", "--cell", flags.cell !== undefined],
    ["smax", "--cell", flags.cell !== undefined],
    ["grade", "--stop-on-extrapolation", flags.stopOnExtrapolation !== undefined],
  ]);
  if (flags.cell && !MOVES_CELLS.includes(flags.method))
    throw invalid("--method", `${MOVES_CELLS.join(" or ")} with --cell`, flags.method);
  const output = flags.output ?? `${stem(files[0])}-relaxed.xyz`;
  refuseFrames(output, flags.force);
  const engine = await openModel(modelFile, flags.precision);
  const { potential } = engine;
  const lookout = new Lookout(engine, flags, modelFile);
  const frames = await readStructures(files, flags);
  const progress = createProgress();
  const results = frames.map((frame, k) => {
    refuseStrangers(potential, frame.structure, frame.place);
    const start = evaluateOnce(potential, frame.structure, frame.place).energy;
    const watch = (s: Descent) =>
      progress.update((k + s.step / flags.steps) / frames.length, `${frame.place}: ${show(s.maxForce)} eV/Å`);
    const found = placing(frame.place, () => minimum(lookout, frame, flags, watch));
    return { start, ...found };
  });
  progress.done();
  const relaxed = frames.map((frame, k) => {
    const { structure } = results[k];
    return relabel(
      { ...frame, structure, energy: undefined, forces: undefined, stress: undefined },
      evaluateOnce(potential, structure, frame.place),
    );
  });
  const sighting = lookout.look(relaxed);
  await writeFrames(output, sighting.frames);
  const failed = results.filter((r) => !r.converged).length;
  const stopped = results.filter((r) => r.stopped).length;
  const rows = results.map((r, k) => [
    frames[k].place,
    r.stopped ? "stopped" : r.converged ? "yes" : "no",
    String(r.steps),
    r.energy.toFixed(6),
    show(r.energy - r.start),
    show(r.maxForce),
  ]);
  const head = ["frame", "converged", "steps", "energy (eV)", "change (eV)", "largest force (eV/Å)"];
  const text = [
    textTable(head, rows),
    "",
    output,
    ...(failed ? ["", `${failed} of ${frames.length} did not reach ${flags.fmax} eV/Å`] : []),
    ...(stopped ? [`${stopped} of them left the training data and were stopped`] : []),
    ...(sighting.notes.length > 0 ? ["", ...sighting.notes] : []),
  ].join("\n");
  const json = {
    output,
    frames: results.map((r, k) => ({ place: frames[k].place, ...r })),
    grades: gradesJson(sighting.grades),
  };
  const exitCode = stopped ? EXIT.extrapolation : failed ? EXIT.numerical : EXIT.ok;
  present({ text, json, exitCode }, flags.json);
}
