import type { Random } from "../src/math/random.ts";
import { repeat } from "../src/structure/cell.ts";
import type { Structure } from "../src/structure/structure.ts";

/** Diamond of silicon, a = 5.43 Å, n cells of two atoms along each of three skew vectors, shaken by `amplitude` Å. */
export function shakenSilicon(n: number, amplitude: number, random: Random): Structure {
  const [h, q] = [5.43 / 2, 5.43 / 4];
  const cell: Structure = {
    numbers: Uint8Array.of(14, 14),
    positions: Float64Array.of(0, 0, 0, q, q, q),
    cell: Float64Array.of(0, h, h, h, 0, h, h, h, 0),
    pbc: [true, true, true],
  };
  const crystal = repeat(cell, [n, n, n]);
  return { ...crystal, positions: crystal.positions.map((x) => x + amplitude * random.normal()) };
}
