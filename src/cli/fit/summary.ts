import { join } from "node:path";
import { ERROR_HEAD, detailRows, errorRows, verdict } from "../errors.ts";
import { gradeFacts, gradeLines } from "../grades.ts";
import { renderReport } from "../report/report.ts";
import type { Curve, Facts, ReportData } from "../report/report.ts";
import type { CurvePoint, SetName } from "../report/figures.ts";
import type { Report } from "../../fit/trainer.ts";
import type { ZblOptions } from "../../potentials/zbl.ts";
import { pairName } from "../../structure/statistics.ts";
import { duration, show, textTable } from "../table.ts";
import { closedFormFacts, closedFormLines, FOLD_HEAD, foldRows } from "./closed-form.ts";
import type { FinishedJob } from "./job.ts";
import { solvedFacts, solvedText } from "./solved.ts";
import { CURVE } from "./log.ts";
import { atomRows, compositions } from "./plan.ts";

/** Sets that have frames, in order. */
const setsOf = ({ prepared }: FinishedJob): SetName[] =>
  (["train", "validation", "test"] as const).filter((set) => prepared.split[set].length > 0);

const judgementOf = (job: FinishedJob) =>
  Object.fromEntries(setsOf(job).map((set) => [set, job.result.metrics[set]]));

/** The end of a fit in text: error tables, verdict. */
export function describeFit(job: FinishedJob, folder: string): string {
  const judgement = judgementOf(job);
  const details = detailRows(judgement).filter(([set]) => set === "test");
  return [
    textTable(ERROR_HEAD, errorRows(judgement)),
    ...(details.length ? ["", textTable(ERROR_HEAD, details)] : []),
    "",
    verdict(judgement).text,
    ...closedFormText(job),
    ...(job.result.solved ? solvedText(job.result.solved) : []),
    ...gradeLines(job.graded, heldOf(job).frames),
    "",
    `${folder}/: model.surfit, report.html, fit.yaml, train.log, metrics.jsonl, ${CURVE}, predicted-*.xyz.gz`,
  ].join("\n");
}

/** How well a fit in closed form is determined, with the errors of every part left out. */
function closedFormText({ result: { closedForm } }: FinishedJob): string[] {
  if (!closedForm) return [];
  const table = closedForm.folds.length > 1 ? [textTable(FOLD_HEAD, foldRows(closedForm))] : [];
  return ["", ...table, ...closedFormLines(closedForm), ""];
}

/** The end of a fit for programs. */
export function summariseFit(job: FinishedJob, folder: string): Record<string, unknown> {
  const { prepared, result, seconds, notes } = job;
  return {
    folder,
    model: join(folder, "model.surfit"),
    frames: Object.fromEntries(setsOf(job).map((set) => [set, prepared.split[set].length])),
    metrics: judgementOf(job),
    verdict: verdict(judgementOf(job)).text,
    bestEpoch: result.trained.bestEpoch,
    ended: result.trained.why,
    ...(result.closedForm && { closedForm: result.closedForm }),
    ...(result.solved && { solved: result.solved }),
    grades: job.graded.map(({ place, largest, worst }) => ({ place, largest, worst })),
    seconds,
    notes,
  };
}

const milli = (x: number | null | undefined): number => (x === null || x === undefined ? NaN : 1000 * x);

function curves({ result }: FinishedJob): Curve[] {
  const { history } = result.trained;
  const points = (value: (r: Report) => number): CurvePoint[] =>
    history.map((r) => ({ epoch: r.epoch, value: value(r) })).filter((p) => Number.isFinite(p.value));
  return [
    {
      quantity: "force RMSE",
      unit: "meV/Å",
      sets: [
        { set: "train", points: points((r) => milli(r.train?.forces?.rmse)) },
        { set: "validation", points: points((r) => milli(r.validation?.forces)) },
      ],
    },
    {
      quantity: "energy RMSE",
      unit: "meV/atom",
      sets: [
        { set: "train", points: points((r) => milli(r.train?.energyPerAtom?.rmse)) },
        { set: "validation", points: points((r) => milli(r.validation?.energy)) },
      ],
    },
    {
      quantity: "virial RMSE",
      unit: "meV/atom",
      sets: [
        { set: "train", points: points((r) => milli(r.train?.virialPerAtom?.rmse)) },
        { set: "validation", points: points((r) => milli(r.validation?.stress)) },
      ],
    },
  ];
}

