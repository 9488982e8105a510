import { NumericalError } from "../error.ts";
import { expOf } from "../formula/scalar.ts";
import { Random } from "../math/random.ts";
import type { RandomState } from "../math/random.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { kB } from "../structure/units.ts";
import { lbfgs, relax } from "./relax.ts";
import type { Relaxed } from "./relax.ts";
import type { Simulation } from "./simulation.ts";

/** Options of `basinHopping`. */
export interface HoppingOptions {
  /** K, of accepting a minimum above the last; 1000 by default. */
  readonly temperature?: number;
  /** First length of the random moves of every coordinate, Å; 0.4 by default. It adapts to accept one hop in two. */
  readonly move?: number;
  /** Largest force of a relaxed minimum, eV/Å; 0.001 by default. */
  readonly fmax?: number;
  /** Most steps of a relaxation; 500 by default. */
  readonly steps?: number;
  readonly seed?: number;
  readonly fixed?: readonly number[];
  /** Whether the walk may enter a minimum; all by default. */
  readonly admit?: (structure: Structure) => boolean;
}

/** A search over minima under way: plain data. */
export interface HoppingState {
  step: number;
  /** The minimum that the walk is in, [n, 3], Å, and its energy, eV. */
  readonly positions: Float64Array;
  energy: number;
  /** The lowest so far. */
  readonly best: Float64Array;
  bestEnergy: number;
  /** The hop that found it; 0: the start. */
  foundAt: number;
  /** Energy of the first minimum, eV. */
  readonly first: number;
  move: number;
  accepted: number;
  /** Hops so far whose relaxation failed, and whose minimum was not admitted. */
  failed: number;
  refused: number;
  random: RandomState;
}

/** Energies, eV, that differ by less are one minimum's. */
const SAME = 1e-6;
/** Hops between which the length of the moves is adapted. */
const ADAPT = 10;

/**
 * Global minimum: every hop moves all atoms at random, relaxes, and accepts the new minimum as Metropolis would, if it is one
 * and is admitted (D. J. Wales, J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997), DOI 10.1021/jp970984n).
 */
export function basinHopping(
  structure: Structure,
  potential: Potential,
  options: HoppingOptions = {},
): Simulation<HoppingState> {
  const { temperature = 1000, move = 0.4, fmax = 0.001, steps = 500, seed = 1, fixed = [] } = options;
  const { admit = () => true } = options;
  const random = new Random(seed, "hops");
  const still = new Set(fixed);
  const settle = (positions: Float64Array) => {
    const from = { ...structure, positions };
    return relax(lbfgs(from, potential, { fixed }), from, { fmax, steps });
  };
  /** The same of a hop; null where it does not end in a minimum, as in a hole of the surface. */
  const tried = (positions: Float64Array) => {
    try {
      const found = settle(positions);
      return found.converged ? found : null;
    } catch (error) {
      if (error instanceof NumericalError) return null;
      throw error;
    }
  };
  /** Goes there, as Metropolis would. */
  function judge(state: HoppingState, { structure: { positions }, energy }: Relaxed): void {
    const rise = (energy - state.energy) / (kB * temperature);
    if (random.uniform() < expOf(-Math.max(0, rise))) {
      state.positions.set(positions);
      state.energy = energy;
      state.accepted++;
    }
    if (energy >= state.bestEnergy) return;
    if (energy < state.bestEnergy - SAME) state.foundAt = state.step + 1;
    state.best.set(positions);
    state.bestEnergy = energy;
  }

  return {
    init() {
      const { structure: found, energy } = settle(structure.positions);
      return {
        step: 0,
        positions: found.positions.slice(),
        energy,
        best: found.positions.slice(),
        bestEnergy: energy,
        foundAt: 0,
        first: energy,
        move,
        accepted: 0,
        failed: 0,
        refused: 0,
        random: random.state(),
      };
    },
    step(state) {
      random.restore(state.random);
      const trial = state.positions.map((x, i) => {
        const by = state.move * (2 * random.uniform() - 1);
        return still.has(Math.floor(i / 3)) ? x : x + by;
      });
      const found = tried(trial);
      if (!found) state.failed++;
      else if (!admit(found.structure)) state.refused++;
      else judge(state, found);
      state.step++;
      if (state.step % ADAPT === 0) {
        state.move *= state.accepted > ADAPT / 2 ? 1.1 : 1 / 1.1;
        state.accepted = 0;
      }
      state.random = random.state();
    },
  };
}
