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

/** A checkpoint whose arrays, which may be larger than all else, are read when they are needed and not held meanwhile. */
export interface StoredCheckpoint {
  readonly meta: unknown;
  /** Copies, read anew each time. */
  readonly arrays: () => Record<string, Float64Array>;
}

/** Where the bytes of a checkpoint are. */
export interface CheckpointBytes {
  readonly length: number;
  /** Fills `to` with the bytes from `at` on. */
  read(at: number, to: Uint8Array): void;
}

/** What `packCheckpoint` wrote; a file that was cut off is an InputError at once. */
export function openCheckpoint(bytes: CheckpointBytes, place = "checkpoint"): StoredCheckpoint {
  if (bytes.length < 8) throw invalid(place, "a checkpoint of a fit", `${bytes.length} bytes`);
  const start = new Uint8Array(8);
  bytes.read(0, start);
  const head = new DataView(start.buffer).getUint32(0, true);
  const text = new Uint8Array(Math.min(head, bytes.length - 8));
  bytes.read(8, text);
  const header = parseHeader(text, place);
  const total = header.arrays.reduce((sum, [, n]) => sum + 8 * n, 8 + head);
  if (bytes.length !== total) throw invalid(place, `${total} bytes`, `${bytes.length}: the file was cut off`);
  const arrays = () => {
    const all: Record<string, Float64Array> = {};
    let at = 8 + head;
    for (const [name, length] of header.arrays) {
      all[name] = new Float64Array(length);
      bytes.read(at, new Uint8Array(all[name].buffer));
      at += 8 * length;
    }
    return all;
  };
  return { meta: header.meta, arrays };
}

/** The checkpoint in an image of its file, or one that is open already. */
export const storedCheckpoint = (from: Uint8Array | StoredCheckpoint, place?: string): StoredCheckpoint =>
  from instanceof Uint8Array
    ? openCheckpoint(
        { length: from.length, read: (at, to) => to.set(from.subarray(at, at + to.length)) },
        place,
      )
    : from;

/** Reads what `packCheckpoint` wrote; arrays are copies. */
export function unpackCheckpoint(bytes: Uint8Array, place?: string): Checkpoint {
  const { meta, arrays } = storedCheckpoint(bytes, place);
  return { meta, arrays: arrays() };
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
