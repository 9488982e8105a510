import type { Variable } from "../../potentials/bias/variable.ts";
import type { Mean } from "../../run/analysis/blocks.ts";
import { integrateSlopes, weightedMean } from "../../run/free-energy/mean-force.ts";
import type { Integrated } from "../../run/free-energy/mean-force.ts";
import { labelOf, writeProfiles } from "../free-energy.ts";
import { curveFigure } from "../report/figures.ts";
import { htmlTable, section } from "../report/page.ts";
import { show, textTable } from "../table.ts";
import { topOf } from "./sampled.ts";
import { columnsOf } from "./windows.ts";
import type { WindowFlags } from "./windows.ts";

/** What runs with the variable held found. */
export interface Slopes extends Integrated {
  /** dF/ds at each place, eV per unit of the variable. */
  readonly slopes: readonly Mean[];
}

/** Reads the slopes of all windows and integrates them. */
export function readSlopes(
  folder: string,
  { text }: Variable,
  centres: readonly number[],
  flags: WindowFlags,
): Slopes {
  const slopes = centres.map((_, k) => {
    const columns = columnsOf(folder, k, flags);
    return weightedMean(columns.get(`slope(${text})`)!, columns.get(`weight(${text})`)!);
  });
  return { ...integrateSlopes(centres[1] - centres[0], slopes), slopes };
}

const HEAD = ["window", "held at", "dF/ds (eV/unit)", "±", "g", "F (eV)", "± (eV)"];

/** Writes the profile and its slopes, and says them. */
export async function presentSlopes(
  { slopes, energies, errors }: Slopes,
  variable: Variable,
  centres: readonly number[],
  folder: string,
): Promise<string> {
  const rows = slopes.map(({ mean, error, correlation }, k) => [
    String(k + 1),
    show(centres[k], 4),
    show(mean, 4),
    show(error),
    show(Math.max(1, 2 * correlation)),
    show(energies[k], 4),
    show(errors[k]),
  ]);
  const y = slopes.map(({ mean }) => mean);
  const figure = curveFigure([{ name: "dF/ds", x: centres, y }], labelOf(variable), "slope (eV per unit)");
  const places = Float64Array.from(centres);
  await writeProfiles(
    folder,
    labelOf(variable),
    places,
    [{ name: "integrated", energies, errors }],
    [section("Slopes", `<figure>${figure.svg}</figure>`, htmlTable(HEAD, rows))],
  );
  const top = topOf(energies);
  return [
    textTable(HEAD, rows),
    "",
    `free energy along ${variable.text}: lowest at ${show(centres[energies.indexOf(0)], 4)}, highest ` +
      `${show(energies[top], 4)} ± ${show(errors[top])} eV at ${show(centres[top], 4)}, by integrating its slope`,
    `${folder}/: free-energy.txt, free-energy.html, window-*/`,
  ].join("\n");
}
