/** Rows in a band of a packed triangle. */
export const BAND = 128;

/** Where a lower triangle [n, n] lies, row after row. */
export interface Triangle {
  /** Bytes. */
  readonly address: number;
  readonly n: number;
  /** Numbers from row to row; 0: packed in bands of `BAND` rows, each as wide as its last row would need if the band were whole. */
  readonly stride: number;
}

/** Numbers that a packed triangle takes, n²/2 + 64 n. */
export function packedNumbers(n: number): number {
  const whole = Math.floor(n / BAND);
  return (BAND * BAND * whole * (whole + 1)) / 2 + (n - whole * BAND) * BAND * (whole + 1);
}

/** Numbers from row i to the next of its band. */
export const strideAt = ({ stride }: Triangle, i: number): number =>
  stride || BAND * (Math.floor(i / BAND) + 1);

/** Byte address of row i. */
export function rowAt({ address, stride }: Triangle, i: number): number {
  if (stride) return address + 8 * i * stride;
  const band = Math.floor(i / BAND);
  return address + 8 * (BAND * BAND * ((band * (band + 1)) / 2) + (i - band * BAND) * BAND * (band + 1));
}

/** First row after i that may have another stride than it, at most n. */
export const bandEnd = ({ stride, n }: Triangle, i: number): number =>
  stride ? n : Math.min(n, BAND * (Math.floor(i / BAND) + 1));

/** The lower triangle of L [n, n], packed. */
export function packTriangle(L: Float64Array, n: number): Float64Array {
  const packed = new Float64Array(packedNumbers(n));
  const own = { address: 0, n, stride: 0 };
  for (let i = 0; i < n; i++) packed.set(L.subarray(i * n, i * n + i + 1), rowAt(own, i) / 8);
  return packed;
}
