import type { FitResult } from "../../fit/fit.ts";
import type { Calibration } from "../../fit/least-squares/calibration.ts";
import type { Facts } from "../report/report.ts";
import { show } from "../table.ts";

type ClosedForm = NonNullable<FitResult["closedForm"]>;

const milli = (x: number | undefined): string => (x === undefined ? "–" : show(1000 * x));

/** What the solution says of itself, one line each. */
export function closedFormLines({
  solver,
  rows,
  parameters,
  rank,
  effective,
  condition,
  scaledCondition,
  strength,
  calibration,
  notes,
}: ClosedForm): string[] {
  const strengths = strength === null ? "" : `, strength ${show(strength)}`;
  return [
    `${solver}: ${rows} rows, ${parameters} parameters of which ${rank} are determined, ${show(effective)} effectively${strengths}`,
    ...(condition === null || scaledCondition === null
      ? []
      : [`condition number ${show(condition)}, ${show(scaledCondition)} with columns of length 1`]),
    ...(calibration ? [deviationLine(calibration)] : []),
    ...notes,
  ];
}

/** How far standard deviations can be trusted. */
function deviationLine({ scale, from, frames, test }: Calibration): string {
  const told =
    from === "nothing"
      ? "not calibrated: too few energies that the fit has not seen"
      : `times ${show(scale)}, told from ${frames} frames (${from})`;
  const judged = test
    ? `; ${show(100 * test.within1)} % of ${test.frames} test energies within 1σ, ${show(100 * test.within2)} % within 2σ`
    : "";
  return `standard deviation of energies by the covariance of the parameters, ${told}${judged}`;
}

/** The parts of the training data, with their errors in fits without them. */
export function foldRows({ folds }: ClosedForm): string[][] {
  return folds.map(({ name, frames, leverage, leftOut }) => [
    name,
    String(frames),
    show(leverage),
    milli(leftOut?.energyPerAtom?.mae),
    milli(leftOut?.energyPerAtom?.rmse),
    milli(leftOut?.forces?.mae),
    milli(leftOut?.forces?.rmse),
  ]);
}

export const FOLD_HEAD = [
  "left out",
  "frames",
  "leverage",
  "energy MAE (meV/atom)",
  "energy RMSE (meV/atom)",
  "force MAE (meV/Å)",
  "force RMSE (meV/Å)",
];

/** The same for a report. */
export const closedFormFacts = (closed: ClosedForm): Facts => ({
  title: "Least squares",
  head: FOLD_HEAD,
  rows: foldRows(closed),
  note: `${closedFormLines(closed).join(". ")}. Each part is predicted by a fit without it; its leverage is how many of the parameters its rows determine.`,
});
