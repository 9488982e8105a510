import {
  abs,
  acos,
  add,
  constant,
  div,
  less,
  mul,
  neg,
  select,
  sqrt,
  sub,
  type Expr,
} from "../../formula/expression.ts";
import { atom } from "./coordinates.ts";

type Vector = readonly [Expr, Expr, Expr];

const minus = (a: Vector, b: Vector): Vector => [sub(a[0], b[0]), sub(a[1], b[1]), sub(a[2], b[2])];
const dot = (a: Vector, b: Vector): Expr => add(add(mul(a[0], b[0]), mul(a[1], b[1])), mul(a[2], b[2]));
const cross = (a: Vector, b: Vector): Vector => [
  sub(mul(a[1], b[2]), mul(a[2], b[1])),
  sub(mul(a[2], b[0]), mul(a[0], b[2])),
  sub(mul(a[0], b[1]), mul(a[1], b[0])),
];
const length = (a: Vector): Expr => sqrt(dot(a, a));

/** |r₁ − r₀| */
export const distance = length(minus(atom(1), atom(0)));

/** The angle at atom 1 between atoms 0 and 2, 0 … π. */
export const angle = ((): Expr => {
  const [a, b] = [minus(atom(0), atom(1)), minus(atom(2), atom(1))];
  return acos(div(dot(a, b), mul(length(a), length(b))));
})();

/** cos φ and sin φ of the dihedral of atoms 0–1–2–3. */
const [cosine, sine] = ((): [Expr, Expr] => {
  const [a, b, c] = [minus(atom(1), atom(0)), minus(atom(2), atom(1)), minus(atom(3), atom(2))];
  const [m, n] = [cross(a, b), cross(b, c)];
  const size = mul(length(m), length(n));
  return [div(dot(m, n), size), div(mul(length(b), dot(a, n)), size)];
})();

export { cosine as dihedralCosine, sine as dihedralSine };

/** arcsin */
const asin = (x: Expr): Expr => sub(Math.PI / 2, acos(x));

/**
 * The dihedral φ, −π … π, positive where the far bond is turned clockwise against the near one, looking along the
 * middle bond (IUPAC, DOI 10.1351/goldbook.D01730); by whichever of cos φ and sin φ is the more exact.
 */
export const dihedral = ((): Expr => {
  const signed = select(less(sine, 0), neg(acos(cosine)), acos(cosine));
  const beyond = select(less(sine, 0), constant(-Math.PI), Math.PI);
  const flat = select(less(cosine, 0), sub(beyond, asin(sine)), asin(sine));
  return select(less(abs(cosine), Math.SQRT1_2), signed, flat);
})();

/** r₀ along one axis. */
export const component = (axis: number): Expr => atom(0)[axis];

/** 1/|r₁ − r₀| */
export const inverse = div(1, distance);
