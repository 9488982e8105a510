import * as Plot from "@observablehq/plot";
import type { Spectrum } from "../../run/infrared.ts";
import { render } from "./figures.ts";
import type { Figure } from "./figures.ts";

/** Wavenumbers (cm⁻¹) and intensities (km/mol) of the sticks of a spectrum. */
export interface Sticks {
  readonly wavenumbers: ArrayLike<number>;
  readonly intensities: ArrayLike<number>;
}

/** Share of the strongest stick above which a stick is named. */
const NAMED = 0.04;
/** Sticks nearer to each other than this share of the range share one name, that of the strongest. */
const CROWDED = 0.042;

const RED = "#b5482a";

/** An infrared spectrum as chemists draw it, wavenumbers falling to the right: bands, and the sticks that they are made of, if any. */
export function spectrumFigure({ wavenumbers, absorption }: Spectrum, sticks?: Sticks): Figure {
  const points = Array.from(wavenumbers, (x, k) => ({ x, y: absorption[k] }));
  const top = absorption.reduce((most, y) => Math.max(most, y), Number.MIN_VALUE);
  const domain = [Math.max(...wavenumbers), Math.min(...wavenumbers)];
  const svg = render({
    width: 720,
    height: 340,
    ...(sticks && { marginRight: 64 }),
    x: { label: "wavenumber (cm⁻¹)", domain, tickFormat: "d", labelArrow: "none", labelAnchor: "center" },
    y: { domain: [0, 1.14 * top] },
    marks: [
      Plot.axisY({ label: "absorption (km/mol cm)", labelArrow: "none", ticks: 6 }),
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      ...(sticks ? stickMarks(sticks, top, CROWDED * (domain[0] - domain[1])) : []),
      Plot.line(points, { x: "x", y: "y", stroke: "#2f5d9b", strokeWidth: 1.2 }),
    ],
  });
  return { svg, shown: points.length, total: points.length };
}

/** Sticks to the height of the tallest band, with a scale of their own to the right, and their wavenumbers. */
function stickMarks({ wavenumbers, intensities }: Sticks, top: number, crowded: number): Plot.Markish[] {
  const bars = Array.from(wavenumbers, (x, k) => ({ x, intensity: intensities[k] }));
  const real = bars.filter(({ x }) => x > 0);
  const most = Math.max(...real.map(({ intensity }) => intensity), Number.MIN_VALUE);
  const scaled = real.map((bar) => ({ ...bar, y: (bar.intensity / most) * top }));
  const ticks = niceTicks(most);
  return [
    Plot.axisY(
      ticks.map((t) => (t / most) * top),
      {
        anchor: "right",
        label: "sticks (km/mol)",
        labelArrow: "none",
        tickFormat: (_: number, k: number) => String(ticks[k]),
        color: RED,
      },
    ),
    Plot.ruleX(scaled, { x: "x", y1: 0, y2: "y", stroke: RED, strokeWidth: 1.4 }),
    Plot.text(named(scaled, most, crowded), {
      x: "x",
      y: "y",
      text: (d: { x: number }) => d.x.toFixed(0),
      dy: -7,
      fill: RED,
      fontSize: 11,
    }),
  ];
}

interface Stick {
  readonly x: number;
  readonly y: number;
  readonly intensity: number;
}

/** The sticks that are tall enough to be named, and not beside a taller one. */
function named(sticks: readonly Stick[], most: number, crowded: number): Stick[] {
  const tall = sticks
    .filter(({ intensity }) => intensity > NAMED * most)
    .toSorted((a, b) => b.intensity - a.intensity);
  return tall.filter((s, k) => tall.slice(0, k).every((other) => Math.abs(other.x - s.x) > crowded));
}

/** About five round numbers from 0 to a maximum. */
function niceTicks(most: number): number[] {
  const step = 10 ** Math.floor(Math.log10(most / 4));
  const by = [1, 2, 5, 10].map((f) => f * step).find((s) => most / s <= 5)!;
  return Array.from({ length: Math.floor(most / by) + 1 }, (_, k) => Number((k * by).toPrecision(6)));
}
