/** Terms between two looks at the bound. */
const PART = 8;

/** Squared distance of rows i and j; given up, with what it is so far, once it has reached the bound. */
export function square(
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  width: number,
  bound = Infinity,
): number {
  let sum = 0;
  for (let k = 0, p = i * width, q = j * width; k < width && sum < bound;)
    for (const end = Math.min(k + PART, width); k < end; k++, p++, q++) {
      const d = a[p] - b[q];
      sum += d * d;
    }
  return sum;
}
