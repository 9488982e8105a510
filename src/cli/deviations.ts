import type { Deviations, Potential, Uncertain } from "../potentials/potential.ts";
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
