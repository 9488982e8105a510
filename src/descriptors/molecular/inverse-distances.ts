import type { output } from "zod";
import { powi } from "../../formula/expression.ts";
import { int, strictObject } from "../../zod.ts";
import { allPairs, Coordinates } from "./coordinates.ts";
import type { MolecularMethod } from "./descriptor.ts";
import { inverse } from "./geometry.ts";
import { plainDescriptor } from "./plain.ts";

const options = strictObject({
  power: int().positive().default(1).meta({ help: "p of 1/r^p" }),
});

/** x_ij = 1/|r_i − r_j|^p of all pairs i < j, Å^−p (S. Chmiela et al., DOI 10.1126/sciadv.1603015). */
export const inverseDistances: MolecularMethod<output<typeof options>> = {
  name: "inverse-distances",
  summary: "1/r of all pairs of atoms",
  options,
  resolve: (given) => given,
  build({ power }, numbers, device) {
    const pairs = allPairs(numbers.length);
    const coordinates = new Coordinates([{ formula: powi(inverse, power), atoms: pairs }], device);
    const labels = pairs.map(([i, j]) => `1/r${power > 1 ? `^${power}` : ""} ${i}-${j}`);
    return plainDescriptor(numbers, labels, coordinates);
  },
};
