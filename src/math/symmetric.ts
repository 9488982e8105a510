/** Components of a symmetric 3 × 3 matrix, row by row: xx, xy, xz, yy, yz, zz. */
export const UPPER = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 1],
  [1, 2],
  [2, 2],
] as const;

/** Where Voigt's xx, yy, zz, yz, xz, xy stand in a 3 × 3 matrix. */
export const VOIGT = [0, 4, 8, 5, 2, 1] as const;
