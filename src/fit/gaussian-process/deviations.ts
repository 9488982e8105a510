import type { Device } from "../../device/device.ts";
import { buildTerm } from "../../potentials/build.ts";
import type { Term, Uncertain } from "../../potentials/potential.ts";
import { calibrate } from "../least-squares/calibration.ts";
import type { PackedFrames } from "../packed.ts";
import type { Calibrations, Shares } from "../whole/outcome.ts";

/** Frames of a set that are looked at. */
const LOOKED = 200;

/** Deviations within which 5, 15, …, 95 % of normally distributed errors lie. */
const QUANTILES = [0.06271, 0.18912, 0.31864, 0.45376, 0.59776, 0.75542, 0.93459, 1.15035, 1.43953, 1.95996];

interface Ratios {
  readonly energies: readonly number[];
  readonly forces: readonly number[];
}

/** |error|/σ of energies and forces of a term that knows its standard deviations; the packed frames hold predictions. */
function ratiosOf(term: Uncertain, data: PackedFrames, frames: readonly number[]): Ratios {
  const energies: number[] = [];
  const forces: number[] = [];
  const every = Math.max(1, Math.ceil(frames.length / LOOKED));
  for (let k = 0; k < frames.length; k += every) {
    const f = frames[k];
    const labels = data.labels(f);
    const sigma = term.deviations?.(data.structure(f));
    if (!sigma) continue;
    if (labels.energy !== null && sigma.energy > 0)
      energies.push(Math.abs(data.predicted.energies[f] - labels.energy) / sigma.energy);
    labels.forces?.forEach((wanted, c) => {
      if (sigma.forces[c] > 0)
        forces.push(Math.abs(data.predicted.forces[3 * data.first[f] + c] - wanted) / sigma.forces[c]);
    });
  }
  return { energies, forces };
}

function sharesOf(set: Shares["set"], ratios: Ratios, scales: Calibrations): Shares[] {
  return (["energies", "forces"] as const).flatMap((what) => {
    const all = ratios[what];
    if (all.length === 0) return [];
    const { scale } = scales[what];
    const within = (limits: readonly number[], by: number) =>
      limits.map((limit) => all.filter((r) => r <= by * limit).length / all.length);
    return [
      {
        set,
        what,
        count: all.length,
        before: within([1, 2, 3], 1),
        after: within([1, 2, 3], scale),
        curve: { before: within(QUANTILES, 1), after: within(QUANTILES, scale) },
      },
    ];
  });
}

/**
 * Factors that make standard deviations of energies and of forces hold on the validation set, and shares of errors
 * within them, before and after.
 */
export function judgeDeviations(
  term: Term,
  elements: readonly number[],
  device: Device,
  data: PackedFrames,
  validation: readonly number[],
  test: readonly number[],
): { readonly calibration: Calibrations; readonly shares: readonly Shares[] } {
  const potential = buildTerm(term, elements, device) as Uncertain;
  const [known, unseen] = [ratiosOf(potential, data, validation), ratiosOf(potential, data, test)];
  const calibration = {
    energies: calibrate(known.energies, [], unseen.energies),
    forces: calibrate(known.forces, [], unseen.forces),
  };
  const shares = [...sharesOf("validation", known, calibration), ...sharesOf("test", unseen, calibration)];
  return { calibration, shares };
}
