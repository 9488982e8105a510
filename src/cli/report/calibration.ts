import * as Plot from "@observablehq/plot";
import type { Shares } from "../../fit/whole/outcome.ts";
import { render, type Figure } from "./figures.ts";

/** Shares that a normal distribution has within the deviations that the curves are of, %. */
const EXPECTED = [5, 15, 25, 35, 45, 55, 65, 75, 85, 95];

const STATES = [
  { when: "before", name: "as they are" },
  { when: "after", name: "scaled" },
] as const;

const panelOf = ({ what, set }: Shares): string => `${what}, ${set}`;

/** Shares of errors found within standard deviations against those expected, before and after scaling; one panel for each set and quantity. */
export function calibrationFigure(shares: readonly Shares[]): Figure {
  const points = shares.flatMap((s) =>
    STATES.flatMap(({ when, name }) =>
      [{ x: 0, y: 0 }, ...EXPECTED.map((x, k) => ({ x, y: 100 * s.curve[when][k] })), { x: 100, y: 100 }].map(
        (at) => ({ ...at, name, panel: panelOf(s) }),
      ),
    ),
  );
  const svg = render({
    width: 120 + 190 * shares.length,
    height: 270,
    marginTop: 44,
    x: { label: "expected share (%)", ticks: [0, 50, 100] },
    y: { label: "found share (%)", grid: true, ticks: [0, 25, 50, 75, 100] },
    fx: { label: null, domain: shares.map(panelOf) },
    color: { domain: STATES.map(({ name }) => name), range: ["#9498a0", "#4269d0"] },
    marks: [
      Plot.line(
        [
          [0, 0],
          [100, 100],
        ],
        { stroke: "currentColor", strokeOpacity: 0.4, strokeDasharray: "3 3" },
      ),
      Plot.line(points, { x: "x", y: "y", fx: "panel", z: "name", stroke: "name", strokeWidth: 1.6 }),
      Plot.text(
        STATES.map(({ name }, k) => ({ name, x: 98, y: 4 + 10 * k, panel: panelOf(shares[0]) })),
        { x: "x", y: "y", fx: "panel", text: "name", fill: "name", textAnchor: "end" },
      ),
    ],
  });
  return { svg, shown: points.length, total: points.length };
}
