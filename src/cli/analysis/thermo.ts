import { readFileSync } from "node:fs";
import { blockAverage } from "../../run/analysis/blocks.ts";
import type { Mean } from "../../run/analysis/blocks.ts";
import { fluctuations } from "../../run/analysis/fluctuations.ts";
import { kB } from "../../structure/units.ts";
import { show } from "../table.ts";
import { readThermo, samplingOfTable } from "../thermo.ts";
import type { SampledEnsemble } from "../thermo.ts";
import type { Findings } from "./findings.ts";

/** Rows that are fewer than this tell no fluctuation. */
const LEAST = 64;

/** Columns of the table. */
const COLUMN = { potential: 2, temperature: 5, pressure: 6, volume: 7 } as const;

type Column = (name: keyof typeof COLUMN) => number[];

/** Means with errors by blocks, and heat capacity and other fluctuations, of the thermo table of a run from a time (ps) on. */
export function thermodynamics(path: string, from: number): Findings {
  const rows = readThermo(path).filter((r) => r[1] >= from);
  if (rows.length < LEAST) return { notes: [`${path}: fewer than ${LEAST} lines, no fluctuations`] };
  const column: Column = (name) => rows.map((r) => r[COLUMN[name]]);
  const told = samplingOfTable(readFileSync(path, "utf8"));
  const breathing = told?.pressure !== undefined;
  const means = {
    temperature: blockAverage(column("temperature")),
    potential: blockAverage(column("potential")),
    ...(Number.isFinite(rows[0][COLUMN.pressure]) && { pressure: blockAverage(column("pressure")) }),
    ...(breathing && { volume: blockAverage(column("volume")) }),
  };
  const plain = [
    row("temperature", means.temperature, "K"),
    row("potential energy", means.potential, "eV", 6),
    ...(means.pressure ? [row("pressure", means.pressure, "GPa")] : []),
    ...(means.volume ? [row("volume", means.volume, "Å³", 6)] : []),
  ];
  const drifting = (["potential", ...(breathing ? ["volume" as const] : [])] as const).filter((name) =>
    drifts(column(name)),
  );
  const notes = drifting.map(
    (name) => `${path}: the ${name} still drifts: leave out more with --skip, or run longer`,
  );
  const values = told && responses(told, column);
  if (!values) notes.push(`${path}: its ensemble has no heat capacity to tell`);
  return {
    rows: [...plain, ...(values?.rows ?? [])],
    json: { ...means, ...values?.json, drifting },
    notes,
  };
}

/** Heat capacity and, at constant pressure, compressibility and expansion. */
function responses({ temperature, freedom, pressure, atoms }: SampledEnsemble, column: Column) {
  const volumes = pressure === undefined ? {} : { volumes: column("volume"), pressure };
  const json = fluctuations({ energies: column("potential"), temperature, freedom, ...volumes });
  const { heatCapacity: C, compressibility, expansion } = json;
  const each = { ...C, mean: C.mean / (atoms * kB), error: C.error / (atoms * kB) };
  const rows = [
    row(`heat capacity ${pressure === undefined ? "C_V" : "C_p"}`, each, "k_B/atom"),
    ...(compressibility ? [row("compressibility", compressibility, "1/GPa")] : []),
    ...(expansion ? [row("thermal expansion of the volume", expansion, "1/K")] : []),
  ];
  return { rows, json };
}

/** Errors of a difference that chance does not explain. */
const FAR = 4;

/** Whether the halves of a run have different means, so that its fluctuations are not those of rest. */
function drifts(values: readonly number[]): boolean {
  const half = Math.floor(values.length / 2);
  const [a, b] = [blockAverage(values.slice(0, half)), blockAverage(values.slice(-half))];
  return Math.abs(a.mean - b.mean) > FAR * Math.hypot(a.error, b.error);
}

const row = (name: string, { mean, error }: Mean, unit: string, digits = 4): [string, string, string] => [
  name,
  `${show(mean, digits)} ${unit}`,
  `± ${show(error)}`,
];
