import { allCoordinates, type Coordinates } from "./coordinates.ts";
import type { MolecularDescriptor } from "./descriptor.ts";

/** The descriptor whose features are coordinates as they are. */
export const plainDescriptor = (
  numbers: Uint8Array,
  labels: readonly string[],
  coordinates: Coordinates,
  active: Int32Array = allCoordinates(numbers.length),
): MolecularDescriptor => ({
  numbers,
  size: coordinates.size,
  labels,
  active,
  forward(positions) {
    coordinates.evaluate(positions);
    return coordinates.features;
  },
  jacobian(positions) {
    coordinates.evaluate(positions);
    return coordinates;
  },
});
