import { umbrella } from "../../potentials/bias/bias.ts";
import type { Variable } from "../../potentials/bias/variable.ts";
import type { Perturbed } from "../../run/free-energy/perturbation.ts";
import { LEAST_OVERLAP, umbrellas } from "../../run/free-energy/windows.ts";
import type { Umbrellas, Window } from "../../run/free-energy/windows.ts";
import { kB } from "../../structure/units.ts";
import { labelOf, writeProfiles } from "../free-energy.ts";
import { curveFigure } from "../report/figures.ts";
import { htmlTable, section } from "../report/page.ts";
import { show, textTable } from "../table.ts";
import { columnsOf } from "./windows.ts";
import type { WindowFlags } from "./windows.ts";

/** What umbrella sampling found, and the windows it came from. */
export interface Sampled {
  readonly windows: readonly Window[];
  readonly found: Umbrellas;
}

/** Reads all windows and finds the profile by WHAM and MBAR. */
export function readUmbrellas(
  folder: string,
  variable: Variable,
  centres: readonly number[],
  flags: WindowFlags & { readonly bins: number },
): Sampled {
  const windows = centres.map((centre, k): Window => {
    const bias = umbrella(variable, centre, flags.k);
    const samples = columnsOf(folder, k, flags).get(variable.text)!;
    return { samples, energyAt: (s) => bias.energyAt(s) };
  });
  const { bins, temperature } = flags;
  return { windows, found: umbrellas(windows, { kT: kB * temperature, bins, period: variable.period }) };
}

/** Windows, from 0 on, that hardly overlap with the next, where nothing else holds the two together. */
export function looseOf({ overlaps, inefficiencies }: Umbrellas): number[] {
  const loose = [...overlaps.keys()].filter((k) => overlaps[k] < LEAST_OVERLAP);
  const last = inefficiencies.length - 1;
  // A circle that is open at one place holds together; where it is open at two, that of the ends goes without saying.
  if (overlaps.length > last && loose.length === 1) return [];
  return loose.filter((k) => k < last);
}

const HEAD = ["window", "centre", "mean", "values", "g", "overlap with next", "F (eV)", "± (eV)"];

/** Mean of values of a variable, each taken at its image nearest the centre. */
const meanAbout = (samples: Float64Array, centre: number, variable: Variable): number =>
  centre + samples.reduce((sum, s) => sum + variable.wrap(s - centre), 0) / samples.length;

/** One row for each window. */
function windowRows({ found, windows }: Sampled, centres: readonly number[], variable: Variable): string[][] {
  return centres.map((centre, k) => {
    const { samples } = windows[k];
    const overlap = found.overlaps[k];
    return [
      String(k + 1),
      show(centre, 4),
      show(meanAbout(samples, centre, variable), 4),
      String(samples.length),
      show(found.inefficiencies[k]),
      overlap === undefined ? "" : show(overlap),
      show(found.mbar.windows[k], 4),
      show(found.mbar.windowErrors[k]),
    ];
  });
}

/** Writes profile, histograms and windows, and says them. */
export async function presentUmbrellas(
  sampled: Sampled,
  variable: Variable,
  centres: readonly number[],
  folder: string,
  onto?: { readonly name: string; readonly perturbed: Perturbed },
): Promise<string> {
  const rows = windowRows(sampled, centres, variable);
  const { centres: s, mbar, wham, histograms } = sampled.found;
  const histogram = curveFigure(
    histograms.map((y, k) => ({ name: String(k + 1), x: s, y })),
    labelOf(variable),
    "values in a bin",
  );
  await writeProfiles(
    folder,
    labelOf(variable),
    s,
    [
      { name: "MBAR", energies: mbar.energies, errors: mbar.errors },
      { name: "WHAM", energies: wham.energies, errors: wham.errors },
      ...(onto ? [{ name: onto.name, ...onto.perturbed }] : []),
    ],
    [section("Windows", `<figure>${histogram.svg}</figure>`, htmlTable(HEAD, rows))],
  );
  return describe(sampled.found, variable, rows, folder);
}

/** Where a profile is highest. */
export const topOf = (energies: Float64Array): number =>
  energies.reduce((best, F, b) => (F > (energies[best] || 0) ? b : best), 0);

function describe(
  found: Umbrellas,
  variable: Variable,
  rows: readonly (readonly string[])[],
  folder: string,
): string {
  const { centres, mbar, wham } = found;
  const apart = wham.energies.map((F, b) => Math.abs(F - mbar.energies[b])).filter((x) => !Number.isNaN(x));
  const top = topOf(mbar.energies);
  return [
    textTable(HEAD, rows),
    "",
    `free energy along ${variable.text}: lowest at ${show(centres[mbar.energies.indexOf(0)], 4)}, highest ` +
      `${show(mbar.energies[top], 4)} ± ${show(mbar.errors[top])} eV at ${show(centres[top], 4)}` +
      (apart.length > 0 ? `; WHAM and MBAR differ by ${show(Math.max(...apart))} eV at most` : ""),
    ...looseOf(found).map(
      (k) =>
        `warning: windows ${k + 1} and ${k + 2} hardly overlap: the profile's parts on either side ` +
        "may lie anywhere to each other; take more windows or a smaller --k",
    ),
    `${folder}/: free-energy.txt, free-energy.html, window-*/`,
  ].join("\n");
}
