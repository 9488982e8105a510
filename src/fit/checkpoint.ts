import { invalid } from "../error.ts";

/** The complete state of a fit: JSON and arrays by name. */
export interface Checkpoint {
  readonly meta: unknown;
  readonly arrays: Readonly<Record<string, Float64Array>>;
}

/** An array that is large and scattered: it writes itself where it goes, so that there is no copy on the way. */
export interface Written {
  readonly length: number;
  write(to: Float64Array): void;
}

/** What is to be packed. */
export interface Unpacked {
  readonly meta: unknown;
  readonly arrays: Readonly<Record<string, Float64Array | Written>>;
}

const VERSION = 1;

interface Header {
  readonly version: number;
  readonly meta: unknown;
  /** Name and length of each array, in the order of the file. */
  readonly arrays: readonly (readonly [name: string, length: number])[];
}

/** One file image: length of the header (8 bytes, little-endian), JSON header padded to 8 bytes, raw f64 arrays. */
export function packCheckpoint({ meta, arrays }: Unpacked): Uint8Array {
  const lengths = Object.entries(arrays).map(([name, array]) => [name, array.length] as const);
  const json = JSON.stringify({ version: VERSION, meta, arrays: lengths } satisfies Header);
  const text = new TextEncoder().encode(json);
  const head = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + head + lengths.reduce((sum, [, n]) => sum + 8 * n, 0));
  new DataView(bytes.buffer).setUint32(0, head, true);
  bytes.fill(0x20, 8, 8 + head).set(text, 8);
  let at = 8 + head;
  for (const array of Object.values(arrays)) {
    const to = new Float64Array(bytes.buffer, at, array.length);
    if (array instanceof Float64Array) to.set(array);
    else array.write(to);
    at += to.byteLength;
  }
  return bytes;
}

/** Reads what `packCheckpoint` wrote; arrays are copies. */
export function unpackCheckpoint(bytes: Uint8Array, place = "checkpoint"): Checkpoint {
  if (bytes.length < 8) throw invalid(place, "a checkpoint of a fit", `${bytes.length} bytes`);
  const head = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = parseHeader(bytes.subarray(8, 8 + head), place);
  const total = header.arrays.reduce((sum, [, n]) => sum + 8 * n, 8 + head);
  if (bytes.length !== total) throw invalid(place, `${total} bytes`, `${bytes.length}: the file was cut off`);
  const arrays: Record<string, Float64Array> = {};
  let at = 8 + head;
  for (const [name, length] of header.arrays) {
    // Copied by the constructor: slice() of Node's Buffer would share the file's bytes.
    arrays[name] = new Float64Array(new Uint8Array(bytes.subarray(at, at + 8 * length)).buffer);
    at += 8 * length;
  }
  return { meta: header.meta, arrays };
}

function parseHeader(text: Uint8Array, place: string): Header {
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text)) as Header;
  } catch (error) {
    throw invalid(place, "a checkpoint of a fit", `something else (${(error as Error).message})`);
  }
  if (header.version !== VERSION) throw invalid(place, `format version ${VERSION}`, header.version);
  return header;
}
