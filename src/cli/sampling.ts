import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { readBias } from "../potentials/bias/bias.ts";
import { readVariable } from "../potentials/bias/variable.ts";
import type { Variable } from "../potentials/bias/variable.ts";
import type { Potential } from "../potentials/potential.ts";
import { sum } from "../potentials/sum.ts";
import { blockAverage } from "../run/analysis/blocks.ts";
import type { Mean } from "../run/analysis/blocks.ts";
import type { Fixed } from "../run/constraints/constraints.ts";
import type { Dynamics, Motion } from "../run/dynamics.ts";
import { readFixed } from "../run/constraints/read.ts";
import { hillsProfile } from "../run/free-energy/hills-profile.ts";
import type { HillsProfile } from "../run/free-energy/hills-profile.ts";
import { slopeOf, weightedMean } from "../run/free-energy/mean-force.ts";
import { metadynamics, walker } from "../run/free-energy/metadynamics.ts";
import type { Walker } from "../run/free-energy/metadynamics.ts";
import { readMetadynamics } from "../run/free-energy/told.ts";
import type { Told } from "../run/free-energy/told.ts";
import type { Structure } from "../structure/structure.ts";
import { kB } from "../structure/units.ts";
import type { HillBoard } from "./hill-board.ts";

/** What the command line says about biases, variables and bonds. */
export interface SamplingFlags {
  readonly bias?: readonly string[];
  readonly record?: readonly string[];
  readonly metadynamics?: string;
  readonly constrain?: readonly string[];
}

const gather = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** Adds --bias, --record, --metadynamics and --constrain to a command. */
export const withSampling = (command: Command): Command =>
  command
    .option(
      "--bias <text>",
      'energy added: "umbrella(distance(1,2); 1.5; k=10)", "wall(…)"; again for more',
      gather,
    )
    .option("--record <variable>", 'written to variables.txt: "dihedral(1,2,3,4)"; again for more', gather)
    .option(
      "--metadynamics <text>",
      '"distance(1,2); width=0.1; height=0.02; every=500; factor=10": well-tempered',
    )
    .option(
      "--constrain <text>",
      'held fixed: bonds, "hydrogens" or "1-2,3-4=1.09"; a variable, "distance(1,2)-distance(2,3)=0.5"; again for more',
      gather,
    );

/** Biases, recorded variables and what a run holds fixed. */
export interface Sampling {
  /** Everything that must agree between a run and its continuation. */
  readonly settings: Readonly<Record<string, string>>;
  readonly fixed?: Fixed;
  /** Dynamics on the biased surface. */
  dynamics(potential: Potential, make: (surface: Potential) => Dynamics): Dynamics;
  /** First line of variables.txt. */
  readonly head: string;
  /** One line of it. */
  line(run: Dynamics, state: Motion, structure: Structure, timestep: number): string;
  /** Where walkers lay hills together. */
  readonly share?: Share;
}

/** What walkers do together between steps. */
export interface Share {
  isDue(run: Dynamics, state: Motion): boolean;
  /** Lays the hills that are due as soon as those of all are there; false if `stopped` before. */
  settle(run: Dynamics, state: Motion, stopped: () => boolean): Promise<boolean>;
}

/** The same with what it is made of. */
export interface Parts extends Sampling {
  readonly variables: readonly Variable[];
  readonly told?: Told;
}

/** Reads the flags; undefined where they ask for nothing. */
export function samplingOf(
  flags: SamplingFlags,
  structure: Structure,
  temperature: number | readonly [number, number],
  device: Device,
  board?: HillBoard,
): Parts | undefined {
  const { bias = [], record = [], constrain = [] } = flags;
  if (bias.length + record.length + constrain.length === 0 && !flags.metadynamics) return undefined;
  const biases = bias.map((text) => readBias(text, device, "--bias"));
  const told = flags.metadynamics
    ? readMetadynamics(flags.metadynamics, device, "--metadynamics")
    : undefined;
  const fixed = constrain.length > 0 ? readFixed(constrain, structure, device, "--constrain") : undefined;
  const asked = record.map((text) => readVariable(text, device, "--record"));
  const variables = distinct([
    ...(told?.hills.variables ?? []),
    ...biases.map(({ variable }) => variable),
    ...asked,
  ]);
  for (const variable of variables) variable.demand(structure);
  if (told && typeof temperature !== "number")
    throw invalid("--temperature", "one value with --metadynamics", temperature.join(".."));
  const shared = told && board;
  const among = shared && { walkers: String(shared.walkers) };
  const settings = { bias, record, metadynamics: flags.metadynamics, constrain, ...among };
  const holding = holdingOf(fixed, temperature);
  return {
    variables,
    ...(told && { told }),
    ...(fixed && { fixed }),
    settings: Object.fromEntries(
      Object.entries(settings).map(([name, x]) => [name, x?.length ? String(x) : "none"]),
    ),
    dynamics(potential, make) {
      const surface = biases.length > 0 ? sum(potential, ...biases) : potential;
      if (!told) return make(surface);
      return (shared ? walker : metadynamics)(
        surface,
        told.hills,
        { ...told, temperature: Number(temperature) },
        make,
      );
    },
    ...(shared && { share: shareOf(shared, told.every) }),
    head: `# step  time_ps${[...variables.map(({ text }) => text), ...holding.names].map((t) => `  ${t}`).join("")}\n`,
    line(run, state, own, timestep) {
      const now = { ...own, positions: state.positions, cell: state.cell };
      const numbers = [
        (state.step * timestep) / 1000,
        ...variables.map((variable) => variable.evaluate(now)),
        ...holding.numbers(run, state),
      ];
      return `${state.step} ${numbers.map(String).join(" ")}\n`;
    },
  };
}

