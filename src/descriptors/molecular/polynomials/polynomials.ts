import type { output } from "zod";
import { invalid } from "../../../error.ts";
import { div, exp, neg } from "../../../formula/expression.ts";
import { symbolOf } from "../../../structure/elements.ts";
import { array, int, literal, number, strictObject, union } from "../../../zod.ts";
import { allCoordinates, allPairs, Coordinates, factor } from "../coordinates.ts";
import { pullback, type MolecularMethod } from "../descriptor.ts";
import { distance } from "../geometry.ts";
import { roomFor } from "../sorted.ts";
import { invariantMonomials } from "./monomials.ts";
import { groupPermutations, likeAtoms } from "./permutations.ts";

const options = strictObject({
  degree: int().min(1).max(12).default(4).meta({ help: "highest total degree of the polynomials" }),
  range: number().positive().default(1.0583544210906).meta({ unit: "Å", help: "a of y = exp(−r/a); 2 bohr" }),
  groups: union([literal("elements"), array(array(int().min(0)).min(1))])
    .default("elements")
    .meta({
      help: "atoms that may change places, lists of numbers from 0 on; elements: all of each element",
    }),
});

/** Monomials beyond which the generation is refused: it would take minutes and gigabytes. */
const MOST = 2e6;
/** Permutations beyond which it is refused likewise. */
const GROUP = 1e5;

/**
 * Sums of monomials of y_ij = exp(−r_ij/a) over the permutations of like atoms, all up to a total degree, without the
 * constant (Z. Xie, J. M. Bowman, DOI 10.1021/ct9004917).
 */
export const permutationInvariantPolynomials: MolecularMethod<output<typeof options>> = {
  name: "permutation-invariant-polynomials",
  summary: "polynomials of exp(−r/a) that do not change when like atoms change places",
  options,
  resolve: (given) => given,
  build({ degree, range, groups }, numbers, device) {
    const n = numbers.length;
    const pairs = allPairs(n);
    const V = pairs.length;
    const own = groups === "elements" ? likeAtoms(numbers) : checked(groups, numbers);
    refuseLarge(V, degree, own);
    const pairOf = new Map(pairs.map(([i, j], t) => [i * n + j, t]));
    const images = groupPermutations(n, own).map((p) =>
      pairs.map(([i, j]) => pairOf.get(Math.min(p[i], p[j]) * n + Math.max(p[i], p[j]))!),
    );
    const { parent, variable, orbit, orbits, leaders } = invariantMonomials(V, degree, images);
    const formula = exp(div(neg(distance), factor));
    const coordinates = new Coordinates([{ formula, atoms: pairs, factors: pairs.map(() => range) }], device);
    const monomials = new Float64Array(parent.length);
    const features = new Float64Array(orbits);
    const evaluate = (positions: Float64Array) => {
      coordinates.evaluate(positions);
      const y = coordinates.features;
      monomials[0] = 1;
      features.fill(0);
      for (let m = 1; m < parent.length; m++) {
        monomials[m] = monomials[parent[m]] * y[variable[m]];
        features[orbit[m]] += monomials[m];
      }
    };
    const rows = roomFor(orbits, 3 * n * orbits);
    for (let k = 0; k < rows.columns.length; k++) rows.columns[k] = k % (3 * n);
    for (let t = 0; t <= orbits; t++) rows.starts[t] = 3 * n * t;
    const slopes = new Float64Array(parent.length * V);
    const sums = new Float64Array(orbits * V);
    /** ∂/∂y of every monomial, then of every polynomial: one product rule from parent to child. */
    const deriveMonomials = () => {
      const y = coordinates.features;
      sums.fill(0);
      for (let m = 1; m < parent.length; m++) {
        const [from, to, p] = [parent[m] * V, m * V, orbit[m] * V];
        for (let v = 0; v < V; v++) slopes[to + v] = slopes[from + v] * y[variable[m]];
        slopes[to + variable[m]] += monomials[parent[m]];
        for (let v = 0; v < V; v++) sums[p + v] += slopes[to + v];
      }
    };
    const [raised, along] = [new Float64Array(parent.length), new Float64Array(V)];
    /** dE/dy from dE/dx of the polynomials: from child to parent, a few operations for each monomial. */
    const pullMonomials = (dEdx: Float64Array) => {
      const y = coordinates.features;
      raised.fill(0);
      along.fill(0);
      for (let m = parent.length - 1; m > 0; m--) {
        const slope = raised[m] + dEdx[orbit[m]];
        raised[parent[m]] += slope * y[variable[m]];
        along[variable[m]] += slope * monomials[parent[m]];
      }
    };
    return {
      numbers,
      size: orbits,
      labels: leaders.map((powers) => labelOf(powers, pairs)),
      active: allCoordinates(n),
      forward(positions) {
        evaluate(positions);
        return features;
      },
      jacobian(positions) {
        evaluate(positions);
        deriveMonomials();
        const { starts, columns, values } = coordinates.rows;
        rows.values.fill(0);
        for (let t = 0; t < orbits; t++)
          for (let v = 0; v < V; v++) {
            const s = sums[t * V + v];
            for (let e = starts[v]; e < starts[v + 1]; e++)
              rows.values[3 * n * t + columns[e]] += s * values[e];
          }
        return { features, rows };
      },
      pullback(dEdx, gradient) {
        pullMonomials(dEdx);
        pullback(coordinates.rows, along, gradient);
      },
    };
  },
};

function checked(
  groups: readonly (readonly number[])[],
  numbers: Uint8Array,
): readonly (readonly number[])[] {
  const all = groups.flat();
  const stray = all.find((i) => i >= numbers.length);
  if (stray !== undefined) throw invalid("groups", `numbers of ${numbers.length} atoms, from 0 on`, stray);
  const twice = all.find((i, k) => all.indexOf(i) < k);
  if (twice !== undefined) throw invalid("groups", "every atom once at most", `atom ${twice} twice`);
  const mixed = groups.find((group) => new Set(group.map((i) => numbers[i])).size > 1);
  if (mixed)
    throw invalid("groups", "like atoms in a group", mixed.map((i) => symbolOf(numbers[i])).join(", "));
  return groups;
}

function refuseLarge(V: number, degree: number, groups: readonly (readonly number[])[]): void {
  let monomials = 1;
  for (let d = 1; d <= degree; d++) monomials = (monomials * (V + d)) / d;
  if (monomials > MOST)
    throw invalid("degree", `at most ${MOST} monomials`, `${Math.round(monomials)} of ${V} pairs`);
  const size = groups.reduce((product, { length }) => {
    for (let k = 2; k <= length; k++) product *= k;
    return product;
  }, 1);
  if (size > GROUP) throw invalid("groups", `at most ${GROUP} permutations`, size);
}

const labelOf = (powers: readonly number[], pairs: readonly (readonly number[])[]): string =>
  powers.flatMap((n, v) => (n === 0 ? [] : [`y${pairs[v].join("-")}${n > 1 ? `^${n}` : ""}`])).join(" ");
