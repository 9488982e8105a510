import type { Command } from "commander";
import { Metrics } from "../../fit/metrics.ts";
import type { Comparison } from "../../fit/metrics.ts";
import { demandGuard } from "../../potentials/extrapolation/find.ts";
import type { Frame } from "../../structure/structure.ts";
import { MODEL, present, withCommons, withPrecision } from "../command.ts";
import type { PrecisionFlag } from "../command.ts";
import { describeWithin, deviationsOf, withinDeviations } from "../deviations.ts";
import { baselineOf, evaluateOnce, openModel } from "../engine.ts";
import type { Answer } from "../engine.ts";
import { ERROR_HEAD, detailRows, errorRows, verdict, worstFrames } from "../errors.ts";
import { refuseExisting, writeWhole } from "../files.ts";
import { describeGrades, gradeFacts, gradeFrame, insideAndOutside } from "../grades.ts";
import { createProgress } from "../progress.ts";
import { renderReport } from "../report/report.ts";
import { labelOptions, readAllLabelled, withLabels } from "../structures.ts";
import type { LabelFlags } from "../structures.ts";
import { textTable } from "../table.ts";
import { version } from "../version.ts";

interface Flags extends LabelFlags, PrecisionFlag {
  readonly report?: string;
  readonly grades?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit test: how wrong a model is on labelled structures. */
export function define(command: Command): void {
  withLabels(
    withCommons(command, [
      ["surfit test model.surfit other.xyz", "RMSE, MAE, max, relative; by element and config_type"],
      ["surfit test model.surfit other.xyz --report test.html", "with plots"],
      ["surfit test model.surfit other.xyz --grades", "and which frames leave the training data, where"],
    ])
      .argument("<model>", MODEL)
      .argument("<data...>", "files of labelled structures"),
  )
    .option("--report <file>", "write a page with parity plots and histograms")
    .option("--grades", "grade each atom by how far it leaves the training data")
    .option("--force", "overwrite the page")
    .action(run);
  withPrecision(command);
}

function compare(frame: Frame, answer: Answer, baseline: number): Comparison {
  return {
    numbers: frame.structure.numbers,
    place: frame.place,
    ...(frame.configType !== undefined && { configType: frame.configType }),
    baseline,
    ...(frame.energy !== undefined && { energy: [answer.energy, frame.energy] as const }),
    ...(frame.forces && { forces: [answer.forces, frame.forces] as const }),
    ...(frame.stress && answer.stress && { stress: [answer.stress, frame.stress] as const }),
  };
}

async function run(modelFile: string, files: string[], flags: Flags): Promise<void> {
  if (flags.report) refuseExisting(flags.report, flags.force);
  const engine = await openModel(modelFile, flags.precision);
  const guard = flags.grades
    ? demandGuard(engine.model, engine.potential, engine.device, modelFile)
    : undefined;
  const { frames, notes } = await readAllLabelled(files, labelOptions(flags));
  const progress = createProgress();
  const metrics = new Metrics();
  const comparisons = frames.map((frame, k) => {
    progress.update(k / frames.length, `frame ${k} of ${frames.length}`);
    const answer = evaluateOnce(engine.potential, frame.structure, frame.place);
    const comparison = compare(frame, answer, baselineOf(engine, frame.structure));
    metrics.add(comparison);
    return comparison;
  });
  const within = withinDeviations(
    frames.map(({ structure }) => deviationsOf(engine.potential, structure)),
    comparisons,
  );
  const graded = guard && frames.map(({ structure, place }) => gradeFrame(guard, structure, place));
  progress.done();
  const judgement = { test: metrics.result };
  const details = detailRows(judgement);
  if (flags.report)
    await writeWhole(
      flags.report,
      renderReport({
        title: `${modelFile} on ${files.join(", ")}`,
        subtitle: `${frames.length} frames; surfit ${version()}, ${new Date().toISOString().slice(0, 10)}`,
        tiles: [],
        judgement,
        judged: [{ set: "test", frames, comparisons }],
        curves: [],
        facts: graded ? [gradeFacts(graded)] : [],
        notes,
        configuration: "",
        provenance: engine.model.provenance,
      }),
    );
  const text = [
    textTable(ERROR_HEAD, errorRows(judgement)),
    ...(details.length ? ["", textTable(ERROR_HEAD, details)] : []),
    "",
    ...worstFrames(metrics.result).map((line) => `largest error, ${line}`),
    "",
    verdict(judgement).text,
    ...describeWithin(within),
    ...(graded ? ["", describeGrades(graded), ...insideAndOutside(graded, comparisons)] : []),
  ].join("\n");
  const grades = graded?.map(({ place, largest, worst }) => ({ place, largest, worst }));
  present(
    {
      text,
      json: { ...metrics.result, notes, ...(within.length > 0 && { within }), ...(grades && { grades }) },
    },
    flags.json,
  );
}
