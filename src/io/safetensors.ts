import { invalid } from "../error.ts";

/** Arrays that the layout can hold here; values are stored little-endian. */
export type TensorValues = Float64Array | Float32Array | Int32Array | Uint8Array;

/** One named array. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** Contents of a safetensors file. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

const TYPES = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const;

type Dtype = keyof typeof TYPES;

// The reference implementation refuses longer headers.
const LONGEST_HEADER = 100_000_000;

if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1)
  throw new Error("surfit needs a little-endian processor");

/**
 * Bytes of a safetensors file: header length (8 bytes, little-endian), JSON header, raw arrays one after another.
 * The header is padded with spaces so that the arrays start at a multiple of 8. https://github.com/huggingface/safetensors
 */
export function encodeSafetensors({ metadata, tensors }: Safetensors): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  // Widest numbers first, so that every array is aligned to its own width.
  const sorted = [...tensors].toSorted(
    ([, a], [, b]) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT,
  );
  let size = 0;
  for (const [name, { shape, values }] of sorted) {
    if (name === "__metadata__") throw invalid("tensor name", "anything but __metadata__", name);
    if (shape.reduce((a, b) => a * b, 1) !== values.length)
      throw invalid(`tensor ${name}`, `${shape.join(" × ")} values`, values.length);
    header[name] = { dtype: dtypeOf(values), shape, data_offsets: [size, size + values.byteLength] };
    size += values.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + size).fill(32, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  let at = 8 + length;
  for (const [, { values }] of sorted) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

function dtypeOf(values: TensorValues): Dtype {
  return (Object.keys(TYPES) as Dtype[]).find((d) => values instanceof TYPES[d])!;
}

/** Reads a safetensors file and checks every number of its header against the data. */
export function decodeSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const { header, start } = readHeader(bytes, file);
  const metadata: Record<string, string> = {};
  const spans: [name: string, from: number, to: number][] = [];
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      for (const [key, value] of Object.entries(recordOf(entry, `${file} __metadata__`))) {
        if (typeof value !== "string")
          throw invalid(`${file} __metadata__.${key}`, "text", JSON.stringify(value));
        metadata[key] = value;
      }
      continue;
    }
    const place = `${file} tensor ${name}`;
    const { dtype, shape, from, to } = readEntry(entry, place);
    if (to > bytes.length - start)
      throw invalid(place, `${to} bytes of data`, `${bytes.length - start} (truncated?)`);
    spans.push([name, from, to]);
    // A copy: the data need not be aligned in the file, and the file's bytes should not be kept alive.
    // Copied by the constructor: slice() of Node's Buffer, which is a Uint8Array, would share the file's bytes.
    const data = new Uint8Array(bytes.subarray(start + from, start + to));
    tensors.set(name, {
      shape,
      values: new TYPES[dtype](data.buffer, 0, data.length / TYPES[dtype].BYTES_PER_ELEMENT),
    });
  }
  checkSpans(spans, bytes.length - start, file);
  return { metadata, tensors };
}

function readHeader(bytes: Uint8Array, file: string): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) throw invalid(file, "a model file", `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(LONGEST_HEADER) || length < 2n || bytes[8] !== 0x7b)
    throw invalid(file, "a model file (safetensors layout)", "another kind of file");
  const start = 8 + Number(length);
  if (start > bytes.length)
    throw invalid(file, `a header of ${length} bytes`, `${bytes.length - 8} (truncated?)`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start));
    return { header: recordOf(JSON.parse(text), file), start };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    throw invalid(file, "a JSON header", error.message);
  }
}

function recordOf(value: unknown, place: string): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw invalid(place, "a JSON object", JSON.stringify(value).slice(0, 60));
  return value as Record<string, unknown>;
}

const isSize = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

function readEntry(
  entry: unknown,
  place: string,
): { dtype: Dtype; shape: number[]; from: number; to: number } {
  const { dtype, shape, data_offsets: offsets } = recordOf(entry, place);
  if (typeof dtype !== "string" || !Object.hasOwn(TYPES, dtype))
    throw invalid(`${place} dtype`, `one of ${Object.keys(TYPES).join(", ")}`, JSON.stringify(dtype));
  if (!Array.isArray(shape) || !shape.every(isSize))
    throw invalid(`${place} shape`, "sizes", JSON.stringify(shape));
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    throw invalid(`${place} data_offsets`, "two offsets", JSON.stringify(offsets));
  const [from, to] = offsets as [number, number];
  const width = TYPES[dtype as Dtype].BYTES_PER_ELEMENT;
  const size = shape.reduce((a, b) => a * b, 1) * width;
  if (to - from !== size) throw invalid(`${place} data_offsets`, `${size} bytes for its shape`, to - from);
  return { dtype: dtype as Dtype, shape, from, to };
}

/** The arrays must cover the data without hole or overlap. */
function checkSpans(spans: [name: string, from: number, to: number][], size: number, file: string): void {
  let end = 0;
  for (const [name, from, to] of spans.toSorted((a, b) => a[1] - b[1] || a[2] - b[2])) {
    if (from !== end) throw invalid(`${file} tensor ${name}`, `data from byte ${end} on`, `from ${from} on`);
    end = to;
  }
  if (end !== size) throw invalid(file, `${end} bytes of data`, size);
}
