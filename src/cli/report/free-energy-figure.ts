import * as Plot from "@observablehq/plot";
import { render } from "./figures.ts";
import type { Figure } from "./figures.ts";

/** A free energy with its standard errors; the first curve is drawn over the others. */
export interface FreeEnergyCurve {
  readonly name: string;
  readonly energies: ArrayLike<number>;
  readonly errors?: ArrayLike<number>;
}

/** Free energies along a variable, each with a band of two standard errors; gaps where nothing was sampled. */
export function freeEnergyFigure(
  centres: ArrayLike<number>,
  curves: readonly FreeEnergyCurve[],
  label: string,
): Figure {
  const points = curves.flatMap(({ name, energies, errors }) =>
    Array.from(centres, (x, b) => {
      const [y, reach] = [energies[b], 2 * (errors?.[b] ?? 0)];
      return { x, y, low: y - reach, high: y + reach, name };
    }),
  );
  const svg = render({
    width: 720,
    height: 380,
    grid: true,
    x: { label },
    y: { label: "free energy (eV)" },
    color: { domain: curves.map(({ name }) => name), scheme: "Observable10" },
    marks: [
      Plot.areaY(points, { x: "x", y1: "low", y2: "high", z: "name", fill: "name", fillOpacity: 0.2 }),
      Plot.line(points, { x: "x", y: "y", z: "name", stroke: "name", strokeWidth: 1.6 }),
      ...curves.map(({ name }, k) =>
        Plot.text([name], {
          text: (d: string) => d,
          fill: (d: string) => d,
          frameAnchor: "top-left",
          dx: 8,
          dy: 8 + 15 * k,
        }),
      ),
    ],
  });
  return { svg, shown: points.length, total: points.length };
}
