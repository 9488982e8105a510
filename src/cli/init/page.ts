import type { SymmetryFunction } from "../../descriptors/symmetry-functions/options.ts";
import { isRadial } from "../../descriptors/symmetry-functions/terms.ts";
import { angularCurves, radialCurves } from "../../fit/proposal/curves.ts";
import { neighbourDensity } from "../../fit/proposal/distributions.ts";
import type { Density } from "../../fit/proposal/placement.ts";
import type { Candidate, Proposal } from "../../fit/proposal/proposal.ts";
import { numberOf, symbolOf } from "../../structure/elements.ts";
import { tripletKey } from "../../structure/statistics.ts";
import { overlayFigure } from "../report/figures.ts";
import { escape, htmlTable, page, section } from "../report/page.ts";
import { show } from "../table.ts";
import type { Cost } from "./cost.ts";

/** Columns of the table of functions. */
const FUNCTION_HEAD = [
  "function",
  "neighbours",
  "spread",
  "correlation",
  "verdict",
  "terms per atom",
  "µs per atom",
];

const words: Readonly<Record<Candidate["reason"], string>> = {
  kept: "kept",
  dead: "dropped: constant",
  faint: "dropped: hardly varies",
  duplicate: "dropped: says the same as a stronger one",
  redundant: "dropped: least told beside the others (CUR)",
};

const neighboursOf = (f: SymmetryFunction): string =>
  "neighbours" in f && f.neighbours ? f.neighbours.join("-") : "neighbour" in f ? (f.neighbour ?? "") : "";

/** Estimated µs per atom of one function. */
export const costOf = ({ function: f, terms }: Candidate, cost: Cost): number =>
  terms * (isRadial(f) ? cost.pair : cost.triplet);

/** One row for each function of an element. */
const functionRows = (list: readonly Candidate[], cost: Cost): string[][] =>
  list.map((c) => [
    c.label.replace(/ \S+$/, ""),
    neighboursOf(c.function),
    show(c.deviation),
    c.with < 0 ? "–" : `${c.correlation.toFixed(3)} with ${list[c.with].label}`,
    words[c.reason],
    show(c.terms),
    show(costOf(c, cost)),
  ]);

const figure = (svg: string, caption: string): string =>
  `<figure>${svg}<figcaption>${escape(caption)}</figcaption></figure>`;

const middles = ({ from, width, values }: Density): number[] =>
  Array.from(values, (_, b) => from + (b + 0.5) * width);

/** Every `step`-th bin joined, so that a figure has about 120 points. */
function coarse({ from, width, values }: Density): Density {
  const step = Math.max(1, Math.round(values.length / 120));
  const joined = Float64Array.from({ length: Math.floor(values.length / step) }, (_, b) =>
    values.subarray(b * step, (b + 1) * step).reduce((x, y) => x + y, 0),
  );
  return { from, width: width * step, values: joined };
}

const kept = (some: readonly Candidate[]): boolean => some.some((c) => c.reason === "kept");

/** Functions of one kind of neighbours over the distances and angles of these neighbours. */
function blockFigures(proposal: Proposal, z: number, name: string, list: readonly Candidate[]): string[] {
  if (name === "") return [];
  const { distributions: found, options } = proposal;
  const common = { type: options.cutoff.type, radius: options.cutoff.radius as number };
  const [a, b] = name.split("-").map(numberOf);
  if (b === undefined) {
    const density = coarse(neighbourDensity(found, z, a));
    const x = middles(density);
    const curves = radialCurves(
      list.map((c) => c.function),
      common,
      x,
    ).map((values, t) => ({ values, kept: kept([list[t]]) }));
    const svg = overlayFigure(x, density.values, curves, `distance of ${name} (Å)`).svg;
    return [figure(svg, `${list.length} functions of ${name} neighbours.`)];
  }
  const triplets = found.triplets.get(tripletKey(z, a, b));
  if (!triplets) return [];
  const drawn = (
    key: "shift" | "angle",
    density: Density,
    at: (f: Bell, x: number) => readonly [number, number],
  ) => {
    const groups = Map.groupBy(list, (c) => (c.function as Bell)[key]);
    const x = middles(density);
    return [...groups.values()].map((group) => {
      const f = group[0].function as Bell;
      const [values] = angularCurves(
        [f],
        common,
        x.map((v) => at(f, v)),
      );
      return { values, kept: kept(group) };
    });
  };
  const [mean, angle] = [coarse(triplets.mean), triplets.angle];
  const shells = drawn("shift", mean, (f, x) => [x, f.angle]);
  const angles = drawn("angle", angle, (f, x) => [f.shift, x]);
  const [one, two] = [
    overlayFigure(middles(mean), mean.values, shells, `mean distance of ${name} (Å)`).svg,
    overlayFigure(middles(angle), angle.values, angles, `angle between ${name} (°)`).svg,
  ];
  return [
    figure(one, `${shells.length} shells of ${name}.`),
    figure(two, `${angles.length} angles of ${name}; each goes with every shell.`),
  ];
}

type Bell = Extract<SymmetryFunction, { type: "ANI" }>;

/** A self-contained page: every function over the data's distribution, and the table of verdicts. */
export function initPage(
  proposal: Proposal,
  cost: Cost,
  title: string,
  subtitle: string,
  yaml: string,
): string {
  const legend =
    '<p class="key soft"><i style="background:var(--validation)"></i>the data<i style="background:var(--test)"></i>kept<i style="background:var(--train)"></i>dropped</p>';
  const sections = proposal.elements.map((z, e) => {
    const list = proposal.candidates[e];
    const blocks = Map.groupBy(list, (c) => neighboursOf(c.function));
    const figures = [...blocks].flatMap(([name, block]) => blockFigures(proposal, z, name, block));
    return section(
      `Around ${symbolOf(z)}`,
      legend,
      `<div class="figures">${figures.join("\n")}</div>`,
      `<details><summary>all ${list.length} candidates</summary>${htmlTable(FUNCTION_HEAD, functionRows(list, cost), [0, 1, 3, 4])}</details>`,
    );
  });
  return page(
    title,
    `<h1>${escape(title)}</h1><p class="soft">${escape(subtitle)}</p>`,
    ...sections,
    section("Configuration", `<pre>${escape(yaml)}</pre>`),
  );
}
