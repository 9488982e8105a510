import type { Command } from "commander";
import type { Precision } from "../device/device.ts";
import type { Mean } from "../run/analysis/blocks.ts";
import type { CellMotion } from "../run/barostats.ts";
import type { Line } from "../run/observe.ts";
import { ensembles } from "../run/ensembles.ts";
import type { Heeded } from "../run/ensembles.ts";
import type { Structure } from "../structure/structure.ts";
import { positive } from "./command.ts";
import type { Idle } from "./command.ts";
import type { Told } from "./deviations.ts";
import type { Sampling } from "./sampling.ts";
import type { Spread } from "./thermo.ts";
import type { ExtrapolationWatch, WatchResult } from "./watch.ts";

/** Adds what every run at a temperature is told: its step and the strength of its thermostat. */
export const withThermostat = (command: Command): Command =>
  command
    .option("--timestep <fs>", "Δt", positive, 0.5)
    .option("--friction <1/ps>", "of Langevin dynamics", positive, 5)
    .option("--period <fs>", "time constant of other thermostats", positive, 100);

/** A value that stays, or goes from one to another. */
export type Span = number | readonly [from: number, to: number];

/** What a run of dynamics on the command line is told. */
export interface MdOptions {
  readonly structure: Structure;
  /** What the surface is computed in. */
  readonly precision?: Precision;
  /** SHA-256 of the model file: a run is continued on the same surface. */
  readonly model: string;
  readonly folder: string;
  readonly ensemble: string;
  /** K; or from one to another over the run. */
  readonly temperature: Span;
  /** ps. */
  readonly time: number;
  /** fs. */
  readonly timestep: number;
  /** 1/ps. */
  readonly friction: number;
  /** Time constants of thermostat and barostat, fs. */
  readonly period: number;
  readonly pressurePeriod: number;
  /** GPa; or from one to another over the run. */
  readonly pressure: Span;
  /** 1/GPa, for stochastic cell rescaling. */
  readonly compressibility?: number;
  /** What of the cell moves, with a barostat. */
  readonly cell: CellMotion;
  readonly seed: number;
  /** Steps between frames; 0: no trajectory. */
  readonly every: number;
  /** Steps between lines of the table. */
  readonly thermo: number;
  /** Looks at every step for leaving the training data; the potential is then its graded one. */
  readonly watch?: ExtrapolationWatch;
  /** Biases, recorded variables, fixed bonds. */
  readonly sampling?: Sampling;
  /** Tells standard deviations of the frames that are written. */
  readonly certainty?: (structure: Structure) => Told;
  /** s between checkpoints. */
  readonly checkpoint?: number;
  readonly restart?: boolean;
  readonly force?: boolean;
}

/** What a run came to. */
export interface MdResult {
  readonly atoms: number;
  readonly steps: number;
  readonly timestep: number;
  readonly picoseconds: number;
  readonly temperature: Spread;
  readonly potential: Spread;
  /** GPa and Å³, of a bulk. */
  readonly pressure?: Spread;
  readonly volume?: Spread;
  /** meV/atom/ps. */
  readonly drift: Line;
  /** Largest |invariant − its start|, meV/atom. */
  readonly wander: number;
  readonly rebuilds: number;
  /** Wall time of this call. */
  readonly seconds: number;
  /** Where it was watched: how far the run left the training data. */
  readonly extrapolation?: WatchResult;
  /** Means of recorded variables. */
  readonly variables?: Readonly<Record<string, Mean>>;
}

/** Steps of the whole run. */
export const stepsOf = ({ time, timestep }: MdOptions): number => Math.round((1000 * time) / timestep);

const HEEDED: readonly Heeded[] = [
  "friction",
  "period",
  "pressure",
  "pressurePeriod",
  "compressibility",
  "cell",
];

/** What an ensemble is told in vain. */
export const idleIn = (ensemble: string): Idle[] =>
  HEEDED.map((option) => {
    const those = Object.keys(ensembles).filter((name) => ensembles[name].heeds.includes(option));
    return [option, `--ensemble ${those.join(" or ")}`, those.includes(ensemble), ensemble];
  });
