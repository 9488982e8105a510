import { invalid } from "../../error.ts";
import { expOf } from "../../formula/scalar.ts";
import type { Hills } from "../../potentials/bias/hills.ts";
import type { Potential } from "../../potentials/potential.ts";
import { sum } from "../../potentials/sum.ts";
import type { Structure } from "../../structure/structure.ts";
import { kB } from "../../structure/units.ts";
import type { Dynamics, Motion } from "../dynamics.ts";

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
  const { height, every, temperature } = check(options);
  const run = make(sum(potential, hills));
  const { structure } = run.surface;
  const kT = kB * temperature;
  const D = hills.variables.length;
  const deposit = (state: Motion) => {
    const centre = hills.valuesOf(structureOf(structure, state));
    const w = height * expOf(-hills.at(centre)[0] / (kT * (options.biasFactor - 1)));
    hills.add(centre, w);
    state.hills = hills.table;
    // At its own centre a hill has no slope, so the forces hold as they are.
    state.energy += w;
  };
  return {
    ...run,
    init() {
      hills.table = new Float64Array(0);
      return { ...run.init(), hills: hills.table };
    },
    invariant: (state) => run.invariant(state) - work(state.hills!, D),
    step(state) {
      hills.table = state.hills!;
      run.step(state);
      if (state.step % every === 0) deposit(state);
    },
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

/** Sum of the heights, eV: what the hills have put into the system. */
function work(table: Float64Array, D: number): number {
  let total = 0;
  for (let h = D; h < table.length; h += D + 1) total += table[h];
  return total;
}
