import { ERROR_HEAD, detailRows, errorRows, verdict, worstFrames } from "../errors.ts";
import type { Judgement } from "../errors.ts";
import { closeness, energyParity, forceParity, stressParity } from "./evidence.ts";
import type { Judged } from "./evidence.ts";
import { distanceFigure, errorHistogram, learningCurve, parityFigure } from "./figures.ts";
import type { CurvePoint, Figure, Parity, SetName } from "./figures.ts";
import { escape, htmlTable, page, section } from "./page.ts";

/** One learning curve: what it shows, and its points for each set. */
export interface Curve {
  readonly quantity: string;
  readonly unit: string;
  readonly sets: readonly { readonly set: SetName; readonly points: readonly CurvePoint[] }[];
}

/** A table with a title, for facts that are not errors: isolated atoms, dynamics, data. */
export interface Facts {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note?: string;
  readonly figure?: Figure;
}

/** Everything a report shows. */
export interface ReportData {
  readonly title: string;
  /** One line under the title: what was fitted, when, with which version. */
  readonly subtitle: string;
  /** Large figures at the top: label and value. */
  readonly tiles: readonly (readonly [label: string, value: string])[];
  readonly judgement: Judgement;
  readonly judged: readonly Judged[];
  readonly curves: readonly Curve[];
  readonly facts: readonly Facts[];
  /** Remarks on the data: duplicates, skipped frames, warnings of the doctor. */
  readonly notes: readonly string[];
  /** Resolved configuration, YAML. */
  readonly configuration: string;
  readonly provenance: Readonly<Record<string, unknown>>;
}

const key = (sets: readonly SetName[]): string =>
  `<p class="key soft">${sets.map((s) => `<i style="background:var(--${s})"></i>${s}`).join("")}</p>`;

function frame(figure: Figure, caption: string): string {
  const part =
    figure.shown < figure.total
      ? ` ${figure.shown} of ${figure.total} points are drawn, among them the worst.`
      : "";
  return `<figure>${figure.svg}<figcaption>${escape(caption + part)}</figcaption></figure>`;
}

/** Parity plot and error histogram of one quantity; nothing where no frame carries it. */
function quantityFigures(
  sets: readonly Parity[],
  name: string,
  unit: string,
  small: string,
  factor: number,
): string[] {
  const some = sets.filter((p) => p.reference.length > 0);
  if (some.length === 0) return [];
  const scaled = some.map((p) => ({
    ...p,
    reference: p.reference.map((x) => x * factor),
    predicted: p.predicted.map((x) => x * factor),
  }));
  return [
    frame(parityFigure(some, name, unit), `Predicted against reference ${name}.`),
    frame(
      errorHistogram(scaled, name, small),
      `Distribution of the errors of the ${name}; the outermost 1 % lies beyond the edges.`,
    ),
  ];
}

function figures(judged: readonly Judged[]): string {
  const near = judged.map((j) => closeness(j)).filter((c) => c.distance.length > 0);
  const parts = [
    ...quantityFigures(
      judged.map(energyParity),
      "energy above the isolated atoms",
      "eV/atom",
      "meV/atom",
      1000,
    ),
    ...quantityFigures(judged.map(forceParity), "force component", "eV/Å", "meV/Å", 1000),
    ...quantityFigures(judged.map(stressParity), "stress component", "GPa", "GPa", 1),
    ...(near.length
      ? [
          frame(
            distanceFigure(near, "force RMSE of the frame", "meV/Å"),
            "Errors grow where atoms come closer than the data show.",
          ),
        ]
      : []),
  ];
  return parts.length ? `${key(judged.map((j) => j.set))}<div class="figures">${parts.join("\n")}</div>` : "";
}

const curveFigures = (curves: readonly Curve[]): string => {
  const some = curves.filter((c) => c.sets.some((s) => s.points.length > 1));
  const sets = [...new Set(some.flatMap((c) => c.sets.map((s) => s.set)))];
  const drawn = some.map((c) =>
    frame(
      learningCurve(c.sets, c.quantity, c.unit),
      `The ${c.quantity} while learning: of the training set as it is passed through, of the validation set afterwards.`,
    ),
  );
  return drawn.length ? `${key(sets)}<div class="figures">${drawn.join("\n")}</div>` : "";
};

const list = (items: readonly string[]): string =>
  items.length ? `<ul>${items.map((t) => `<li>${escape(t)}</li>`).join("")}</ul>` : "";

/** A self-contained HTML page: no script, no request, figures as SVG, light and dark. */
export function renderReport(data: ReportData): string {
  const { good, text } = verdict(data.judgement);
  const tiles = data.tiles.map(
    ([label, value]) => `<div class="tile"><b>${escape(value)}</b><span>${escape(label)}</span></div>`,
  );
  const worst = data.judgement.test ? worstFrames(data.judgement.test) : [];
  const details = detailRows(data.judgement);
  const held = details.some(([set]) => set === "test") ? "test" : "validation";
  const shown = details.filter(([set]) => set === held);
  const hidden = details.filter(([set]) => set !== held);
  const provenance = Object.entries(data.provenance).map(([k, v]) => [
    k,
    typeof v === "string" ? v : JSON.stringify(v),
  ]);
  return page(
    data.title,
    `<h1>${escape(data.title)}</h1><p class="soft">${escape(data.subtitle)}</p>`,
    `<div class="verdict${good ? "" : " bad"}">${escape(text)}</div><div class="tiles">${tiles.join("")}</div>`,
    section(
      "Errors",
      htmlTable(ERROR_HEAD, errorRows(data.judgement), [0, 1, 2]),
      `<p class="soft">Relative: RMSE over the standard deviation of the reference, which is the RMSE of always predicting the mean. Energies count above the isolated atoms.</p>`,
      details.length ? `<h3>By element and config_type</h3>${htmlTable(ERROR_HEAD, shown, [0, 1, 2])}` : "",
      hidden.length
        ? `<details><summary>the other sets</summary>${htmlTable(ERROR_HEAD, hidden, [0, 1, 2])}</details>`
        : "",
      worst.length ? `<h3>Largest errors of the test set</h3>${list(worst)}` : "",
    ),
    section("Learning", curveFigures(data.curves)),
    section("Predictions", figures(data.judged)),
    ...data.facts.map((f) =>
      section(
        f.title,
        htmlTable(f.head, f.rows),
        f.figure?.svg,
        f.note ? `<p class="soft">${escape(f.note)}</p>` : "",
      ),
    ),
    section("Notes on the data", list(data.notes)),
    section("Configuration", data.configuration ? `<pre>${escape(data.configuration)}</pre>` : ""),
    section("Provenance", htmlTable(["what", "value"], provenance, [0, 1])),
  );
}
