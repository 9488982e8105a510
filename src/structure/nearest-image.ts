import { completeCell, inverse, reduceCell } from "./cell.ts";
import type { Structure } from "./structure.ts";

/** Changes a vector d [3], Å, at an offset of an array, into its shortest periodic image. */
export type NearestImage = (vectors: Float64Array, at: number) => void;

/**
 * Nearest images in a cell of any skew: the vector is brought near the origin of the reduced cell, then the shortest of
 * the 27 images about it is taken, which the reduced cell holds for certain.
 */
export function nearestImage({ cell, pbc }: Pick<Structure, "cell" | "pbc">): NearestImage {
  if (!cell || !pbc.some(Boolean)) return () => {};
  const { reduced } = reduceCell(completeCell(cell, pbc), pbc);
  const inv = inverse(reduced);
  const around = pbc.map((periodic) => (periodic ? [-1, 0, 1] : [0]));
  const shifts = around[0].flatMap((a) =>
    around[1].flatMap((b) => around[2].map((c) => lattice(reduced, a, b, c))),
  );
  return (v, at) => {
    for (let k = 0; k < 3; k++) {
      if (!pbc[k]) continue;
      const n = Math.round(v[at] * inv[k] + v[at + 1] * inv[3 + k] + v[at + 2] * inv[6 + k]);
      if (n !== 0) for (let c = 0; c < 3; c++) v[at + c] -= n * reduced[3 * k + c];
    }
    const [x, y, z] = [v[at], v[at + 1], v[at + 2]];
    let best = Infinity;
    for (const [a, b, c] of shifts) {
      const square = (x + a) ** 2 + (y + b) ** 2 + (z + c) ** 2;
      if (square >= best) continue;
      best = square;
      v[at] = x + a;
      v[at + 1] = y + b;
      v[at + 2] = z + c;
    }
  };
}

const lattice = (cell: Float64Array, a: number, b: number, c: number): readonly [number, number, number] => [
  a * cell[0] + b * cell[3] + c * cell[6],
  a * cell[1] + b * cell[4] + c * cell[7],
  a * cell[2] + b * cell[5] + c * cell[8],
];
