import type { Device } from "../device/device.ts";
import { descriptors } from "../descriptors/table.ts";
import { rememberTraining } from "../fit/record.ts";
import { composedTerm, ELEMENTS, molecule } from "./potential.fixture.ts";
import { Random } from "../math/random.ts";
import type { Frame, Structure } from "../structure/structure.ts";
import type { ComposedOptions } from "../potentials/composed.ts";
import type { Model } from "../potentials/potential.ts";
import { recordTensors } from "../potentials/extrapolation/record.ts";

/** A structure with every coordinate moved by a normal deviate of `width` Å. */
export function shaken(structure: Structure, width: number, seed: number): Structure {
  const random = new Random(seed, "shaken");
  return { ...structure, positions: structure.positions.map((x) => x + width * random.normal()) };
}

/** Thirty frames of a shaken molecule. */
export const trainingFrames: readonly Frame[] = Array.from({ length: 30 }, (_, k) => ({
  structure: shaken(molecule, 0.05, k),
  info: {},
  arrays: {},
  place: `training.xyz:${11 * k + 1}`,
}));

/** A model with random weights that remembers these frames. */
export function rememberingModel(
  device: Device,
  frames: readonly Frame[] = trainingFrames,
  descriptor = "acsf",
): Model {
  const term = composedTerm(descriptor, device);
  const options = term.options as ComposedOptions;
  const { name, ...own } = options.descriptor;
  const D = descriptors[name].build(descriptors[name].options.parse(own), ELEMENTS, device);
  const { record } = rememberTraining(D, frames, device, 1);
  const learned = {
    ...term,
    options: { ...options, training: { places: record.places } },
    tensors: { ...term.tensors, ...recordTensors(record) },
  };
  return { elements: ELEMENTS, terms: [learned], provenance: {} };
}
