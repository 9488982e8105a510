import type { FitResult } from "../../fit/fit.ts";
import { calibrationFigure } from "../report/calibration.ts";
import type { Facts } from "../report/report.ts";
import { show, textTable } from "../table.ts";

type Solved = NonNullable<FitResult["solved"]>;

const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;

const SHARES_HEAD = ["errors within", "1σ", "2σ", "3σ", "1σ scaled", "2σ scaled", "3σ scaled", "count"];

const shareRows = ({ shares }: Solved): string[][] =>
  shares.map(({ set, what, count, before, after }) => [
    `${what}, ${set}`,
    ...before.map(percent),
    ...after.map(percent),
    String(count),
  ]);

const isLength = ([name]: readonly [string, number]): boolean =>
  name.includes(" of ") && name.includes("length");

/** Lengths of single features last, the shortest first: along these the surface changes most. */
const numbers = ({ hyperparameters }: Solved): string[][] => {
  const all = Object.entries(hyperparameters);
  const lengths = all.filter(isLength).toSorted((a, b) => a[1] - b[1]);
  return [...all.filter((entry) => !isLength(entry)), ...lengths].map(([name, value]) => [name, show(value)]);
};

/** Hyper-parameters beyond these many are in the model file only. */
const MOST = 24;

/** What a solved model of whole molecules says of itself. */
export function solvedText(solved: Solved): string[] {
  const listed = numbers(solved);
  const more = listed.length > MOST ? [`and ${listed.length - MOST} more hyper-parameters`] : [];
  const shares =
    solved.shares.length > 0
      ? ["", textTable(SHARES_HEAD, shareRows(solved)), "a normal distribution has 68 %, 95 %, 99.7 %"]
      : [];
  return [
    "",
    ...solved.lines,
    "",
    textTable(["hyper-parameter", "value"], listed.slice(0, MOST)),
    ...more,
    ...shares,
  ];
}

/** The same for a report, with the calibration curve. */
export function solvedFacts(solved: Solved): Facts[] {
  return [
    {
      title: "Kernel",
      head: ["hyper-parameter", "value"],
      rows: numbers(solved).slice(0, MOST),
      note: `${solved.lines.join(". ")}.${numbers(solved).length > MOST ? " Longer lengths are in result.json." : ""}`,
    },
    ...(solved.shares.length > 0
      ? [
          {
            title: "Standard deviations",
            head: SHARES_HEAD,
            rows: shareRows(solved),
            note: "Shares of errors within so many standard deviations; a normal distribution has 68 %, 95 % and 99.7 %. The curves: shares found against shares expected; dashed is as it should be.",
            figure: calibrationFigure(solved.shares),
          },
        ]
      : []),
  ];
}
