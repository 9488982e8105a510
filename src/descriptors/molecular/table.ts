import { averageSoap } from "./average-soap.ts";
import { bagOfBonds } from "./bag-of-bonds.ts";
import { cartesian } from "./cartesian.ts";
import { coulombMatrix } from "./coulomb-matrix.ts";
import type { MolecularMethod } from "./descriptor.ts";
import { internal } from "./internal.ts";
import { inverseDistances } from "./inverse-distances.ts";
import { permutationInvariantPolynomials } from "./polynomials/polynomials.ts";

/** Every descriptor of whole molecules by name; each is held to the laws of laws/molecular.ts. */
export const molecularDescriptors: Readonly<Record<string, MolecularMethod>> = {
  cartesian,
  "inverse-distances": inverseDistances,
  "coulomb-matrix": coulombMatrix,
  internal,
  "bag-of-bonds": bagOfBonds,
  "average-soap": averageSoap,
  "permutation-invariant-polynomials": permutationInvariantPolynomials,
};
