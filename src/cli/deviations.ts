import type { Deviations, Potential, Uncertain } from "../potentials/potential.ts";
import type { Comparison } from "../fit/metrics.ts";
import type { Frame, Structure } from "../structure/structure.ts";

/** Standard deviations of a structure's energy and, where the model knows them, forces; null where it knows neither. */
export type Told = { readonly energy: number; readonly forces?: Float64Array } | null;

const isUncertain = (potential: Potential): potential is Uncertain => "deviation" in potential;

/** What a potential says of its own certainty. */
export function deviationsOf(potential: Potential, structure: Structure): Told {
  if (!isUncertain(potential)) return null;
  const both: Deviations | null = potential.deviations?.(structure) ?? null;
  if (both) return both;
  const energy = potential.deviation(structure);
  return energy === null ? null : { energy };
}

/** Shares of errors within one, two and three standard deviations. */
export interface Within {
  readonly what: "energies" | "components of forces";
  readonly count: number;
  readonly shares: readonly number[];
}

const put = (to: number[], [predicted, wanted]: readonly [number, number], sigma: number) => {
  if (sigma > 0) to.push(Math.abs(predicted - wanted) / sigma);
};

/** How standard deviations of frames compare with their errors; what is not known or has no label does not count. */
export function withinDeviations(told: readonly Told[], comparisons: readonly Comparison[]): Within[] {
  const energies: number[] = [];
  const forces: number[] = [];
  comparisons.forEach(({ energy, forces: pair }, k) => {
    if (energy && told[k]) put(energies, energy, told[k].energy);
    const sigma = told[k]?.forces;
    if (pair && sigma) for (let c = 0; c < sigma.length; c++) put(forces, [pair[0][c], pair[1][c]], sigma[c]);
  });
  const of = (what: Within["what"], ratios: readonly number[]): Within[] => {
    const shares = [1, 2, 3].map((limit) => ratios.filter((r) => r <= limit).length / ratios.length);
    return ratios.length > 0 ? [{ what, count: ratios.length, shares }] : [];
  };
  return [...of("energies", energies), ...of("components of forces", forces)];
}

/** The same in words. */
export const describeWithin = (within: readonly Within[]): string[] =>
  within.map(({ what, count, shares }) => {
    const [one, two, three] = shares.map((share) => `${(100 * share).toFixed(0)} %`);
    return `standard deviations: ${one} of ${count} ${what} within 1σ, ${two} within 2σ, ${three} within 3σ (68 %, 95 %, 99.7 % expected)`;
  });

/** |σ| of the force on each atom, eV/Å, [n]: what viewers colour atoms by. */
function perAtom(forces: Float64Array): Float64Array {
  return Float64Array.from({ length: forces.length / 3 }, (_, i) =>
    Math.sqrt(forces[3 * i] ** 2 + forces[3 * i + 1] ** 2 + forces[3 * i + 2] ** 2),
  );
}

/** The frame with `energy_deviation` and, per atom, `force_deviation`; what stood there is replaced. */
export function withDeviations(frame: Frame, told: Told): Frame {
  if (!told) return frame;
  const { energy, forces } = told;
  return {
    ...frame,
    info: { ...frame.info, energy_deviation: energy },
    ...(forces && {
      arrays: {
        ...frame.arrays,
        force_deviation: { kind: "real", width: 1, values: perAtom(forces) },
      },
    }),
  };
}
