import { invalid } from "../error.ts";

/** A NumPy array in C order; numbers as float64, text as strings. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float64Array | readonly string[];
}

type Get = (view: DataView, at: number, little: boolean) => number;

const bigInteger = (x: bigint): number => {
  const n = Number(x);
  if (!Number.isSafeInteger(n)) throw new RangeError(`an integer beyond 2^53 (${x})`);
  return n;
};

const READERS: Readonly<Record<string, readonly [bytes: number, get: Get]>> = {
  f8: [8, (v, at, little) => v.getFloat64(at, little)],
  f4: [4, (v, at, little) => v.getFloat32(at, little)],
  i8: [8, (v, at, little) => bigInteger(v.getBigInt64(at, little))],
  u8: [8, (v, at, little) => bigInteger(v.getBigUint64(at, little))],
  i4: [4, (v, at, little) => v.getInt32(at, little)],
  u4: [4, (v, at, little) => v.getUint32(at, little)],
  i2: [2, (v, at, little) => v.getInt16(at, little)],
  u2: [2, (v, at, little) => v.getUint16(at, little)],
  i1: [1, (v, at) => v.getInt8(at)],
  u1: [1, (v, at) => v.getUint8(at)],
  b1: [1, (v, at) => v.getUint8(at)],
};

/** Reads a .npy file (versions 1 to 3): numbers, booleans and fixed-length text, either byte order, either memory order. */
export function parseNpy(bytes: Uint8Array, place: string): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 12 || magic.some((b, k) => bytes[k] !== b))
    throw invalid(place, "a .npy array", "something else");
  const wide = bytes[6] >= 2;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (start + length > bytes.length) throw invalid(place, "a whole .npy header", "the end of the data");
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([<>|=])([a-zA-Z])(\d+)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header);
  const dimensions = /'shape':\s*\(([\d\s,L]*)\)/.exec(header);
  if (!descr || !order || !dimensions)
    throw invalid(place, "an array of numbers or text", header.trim().slice(0, 120));
  const shape = (dimensions[1].match(/\d+/g) ?? []).map(Number);
  const values = readValues(
    view,
    start + length,
    descr,
    shape.reduce((a, b) => a * b, 1),
    place,
  );
  return { shape, values: order[1] === "True" && shape.length > 1 ? transpose(values, shape) : values };
}

function readValues(
  view: DataView,
  start: number,
  [, endian, letter, size]: RegExpExecArray,
  count: number,
  place: string,
): Float64Array | string[] {
  const little = endian !== ">";
  const text = letter === "U" || letter === "S";
  const reader = READERS[letter + size];
  if (!text && !reader)
    throw invalid(place, "numbers (f4, f8, integers) or text", `dtype ${endian}${letter}${size}`);
  const bytes = letter === "U" ? 4 * Number(size) : letter === "S" ? Number(size) : reader[0];
  if (start + count * bytes > view.byteLength)
    throw invalid(place, `${count} values of ${bytes} bytes`, `${view.byteLength - start} bytes`);
  if (text)
    return Array.from({ length: count }, (_, k) =>
      textAt(view, start + k * bytes, bytes, letter === "U", little),
    );
  const out = new Float64Array(count);
  try {
    for (let k = 0; k < count; k++) out[k] = reader[1](view, start + k * bytes, little);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid(place, "integers that fit a float64", error.message);
  }
  return out;
}

function textAt(view: DataView, at: number, bytes: number, wide: boolean, little: boolean): string {
  const codes: number[] = [];
  for (let k = 0; k < bytes; k += wide ? 4 : 1)
    codes.push(wide ? view.getUint32(at + k, little) : view.getUint8(at + k));
  while (codes.at(-1) === 0) codes.pop();
  return String.fromCodePoint(...codes);
}

/** From Fortran to C order. */
function transpose(values: Float64Array | string[], shape: readonly number[]): Float64Array | string[] {
  const out = values.slice();
  const index = shape.map(() => 0);
  for (let to = 0; to < values.length; to++) {
    let from = 0;
    for (let d = shape.length - 1; d >= 0; d--) from = from * shape[d] + index[d];
    out[to] = values[from];
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
  }
  return out;
}
