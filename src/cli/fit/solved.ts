import type { FitResult } from "../../fit/fit.ts";
import { curveFigure } from "../report/figures.ts";
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

const numbers = ({ hyperparameters }: Solved): string[][] =>
  Object.entries(hyperparameters).map(([name, value]) => [name, show(value)]);

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

/** Shares that a normal distribution has within the deviations that the curves are of. */
const EXPECTED = [5, 15, 25, 35, 45, 55, 65, 75, 85, 95];

/** The same for a report, with the calibration curve. */
export function solvedFacts(solved: Solved): Facts[] {
  const curves = solved.shares.flatMap(({ set, what, curve }) =>
    (["before", "after"] as const).map((when) => ({
      name: `${what}, ${set}, ${when === "before" ? "as they are" : "scaled"}`,
      x: EXPECTED,
      y: curve[when].map((share) => 100 * share),
    })),
  );
  const diagonal = { name: "as it should be", x: [0, 100], y: [0, 100] };
  return [
    {
      title: "Kernel",
      head: ["hyper-parameter", "value"],
      rows: numbers(solved),
      note: `${solved.lines.join(". ")}.`,
    },
    ...(curves.length > 0
      ? [
          {
            title: "Standard deviations",
            head: SHARES_HEAD,
            rows: shareRows(solved),
            note: "Shares of errors within so many standard deviations; a normal distribution has 68 %, 95 % and 99.7 %. The curve: shares found against shares expected.",
            figure: curveFigure([diagonal, ...curves], "expected share (%)", "found share (%)"),
          },
        ]
      : []),
  ];
}
