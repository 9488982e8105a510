import {
  isolatedAtomEnergies,
  type EnergySource,
  type IsolatedAtomEnergies,
} from "../../potentials/isolated-atoms.ts";
import { InputError } from "../../error.ts";
import { elementsOf, formulaOf, symbolOf } from "../../structure/elements.ts";
import { findNeighbours, pairDistance, type Neighbours } from "../../structure/neighbours.ts";
import { pairKey, pairName } from "../../structure/statistics.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import { LABELS, type Label } from "../dataset.ts";
import { CUTOFF, fingerprint, groupDuplicates } from "../duplicates.ts";
import { Balance } from "./balance.ts";
import { Consistency } from "./consistency.ts";
import { finding, worst, type Finding, type Severity } from "./finding.ts";
import { outlierFinding, type Sample } from "./outliers.ts";
import { ShearOrder } from "./shear.ts";
import { StressSign } from "./stress.ts";
import { distanceFindings, energyUnitFindings, forceUnitFindings } from "./units.ts";

/** What is said about one element. */
export interface ElementRow {
  readonly symbol: string;
  readonly atoms: number;
  /** Energy of the isolated atom, eV, and where it came from; null without energies. */
  readonly energy: number | null;
  readonly source: EnergySource | null;
  /** Force components, eV/Å; null without forces. */
  readonly forceRms: number | null;
  readonly forceMax: number | null;
  readonly forceMaxPlace: string | null;
}

/** Energies of one composition, after the isolated atoms are taken away. */
export interface CompositionRow {
  readonly formula: string;
  readonly frames: number;
  /** eV per atom. */
  readonly min: number;
  readonly max: number;
  readonly deviation: number;
}

/** The examination of a data set: plain data. */
export interface Diagnosis {
  readonly frames: number;
  readonly atoms: number;
  readonly labelled: Readonly<Record<Label, number>>;
  readonly configTypes: Readonly<Record<string, number>>;
  readonly elements: readonly ElementRow[];
  readonly compositions: readonly CompositionRow[];
  /** Shortest distance of each pair, "C-O", Å, and where. */
  readonly shortest: Readonly<Record<string, { readonly distance: number; readonly place: string }>>;
  readonly findings: readonly Finding[];
  readonly verdict: Severity;
}

interface ForceTally {
  atoms: number;
  square: number;
  components: number;
  max: number;
  place: string;
}

/** What is kept of each frame: a few numbers, so that memory grows slowly with the data. */
interface Trace {
  readonly place: string;
  readonly numbers: Uint8Array;
  readonly pbc: Structure["pbc"];
  readonly energy: number | undefined;
  readonly configType: string | undefined;
  readonly print: Float64Array;
}

/** Two labels of one structure may differ by this, eV per atom. */
const SAME = 1e-4;

/** A frame of which only composition, energy and periodicity are left. */
const bare = ({ numbers, pbc, ...rest }: Trace): Frame => ({
  ...rest,
  structure: { numbers, positions: new Float64Array(3 * numbers.length), cell: null, pbc },
  info: {},
  arrays: {},
});

/** Examines labelled frames one at a time. */
export class Doctor {
  #atoms = 0;
  readonly #labelled = { energy: 0, forces: 0, stress: 0 };
  readonly #configTypes: Record<string, number> = {};
  readonly #forces = new Map<number, ForceTally>();
  readonly #traces: Trace[] = [];
  readonly #strongest: Sample[] = [];
  readonly #closest: Record<string, { distance: number; place: string }> = {};
  readonly #balance = new Balance();
  readonly #consistency = new Consistency();
  readonly #stress = new StressSign();
  readonly #shear = new ShearOrder();
  readonly #broken: string[] = [];

  /** Takes one frame. */
  add(frame: Frame): void {
    const { structure, energy, forces, place, configType } = frame;
    const { numbers } = structure;
    this.#atoms += numbers.length;
    for (const label of LABELS) if (frame[label] !== undefined) this.#labelled[label]++;
    if (configType !== undefined) this.#configTypes[configType] = (this.#configTypes[configType] ?? 0) + 1;
    if (!allFinite(frame)) return void this.#broken.push(place);
    const neighbours = findNeighbours(structure, CUTOFF);
    this.#notice(structure, neighbours, place);
    const trace = { place, numbers: numbers.slice(), pbc: structure.pbc, energy, configType };
    this.#traces.push({ ...trace, print: fingerprint(structure, neighbours) });
    if (forces) this.#addForces(numbers, forces, place);
    this.#balance.add(frame);
    this.#consistency.add(frame);
    this.#stress.add(frame);
    this.#shear.add(frame);
  }

