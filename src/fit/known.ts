import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { buildTerm } from "../potentials/build.ts";
import {
  energyNotes,
  isolatedAtomEnergies,
  type EnergySource,
  type IsolatedAtomEnergies,
} from "../potentials/isolated-atoms.ts";
import type { Evaluation, Term } from "../potentials/potential.ts";
import { sum } from "../potentials/sum.ts";
import { zblFromStatistics } from "../potentials/zbl.ts";
import { volume } from "../structure/cell.ts";
import { symbolOf } from "../structure/elements.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { PairStatistics } from "../structure/statistics.ts";
import type { Frame } from "../structure/structure.ts";
import type { ModelOptions } from "./options.ts";

/** The terms that are known before anything is learned, and where the energies of isolated atoms came from. */
export interface KnownTerms {
  readonly terms: readonly Term[];
  readonly isolatedAtoms: IsolatedAtomEnergies;
  /** Options of the screened nuclear repulsion; false without. */
  readonly zbl: Readonly<Record<string, unknown>> | false;
}

/**
 * Isolated atoms (given, found or fitted to what the reference leaves of the training frames), ZBL inside the data's
 * distances unless switched off, and the reference itself.
 */
export function knownTerms(
  options: Pick<ModelOptions, "isolatedAtoms"> & {
    readonly zbl: boolean | Readonly<Record<string, unknown>>;
  },
  reference: readonly Term[],
  training: readonly Frame[],
  elements: readonly number[],
  statistics: PairStatistics,
  device: Device,
): KnownTerms {
  const rest = reference.length > 0 ? takeAway(reference, training, elements, device).left : training;
  const isolatedAtoms = atomEnergies(options.isolatedAtoms, rest);
  const terms: Term[] = [{ type: "isolated-atoms", options: isolatedAtoms.options, tensors: {} }];
  const absent = elements.filter((z) => !statistics.elements.includes(z));
  if (absent.length > 0)
    throw invalid("split", `training frames with ${absent.map(symbolOf).join(", ")}`, "none");
  const zbl = options.zbl === true ? { ...zblFromStatistics(statistics) } : options.zbl;
  if (zbl) terms.push({ type: "zbl", options: zbl, tensors: {} });
  return { terms: [...terms, ...reference], isolatedAtoms, zbl };
}

/** Energies of isolated atoms; those that an earlier fit has settled keep their source. */
function atomEnergies(given: ModelOptions["isolatedAtoms"], frames: readonly Frame[]): IsolatedAtomEnergies {
  const energies: Record<string, number> = {};
  const recorded: Record<string, EnergySource> = {};
  for (const [symbol, value] of Object.entries(given === "fit" ? {} : given)) {
    energies[symbol] = typeof value === "number" ? value : value.energy;
    if (typeof value !== "number") recorded[symbol] = value.source;
  }
  const { options, sources: found } = isolatedAtomEnergies(frames, energies);
  const sources = { ...found, ...recorded };
  return { options, sources, notes: energyNotes(sources) };
}

/** What settles the same energies, with the same sources, in a fit of the same data. */
export const recordOf = ({ options, sources }: IsolatedAtomEnergies): ModelOptions["isolatedAtoms"] =>
  Object.fromEntries(
    Object.entries(options.energies).map(([symbol, energy]) => {
      const source = sources[symbol];
      return [symbol, source === "given" ? energy : { energy, source }];
    }),
  );

/** What the known terms say of each frame. */
export interface KnownParts {
  /** Energy of the known terms, [frames], eV. */
  readonly energies: Float64Array;
  /** Forces and virials of the known terms, one entry per frame; null where all are zero. */
  readonly parts: readonly (Evaluation | null)[];
}

/** Frames whose labels lack what the known terms say, what is left to learn; and what they said. */
export function takeAway(
  terms: readonly Term[],
  frames: readonly Frame[],
  elements: readonly number[],
  device: Device,
): { readonly left: readonly Frame[]; readonly said: KnownParts } {
  const known = sum(...terms.map((term) => buildTerm(term, elements, device)));
  const energies = new Float64Array(frames.length);
  const parts: (Evaluation | null)[] = [];
  const left = frames.map((frame, f) => {
    const { structure } = frame;
    const out: Evaluation = {
      energy: 0,
      forces: new Float64Array(structure.positions.length),
      virial: new Float64Array(9),
    };
    known.evaluate(structure, findNeighbours(structure, Math.max(known.cutoff, 0.1)), out);
    energies[f] = out.energy;
    parts.push(out.forces.some((x) => x !== 0) || out.virial.some((x) => x !== 0) ? out : null);
    return {
      ...frame,
      energy: frame.energy === undefined ? undefined : frame.energy - out.energy,
      forces: frame.forces?.map((x, k) => x - out.forces[k]),
      stress: frame.stress && frame.stress.map((x, k) => x + out.virial[k] / volume(structure.cell!)),
    };
  });
  return { left, said: { energies, parts } };
}
