import type { Command } from "commander";
import { MODEL, present, withCommons, withPrecision } from "../command.ts";
import type { PrecisionFlag } from "../command.ts";
import { evaluateOnce, openModel } from "../engine.ts";
import type { Answer } from "../engine.ts";
import { deviationsOf, withDeviations } from "../deviations.ts";
import { refuseFrames } from "../files.ts";
import { describeGrades, gradeFrame, warnStrange, withGrades } from "../grades.ts";
import { createProgress } from "../progress.ts";
import { readStructures, relabel, withUnits } from "../structures.ts";
import type { Former, UnitFlags } from "../structures.ts";
import { writeFrames } from "../../io/files.node.ts";
import { demandGuard, findGuard } from "../../potentials/extrapolation/find.ts";
import type { Frame } from "../../structure/structure.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags, PrecisionFlag {
  readonly output?: string;
  readonly grades?: boolean;
  readonly deviations: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit predict: energies, forces and stress of structures. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit predict model.surfit in.xyz -o out.xyz", "energies, forces and stress of every frame"],
      ["surfit predict model.surfit in.xyz --json", "the same as JSON"],
      ["surfit predict model.surfit in.xyz --grades", "and how far each frame leaves the training data"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structures...>", "files of structures")
    .option(
      "-o, --output <file>",
      "frames with the predictions; labels that were there become REF_energy, REF_forces; with an outside program, whose results are references themselves, before_energy and so on",
    )
    .option("--grades", "grade each atom by how far it leaves the training data")
    .option("--no-deviations", "leave out standard deviations, which cost more than predictions")
    .option("--force", "overwrite the output")
    .action(run);
  withPrecision(command);
}

async function run(modelFile: string, files: string[], flags: Flags): Promise<void> {
  if (flags.output) refuseFrames(flags.output, flags.force);
  const { potential, model, device, program } = await openModel(modelFile, flags.precision);
  const guard = flags.grades ? demandGuard(model, potential, device, modelFile) : undefined;
  const frames = await readStructures(files, flags);
  const progress = createProgress();
  const answers = frames.map((frame, k) => {
    progress.update(k / frames.length, `frame ${k} of ${frames.length}`);
    return evaluateOnce(potential, frame.structure, frame.place);
  });
  if (!guard) warnStrange(findGuard(model, potential, device), frames, "--grades tells where and why");
  const deviations = frames.map(({ structure }, k) => {
    if (!flags.deviations) return null;
    progress.update(k / frames.length, `standard deviations, frame ${k} of ${frames.length}`);
    return deviationsOf(potential, structure);
  });
  const former = program ? "before_" : "REF_";
  const graded = guard && frames.map(({ structure, place }) => gradeFrame(guard, structure, place));
  progress.done();
  if (flags.output)
    await writeFrames(
      flags.output,
      frames.map((frame, k) =>
        withDeviations(
          withGrades(withDipole(relabel(frame, answers[k], former), answers[k], former), graded?.[k]),
          deviations[k],
        ),
      ),
    );
  const certain = deviations.some((sigma) => sigma !== null);
  const rows = frames.map(({ place, structure }, k) => {
    const strongest = answers[k].forces.reduce((most, f) => Math.max(most, Math.abs(f)), 0);
    const sigma = certain ? [show(deviations[k]?.energy ?? NaN)] : [];
    return [place, String(structure.numbers.length), answers[k].energy.toFixed(6), ...sigma, show(strongest)];
  });
  const sigma = certain ? ["± (eV)"] : [];
  const table = textTable(
    ["frame", "atoms", "energy (eV)", ...sigma, "largest force component (eV/Å)"],
    rows,
  );
  const json = frames.map(({ place }, k) => ({
    place,
    ...answers[k],
    ...(deviations[k] && {
      deviation: deviations[k].energy,
      ...(deviations[k].forces && { forceDeviations: deviations[k].forces }),
    }),
    ...(graded && { grades: graded[k].grades, worst: graded[k].worst }),
  }));
  const said = flags.output ? `${frames.length} frames written to ${flags.output}` : table;
  present({ text: graded ? `${said}\n\n${describeGrades(graded)}` : said, json }, flags.json);
}

/** The frame with its dipole, e Å, as ASE reads it; one that was there becomes REF_dipole, or before_dipole. */
function withDipole(frame: Frame, { dipole }: Answer, former: Former): Frame {
  if (!dipole) return frame;
  const { dipole: before, ...info } = frame.info;
  return {
    ...frame,
    info: { ...info, ...(before !== undefined && { [`${former}dipole`]: before }), dipole: [...dipole] },
  };
}
