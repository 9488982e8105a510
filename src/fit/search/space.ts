import { invalid } from "../../error.ts";
import type { Box } from "../../math/derivative-free.ts";

/** One option that a search varies. */
export interface Varied {
  /** Dotted path of the option: "model.descriptor.cutoff". */
  readonly path: string;
  readonly from: number;
  readonly to: number;
  /** "log": equal ratios count alike; "integer": whole numbers only. */
  readonly scale: "linear" | "log" | "integer";
}

const FORM = "path=from..to, path=from..to:log or path=from..to:integer";

/** Reads "training.weights.energy=0.1..1000:log". */
export function readVaried(text: string, place = "--vary"): Varied {
  const match = /^([^=\s]+)=([^:]+?)\.\.([^:]+?)(?::(log|integer|linear))?$/.exec(text.trim());
  if (!match) throw invalid(place, FORM, text);
  const [, path, low, high, scale = "linear"] = match;
  const [from, to] = [Number(low), Number(high)];
  if (!(Number.isFinite(from) && Number.isFinite(to) && from < to))
    throw invalid(place, "two numbers, the lower first", text);
  if (scale === "log" && from <= 0) throw invalid(place, "a range above 0 for log", text);
  if (scale === "integer" && !(Number.isInteger(from) && Number.isInteger(to)))
    throw invalid(place, "whole numbers for integer", text);
  return { path, from, to, scale: scale as Varied["scale"] };
}

/** How the varied options are written: what `readVaried` reads. */
export const writeVaried = ({ path, from, to, scale }: Varied): string =>
  `${path}=${from}..${to}${scale === "linear" ? "" : `:${scale}`}`;

/** The unit cube that a search works in: every option from 0 to 1. */
export const unitBox = (n: number): Box => ({
  lower: new Float64Array(n),
  upper: new Float64Array(n).fill(1),
});

/** The value of an option at u in 0 … 1. */
export function valueAt({ from, to, scale }: Varied, u: number): number {
  if (scale === "log") return rounded(from * (to / from) ** u);
  const x = from + (to - from) * u;
  return scale === "integer" ? Math.round(x) : rounded(x);
}

/** Where in 0 … 1 an option's value lies; values outside are put on the edge. */
export function placeOf({ from, to, scale }: Varied, value: number): number {
  const u = scale === "log" ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  return Math.min(1, Math.max(0, u));
}

/** Ten digits: what a person can copy from the table gives the same fit again. */
const rounded = (x: number): number => Number(x.toPrecision(10));
