import { clebschGordan } from "../../math/clebsch-gordan.ts";
import { Monomials } from "../density/monomials.ts";
import type { Polynomial } from "../density/monomials.ts";
import { heldElements, isHeld, isReal, rootBinomial } from "./sphere.ts";

/** Doubled angular momenta of a component. */
export type Triple = readonly [j1: number, j2: number, j: number];

/** The components in LAMMPS's order: j1 ≥ j2, j ≥ j1. */
export function triples(twojmax: number): Triple[] {
  const found: Triple[] = [];
  for (let j1 = 0; j1 <= twojmax; j1++)
    for (let j2 = 0; j2 <= j1; j2++)
      for (let j = j1 - j2; j <= Math.min(twojmax, j1 + j2); j += 2) if (j >= j1) found.push([j1, j2, j]);
  return found;
}

/** Clebsch–Gordan coefficients of a triple, [m1, m2] counted from 0. */
function coupling([j1, j2, j]: Triple): number[][] {
  return Array.from({ length: j1 + 1 }, (_, a) =>
    Array.from({ length: j2 + 1 }, (__, b) =>
      clebschGordan(j1, 2 * a - j1, j2, 2 * b - j2, j, 2 * (a + b) - j1 - j2),
    ),
  );
}

/** What a component is a product of, and its place. */
export interface Component {
  readonly triple: Triple;
  /** Which density each factor is taken from. */
  readonly densities: readonly [first: number, second: number, third: number];
  /** What it is multiplied by, and then added. */
  readonly factor: number;
  readonly constant: number;
}

/**
 * B_{j1 j2 j} = Σ_{m, m'} U*^j_{m'm} Σ C^{jm}_{j1m1 j2m2} C^{jm'}_{j1m1' j2m2'} U^{j1}_{m1'm1} U^{j2}_{m2'm2} of each
 * component as a polynomial of the held elements; density d has elements d·n … d·n + n − 1 of n.
 */
export function bispectrum(twojmax: number, densities: number, components: readonly Component[]): Polynomial {
  const held = heldElements(twojmax);
  const real = Array.from({ length: densities }, () => held.map(isReal)).flat();
  const monomials = new Monomials(real, components.length);
  const factors = new Factors(twojmax);
  const couplings = new Map<string, number[][]>();
  for (const [feature, { triple, densities: of, factor, constant }] of components.entries()) {
    const key = triple.join();
    const C = couplings.get(key) ?? coupling(triple);
    couplings.set(key, C);
    monomials.add(feature, constant, []);
    const offsets = of.map((d) => d * held.length);
    addComponent(monomials, feature, triple, C, factors, factor, offsets);
  }
  return monomials.polynomial();
}

/** Every element of U as a factor: c times a held one or its conjugate. */
class Factors {
  readonly #node = new Map<number, number>();

  constructor(twojmax: number) {
    for (const [k, { j, mb, ma }] of heldElements(twojmax).entries()) this.#node.set(code(j, mb, ma), k);
  }

  /** The held element, or its complement ~k where the conjugate is meant. */
  of(j: number, mb: number, ma: number): number {
    return isHeld(j, mb, ma) ? this.#node.get(code(j, mb, ma))! : ~this.#node.get(code(j, j - mb, j - ma))!;
  }
}

const code = (j: number, mb: number, ma: number): number => (j * 16 + mb) * 16 + ma;

/** U in terms of what is held: the sign of the mirror image, and the binomials that the recursion left out. */
const scaleOf = (j: number, mb: number, ma: number): number => {
  const root = rootBinomial(j, mb) / rootBinomial(j, ma);
  return isHeld(j, mb, ma) || (ma - mb) % 2 === 0 ? root : -root;
};

const shifted = (factor: number, offset: number): number => (factor < 0 ? factor - offset : factor + offset);

function addComponent(
  monomials: Monomials,
  feature: number,
  [j1, j2, j]: Triple,
  C: readonly (readonly number[])[],
  factors: Factors,
  factor: number,
  [o1, o2, o3]: readonly number[],
): void {
  const shift = (j - j1 - j2) / 2;
  const pairs: [m1: number, m2: number, m: number, c: number][] = [];
  for (let m1 = 0; m1 <= j1; m1++)
    for (let m2 = 0; m2 <= j2; m2++) if (C[m1][m2] !== 0) pairs.push([m1, m2, m1 + m2 + shift, C[m1][m2]]);
  for (const [b1, b2, mb, cb] of pairs)
    for (const [a1, a2, ma, ca] of pairs) {
      // The other half of the sum is its conjugate.
      if (!isHeld(j, mb, ma)) continue;
      const twice = isReal({ j, mb, ma }) ? 1 : 2;
      const c = cb * ca * scaleOf(j, mb, ma) * scaleOf(j1, b1, a1) * scaleOf(j2, b2, a2);
      monomials.add(feature, factor * twice * c, [
        ~shifted(factors.of(j, mb, ma), o3),
        shifted(factors.of(j1, b1, a1), o1),
        shifted(factors.of(j2, b2, a2), o2),
      ]);
    }
}
