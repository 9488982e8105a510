import { invalid } from "../../error.ts";
import { expOf } from "../../formula/scalar.ts";
import type { Hills } from "../../potentials/bias/hills.ts";
import type { Potential } from "../../potentials/potential.ts";
import { sum } from "../../potentials/sum.ts";
import type { Structure } from "../../structure/structure.ts";
import { kB } from "../../structure/units.ts";
import type { Dynamics, Motion } from "../dynamics.ts";
import type { Simulation } from "../simulation.ts";

/** How hills are laid down. */
export interface MetadynamicsOptions {
  /** Height of the first hill, eV. */
  readonly height: number;
  /** Steps between hills. */
  readonly every: number;
  /** γ: the variables are sampled as if their barriers were γ times lower; above 1, Infinity for hills that stay high. */
  readonly biasFactor: number;
  /** K. */
  readonly temperature: number;
}

/** Dynamics on a surface with hills that it does not lay itself: one of several walkers that lay them together. */
export interface Walker extends Dynamics {
  /** Whether a hill of every one of so many walkers is to be laid before the next step. */
  isDue(state: Motion, walkers: number): boolean;
  /** Centre and height (eV) of the hill that this walker lays where it is, [variables + 1]. */
  hillAt(state: Motion): Float64Array;
  /** Goes on with one more hill of every walker; what that does to its energy is heat, so that the invariant stays. */
  lay(state: Motion, hills: readonly Float64Array[]): void;
}

/** A walker of well-tempered metadynamics; `make` gives dynamics on the surface that it is handed. */
export function walker(
  potential: Potential,
  hills: Hills,
  options: MetadynamicsOptions,
  make: (surface: Potential) => Dynamics,
): Walker {
  const { height, every, temperature, biasFactor } = check(options);
  const run = make(sum(potential, hills));
  const { structure } = run.surface;
  const kT = kB * temperature;
  const width = hills.variables.length + 1;
  return {
    ...run,
    init() {
      hills.table = new Float64Array(0);
      return { ...run.init(), hills: hills.table };
    },
    step(state) {
      hills.table = state.hills!;
      run.step(state);
    },
    isDue: ({ step, hills: table }, walkers) =>
      step % every === 0 && table!.length < (walkers * width * step) / every,
    hillAt(state) {
      hills.table = state.hills!;
      const centre = hills.valuesOf(structureOf(structure, state));
      return Float64Array.of(...centre, height * expOf(-hills.at(centre)[0] / (kT * (biasFactor - 1))));
    },
    lay(state, laid) {
      hills.table = state.hills!;
      for (const hill of laid) hills.add([...hill.subarray(0, width - 1)], hill[width - 1]);
      state.hills = hills.table;
      const before = state.energy;
      // At its own centre a hill has no slope, so that the forces hold as they are.
      if (laid.length === 1) state.energy += laid[0][width - 1];
      else run.surface.evaluate(state);
      state.heat += state.energy - before;
    },
  };
}

/**
 * Well-tempered metadynamics: every so many steps a hill of height w e^{−V(s)/((γ−1) k_B T)} is laid down where the
 * variables are, until V = −(1 − 1/γ) F (A. Barducci, G. Bussi, M. Parrinello, Phys. Rev. Lett. 100, 020603 (2008), DOI
 * 10.1103/PhysRevLett.100.020603). `make` gives dynamics on the surface that it is handed. The hills are part of the state;
 * their work is taken off the invariant.
 */
export function metadynamics(
  potential: Potential,
  hills: Hills,
  options: MetadynamicsOptions,
  make: (surface: Potential) => Dynamics,
): Dynamics {
  const own = walker(potential, hills, options, make);
  return {
    ...own,
    step(state) {
      own.step(state);
      if (own.isDue(state, 1)) own.lay(state, [own.hillAt(state)]);
    },
  };
}

/**
 * Several walkers that step side by side and fill the same surface: each is moved by the hills of all, which they lay in
 * their order (P. Raiteri et al., J. Phys. Chem. B 110, 3533 (2006), DOI 10.1021/jp054359r). Each has hills of its own.
 */
export function multipleWalkers(walkers: readonly Walker[]): Simulation<Motion[]> {
  return {
    init: () => walkers.map((own) => own.init()),
    step(states) {
      walkers.forEach((own, k) => own.step(states[k]));
      if (!walkers[0].isDue(states[0], walkers.length)) return;
      const laid = walkers.map((own, k) => own.hillAt(states[k]));
      walkers.forEach((own, k) => own.lay(states[k], laid));
    },
    invariant: (states) => states.reduce((total, state, k) => total + walkers[k].invariant(state), 0),
  };
}

function check(options: MetadynamicsOptions): MetadynamicsOptions {
  const { height, every, biasFactor, temperature } = options;
  if (!(height > 0)) throw invalid("height of hills", "a positive number in eV", height);
  if (!(Number.isInteger(every) && every > 0))
    throw invalid("steps between hills", "an integer above 0", every);
  if (!(biasFactor > 1)) throw invalid("bias factor", "a number above 1", biasFactor);
  if (!(temperature > 0)) throw invalid("temperature", "a positive number in K", temperature);
  return options;
}

const structureOf = (structure: Structure, { positions, cell }: Motion): Structure => ({
  ...structure,
  positions,
  cell,
});
