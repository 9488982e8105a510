import { NumericalError } from "../../error.ts";
import { bondLength } from "../../structure/elements.ts";
import { findNeighbours, pairDistance } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import { langevin, verlet } from "../dynamics.ts";
import type { Dynamics } from "../dynamics.ts";
import { drift } from "../observe.ts";
import { thermalVelocities } from "../velocities.ts";
import { show } from "./check.ts";
import type { Check, Subject, Verdict } from "./check.ts";

/** Drift that passes, meV/atom/ps; a smooth surface at 0.5 fs has a thousandth of it. */
const DRIFT = 1;

/** Constant energy at 300 K: the total energy must stay. */
export const energyDrift: Check = {
  name: "drift",
  summary: "constant-energy dynamics keeps the energy",
  *run({ potential, structure, seed, time, timestep }: Subject): Iterable<Verdict> {
    const velocities = thermalVelocities(structure, 300, { seed, external: potential.external });
    const run = verlet(structure, potential, { timestep, velocities });
    const steps = Math.round(time / timestep);
    const state = run.init();
    const times: number[] = [];
    const invariants: number[] = [];
    const limit = `below ${DRIFT} meV/atom/ps`;
    try {
      for (let k = 0; k < steps; k++) {
        run.step(state);
        times.push(state.step * timestep);
        invariants.push(run.invariant(state));
      }
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      yield { check: "energy drift", passed: false, value: "broke", limit, remark: error.message };
      return;
    }
    const { slope, error } = drift(times, invariants, structure.numbers.length);
    const passed = Math.abs(slope) < Math.max(DRIFT, 3 * error) && Math.abs(slope) < 10 * DRIFT;
    yield {
      check: "energy drift",
      passed,
      value: `${show(slope)} ± ${show(error)} meV/atom/ps`,
      limit,
      remark: passed ? "" : "the surface is not smooth, or the time step too long",
    };
  },
};

const TEMPERATURES = [300, 600, 1200];
/** Part of the sum of covalent radii that no two atoms come closer than. */
const TOUCH = 0.6;
/** Steps between two looks at distances and grades. */
const LOOK = 20;

/** Langevin runs at three temperatures: atoms must not fall into each other, and the grade is watched. */
export const hotRuns: Check = {
  name: "hot",
  summary: "runs at 300, 600 and 1200 K survive",
  *run(subject: Subject): Iterable<Verdict> {
    for (const T of TEMPERATURES) {
      const bath = { timestep: subject.timestep, temperature: T, friction: 0.01, seed: subject.seed };
      const { structure, potential, seed } = subject;
      const velocities = thermalVelocities(structure, T, { seed, external: potential.external });
      yield survive(subject, T, langevin(structure, potential, { ...bath, velocities }));
    }
  },
};

function survive({ structure, time, timestep, grade }: Subject, T: number, run: Dynamics): Verdict {
  const steps = Math.round(time / timestep);
  const state = run.init();
  let [closest, worst] = [Infinity, 0];
  let broke = "";
  try {
    while (state.step < steps && closest > TOUCH) {
      run.step(state);
      if (state.step % LOOK !== 0) continue;
      const now = { ...structure, positions: state.positions };
      closest = Math.min(closest, closeness(now));
      if (grade) worst = Math.max(worst, grade(now));
    }
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    broke = error.message;
  }
  const passed = broke === "" && closest > TOUCH;
  const graded = grade ? `; largest extrapolation grade ${show(worst)}` : "";
  return {
    check: `${T} K for ${show(time / 1000)} ps`,
    passed,
    value: passed ? `closest ${show(closest)} of bonds` : `broke at step ${state.step}`,
    limit: `atoms stay above ${TOUCH} of the bond lengths`,
    remark:
      `${broke || (passed ? "" : "atoms fell into each other: fit frames from such a run (md --harvest)")}${graded}`.replace(
        /^; /,
        "",
      ),
  };
}

/** Shortest distance of two atoms over the length of their bond. */
function closeness(structure: Structure): number {
  const { numbers } = structure;
  const neighbours = findNeighbours(structure, 3);
  let least = Infinity;
  for (let i = 0; i < numbers.length; i++)
    for (let p = neighbours.offsets[i]; p < neighbours.offsets[i + 1]; p++) {
      const j = neighbours.index[p];
      const bond = bondLength(numbers[i], numbers[j]);
      least = Math.min(least, pairDistance(structure, neighbours, i, p) / bond);
    }
  return least;
}
