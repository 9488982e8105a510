/**
 * Monomials of V variables up to a total degree, each as an earlier one times a variable, and which of them are turned
 * into each other by permutations of the variables: their sums are the invariant polynomials.
 */
export interface InvariantMonomials {
  /** Monomial m = parent[m] · variable[m]; 0 is the constant 1, [monomials]. */
  readonly parent: Int32Array;
  readonly variable: Int32Array;
  /** Invariant polynomial that each belongs to, −1 for the constant, [monomials]. */
  readonly orbit: Int32Array;
  /** Number of invariant polynomials, without the constant. */
  readonly orbits: number;
  /** Powers of the first monomial of each, [orbits][V]. */
  readonly leaders: readonly (readonly number[])[];
}

const keyOf = (powers: readonly number[]): string => powers.join();

/** By images of the variables under every permutation of the group, [group][V]. */
export function invariantMonomials(
  V: number,
  degree: number,
  images: readonly (readonly number[])[],
): InvariantMonomials {
  const powers: number[][] = [Array.from({ length: V }, () => 0)];
  const parent = [0];
  const variable = [0];
  // Variables never fall along a product, so that each monomial is made once.
  for (let m = 0, d = 0, next = 1; d < degree; d++) {
    for (; m < next; m++)
      for (let v = m === 0 ? 0 : variable[m]; v < V; v++) {
        powers.push(powers[m].with(v, powers[m][v] + 1));
        parent.push(m);
        variable.push(v);
      }
    next = powers.length;
  }
  const place = new Map(powers.map((p, m) => [keyOf(p), m]));
  const orbit = new Int32Array(powers.length).fill(-1);
  const leaders: number[][] = [];
  for (let m = 1; m < powers.length; m++) {
    if (orbit[m] >= 0) continue;
    for (const image of images) {
      const moved = Array.from({ length: V }, () => 0);
      powers[m].forEach((n, v) => (moved[image[v]] = n));
      orbit[place.get(keyOf(moved))!] = leaders.length;
    }
    leaders.push(powers[m]);
  }
  return {
    parent: Int32Array.from(parent),
    variable: Int32Array.from(variable),
    orbit,
    orbits: leaders.length,
    leaders,
  };
}
