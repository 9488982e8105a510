import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Profile } from "../../run/path/profile.ts";

/** Reference and predicted values of one set of frames. */
export interface Parity {
  readonly set: SetName;
  readonly reference: Float64Array;
  readonly predicted: Float64Array;
}

/** Which part of the data. */
export type SetName = "train" | "validation" | "test";

/** One line of the learning curve. */
export interface CurvePoint {
  readonly epoch: number;
  readonly value: number;
}

/** A figure: self-contained SVG, and how many of how many points it shows. */
export interface Figure {
  readonly svg: string;
  readonly shown: number;
  readonly total: number;
}

const colour: Readonly<Record<SetName, string>> = {
  train: "var(--train)",
  validation: "var(--validation)",
  test: "var(--test)",
};

/** At most this many points per figure: a report stays small enough to mail. */
const MOST_POINTS = 4000;

/** Plot's SVG with the numbers cut to a tenth of a pixel. */
export function render(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    width: 460,
    height: 340,
    marginLeft: 56,
    marginBottom: 42,
    style: { background: "none", fontSize: "12px" },
    ...options,
    document,
  }) as SVGSVGElement;
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  return svg.outerHTML.replaceAll(/(\d+\.\d)\d+(?=[\s",)a-zA-Z])/g, "$1");
}

/** Every k-th point plus the worst ones, so that no outlier hides behind the subsample. */
function subsample(error: (i: number) => number, n: number, most: number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  if (n <= most) return all;
  const worst = all.toSorted((a, b) => error(b) - error(a)).slice(0, Math.floor(most / 10));
  const chosen = new Set(worst);
  const stride = n / (most - worst.length);
  for (let k = 0; k * stride < n; k++) chosen.add(Math.floor(k * stride));
  return [...chosen].sort((a, b) => a - b);
}

interface Dot {
  readonly x: number;
  readonly y: number;
  readonly set: SetName;
}

function pick(
  sets: readonly Parity[],
  x: (p: Parity, i: number) => number,
  y: (p: Parity, i: number) => number,
) {
  const total = sets.reduce((sum, p) => sum + p.reference.length, 0);
  const dots: Dot[] = sets.flatMap((p) => {
    const n = p.reference.length;
    const most = Math.max(50, Math.floor((MOST_POINTS * n) / Math.max(1, total)));
    const error = (i: number) => Math.abs(p.predicted[i] - p.reference[i]);
    return subsample(error, n, most).map((i) => ({ x: x(p, i), y: y(p, i), set: p.set }));
  });
  return { dots, total };
}

const dotMark = (dots: readonly Dot[]) =>
  Plot.dot(dots, {
    x: "x",
    y: "y",
    r: 1.8,
    fill: (d: Dot) => colour[d.set],
    fillOpacity: 0.55,
    stroke: "none",
  });

/** Predicted against reference values, with the diagonal. */
export function parityFigure(sets: readonly Parity[], quantity: string, unit: string): Figure {
  const { dots, total } = pick(
    sets,
    (p, i) => p.reference[i],
    (p, i) => p.predicted[i],
  );
  const [low, high] = extent(dots.flatMap((d) => [d.x, d.y]));
  const svg = render({
    grid: true,
    x: { label: `reference ${quantity} (${unit})`, domain: [low, high] },
    y: { label: `predicted ${quantity} (${unit})`, domain: [low, high] },
    marks: [
      Plot.line(
        [
          [low, low],
          [high, high],
        ],
        { stroke: "currentColor", strokeOpacity: 0.5 },
      ),
      dotMark(dots),
    ],
  });
  return { svg, shown: dots.length, total };
}

/** Smallest and largest with a little room around. */
function extent(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  const room = low < high ? 0.03 * (high - low) : 0.5;
  return [low - room, high + room];
}

/** Distribution of predicted − reference, as a share of each set; the outermost 1 % lies beyond the edges. */
export function errorHistogram(sets: readonly Parity[], quantity: string, unit: string): Figure {
  const errors = sets.map((p) => ({ set: p.set, values: p.predicted.map((v, i) => v - p.reference[i]) }));
  const sizes = errors.flatMap((e) => Array.from(e.values, Math.abs)).sort((a, b) => a - b);
  const reach = sizes[Math.floor(0.99 * (sizes.length - 1))] || sizes.at(-1) || 1;
  const steps = errors.flatMap(({ set, values }) => shares(values, reach).map((bar) => ({ ...bar, set })));
  const svg = render({
    x: { label: `predicted − reference ${quantity} (${unit})` },
    y: { label: `share of the set (% per ${unit})`, grid: true, nice: true },
    marks: [
      Plot.ruleX([0], { strokeOpacity: 0.4 }),
      Plot.line(steps, { x: "x", y: "y", z: "set", stroke: (d: Dot) => colour[d.set], curve: "step" }),
    ],
  });
  return { svg, shown: sizes.length, total: sizes.length };
}

/** Density in bins whose number follows the square root of the count: few frames give no comb. */
function shares(values: Float64Array, reach: number): { x: number; y: number }[] {
  const bins = Math.max(10, Math.min(60, 2 * Math.round(Math.sqrt(values.length))));
  const width = (2 * reach) / bins;
  const counts = new Float64Array(bins);
  for (const v of values) {
    const b = Math.floor((v + reach) / width);
    if (b >= 0 && b < bins) counts[b]++;
  }
  return Array.from(counts, (c, b) => ({
    x: -reach + (b + 0.5) * width,
    y: (100 * c) / values.length / width,
  }));
}

/** Errors of training and validation against the epoch, logarithmic. */
export function learningCurve(
  curves: readonly { readonly set: SetName; readonly points: readonly CurvePoint[] }[],
  quantity: string,
  unit: string,
): Figure {
  const points = curves.flatMap((c) =>
    c.points.filter((p) => p.value > 0).map((p) => ({ x: p.epoch, y: p.value, set: c.set })),
  );
  const total = curves.reduce((sum, c) => sum + c.points.length, 0);
  const svg = render({
    x: { label: "epoch" },
    y: { label: `${quantity} (${unit})`, type: "log", grid: true, nice: true, tickFormat: "~g" },
    marks: [
      Plot.line(points, { x: "x", y: "y", z: "set", stroke: (d: Dot) => colour[d.set], strokeWidth: 1.6 }),
    ],
  });
  return { svg, shown: points.length, total };
}

/** Absolute error of a frame against its shortest distance: where the data are thin, errors grow. */
export function distanceFigure(
  sets: readonly { readonly set: SetName; readonly distance: Float64Array; readonly error: Float64Array }[],
  quantity: string,
  unit: string,
): Figure {
  const zero: readonly Parity[] = sets.map((s) => ({
    set: s.set,
    reference: new Float64Array(s.error.length),
    predicted: s.error,
  }));
  const distance = new Map(zero.map((p, k) => [p, sets[k].distance]));
  const { dots, total } = pick(
    zero,
    (p, i) => distance.get(p)?.[i] ?? NaN,
    (p, i) => p.predicted[i],
  );
  const svg = render({
    grid: true,
    x: { label: "shortest distance in the frame (Å)" },
    y: { label: `${quantity} (${unit})`, zero: true, nice: true },
    marks: [dotMark(dots)],
  });
  return { svg, shown: dots.length, total };
}

/** One quantity against time, at most 2000 points. */
export function traceFigure(
  times: readonly number[],
  values: readonly number[],
  x: string,
  y: string,
): Figure {
  const stride = Math.max(1, Math.ceil(times.length / 2000));
  const points = times.flatMap((t, k) => (k % stride === 0 ? [{ x: t, y: values[k] }] : []));
  const svg = render({
    width: 940,
    height: 260,
    x: { label: x },
    y: { label: y, grid: true },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.line(points, { x: "x", y: "y", stroke: "var(--test)" }),
    ],
  });
  return { svg, shown: points.length, total: times.length };
}

/** Wavenumbers along a path through reciprocal space. */
export interface Bands {
  /** Length of the path, 1/Å. */
  readonly positions: readonly number[];
  /** Wavenumbers at each position, ascending, cm⁻¹. */
  readonly values: readonly (readonly number[])[];
  readonly ticks: readonly { readonly name: string; readonly at: number }[];
}

/** Phonon bands. */
export function bandFigure({ positions, values, ticks }: Bands): Figure {
  const points = values.flatMap((row, k) => row.map((y, band) => ({ x: positions[k], y, band })));
  const svg = render({
    width: 720,
    height: 400,
    x: {
      label: null,
      ticks: ticks.map((t) => t.at),
      tickFormat: (x: number) => ticks.find((t) => t.at === x)?.name ?? "",
    },
    y: { label: "wavenumber (cm⁻¹)", grid: true },
    marks: [
      Plot.ruleX(
        ticks.map((t) => t.at),
        { strokeOpacity: 0.4 },
      ),
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.line(points, { x: "x", y: "y", z: "band", stroke: "var(--test)" }),
    ],
  });
  return { svg, shown: points.length, total: points.length };
}

/** Curves with a legend. */
export function curveFigure(
  curves: readonly { readonly name: string; readonly x: ArrayLike<number>; readonly y: ArrayLike<number> }[],
  x: string,
  y: string,
): Figure {
  const points = curves.flatMap((c) => Array.from(c.x, (at, k) => ({ x: at, y: c.y[k], name: c.name })));
  const ends = curves.flatMap(({ name, y: values, x: at }) => {
    const top = Array.from(values).indexOf(Math.max(...Array.from(values)));
    return curves.length > 1 && top >= 0 ? [{ x: at[top], y: values[top], name }] : [];
  });
  const svg = render({
    width: 720,
    height: 340,
    x: { label: x },
    y: { label: y, grid: true },
    color: { domain: curves.map(({ name }) => name), scheme: "Observable10" },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.line(points, { x: "x", y: "y", z: "name", stroke: "name", strokeWidth: 1.4 }),
      Plot.text(ends, { x: "x", y: "y", text: "name", fill: "name", dy: -7 }),
    ],
  });
  return { svg, shown: points.length, total: points.length };
}