/** More tensions than these would be a table that nobody reads. */
const TENSIONS = 8;

/** Columns on what is held fixed: tensions and, for one variable alone, the slope of the free energy along it. */
function holdingOf(fixed: Required<Fixed> | undefined, temperature: number | readonly [number, number]) {
  if (!fixed) return { names: [], numbers: () => [] };
  const { fixedBonds, held } = fixed;
  const bonds = fixedBonds.length <= TENSIONS ? fixedBonds : [];
  const skipped = fixedBonds.length - bonds.length;
  const alone = held.length === 1 && fixedBonds.length === 0 && typeof temperature === "number";
  return {
    names: [
      ...bonds.map(({ atoms }) => `tension(${atoms[0] + 1},${atoms[1] + 1})`),
      ...held.map(({ variable }) => `tension(${variable.text})`),
      ...(alone ? [SLOPE, WEIGHT].map((name) => `${name}(${held[0].variable.text})`) : []),
    ],
    numbers(run: Dynamics, state: Motion): readonly number[] {
      if (bonds.length + held.length === 0) return [];
      const tensions = run.constraints!.tensions(state.positions, state.velocities, state.forces);
      const own = alone ? slopeOf(run.constraints!, state, kB * temperature)! : undefined;
      return [...tensions.subarray(skipped), ...(own ? [own.slope, own.weight] : [])];
    },
  };
}

const [SLOPE, WEIGHT] = ["slope", "weight"];
const SLOPES = new RegExp(`^${SLOPE}(\\(.*\\))$`);

/** Each variable once. */
const distinct = (variables: readonly Variable[]): Variable[] => [
  ...new Map(variables.map((variable) => [variable.text, variable])).values(),
];

/** The dynamics that share hills are walkers: see `dynamics` above. */
const shareOf = (board: HillBoard, every: number): Share => ({
  isDue: (run, state) => (run as Walker).isDue(state, board.walkers),
  async settle(run, state, stopped) {
    const own = run as Walker;
    const laid = await board.exchange(state.step / every, own.hillAt(state), stopped);
    if (laid) own.lay(state, laid);
    return laid !== undefined;
  },
});

/** Columns of variables.txt by name, "step" and "time_ps" among them. */
export function readVariables(path: string): Map<string, Float64Array> {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  const names = lines[0].replace(/^#\s*/, "").split(/ {2}/);
  const rows = lines.slice(1).map((line) => line.split(" ").map(Number));
  return new Map(names.map((name, c) => [name, Float64Array.from(rows, (row) => row[c])]));
}

/** Means of all columns with their errors; the slope of the free energy along a variable that is held is one of them. */
export function variableMeans(path: string): Record<string, Mean> {
  const columns = readVariables(path);
  const means = [...columns].flatMap(([name, values]): [string, Mean][] => {
    if (name === "step" || name === "time_ps" || name.startsWith(`${WEIGHT}(`)) return [];
    const along = SLOPES.exec(name)?.[1];
    if (along) return [[`dF/d${along}`, weightedMean(values, columns.get(WEIGHT + along)!)]];
    return [[name, blockAverage(values)]];
  });
  return Object.fromEntries(means);
}

/**
 * The free energy that metadynamics found along its variable, from what is in the folder of each walker; undefined without
 * it, or with several variables.
 */
export function freeEnergyOf(
  { told }: Parts,
  folders: readonly string[],
  temperature: number,
  bins: number,
): HillsProfile | undefined {
  if (told?.hills.variables.length !== 1) return undefined;
  const columns = folders.map((folder) => readVariables(join(folder, "variables.txt")));
  const inTurn = (name: string) => {
    const all = columns.map((own) => own.get(name)!);
    const rows = Math.min(...all.map(({ length }) => length));
    return Float64Array.from(
      { length: rows * all.length },
      (_, k) => all[k % all.length][Math.floor(k / all.length)],
    );
  };
  const series = { samples: inTurn(told.hills.variables[0].text), steps: inTurn("step") };
  if (series.samples.length < 2 * bins || told.hills.count < 2) return undefined;
  return hillsProfile({ ...told, kT: kB * temperature, walkers: folders.length, ...series }, bins);
}

/** Reads "1.5" or "120deg", which becomes radians. */
export function place(text: string): number {
  const found = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(deg)?$/i.exec(text.trim());
  if (!found) throw new InvalidArgumentError("A number, or degrees as in 120deg, is expected.");
  return Number(found[1]) * (found[2] ? Math.PI / 180 : 1);
}