  /** Remembers the frame in which a pair came closest. */
  #notice(structure: Structure, neighbours: Neighbours, place: string): void {
    const { numbers } = structure;
    const { offsets, index } = neighbours;
    for (let i = 0; i < numbers.length; i++)
      for (let p = offsets[i]; p < offsets[i + 1]; p++) {
        const pair = pairKey(numbers[i], numbers[index[p]]);
        const distance = pairDistance(structure, neighbours, i, p);
        if (!(this.#closest[pair]?.distance <= distance)) this.#closest[pair] = { distance, place };
      }
  }

  #addForces(numbers: Uint8Array, forces: Float64Array, place: string): void {
    let strongest = 0;
    for (let i = 0; i < numbers.length; i++) {
      const F = forces.subarray(3 * i, 3 * i + 3);
      const tally = this.#forces.get(numbers[i]) ?? { atoms: 0, square: 0, components: 0, max: 0, place: "" };
      this.#forces.set(numbers[i], tally);
      tally.atoms++;
      for (const x of F) {
        tally.square += x * x;
        tally.components++;
        if (Math.abs(x) > tally.max) [tally.max, tally.place] = [Math.abs(x), place];
      }
      strongest = Math.max(strongest, Math.hypot(...F));
    }
    this.#strongest.push({ value: strongest, place });
  }

