import { QUANTITIES } from "../fit/metrics.ts";
import type { Errors, Quantity, SetMetrics } from "../fit/metrics.ts";
import { symbolOf } from "../structure/elements.ts";
import { show } from "./table.ts";

/** Metrics of the sets that there are. */
export type Judgement = Readonly<Partial<Record<"train" | "validation" | "test", SetMetrics>>>;

/** Head of the error table. */
export const ERROR_HEAD = [
  "set",
  "quantity",
  "unit",
  "RMSE",
  "MAE",
  "max",
  "relative %",
  "mean's RMSE",
  "count",
];

/** Energies of frames of one size say the same twice: per frame is shown beside per atom only in the report. */
const ORDER: readonly Quantity[] = ["energy", "energyPerAtom", "forces", "stress"];

function row(set: string, part: string, quantity: Quantity, e: Errors): string[] {
  const { title, unit, factor } = QUANTITIES[quantity];
  const scaled = (x: number) => show(x * factor);
  const relative = e.relative === null ? "–" : show(e.relative);
  const name = part ? `${title}, ${part}` : title;
  return [
    set,
    name,
    unit,
    scaled(e.rmse),
    scaled(e.mae),
    scaled(e.max),
    relative,
    scaled(e.meanRmse),
    String(e.count),
  ];
}

/** Rows of the whole sets; `mean's RMSE` is what always predicting the set's mean would give. */
export const errorRows = (judgement: Judgement): string[][] =>
  Object.entries(judgement).flatMap(([set, metrics]) =>
    ORDER.flatMap((q) => {
      const errors = metrics.all[q];
      return errors ? [row(set, "", q, errors)] : [];
    }),
  );

/** Rows by chemical element and by config_type, where there are several. */
export function detailRows(judgement: Judgement): string[][] {
  return Object.entries(judgement).flatMap(([set, metrics]) => {
    const elements = Object.entries(metrics.byElement);
    const types = Object.entries(metrics.byConfigType);
    return [
      ...(elements.length > 1 ? elements : []).map(([z, e]) =>
        row(set, `on ${symbolOf(Number(z))}`, "forces", e),
      ),
      ...(types.length > 1 ? types : []).flatMap(([type, all]) =>
        ORDER.slice(1).flatMap((q) => {
          const errors = all[q];
          return errors ? [row(set, type, q, errors)] : [];
        }),
      ),
    ];
  });
}

/** Where the largest errors are: "forces: data.xyz:120 (0.8 eV/Å)". */
export const worstFrames = (metrics: SetMetrics): string[] =>
  ORDER.flatMap((q) => {
    const e = metrics.all[q];
    const { title, unit, factor } = QUANTITIES[q];
    return e && e.max > 0 && q !== "energyPerAtom"
      ? [`${title}: ${show(e.max * factor)} ${unit} at ${e.maxPlace}`]
      : [];
  });

/**
 * One sentence on how good the model is on the test (or validation) set, and one on overfitting where it shows. Only a
 * judgement with the training set beside the others, as a fit has it, knows that training never saw these frames.
 */
export function verdict(judgement: Judgement): { readonly good: boolean; readonly text: string } {
  const [name, held] = judgement.test?.frames
    ? (["test", judgement.test] as const)
    : (["validation", judgement.validation] as const);
  if (!held?.frames)
    return { good: false, text: "Nothing was held out, so nothing is known about unseen frames." };
  const quantity: Quantity = held.all.forces ? "forces" : "energyPerAtom";
  const errors = held.all[quantity];
  if (!errors) return { good: false, text: `The ${name} set carries no labels to judge by.` };
  const { title, unit, factor } = QUANTITIES[quantity];
  const relative = errors.relative ?? 100;
  const good = relative < 30;
  const grade =
    grades.find(([most]) => relative < most)?.[1] ?? "worthless: no better than predicting the mean";
  const seen = judgement.train?.all[quantity];
  const gap =
    seen && errors.rmse > 2 * seen.rmse
      ? ` The training error is ${show(seen.rmse * factor)} ${unit}, less than half: more data or a smaller model would help.`
      : "";
  const which = judgement.train
    ? `${held.frames} ${name} frames that training never saw`
    : `${held.frames} frames`;
  const found = `On ${which} the RMSE of the ${title} is ${show(errors.rmse * factor)} ${unit}, ${show(relative)} % of what predicting the mean gives`;
  return { good, text: `${found}: ${grade}.${gap}` };
}

const grades: readonly (readonly [most: number, words: string])[] = [
  [3, "excellent"],
  [10, "good"],
  [30, "usable with care"],
  [80, "poor"],
];
