import { strictObject } from "../../zod.ts";
import { symbolOf } from "../../structure/elements.ts";
import { own, repulsion } from "./charges.ts";
import { allCoordinates, allPairs, Coordinates } from "./coordinates.ts";
import type { MolecularMethod } from "./descriptor.ts";
import { reorderedRows, roomFor } from "./sorted.ts";

const bagName = (key: number): string => `${symbolOf(key >> 8)}-${symbolOf(key & 255)}`;

/**
 * Z_i Z_j / r_ij in one bag for each pair of elements, largest first, after ½ Z^2.4 of the atoms; invariant to the order
 * of like atoms, with kinks where two of a bag change places (K. Hansen et al., DOI 10.1021/acs.jpclett.5b00831).
 */
export const bagOfBonds: MolecularMethod<Record<string, never>> = {
  name: "bag-of-bonds",
  summary: "Coulomb repulsions sorted within each pair of elements",
  options: strictObject({}),
  resolve: (given) => given,
  build(_, numbers, device) {
    const n = numbers.length;
    const keyOf = ([i, j]: readonly number[]) =>
      Math.max(numbers[i], numbers[j]) * 256 + Math.min(numbers[i], numbers[j]);
    const pairs = allPairs(n).toSorted((a, b) => keyOf(b) - keyOf(a));
    const bags = pairs.map(keyOf);
    const factors = pairs.map(([i, j]) => numbers[i] * numbers[j]);
    const coordinates = new Coordinates([{ formula: repulsion, atoms: pairs, factors }], device);
    const atoms = Array.from(numbers).toSorted((a, b) => b - a);
    const order = new Int32Array(n + pairs.length);
    const features = new Float64Array(order.length);
    const rows = roomFor(order.length, coordinates.rows.columns.length);
    const evaluate = (positions: Float64Array) => {
      coordinates.evaluate(positions);
      const x = coordinates.features;
      const sorted = pairs.map((_, t) => t).sort((a, b) => bags[b] - bags[a] || x[b] - x[a] || a - b);
      order.fill(-1, 0, n);
      order.set(sorted, n);
      for (let t = 0; t < order.length; t++) features[t] = t < n ? own(atoms[t]) : x[order[t]];
    };
    return {
      numbers,
      size: order.length,
      labels: [...atoms.map((z) => symbolOf(z)), ...bags.map((key, t) => `${bagName(key)} ${t}`)],
      active: allCoordinates(n),
      forward(positions) {
        evaluate(positions);
        return features;
      },
      jacobian(positions) {
        evaluate(positions);
        reorderedRows(coordinates.rows, order, rows);
        return { features, rows };
      },
    };
  },
};
