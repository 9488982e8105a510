import { readFileSync } from "node:fs";
import { blockAverage } from "../../run/analysis/blocks.ts";
import type { Mean } from "../../run/analysis/blocks.ts";
import { fluctuations } from "../../run/analysis/fluctuations.ts";
import { kB } from "../../structure/units.ts";
import { show } from "../table.ts";
import { readThermo, samplingOfTable } from "../thermo.ts";
import type { Findings } from "./findings.ts";

/** Rows that are fewer than this tell no fluctuation. */
const LEAST = 64;

/** Means with errors by blocks, and heat capacity and other fluctuations, of the thermo table of a run from a time (ps) on. */
export function thermodynamics(path: string, from: number): Findings {
  const rows = readThermo(path).filter((r) => r[1] >= from);
  const told = samplingOfTable(readFileSync(path, "utf8"));
  if (rows.length < LEAST) return { notes: [`${path}: fewer than ${LEAST} lines, no fluctuations`] };
  const column = (k: number) => rows.map((r) => r[k]);
  const bulk = Number.isFinite(rows[0][6]);
  const breathing = told?.pressure !== undefined;
  const means = {
    temperature: blockAverage(column(5)),
    potential: blockAverage(column(2)),
    ...(bulk && { pressure: blockAverage(column(6)) }),
    ...(breathing && { volume: blockAverage(column(7)) }),
  };
  const found: [string, string, string][] = [
    row("temperature", means.temperature, "K"),
    row("potential energy", means.potential, "eV", 6),
    ...(means.pressure ? [row("pressure", means.pressure, "GPa")] : []),
    ...(means.volume ? [row("volume", means.volume, "Å³", 6)] : []),
  ];
  if (!told)
    return { rows: found, json: means, notes: [`${path}: its ensemble has no heat capacity to tell`] };
  const { temperature, freedom, pressure } = told;
  const volumes = pressure === undefined ? {} : { volumes: column(7), pressure };
  const values = fluctuations({ energies: column(2), temperature, freedom, ...volumes });
  const { heatCapacity: C, compressibility, expansion } = values;
  const perAtom = told.atoms * kB;
  found.push([
    pressure === undefined ? "heat capacity C_V" : "heat capacity C_p",
    `${show(C.mean / perAtom, 4)} k_B/atom`,
    `± ${show(C.error / perAtom)}`,
  ]);
  if (compressibility) found.push(row("compressibility", compressibility, "1/GPa"));
  if (expansion) found.push(row("thermal expansion of the volume", expansion, "1/K"));
  return { rows: found, json: { ...means, ...values } };
}

const row = (name: string, { mean, error }: Mean, unit: string, digits = 4): [string, string, string] => [
  name,
  `${show(mean, digits)} ${unit}`,
  `± ${show(error)}`,
];
