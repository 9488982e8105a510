/** n choose k, exactly; 0 outside 0 ≤ k ≤ n. */
function binomial(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let b = 1n;
  for (let i = 1; i <= k; i++) b = (b * BigInt(n - k + i)) / BigInt(i);
  return b;
}

const bits = (x: bigint): number => x.toString(2).length;

/** √(p/q) of exact integers, rounded twice at most: the quotient is taken with 64 bits or more. */
function squareRoot(p: bigint, q: bigint): number {
  if (p === 0n) return 0;
  // An even shift, so that its square root is a power of two.
  const shift = 2 * Math.ceil(Math.max(0, bits(q) - bits(p) + 64) / 2);
  return Math.sqrt(Number((p << BigInt(shift)) / q)) / 2 ** (shift / 2);
}

/**
 * ⟨j₁m₁ j₂m₂|J M⟩ in the convention of Condon and Shortley, exact to rounding; every argument is DOUBLED, so 1 is a
 * spin ½. 0 where a selection rule forbids it. Racah's sum in binomial coefficients, in integers throughout:
 * √(C(2j₁, a) C(2j₂, a) / (C(j₁+j₂+J+1, a) C(2j₁, j₁−m₁) C(2j₂, j₂−m₂) C(2J, J−M)))
 * · Σ_k (−1)^k C(a, k) C(j₁−j₂+J, j₁−m₁−k) C(j₂−j₁+J, j₂+m₂−k), a = j₁+j₂−J; G. Racah, DOI 10.1103/PhysRev.62.438.
 */
export function clebschGordan(j1: number, m1: number, j2: number, m2: number, J: number, M: number): number {
  const misfit = [j1 + m1, j2 + m2, J + M, j1 + j2 + J].some((x) => x % 2 !== 0);
  if (misfit || m1 + m2 !== M || J < Math.abs(j1 - j2) || J > j1 + j2) return 0;
  if (Math.abs(m1) > j1 || Math.abs(m2) > j2 || Math.abs(M) > J) return 0;
  const a = (j1 + j2 - J) / 2;
  let sum = 0n;
  for (let k = 0; k <= a; k++) {
    const term =
      binomial(a, k) *
      binomial((j1 - j2 + J) / 2, (j1 - m1) / 2 - k) *
      binomial((j2 - j1 + J) / 2, (j2 + m2) / 2 - k);
    sum += k % 2 === 0 ? term : -term;
  }
  const above = binomial(j1, a) * binomial(j2, a) * sum * sum;
  const below =
    binomial((j1 + j2 + J) / 2 + 1, a) *
    binomial(j1, (j1 - m1) / 2) *
    binomial(j2, (j2 - m2) / 2) *
    binomial(J, (J - M) / 2);
  return sum < 0n ? -squareRoot(above, below) : squareRoot(above, below);
}
