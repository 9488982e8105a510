/**
 * With chemflag the components come in blocks of the triples of elements, in the order in which pair_coeff names the
 * elements; here they are in the order of atomic numbers. Coefficients of another order, `order` its atomic numbers,
 * are brought into ours. `size` elements S make S³ blocks; 1 leaves everything as it is.
 */
export function permuteChemistry(
  coefficients: readonly Float64Array[],
  size: number,
  order: readonly number[],
  quadratic: boolean,
): Float64Array[] {
  const sorted = order.toSorted((a, b) => a - b);
  if (size === 1 || order.every((z, k) => z === sorted[k])) return [...coefficients];
  const K = featuresOf(coefficients[0].length, quadratic);
  const per = K / size ** 3;
  const place = sorted.map((z) => order.indexOf(z));
  // Feature t here is feature source[t] there.
  const source = Array.from({ length: K }, (_, t) => {
    const [block, own] = [Math.floor(t / per), t % per];
    const triple = [Math.floor(block / size ** 2), Math.floor(block / size) % size, block % size];
    return triple.reduce((sum, k) => sum * size + place[k], 0) * per + own;
  });
  return coefficients.map((from) => permuted(from, source, quadratic));
}

/** K of 1 + K, or of 1 + K + K(K + 1)/2, coefficients. */
const featuresOf = (count: number, quadratic: boolean): number =>
  quadratic ? Math.round((Math.sqrt(8 * count + 1) - 3) / 2) : count - 1;

function permuted(from: Float64Array, source: readonly number[], quadratic: boolean): Float64Array {
  const K = source.length;
  const to = Float64Array.from(from);
  source.forEach((s, t) => (to[1 + t] = from[1 + s]));
  if (!quadratic) return to;
  const at = (t: number, u: number) => {
    const [a, b] = t < u ? [t, u] : [u, t];
    return 1 + K + a * K - (a * (a - 1)) / 2 + b - a;
  };
  for (let t = 0; t < K; t++) for (let u = t; u < K; u++) to[at(t, u)] = from[at(source[t], source[u])];
  return to;
}
