import { div, type Expr } from "../../formula/expression.ts";
import { factor } from "./coordinates.ts";
import { distance } from "./geometry.ts";

/** Z_i Z_j / |r_i − r_j|, e²/Å; Z_i Z_j is the factor. */
export const repulsion: Expr = div(factor, distance);

/** ½ Z^2.4, the energy of an atom in the same picture. */
export const own = (z: number): number => 0.5 * z ** 2.4;
