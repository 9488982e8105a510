import { join } from "node:path";
import type { Hills } from "../potentials/bias/hills.ts";
import type { Variable } from "../potentials/bias/variable.ts";
import type { HillsProfile } from "../run/free-energy/hills-profile.ts";
import { writeWhole } from "./files.ts";
import { stackFigures } from "./report/figures.ts";
import { freeEnergyFigure } from "./report/free-energy-figure.ts";
import type { FreeEnergyCurve } from "./report/free-energy-figure.ts";
import { page, section } from "./report/page.ts";
import { show } from "./table.ts";

/** A variable with its unit, for heads and axes. */
export const labelOf = ({ text, unit }: Pick<Variable, "text" | "unit">): string =>
  unit ? `${text} (${unit})` : text;

/** Columns of numbers under one line of names. */
const columnText = (columns: readonly (readonly [name: string, values: ArrayLike<number>])[]): string => {
  const rows = Array.from({ length: columns[0][1].length }, (_, r) =>
    columns.map(([, values]) => (Number.isNaN(values[r]) ? "nan" : String(values[r]))).join(" "),
  );
  return [`# ${columns.map(([name]) => name).join("  ")}`, ...rows, ""].join("\n");
};

/** Writes free-energy.txt, .svg and .html into a folder; `sections` follow the figure. */
export async function writeProfiles(
  folder: string,
  label: string,
  centres: Float64Array,
  curves: readonly FreeEnergyCurve[],
  sections: readonly string[] = [],
): Promise<void> {
  const columns = curves.flatMap(({ name, energies, errors }) => [
    [`${name}_eV`, energies] as const,
    ...(errors ? [[`${name}_error_eV`, errors] as const] : []),
  ]);
  const { svg } = freeEnergyFigure(centres, curves, label);
  const figure = `<figure>${svg}<figcaption>Bands: two standard errors of the difference to the lowest bin.</figcaption></figure>`;
  const html = page(`Free energy along ${label}`, section(`Free energy along ${label}`, figure), ...sections);
  await writeWhole(
    join(folder, "free-energy.txt"),
    columnText([[label.replaceAll(" ", "_"), centres], ...columns]),
  );
  await writeWhole(join(folder, "free-energy.svg"), stackFigures([svg], 1));
  await writeWhole(join(folder, "free-energy.html"), html);
}

/** Writes the centres and heights of all hills to hills.txt. */
export async function writeHills(hills: Hills, folder: string): Promise<void> {
  const width = hills.variables.length + 1;
  const names = [...hills.variables.map((v) => labelOf(v).replaceAll(" ", "_")), "height_eV"];
  const columns = names.map((name, k) => {
    const column = Float64Array.from({ length: hills.count }, (_, h) => hills.table[width * h + k]);
    return [name, column] as const;
  });
  await writeWhole(join(folder, "hills.txt"), columnText(columns));
}

/** Writes what metadynamics found and says it in a few lines. */
export async function writeHillsProfile(
  { centres, energies, errors, fromHills }: HillsProfile,
  hills: Hills,
  folder: string,
): Promise<string> {
  const [variable] = hills.variables;
  await writeProfiles(folder, labelOf(variable), centres, [
    { name: "samples", energies, errors },
    { name: "hills", energies: fromHills },
  ]);
  const lowest = energies.indexOf(0);
  const rms = Math.sqrt(
    energies.reduce(
      (sum, F, b) => sum + (Number.isNaN(F) ? 0 : (F - fromHills[b] + fromHills[lowest]) ** 2),
      0,
    ) / Math.max(1, energies.filter((F) => !Number.isNaN(F)).length),
  );
  return [
    "",
    `free energy along ${variable.text}: lowest at ${show(centres[lowest], 4)}; hills and samples differ by ${show(rms)} eV (root mean square)`,
    `${folder}/: hills.txt, free-energy.txt, free-energy.html`,
  ].join("\n");
}
