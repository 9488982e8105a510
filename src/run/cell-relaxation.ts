import { NumericalError, invalid } from "../error.ts";
import type { Answer } from "../math/minimise.ts";
import { trustIteration, trustState } from "../math/trust-lbfgs.ts";
import type { TrustOptions } from "../math/trust-lbfgs.ts";
import type { Potential } from "../potentials/potential.ts";
import { inverse, multiply, volume } from "../structure/cell.ts";
import type { Structure } from "../structure/structure.ts";
import { EV_A3_IN_GPA } from "../structure/units.ts";
import type { CellMotion } from "./barostats.ts";
import { longest } from "./movers.ts";
import { exponentialPreconditioner } from "./preconditioner.ts";
import { CURVATURE } from "./relax.ts";
import type { LbfgsState, Relaxed, RelaxOptions, RelaxUntil } from "./relax.ts";
import type { Simulation } from "./simulation.ts";
import { createSurface } from "./surface.ts";

/** Options of `cellRelaxation`. */
export interface CellRelaxationOptions extends RelaxOptions {
  /** GPa; 0 by default. */
  readonly pressure?: number;
  /** What of the cell moves; all of it by default. */
  readonly cell?: CellMotion;
  /** Whether in the metric of an `exponentialPreconditioner`; false by default. */
  readonly precondition?: boolean;
}

/** A relaxation of atoms and cell under way: plain data. */
export interface CellRelaxation extends LbfgsState {
  /** Largest component of stress plus pressure, GPa. */
  maxStress: number;
}

const IDENTITY = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
const DIAGONAL = [0, 4, 8];
/** Å; a typical distance of neighbours, over which a deformation counts as a move. */
const NEIGHBOUR = 3;

/** Of a derivative by the deformation, the part along which the cell may move. */
function allowed(m: Float64Array, cell: CellMotion): Float64Array {
  // The symmetric part alone, so that the cell does not turn.
  if (cell === "full") return m.map((x, k) => (x + m[3 * (k % 3) + Math.floor(k / 3)]) / 2);
  const mean = (m[0] + m[4] + m[8]) / 3;
  return m.map((x, k) => (DIAGONAL.includes(k) ? (cell === "axes" ? x : mean) : 0));
}

/**
 * Least enthalpy E + P V over atoms and cell: L-BFGS in a trust radius, in the positions q of the undeformed cell and the deformation D,
 * r = q (1 + D), with D in units in which it is as stiff as the atoms (E. B. Tadmor et al., Phys. Rev. B 59, 235 (1999),
 * DOI 10.1103/PhysRevB.59.235). `maxForce` (eV/Å) counts the atoms, `maxStress` (GPa) the cell.
 */
