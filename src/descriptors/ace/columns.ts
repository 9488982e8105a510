import { mul, type Expr } from "../../formula/expression.ts";
import { add, constant, div } from "../../formula/expression.ts";
import { sphericalHarmonics } from "../../math/spherical-harmonics.ts";
import type { DensityFunctions } from "../density/functions.ts";
import { r, x, y, z } from "../density/functions.ts";
import type { Bond } from "./bonds.ts";
import { coreRepulsion, radialEnvelope, radials } from "./radial.ts";

/** The densities of one neighbour element that a centre's products use. */
export interface Need {
  /** n of single factors, l = 0. */
  readonly single: readonly number[];
  /** Pairs n, l of factors of longer products. */
  readonly shared: readonly (readonly [n: number, l: number])[];
  readonly core: boolean;
}

/** Where numbers of a density stand among its columns: real part first. */
export interface Columns {
  readonly functions: DensityFunctions;
  readonly single: ReadonlyMap<number, number>;
  /** Key n, l; column of m = 0; that of m > 0 is 2m − 1 further, its imaginary part 2m. */
  readonly shared: ReadonlyMap<string, number>;
  readonly core: number | null;
}

export const keyOf = (n: number, l: number): string => `${n} ${l}`;

/**
 * The functions of one neighbour: g_n (single factors); R_nl Y_lm for m = 0 … l, real and imaginary part, with
 * the harmonics of Condon and Shortley times √(4π), so that Y_00 = 1; and the core repulsion.
 */
export function columnsOf(bond: Bond, need: Need): Columns {
  const envelope = radialEnvelope(bond.radial, r, { ...bond, count: 0 }, bond.inner);
  const radial = radialFunctions(bond, need);
  const harmonics = complexHarmonics(Math.max(0, ...need.shared.map(([, l]) => l)));
  const functions: Expr[][] = [];
  const put = (factors: Expr[]): number => functions.push(factors) - 1;
  const shared = new Map<string, number>();
  for (const [n, l] of need.shared) {
    const R = radial.R(n, l);
    shared.set(keyOf(n, l), functions.length);
    for (const part of harmonics[l]) put(factorsOf(envelope, R, part));
  }
  const single = new Map<number, number>();
  for (const n of need.single) {
    const same = bond.coefficients ? undefined : shared.get(keyOf(n, 0));
    single.set(n, same ?? put(factorsOf(envelope, radial.g(n), constant(1))));
  }
  const core = need.core
    ? put([coreRepulsion(r, bond.core ?? { strength: 0, exponent: 0 }, bond.cutoff, bond.inner)])
    : null;
  return { functions: { functions, parameters: [] }, single, shared, core };
}

/** Without the factors that are 1. */
function factorsOf(...factors: readonly Expr[]): Expr[] {
  const kept = factors.filter((f) => f.op !== "constant" || f.value !== 1);
  return kept.length > 0 ? kept : [factors[0]];
}

/** g_n and R_nl without the envelope. */
function radialFunctions(bond: Bond, { single, shared }: Need) {
  const highest = Math.max(1, ...single, ...shared.map(([n]) => n));
  const count = bond.coefficients ? (bond.coefficients[0]?.[0]?.length ?? 0) : highest;
  const g = radials[bond.radial].functions(r, { ...bond, count });
  const R = (n: number, l: number): Expr => {
    const c = bond.coefficients?.[n - 1]?.[l];
    if (!c) return g[n - 1];
    return c.map((ck, k) => mul(ck, g[k])).reduce((a, b) => add(a, b));
  };
  return { g: (n: number): Expr => g[n - 1], R };
}

/** √(4π) Y_l^m of r_ij: of each l the real part of m = 0, then real and imaginary part of m = 1 … l. */
function complexHarmonics(lmax: number): Expr[][] {
  const Y = sphericalHarmonics(lmax, div(x, r), div(y, r), div(z, r));
  const scale = Math.sqrt(4 * Math.PI);
  return Array.from({ length: lmax + 1 }, (_, l) => {
    const at = l * l + l;
    const parts = [mul(scale, Y[at])];
    for (let m = 1; m <= l; m++) {
      const factor = (m % 2 === 0 ? scale : -scale) * Math.SQRT1_2;
      parts.push(mul(factor, Y[at + m]), mul(factor, Y[at - m]));
    }
    return parts;
  });
}