  /** Everything found so far. */
  result(): Diagnosis {
    const { isolated, disagreement } = this.#isolatedAtoms();
    const energies = isolated.options.energies;
    const residual = (t: Trace) =>
      t.energy === undefined
        ? undefined
        : (t.energy - t.numbers.reduce((s, z) => s + (energies[symbolOf(z)] ?? 0), 0)) / t.numbers.length;
    const samples = this.#traces.flatMap((t) => {
      const value = residual(t);
      return value === undefined ? [] : [{ value, place: t.place, formula: formulaOf(t.numbers) }];
    });
    const findings = [...disagreement, ...this.#findings(samples)];
    return {
      frames: this.#traces.length + this.#broken.length,
      atoms: this.#atoms,
      labelled: { ...this.#labelled },
      configTypes: { ...this.#configTypes },
      elements: this.#elementRows(energies, isolated.sources),
      compositions: compositionRows(samples),
      shortest: Object.fromEntries(Object.entries(this.#closest).map(([pair, at]) => [pairName(pair), at])),
      findings,
      verdict: worst(findings),
    };
  }

  /** Energies of isolated atoms; frames of single atoms that contradict each other are a finding, and are left out. */
  #isolatedAtoms(): { isolated: IsolatedAtomEnergies; disagreement: Finding[] } {
    const frames = this.#traces.map(bare);
    try {
      return { isolated: isolatedAtomEnergies(frames), disagreement: [] };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const { place, expected, found } = error.problems[0];
      const cure = "keep one isolated atom of each element";
      const message = `two isolated atoms of one element differ: ${expected}, but ${found}`;
      const several = frames.filter((f) => f.structure.numbers.length > 1);
      return {
        isolated: isolatedAtomEnergies(several),
        disagreement: [finding("isolated atoms", "error", message, cure, [place])],
      };
    }
  }

  #elementRows(
    energies: Readonly<Record<string, number>>,
    sources: Readonly<Record<string, EnergySource>>,
  ): ElementRow[] {
    const counts = new Map<number, number>();
    for (const { numbers } of this.#traces) for (const z of numbers) counts.set(z, (counts.get(z) ?? 0) + 1);
    return elementsOf(counts.keys()).map((z) => {
      const symbol = symbolOf(z);
      const force = this.#forces.get(z);
      const energetic = this.#labelled.energy > 0;
      return {
        symbol,
        atoms: counts.get(z)!,
        energy: (energetic ? energies[symbol] : undefined) ?? null,
        source: (energetic ? sources[symbol] : undefined) ?? null,
        forceRms: force ? Math.sqrt(force.square / force.components) : null,
        forceMax: force ? force.max : null,
        forceMaxPlace: force ? force.place : null,
      };
    });
  }

  #findings(samples: readonly Sample[]): Finding[] {
    const energetic = this.#traces.flatMap(({ numbers, energy }) =>
      energy === undefined ? [] : [{ numbers, energy }],
    );
    const tallies = [...this.#forces.values()];
    const components = tallies.reduce((s, t) => s + t.components, 0);
    const rms = Math.sqrt(tallies.reduce((s, t) => s + t.square, 0) / components);
    const outliers = [
      outlierFinding("energy per atom", "eV", samples),
      outlierFinding("largest force", "eV/Å", this.#strongest, true),
    ];
    return [
      ...this.#labelFindings(),
      ...distanceFindings(this.#closest),
      ...energyUnitFindings(energetic),
      ...forceUnitFindings(rms),
      ...this.#consistency.findings(),
      ...this.#balance.findings(),
      ...this.#stress.findings(),
      ...this.#shear.findings(),
      ...this.#duplicateFindings(),
      ...outliers.filter((f) => f !== null),
    ];
  }

  #labelFindings(): Finding[] {
    const { energy, forces } = this.#labelled;
    const total = this.#traces.length + this.#broken.length;
    const found: Finding[] = [];
    if (this.#broken.length > 0)
      found.push(
        finding(
          "numbers",
          "error",
          `${this.#broken.length} frames hold numbers that are not finite`,
          "remove or repair them",
          this.#broken,
        ),
      );
    const counts = `${energy} energies and ${forces} sets of forces on ${total} frames`;
    if (energy === 0 && forces === 0)
      found.push(
        finding(
          "labels",
          "error",
          counts,
          "name the keys of the labels with --energy-key and --forces-key (data.energy, data.forces)",
        ),
      );
    else if (forces === 0)
      found.push(finding("labels", "warn", counts, "add forces: each is worth 3 energies per atom"));
    else if (energy < total || forces < total)
      found.push(finding("labels", "note", counts, "frames without a label do not count for it"));
    else found.push(finding("labels", "ok", counts));
    return found;
  }

  #duplicateFindings(): Finding[] {
    const groups = groupDuplicates(this.#traces.map((t) => ({ kind: formulaOf(t.numbers), print: t.print })));
    if (groups.length === 0) return [finding("duplicates", "ok", "no structure occurs twice")];
    const copies = groups.reduce((n, g) => n + g.length - 1, 0);
    const places = groups.map((g) =>
      g
        .slice(0, 2)
        .map((f) => this.#traces[f].place)
        .join(" = "),
    );
    const contradicting = groups.filter((g) => this.#disagree(g));
    if (contradicting.length === 0)
      return [
        finding(
          "duplicates",
          "note",
          `${copies} frames repeat another one, with equal energies`,
          "splits keep copies together; drop them to save time",
          places,
        ),
      ];
    const where = contradicting.map((g) =>
      g
        .slice(0, 2)
        .map((f) => this.#traces[f].place)
        .join(" = "),
    );
    return [
      finding(
        "duplicates",
        "warn",
        `${copies} frames repeat another one; ${contradicting.length} structures have energies that differ`,
        "keep one label per structure: the calculations differ in settings or convergence",
        where,
      ),
    ];
  }

  #disagree(group: readonly number[]): boolean {
    const per = group
      .map((f) => this.#traces[f])
      .filter((t) => t.energy !== undefined)
      .map((t) => t.energy! / t.numbers.length);
    return per.length > 1 && Math.max(...per) - Math.min(...per) > SAME;
  }
}

const allFinite = ({ structure, energy, forces, stress }: Frame): boolean =>
  [structure.positions, structure.cell, forces, stress].every((a) => !a || a.every(Number.isFinite)) &&
  (energy === undefined || Number.isFinite(energy));

function compositionRows(samples: readonly (Sample & { readonly formula: string })[]): CompositionRow[] {
  const rows = new Map<string, number[]>();
  for (const { formula, value } of samples) {
    const values = rows.get(formula);
    if (values) values.push(value);
    else rows.set(formula, [value]);
  }
  return [...rows].map(([formula, values]) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    const ends = values.reduce(
      ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
      [Infinity, -Infinity],
    );
    return { formula, frames: values.length, min: ends[0], max: ends[1], deviation };
  });
}

/** Examines all frames. */
export function examine(frames: Iterable<Frame>): Diagnosis {
  const doctor = new Doctor();
  for (const frame of frames) doctor.add(frame);
  return doctor.result();
}
