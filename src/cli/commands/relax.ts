import { Option } from "commander";
import type { Command } from "commander";
import { writeFrames } from "../../io/files.node.ts";
import { bfgs, fire, lbfgs, preconditioned, relax } from "../../run/relax.ts";
import type { Descent, Relaxed, RelaxOptions } from "../../run/relax.ts";
import type { CellMotion } from "../../run/barostats.ts";
import { relaxCell } from "../../run/cell-relaxation.ts";
import type { Simulation } from "../../run/simulation.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { count, finite, positive, present, refuseIdle, withCommons, withPrecision } from "../command.ts";
import type { PrecisionFlag } from "../command.ts";
import { evaluateOnce, openModel, refuseStrangers } from "../engine.ts";
import { refuseFrames, stem } from "../files.ts";
import { createProgress } from "../progress.ts";
import { readStructures, relabel, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

type Method = (structure: Structure, potential: Potential, options?: RelaxOptions) => Simulation<Descent>;

const methods: Readonly<Record<string, Method>> = {
  lbfgs,
  preconditioned,
  bfgs,
  fire,
};

interface Flags extends UnitFlags, PrecisionFlag {
  readonly output?: string;
  readonly method: string;
  readonly fmax: number;
  readonly steps: number;
  readonly cell?: CellMotion;
  readonly pressure: number;
  readonly smax: number;
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
    ]),
  )
    .argument("<model>", "model file")
    .argument("<structures...>", "files of structures")
    .option("-o, --output <file>", "relaxed frames (default: <structures>-relaxed.xyz)")
    .addOption(
      new Option("--method <name>", "how the atoms move").choices(Object.keys(methods)).default("lbfgs"),
    )
    .option("--fmax <eV/Å>", "stop when no force on an atom is larger", positive, 0.01)
    .option("--steps <n>", "give up after so many", count, 1000)
    .addOption(
      new Option("--cell <what>", "relax the cell too, by L-BFGS").choices(["isotropic", "axes", "full"]),
    )
    .option("--pressure <GPa>", "with --cell", finite, 0)
    .option("--smax <GPa>", "with --cell: stop when stress plus pressure is smaller", positive, 0.05)
    .option("--force", "overwrite the output")
    .action(run);
  withPrecision(command);
}

/** The minimum by the method that the flags ask for. */
function minimum(
  potential: Potential,
  structure: Structure,
  { cell, pressure, smax, fmax, steps, method }: Flags,
  watch: (state: Descent) => void,
): Relaxed {
  if (!cell) return relax(methods[method](structure, potential), structure, { fmax, steps, watch });
  return relaxCell(structure, potential, { cell, pressure, smax, fmax, steps, watch });
}

async function run(modelFile: string, files: string[], flags: Flags, command: Command): Promise<void> {
  refuseIdle(command, [
    ["pressure", "--cell", flags.cell !== undefined],
    ["smax", "--cell", flags.cell !== undefined],
    ["method", "a cell that stays as it is", flags.cell === undefined, `--cell ${flags.cell}`],
  ]);
  const output = flags.output ?? `${stem(files[0])}-relaxed.xyz`;
  refuseFrames(output, flags.force);
  const { potential } = await openModel(modelFile, flags.precision);
  const frames = await readStructures(files, flags);
  const progress = createProgress();
  const results = frames.map((frame, k) => {
    refuseStrangers(potential, frame.structure, frame.place);
    const watch = (s: Descent) =>
      progress.update((k + s.step / flags.steps) / frames.length, `${frame.place}: ${show(s.maxForce)} eV/Å`);
    const { structure } = frame;
    const start = evaluateOnce(potential, structure, frame.place).energy;
    return { start, ...minimum(potential, structure, flags, watch) };
  });
  progress.done();
  const relaxed = frames.map((frame, k) => {
    const { structure } = results[k];
    return relabel(
      { ...frame, structure, energy: undefined, forces: undefined, stress: undefined },
      evaluateOnce(potential, structure, frame.place),
    );
  });
  await writeFrames(output, relaxed);
  const failed = results.filter((r) => !r.converged).length;
  const rows = results.map((r, k) => [
    frames[k].place,
    r.converged ? "yes" : "no",
    String(r.steps),
    r.energy.toFixed(6),
    show(r.energy - r.start),
    show(r.maxForce),
  ]);
  const head = ["frame", "converged", "steps", "energy (eV)", "change (eV)", "largest force (eV/Å)"];
  const note = failed ? `\n\n${failed} of ${frames.length} did not reach ${flags.fmax} eV/Å` : "";
  const json = { output, frames: results.map((r, k) => ({ place: frames[k].place, ...r })) };
  present(
    { text: `${textTable(head, rows)}\n\n${output}${note}`, json, exitCode: failed ? 3 : 0 },
    flags.json,
  );
}
