import type { output } from "zod";
import { enum as oneOf, strictObject } from "../../zod.ts";
import { Coordinates } from "./coordinates.ts";
import type { MolecularMethod } from "./descriptor.ts";
import { component } from "./geometry.ts";
import { plainDescriptor } from "./plain.ts";

const options = strictObject({
  axes: oneOf(["x", "xy", "xyz"]).default("xyz").meta({ help: "components of each atom that count" }),
});

/** x = R, the positions themselves: for surfaces in a plane and atoms in a fixed frame. */
export const cartesian: MolecularMethod<output<typeof options>> = {
  name: "cartesian",
  summary: "the positions themselves",
  options,
  resolve: (given) => given,
  build({ axes }, numbers, device) {
    const groups = Array.from(axes, (_, k) => ({
      formula: component(k),
      atoms: Array.from(numbers, (_, i) => [i]),
    }));
    const coordinates = new Coordinates(groups, device);
    const active = Array.from(numbers, (_, i) => Array.from(axes, (_, k) => 3 * i + k)).flat();
    const labels = Array.from(axes).flatMap((axis) => Array.from(numbers, (_, i) => `${axis}${i}`));
    return plainDescriptor(numbers, labels, coordinates, Int32Array.from(active));
  },
};
