import { invalid } from "../../error.ts";
import { Random } from "../../math/random.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Simulation } from "../simulation.ts";
import { apart, clashes, fingerprint, handedness, sameBonds } from "./likeness.ts";
import { relaxationsOn } from "./relaxations.ts";
import type { Minimum, Relaxations } from "./relaxations.ts";
import { turned } from "./rotors.ts";
import type { Molecule, Rotor } from "./rotors.ts";

/** Options of `conformerSearch`. */
export interface ConformerOptions {
  /** All combinations of turns when they are at most so many, else so many drawn at random; 300 by default. */
  readonly candidates?: number;
  readonly seed?: number;
  /** Largest force of a relaxed conformer, eV/Å; 0.005 by default. */
  readonly fmax?: number;
  /** Most steps of a relaxation; 500 by default. */
  readonly steps?: number;
  /** Conformers whose energies, eV, and distances, Å, differ by less are one; 0.005 and 0.1 by default. */
  readonly sameEnergy?: number;
  readonly sameDistance?: number;
  /** Whether a minimum counts; all do by default. */
  readonly admit?: (structure: Structure) => boolean;
  /** What relaxes candidates, several at once; one after another on this thread by default. */
  readonly relaxations?: Relaxations;
}

/** A minimum of a molecule with its bonds as they were. */
export interface Conformer {
  /** [n, 3], Å. */
  readonly positions: Float64Array;
  /** eV. */
  readonly energy: number;
  /** How often it was found, as it is and as its mirror image. */
  found: number;
  mirrored: number;
  /** See `handedness`. */
  readonly hand: -1 | 0 | 1;
}

/** A search under way: plain data. */
export interface ConformerState {
  /** Candidates done. */
  step: number;
  /** In the order of discovery. */
  readonly conformers: Conformer[];
  /** Candidates whose atoms clashed, that did not relax, that reacted, that were not admitted. */
  clashed: number;
  stuck: number;
  reacted: number;
  refused: number;
}

/** Steps of every rotor for each candidate, the structure as it is first. */
export function candidatesOf(rotors: readonly Rotor[], most: number, seed: number): number[][] {
  if (!(Number.isInteger(most) && most > 0)) throw invalid("candidates", "a number above 0", most);
  const all = rotors.reduce((product, { turns }) => product * turns, 1);
  const digits = (k: number) => {
    let rest = k;
    return rotors.map(({ turns }) => {
      const digit = rest % turns;
      rest = Math.floor(rest / turns);
      return digit;
    });
  };
  if (all <= most) return Array.from({ length: all }, (_, k) => digits(k));
  const random = new Random(seed, "conformers");
  const drawn = new Map<string, number[]>([[digits(0).join(), digits(0)]]);
  while (drawn.size < most) {
    const steps = rotors.map(({ turns }) => random.integer(turns));
    drawn.set(steps.join(), steps);
  }
  return [...drawn.values()];
}

/** Attempts to part atoms that clash, and how far each rotor is turned for it: 2 arctan 0.27 = 30°. */
const [NUDGES, FAR] = [30, 0.27];

/**
 * Conformers of a molecule: every candidate is the structure with its rotors turned, thrown away when atoms clash however
 * they are nudged, relaxed otherwise, and a new conformer when no earlier one has its energy and its distances between like atoms.
 */
export function conformerSearch(
  molecule: Molecule,
  rotors: readonly Rotor[],
  potential: Potential,
  options: ConformerOptions = {},
): Simulation<ConformerState> & { readonly candidates: number } {
  const { candidates = 300, seed = 1, fmax = 0.005, steps = 500, admit = () => true } = options;
  const { sameEnergy = 0.005, sameDistance = 0.1 } = options;
  const { structure } = molecule;
  const turns = candidatesOf(rotors, candidates, seed);
  const { relaxations = relaxationsOn(structure, potential, { fmax, steps }) } = options;

  /** The structure with its rotors turned; where atoms clash, each a little farther or less far; null where that does not help. */
  function begin(candidate: number): Float64Array | null {
    const steps = turns[candidate];
    const random = new Random(seed, "nudges", candidate);
    for (let k = 0; k < NUDGES; k++) {
      const nudges = k === 0 ? [] : rotors.map(() => FAR * (2 * random.uniform() - 1));
      const start = turned(structure.positions, rotors, steps, nudges);
      if (!clashes(molecule, start)) return start;
    }
    return null;
  }

  /** Takes a minimum for what it is. */
  function judge(state: ConformerState, found: Minimum | null): void {
    if (!found) state.stuck++;
    else if (!sameBonds(molecule, found.positions)) state.reacted++;
    else if (!admit({ ...structure, positions: found.positions })) state.refused++;
    else file(state, found);
  }

  function file(state: ConformerState, { positions, energy }: Minimum): void {
    const print = fingerprint(molecule, positions);
    const hand = handedness(molecule, positions);
    const known = state.conformers.find(
      (other) =>
        Math.abs(other.energy - energy) < sameEnergy &&
        apart(fingerprint(molecule, other.positions), print) < sameDistance,
    );
    if (!known) state.conformers.push({ positions, energy, found: 1, mirrored: 0, hand });
    else if (hand === -known.hand && hand !== 0) known.mirrored++;
    else known.found++;
  }

  return {
    candidates: turns.length,
    init: () => ({ step: 0, conformers: [], clashed: 0, stuck: 0, reacted: 0, refused: 0 }),
    step(state) {
      const starts: Float64Array[] = [];
      while (starts.length < relaxations.room && state.step < turns.length) {
        const start = begin(state.step++);
        if (start) starts.push(start);
        else state.clashed++;
      }
      for (const found of relaxations.relax(starts)) judge(state, found);
    },
  };
}

/** Mirror images that were both found count as two states. */
export const statesOf = ({ found, mirrored }: Conformer): number => (found > 0 && mirrored > 0 ? 2 : 1);
