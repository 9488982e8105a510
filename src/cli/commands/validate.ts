import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { findGuard } from "../../potentials/extrapolation/find.ts";
import { battery } from "../../run/validation/battery.ts";
import type { Subject, Verdict } from "../../run/validation/check.ts";
import { lbfgs, relax } from "../../run/relax.ts";
import type { Structure } from "../../structure/structure.ts";
import { EXIT, MODEL, count, positive, present, withCommons } from "../command.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import { createProgress } from "../progress.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags {
  readonly time: number;
  readonly timestep: number;
  readonly seed: number;
  readonly fmax: number;
  readonly json?: boolean;
}

/** surfit validate: whether a model is fit for dynamics. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      [
        "surfit validate model.surfit structure.xyz",
        "dimers, squeezing, strains, drift, hot runs: a verdict",
      ],
      ["surfit validate model.surfit structure.xyz --time 10", "longer runs"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument(
      "<structure>",
      "file whose first frame is of the kind that the model is for; it is relaxed first",
    )
    .option("--time <ps>", "length of each of the four runs", positive, 2)
    .option("--timestep <fs>", "Δt", positive, 0.5)
    .option("--seed <n>", "of velocities, noise and strains", count, 1)
    .option("--fmax <eV/Å>", "of the relaxation", positive, 0.01)
    .action(run);
}

/** The grade that tells how far atoms leave their training ranges. */
const GRADE = "range";

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  const { model, device, potential } = await openModel(modelFile);
  const [frame] = await readStructures([file], flags);
  refuseStrangers(potential, frame.structure, frame.place);
  const progress = createProgress();
  progress.update(null, "relaxing");
  const found = relax(lbfgs(frame.structure, potential), frame.structure, { fmax: flags.fmax, steps: 1000 });
  if (!found.converged)
    throw invalid(
      frame.place,
      `a structure that relaxes to ${flags.fmax} eV/Å in 1000 steps`,
      `${show(found.maxForce)} eV/Å`,
    );
  const guard = findGuard(model, potential, device);
  const grade = (structure: Structure) => Math.max(...guard!.grade(structure)[GRADE]);
  const subject: Subject = {
    potential,
    structure: found.structure,
    energy: found.energy,
    seed: flags.seed,
    time: 1000 * flags.time,
    timestep: flags.timestep,
    ...(guard?.names.includes(GRADE) && { grade }),
  };
  const verdicts: Verdict[] = [];
  for (const verdict of battery(subject)) {
    verdicts.push(verdict);
    progress.report(`${mark(verdict)}  ${verdict.check}: ${verdict.value}`);
    // oxlint-disable-next-line no-await-in-loop -- an interrupt is heard between checks
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  progress.done();
  const failed = verdicts.filter((v) => v.passed === false);
  const ready = failed.length === 0;
  const rows = verdicts.map((v) => [v.check, mark(v), v.value, v.limit, v.remark]);
  const text = [
    textTable(["check", "", "found", "asked", "remark"], rows),
    "",
    ready
      ? "ready: the model passes every check"
      : `NOT ready: ${failed.length} of ${verdicts.length} checks failed`,
  ].join("\n");
  present({ text, json: { ready, verdicts }, exitCode: ready ? EXIT.ok : EXIT.numerical }, flags.json);
}

const mark = ({ passed }: Verdict): string => (passed === null ? "–" : passed ? "pass" : "FAIL");