/** The energy along a path: images, and the smooth curve through them. */
export function profileFigure({ lengths, energies, curve }: Profile): Figure {
  const dots = [...energies].map((y, k) => ({ x: lengths[k], y }));
  const line = [...curve.energies].map((y, k) => ({ x: curve.lengths[k], y }));
  const svg = render({
    width: 720,
    height: 360,
    grid: true,
    x: { label: "length of the path (Å)" },
    y: { label: "energy (eV)" },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.line(line, { x: "x", y: "y", stroke: "var(--test)" }),
      Plot.dot(dots, { x: "x", y: "y", fill: "var(--test)", r: 4 }),
    ],
  });
  return { svg, shown: dots.length, total: dots.length };
}

/** A quantity against time, under a name. */
export interface TimeCurve {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Several quantities against time, logarithmic in the quantity, each named at its end; colours of its own. */
export function timeCurves(curves: readonly TimeCurve[], x: string, y: string): Figure {
  const points = curves.flatMap(({ name, points: own }) => own.map((p) => ({ ...p, name })));
  const ends = curves.flatMap(({ name, points: own }) => own.slice(-1).map((p) => ({ ...p, name })));
  const svg = render({
    marginRight: 78,
    x: { label: x, type: "log", tickFormat: "~g" },
    y: { label: y, type: "log", grid: true, tickFormat: "~g" },
    color: { domain: curves.map(({ name }) => name), scheme: "Observable10" },
    marks: [
      Plot.line(points, { x: "x", y: "y", z: "name", stroke: "name", strokeWidth: 1.6 }),
      Plot.text(ends, { x: "x", y: "y", text: "name", fill: "name", textAnchor: "start", dx: 5 }),
    ],
  });
  return { svg, shown: points.length, total: points.length };
}

/** A figure as a file of its own, on white. */
export const standalone = (svg: string): string => stackFigures([svg], 1);

/** Figures of equal size in rows of so many, as one SVG file on white. */
export function stackFigures(svgs: readonly string[], columns: number): string {
  const [width, height] = ["width", "height"].map((name) =>
    Number(new RegExp(`<svg[^>]* ${name}="(\\d+)"`).exec(svgs[0])?.[1]),
  );
  const [w, h] = [width * Math.min(columns, svgs.length), height * Math.ceil(svgs.length / columns)];
  const placed = svgs.map((svg, k) => {
    const [column, row] = [k % columns, Math.floor(k / columns)];
    return svg.replace("<svg", `<svg x="${column * width}" y="${row * height}"`);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" color="#333">`,
    `<rect width="${w}" height="${h}" fill="white"/>`,
    ...placed,
    "</svg>",
    "",
  ].join("\n");
}

/** A curve drawn over a distribution; faint where what it stands for was not kept. */
export interface Overlay {
  readonly values: Float64Array;
  readonly kept: boolean;
}

/** Functions over the distribution of what they are functions of; each is scaled to its own maximum. */
export function overlayFigure(
  x: readonly number[],
  distribution: Float64Array,
  curves: readonly Overlay[],
  label: string,
): Figure {
  const scaled = (values: Float64Array) => {
    const most = values.reduce((a, b) => Math.max(a, b), 0) || 1;
    return x.map((at, k) => ({ x: at, y: values[k] / most }));
  };
  const lines = curves.flatMap(({ values, kept }, z) => scaled(values).map((p) => ({ ...p, z, kept })));
  const svg = render({
    height: 220,
    x: { label },
    y: { label: "share of the maximum", domain: [0, 1.05] },
    marks: [
      Plot.areaY(scaled(distribution), { x: "x", y: "y", fill: "var(--validation)", fillOpacity: 0.35 }),
      Plot.line(lines, {
        x: "x",
        y: "y",
        z: "z",
        stroke: (d: { kept: boolean }) => (d.kept ? "var(--test)" : "var(--train)"),
        strokeOpacity: (d: { kept: boolean }) => (d.kept ? 0.9 : 0.35),
      }),
    ],
  });
  return { svg, shown: curves.length, total: curves.length };
}