export function cellRelaxation(
  structure: Structure,
  potential: Potential,
  options: CellRelaxationOptions = {},
): Simulation<CellRelaxation> {
  const {
    pressure = 0,
    cell: motion = "full",
    maxMove = 0.2,
    fixed = [],
    skin,
    precondition = false,
  } = options;
  const { cell: first } = structure;
  if (!first || !structure.pbc.every(Boolean))
    throw invalid("structure", "a cell periodic in three directions, to relax it", "another");
  const n = structure.positions.length;
  const P = pressure / EV_A3_IN_GPA;
  const surface = createSurface(structure, potential, skin);
  // A strain of 1 moves an atom by about the size of the cell, and all of them at once.
  const unit = 0.5 * Math.cbrt(volume(first) / (n / 3)) * Math.sqrt(n / 3);

  const trust = { maxStep: maxMove, length, ...metric() };

  /** The longest move of an atom in the undeformed cell, or of one neighbour to another by the deformation. */
  function length(step: Float64Array): number {
    const strain = longest(step.subarray(n)) / unit;
    return Math.max(longest(step.subarray(0, n)), NEIGHBOUR * strain);
  }

  /** What multiplies gradients: of the atoms by neighbours in the undeformed cell, where they never move far. */
  function metric(): Pick<TrustOptions, "curvature" | "precondition"> {
    if (!precondition) return { curvature: CURVATURE };
    const { positions } = structure;
    const { apply, stiffness } = exponentialPreconditioner(structure, { positions, cell: first }, fixed);
    return {
      curvature: CURVATURE / stiffness,
      precondition(v) {
        const out = v.map((x) => x / stiffness);
        out.set(apply(v.subarray(0, n)));
        return out;
      },
    };
  }

  /** Enthalpy and its gradient by (q, unit·D). */
  function ask(state: CellRelaxation, x: Float64Array): Answer {
    const F = IDENTITY.map((one, k) => one + x[n + k] / unit);
    const q = x.subarray(0, n);
    for (let i = 0; i < n; i += 3)
      for (let b = 0; b < 3; b++)
        state.positions[i + b] = q[i] * F[b] + q[i + 1] * F[3 + b] + q[i + 2] * F[6 + b];
    state.cell!.set(multiply(first!, F));
    surface.evaluate(state);
    if (!Number.isFinite(state.energy)) throw new NumericalError("the energy is not finite in a relaxation");
    for (const i of fixed) state.forces.fill(0, 3 * i, 3 * i + 3);
    state.maxForce = longest(state.forces);
    const V = volume(state.cell!);
    // dH/dε at the present cell: −W + P V.
    const dHdε = allowed(
      state.virial.map((w, k) => (DIAGONAL.includes(k) ? P * V : 0) - w),
      motion,
    );
    state.maxStress = (dHdε.reduce((most, s) => Math.max(most, Math.abs(s)), 0) / V) * EV_A3_IN_GPA;
    const gradient = new Float64Array(n + 9);
    for (let i = 0; i < n; i += 3)
      for (let a = 0; a < 3; a++)
        for (let b = 0; b < 3; b++) gradient[i + a] -= F[3 * a + b] * state.forces[i + b];
    // r = q F, so a change of F by dF is a strain F⁻¹ dF.
    const back = inverse(F);
    const dHdF = allowed(multiply(transpose(back), dHdε), motion);
    for (let k = 0; k < 9; k++) gradient[n + k] = dHdF[k] / unit;
    return { value: state.energy + P * V, gradient };
  }

  return {
    init() {
      const start = new Float64Array(n + 9);
      start.set(structure.positions);
      const fixed = { step: 0, maxForce: 0, maxStress: 0, stalled: false };
      const state: CellRelaxation = {
        ...surface.start(),
        ...fixed,
        minimiser: trustState(start, { value: 0, gradient: start }),
      };
      const { value, gradient } = ask(state, start);
      state.minimiser.value = value;
      state.minimiser.gradient.set(gradient);
      return state;
    },
    step(state) {
      const { minimiser } = state;
      const iteration = trustIteration(minimiser, trust);
      let asked = iteration.next();
      let last = minimiser.x;
      while (!asked.done) {
        last = asked.value;
        asked = iteration.next(ask(state, last));
      }
      state.stalled = !asked.value;
      // The iteration may have settled on a point before the last one it asked for.
      if (last.some((x, i) => x !== minimiser.x[i])) ask(state, minimiser.x);
      state.step++;
    },
  };
}

const transpose = (m: Float64Array): Float64Array => m.map((_, k) => m[3 * (k % 3) + Math.floor(k / 3)]);

/** Relaxes atoms and cell until no force exceeds fmax (eV/Å) and no stress plus pressure smax (GPa). */
export function relaxCell(
  structure: Structure,
  potential: Potential,
  options: CellRelaxationOptions & RelaxUntil & { readonly smax: number },
): Relaxed {
  const { fmax, smax, steps, watch, stop = () => false } = options;
  const simulation = cellRelaxation(structure, potential, options);
  const state = simulation.init();
  const converged = () => state.maxForce <= fmax && state.maxStress <= smax;
  while (!converged() && state.step < steps && !state.stalled && !stop()) {
    simulation.step(state);
    watch?.(state);
  }
  const { positions, cell, energy, forces, step, maxForce } = state;
  return {
    structure: { ...structure, positions, cell },
    energy,
    forces,
    steps: step,
    maxForce,
    converged: converged(),
  };
}
