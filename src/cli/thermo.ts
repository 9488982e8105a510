import { readFileSync } from "node:fs";
import type { Dynamics, Motion } from "../run/dynamics.ts";
import { ensembles } from "../run/ensembles.ts";
import { drift, pressure, temperature } from "../run/observe.ts";
import { volume } from "../structure/cell.ts";
import type { Structure } from "../structure/structure.ts";
import type { MdOptions } from "./dynamics-options.ts";

/** Mean and standard deviation. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** First line of a thermo table. */
export const HEAD =
  "# step  time_ps  potential_eV  kinetic_eV  invariant_eV  temperature_K  pressure_GPa  volume_A3\n";

/** Which ensemble the rows of a table are samples of. */
export interface SampledEnsemble {
  readonly ensemble: string;
  /** K. */
  readonly temperature: number;
  /** GPa, at constant pressure. */
  readonly pressure?: number;
  readonly atoms: number;
  /** Velocities that carry temperature. */
  readonly freedom: number;
}

/** Comment line of a table that says which ensemble it samples; none where that is not one of a temperature. */
export function ensembleLine(run: Dynamics, options: MdOptions): string {
  const { ensemble, temperature: T, pressure: p, structure } = options;
  const { canonical, barostat } = ensembles[ensemble];
  // Hills that grow sample nothing that stays.
  const growing = (options.sampling?.settings["metadynamics"] ?? "none") !== "none";
  if (!canonical || typeof T !== "number" || typeof p !== "number" || growing) return "";
  const told: SampledEnsemble = {
    ensemble,
    temperature: T,
    ...(barostat && { pressure: p }),
    atoms: structure.numbers.length,
    freedom: run.freedom,
  };
  return `# ${JSON.stringify(told)}\n`;
}

/** What such a line says; undefined where there is none. */
export function samplingOfTable(text: string): SampledEnsemble | undefined {
  const line = /^# (\{.*\})$/m.exec(text)?.[1];
  return line === undefined ? undefined : (JSON.parse(line) as SampledEnsemble);
}

/** Writes a state as a line of the table. */
export function thermoLine(run: Dynamics, options: MdOptions): (state: Motion) => string {
  const { structure, timestep } = options;
  const bulk = structure.cell !== null && structure.pbc.every(Boolean);
  return (state) => {
    const K = run.kinetic(state);
    const V = bulk ? volume(state.cell!) : NaN;
    const numbers = [
      (state.step * timestep) / 1000,
      state.energy,
      K,
      run.invariant(state),
      temperature(K, run.freedom),
      bulk ? pressure(K, wholeVirial(run, state), V) : NaN,
      V,
    ];
    return `${state.step} ${numbers.map((x) => (Number.isNaN(x) ? "nan" : String(x))).join(" ")}\n`;
  };
}

/** The virial of the potential and of fixed bonds. */
function wholeVirial(
  { constraints }: Dynamics,
  { positions, velocities, forces, virial }: Motion,
): Float64Array {
  if (!constraints) return virial;
  const whole = virial.slice();
  constraints.virial(positions, constraints.tensions(positions, velocities, forces), whole);
  return whole;
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

/** Rows of a thermo table: step, time (ps), potential, kinetic, invariant (eV), temperature (K), pressure (GPa), volume (Å³). */
export const readThermo = (path: string): number[][] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split(" ").map(Number));

/** Averages over the whole table, earlier parts of a restarted run included. */
export function summarise(path: string, structure: Structure, steps: number, timestep: number) {
  const rows = readThermo(path);
  const atoms = structure.numbers.length;
  const invariants = rows.map((r) => r[4]);
  return {
    atoms,
    steps,
    timestep,
    picoseconds: (steps * timestep) / 1000,
    temperature: spread(rows.map((r) => r[5])),
    potential: spread(rows.map((r) => r[2])),
    ...(Number.isFinite(rows[0][6]) && {
      pressure: spread(rows.map((r) => r[6])),
      volume: spread(rows.map((r) => r[7])),
    }),
    drift: drift(
      rows.map((r) => 1000 * r[1]),
      invariants,
      atoms,
    ),
    wander: (1000 * invariants.reduce((most, x) => Math.max(most, Math.abs(x - invariants[0])), 0)) / atoms,
  };
}
