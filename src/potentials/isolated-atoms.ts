import { z } from "../zod.ts";
import type { Range } from "../descriptors/environments.ts";
import { invalid } from "../error.ts";
import { leastSquares } from "../math/least-squares.ts";
import { findNumber, numberOf, symbolOf } from "../structure/elements.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Frame, Structure } from "../structure/structure.ts";
import { ChunkedEvaluation } from "./chunks.ts";
import type { Evaluation, Potential, PotentialMethod } from "./potential.ts";

const isolatedAtomsOptions = z.strictObject({
  energies: z
    .record(
      z.string().refine((s) => findNumber(s) !== undefined, { error: "expected a chemical symbol" }),
      z.number(),
    )
    .meta({ unit: "eV", help: "Energy of one atom of each element alone in space" }),
});

export type IsolatedAtomsOptions = z.infer<typeof isolatedAtomsOptions>;

/** E = Σ_i E(element of i): no forces, no virial. */
export class IsolatedAtoms implements Potential {
  readonly cutoff = 0;
  readonly elements: readonly number[];
  readonly #energyOf = new Float64Array(256).fill(NaN);
  readonly #chunks: ChunkedEvaluation;

  constructor(options: IsolatedAtomsOptions) {
    for (const [symbol, energy] of Object.entries(options.energies))
      this.#energyOf[numberOf(symbol)] = energy;
    this.elements = Array.from({ length: 256 }, (_, z) => z).filter((z) => !Number.isNaN(this.#energyOf[z]));
    this.#chunks = new ChunkedEvaluation(this.elements);
  }

  /** Nothing: no energy of an atom depends on where it is. */
  curvature(): void {}

  evaluate(structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void {
    this.#chunks.run(structure, neighbours, out, range, (part, _, out, [first, last] = [0, 0]) => {
      for (let i = first; i < last; i++) {
        const energy = this.#energyOf[part.numbers[i]];
        out.energy += energy;
        if (out.energies) out.energies[i] += energy;
      }
    });
  }
}

export const isolatedAtoms: PotentialMethod<IsolatedAtomsOptions> = {
  name: "isolated-atoms",
  summary: "Energy of each atom alone in space",
  options: isolatedAtomsOptions,
  build: (options, elements) => {
    const missing = elements.filter((z) => options.energies[symbolOf(z)] === undefined);
    if (missing.length > 0)
      throw invalid(`isolated-atoms.energies`, `an energy of ${missing.map(symbolOf).join(", ")}`, "none");
    return new IsolatedAtoms(options);
  },
};

/** Where an energy can come from. */
export const ENERGY_SOURCES = [
  "given",
  "isolated-atom frame",
  "least squares",
  "least squares, not determined",
] as const;

export type EnergySource = (typeof ENERGY_SOURCES)[number];

/** Energies of isolated atoms with their origin, per element present. */
export interface IsolatedAtomEnergies {
  readonly options: IsolatedAtomsOptions;
  readonly sources: Readonly<Record<string, EnergySource>>;
  /** What the user should know, one sentence each. */
  readonly notes: readonly string[];
}

interface Group {
  readonly counts: Map<number, number>;
  readonly atoms: number;
  frames: number;
  /** Σ of energy per atom. */
  sum: number;
}

/**
 * Energies of isolated atoms: those given (eV, by symbol), else those of frames with a single atom, else the least
 * squares of the frames' energies per atom over their compositions; of least norm where compositions do not tell
 * elements apart.
 */
export function isolatedAtomEnergies(
  frames: readonly Frame[],
  given: Readonly<Record<string, number>> = {},
): IsolatedAtomEnergies {
  const energies: Record<string, number> = {};
  const sources: Record<string, EnergySource> = {};
  const groups = groupByComposition(frames);
  const present = [...new Set(frames.flatMap((f) => [...new Set(f.structure.numbers)]))].toSorted(
    (a, b) => a - b,
  );
  for (const [symbol, energy] of Object.entries(given)) {
    numberOf(symbol);
    [energies[symbol], sources[symbol]] = [energy, "given"];
  }
  for (const [symbol, energy] of isolatedFrames(frames)) {
    if (energies[symbol] !== undefined) continue;
    [energies[symbol], sources[symbol]] = [energy, "isolated-atom frame"];
  }
  const unknown = present.filter((z) => energies[symbolOf(z)] === undefined);
  if (unknown.length > 0) solve(groups, unknown, energies, sources);
  return { options: { energies }, sources, notes: energyNotes(sources) };
}

/** What the user should know of energies that came from these sources. */
export function energyNotes(sources: Readonly<Record<string, EnergySource>>): string[] {
  const vague = Object.keys(sources).filter((symbol) => sources[symbol] === "least squares, not determined");
  if (vague.length === 0) return [];
  return [
    `the compositions of the data do not tell the energies of ${vague.join(", ")} apart: the least-norm solution is ` +
      `used, which only fixes the energy of these compositions; give isolated-atom energies to compare others`,
  ];
}

/** Whether a frame is one atom without periodic images, which feels no force, or labelled as an isolated atom. */
export const isIsolatedAtom = (frame: Frame): boolean =>
  frame.structure.numbers.length === 1 && !isInField(frame) && standsAlone(frame);

/** Whether a frame is one atom that feels a force: where it is counts, as on a model surface. */
export const isInField = ({ structure, forces }: Frame): boolean =>
  structure.numbers.length === 1 && forces !== undefined && forces.some((f) => f !== 0);

const standsAlone = ({ structure, configType }: Frame): boolean =>
  !structure.pbc.some(Boolean) || /^isolated[_ -]?atoms?$/i.test(configType ?? "");

/** Energies of isolated atoms; two that disagree are an error. */
function isolatedFrames(frames: readonly Frame[]): Map<string, number> {
  const found = new Map<string, { energy: number; place: string }>();
  for (const frame of frames) {
    const { structure, energy, place } = frame;
    if (!isIsolatedAtom(frame) || energy === undefined) continue;
    const symbol = symbolOf(structure.numbers[0]);
    const before = found.get(symbol);
    if (before && Math.abs(before.energy - energy) > 1e-4)
      throw invalid(
        place,
        `the isolated ${symbol} energy of ${before.place}, ${before.energy} eV`,
        `${energy} eV`,
      );
    if (!before) found.set(symbol, { energy, place });
  }
  return new Map([...found].map(([symbol, { energy }]) => [symbol, energy]));
}

function groupByComposition(frames: readonly Frame[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { structure, energy } of frames) {
    const atoms = structure.numbers.length;
    if (energy === undefined || atoms === 0) continue;
    const counts = new Map<number, number>();
    for (const z of structure.numbers) counts.set(z, (counts.get(z) ?? 0) + 1);
    const key = JSON.stringify([...counts].toSorted(([a], [b]) => a - b));
    const group = groups.get(key) ?? { counts, atoms, frames: 0, sum: 0 };
    group.frames++;
    group.sum += energy / atoms;
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Fills in the unknown energies by least squares. */
function solve(
  groups: readonly Group[],
  unknown: readonly number[],
  energies: Record<string, number>,
  sources: Record<string, EnergySource>,
): void {
  const symbols = unknown.map(symbolOf);
  const A = new Float64Array(groups.length * unknown.length);
  const b = new Float64Array(groups.length);
  groups.forEach(({ counts, atoms, frames, sum }, g) => {
    const weight = Math.sqrt(frames);
    let known = 0;
    for (const [z, n] of counts) known += n * (energies[symbolOf(z)] ?? 0);
    unknown.forEach((z, u) => (A[g * unknown.length + u] = (weight * (counts.get(z) ?? 0)) / atoms));
    b[g] = weight * (sum / frames - known / atoms);
  });
  const { x, determined } = leastSquares(A, b, groups.length, unknown.length);
  symbols.forEach((symbol, u) => {
    energies[symbol] = x[u];
    sources[symbol] = determined[u] ? "least squares" : "least squares, not determined";
  });
}
