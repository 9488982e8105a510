import { molecularDescriptors } from "../../descriptors/molecular/table.ts";
import { descriptors } from "../../descriptors/table.ts";
import type { MolecularDescriptor } from "../../descriptors/molecular/descriptor.ts";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { pick } from "../../potentials/pick.ts";
import { formulaOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import type { ProcessOptions } from "./options.ts";

/** A descriptor of whole molecules with nothing left to choose. */
export function resolveMolecular(
  { name, ...given }: Readonly<Record<string, unknown>> & { readonly name: string },
  frames: readonly Frame[],
  device: Device,
): {
  readonly options: Record<string, unknown> & { name: string };
  readonly descriptor: MolecularDescriptor;
} {
  if (Object.hasOwn(descriptors, name))
    throw invalid(
      "model.descriptor.name",
      `one of whole molecules (${Object.keys(molecularDescriptors).join(", ")}), or the regressor sparse-gaussian-process with it`,
      name,
    );
  const method = pick(molecularDescriptors, name, "model.descriptor.name");
  const { numbers } = frames[0].structure;
  for (const { structure, place } of frames)
    if (structure.numbers.length !== numbers.length || structure.numbers.some((z, i) => z !== numbers[i]))
      throw invalid(
        place,
        `the atoms of ${frames[0].place} in their order: ${formulaOf(numbers)}; a model of whole molecules is of one`,
        formulaOf(structure.numbers),
      );
  const options = method.resolve(method.options.parse(given), frames[0].structure);
  const descriptor = method.build(options, numbers, device);
  return { options: { name, ...(options as object) }, descriptor };
}

/** Training frames that are observed: places among the training frames. */
export interface Observed {
  readonly energies: readonly number[];
  readonly forces: readonly number[];
  /** What the user should know. */
  readonly notes: readonly string[];
}

/** `count` of the list, evenly spread. */
const spread = (list: readonly number[], count: number): number[] =>
  count >= list.length
    ? [...list]
    : Array.from({ length: count }, (_, k) => list[Math.floor(((k + 0.5) * list.length) / count)]);

/** Chooses observations: all that fit, energies first up to a quarter, forces for the rest. */
export function chooseObserved(
  frames: readonly Frame[],
  coordinates: number,
  options: ProcessOptions,
): Observed {
  const having = (has: (f: Frame) => boolean) => frames.flatMap((f, k) => (has(f) ? [k] : []));
  const withEnergy = having((f) => f.energy !== undefined);
  const withForces = having((f) => f.forces !== undefined);
  const n = options.observations;
  const wanted = {
    energies: options.energies === "auto" ? withEnergy.length : Math.min(options.energies, withEnergy.length),
    forces: options.forces === "auto" ? withForces.length : Math.min(options.forces, withForces.length),
  };
  const all = wanted.energies + wanted.forces * coordinates;
  let { energies, forces } = wanted;
  if (all > n) {
    if (options.energies === "auto" && options.forces !== 0)
      energies = Math.min(energies, Math.max(Math.floor(n / 4), n - forces * coordinates));
    else if (options.energies === "auto") energies = Math.min(energies, n);
    if (options.forces === "auto") forces = Math.min(forces, Math.floor((n - energies) / coordinates));
  }
  if (energies + forces === 0)
    throw invalid("model.regressor", "energies or forces to learn from", "none of either");
  const notes =
    energies < wanted.energies || forces < wanted.forces
      ? [
          `an exact Gaussian process takes energies of ${energies} and forces of ${forces} of ${frames.length} training frames ` +
            `(${energies + forces * coordinates} observations; all would be ${all}): ` +
            `raise model.regressor.observations, or use a sparse or an iterative method for all of them`,
        ]
      : [];
  return { energies: spread(withEnergy, energies), forces: spread(withForces, forces), notes };
}
