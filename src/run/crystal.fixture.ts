import type { Device } from "../device/device.ts";
import { buildTerm } from "../potentials/build.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";

/** Cubic cell of diamond with lattice constant a, Å. */
export function diamond(a: number): Structure {
  const face = [
    [0, 0, 0],
    [0, 0.5, 0.5],
    [0.5, 0, 0.5],
    [0.5, 0.5, 0],
  ];
  const sites = face.flatMap((p) => [p, p.map((x) => x + 0.25)]).flat();
  return {
    numbers: new Uint8Array(8).fill(14),
    positions: Float64Array.from(sites, (x) => a * x),
    cell: Float64Array.of(a, 0, 0, 0, a, 0, 0, 0, a),
    pbc: [true, true, true],
  };
}

/** Primitive cell of diamond. */
export const primitiveDiamond = (a: number): Structure => ({
  numbers: new Uint8Array(2).fill(14),
  positions: Float64Array.of(0, 0, 0, a / 4, a / 4, a / 4),
  cell: Float64Array.of(0, a / 2, a / 2, a / 2, 0, a / 2, a / 2, a / 2, 0),
  pbc: [true, true, true],
});

/** Silicon of Stillinger and Weber. */
export const silicon = (device: Device): Potential =>
  buildTerm({ type: "stillinger-weber", options: {}, tensors: {} }, [14], device);

/** Its lattice constant: the bond is where the pair energy is least. */
export const A0 = (4 / Math.sqrt(3)) * 2 ** (1 / 6) * 2.0951;