function facts({ prepared }: FinishedJob): Facts[] {
  const { learned, dataset, statistics, known, resolved } = prepared;
  const { zbl: found } = resolved.model;
  const zbl = typeof found === "object" ? (found as ZblOptions) : undefined;
  const pairs = Object.entries(statistics.shortest).map(([pair, r]) => {
    const radii = zbl?.pairs[pair];
    return [pairName(pair), r.toFixed(3), ...(radii ? [radii.inner.toFixed(3), radii.outer.toFixed(3)] : [])];
  });
  const atoms = atomRows(prepared).map((row, e) => [...row, String(learned.sizes[e] ?? "")]);
  const tables = [
    {
      title: "Elements",
      head: ["element", "energy of the isolated atom (eV)", "source", "features"],
      rows: atoms,
      note: `${dataset.elements.length} ${dataset.elements.length === 1 ? "element" : "elements"}; ${learned.term.type} model on top of ${known.terms.map((t) => t.type).join(", ")}.`,
    },
    {
      title: "Shortest distances of the training set",
      head: ["pair", "shortest (Å)", ...(zbl ? ["ZBL full inside (Å)", "ZBL ends at (Å)"] : [])],
      rows: pairs,
      ...(zbl && { note: "Closer than the data show, the screened nuclear repulsion takes over." }),
    },
  ];
  // A single atom has no pairs.
  return tables.filter(({ rows }) => rows.length > 0);
}

const leastSquares = ({ result: { closedForm } }: FinishedJob): Facts[] =>
  closedForm ? [closedFormFacts(closedForm)] : [];

/** How far the held-out frames leave the training data. */
function extrapolation(job: FinishedJob): Facts[] {
  const { set, frames } = heldOf(job);
  return job.graded.length > 0 ? [gradeFacts(job.graded, set, frames)] : [];
}

/** The held-out set that is graded, and its frames. */
function heldOf({ prepared: { split } }: FinishedJob): { readonly set: SetName; readonly frames: number } {
  const set = split.test.length > 0 ? "test" : "validation";
  return { set, frames: split[set].length };
}

/** The report page of a finished fit; `more` adds facts such as the drift of a run. */
export function reportOf(
  job: FinishedJob,
  about: { readonly title: string; readonly version: string; readonly date: string },
  more: readonly Facts[] = [],
): string {
  const { frames, prepared, result } = job;
  const { test, validation } = result.metrics;
  const held = test.frames > 0 ? test : validation;
  const { descriptor, regressor } = prepared.resolved.model;
  const sizes = setsOf(job).map((set) => prepared.split[set].length);
  const tiles: (readonly [string, string])[] = [
    ["force MAE, held out", held.all.forces ? `${show(1000 * held.all.forces.mae)} meV/Å` : "–"],
    ["energy MAE, held out", held.all.energy ? `${show(1000 * held.all.energy.mae)} meV` : "–"],
    [`frames: ${setsOf(job).join(" / ")}`, sizes.join(" / ")],
    ["time to train", duration(job.seconds)],
  ];
  const data: ReportData = {
    title: about.title,
    subtitle: `${compositions(prepared)}; ${descriptor.name} + ${regressor.name}, ${prepared.plan.parameters} parameters; surfit ${about.version}, ${about.date}`,
    tiles,
    judgement: judgementOf(job),
    judged: setsOf(job).map((set) => ({
      set,
      frames: prepared.split[set].map((f) => frames[f]),
      comparisons: prepared.split[set].map((f) => result.compare(f)),
    })),
    curves: curves(job),
    facts: [
      ...more,
      ...leastSquares(job),
      ...(result.solved ? solvedFacts(result.solved) : []),
      ...extrapolation(job),
      ...facts(job),
    ],
    notes: job.notes,
    configuration: job.configuration,
    provenance: provenanceOf(job),
  };
  return renderReport(data);
}

/** What made the model, without what the page shows elsewhere. */
function provenanceOf({ result }: FinishedJob): Record<string, unknown> {
  const { options: _options, metrics: _metrics, ...rest } = result.model.provenance;
  return rest;
}
