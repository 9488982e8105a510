import { invalid } from "../error.ts";
import type { ByteStream } from "./format.ts";

/**
 * The bytes, uncompressed when they start as gzip does (1f 8b), unchanged otherwise. By the platform's own decompressor,
 * which checks length and CRC; several gzip files in one are refused by it, not cut short.
 */
export async function* gunzip(bytes: ByteStream, file: string): AsyncGenerator<Uint8Array, void, undefined> {
  let head = new Uint8Array(0);
  const source = iterate(bytes);
  try {
    // The two magic bytes may come in two pieces.
    while (head.length < 2) {
      const next = await source.next();
      if (next.done) break;
      head = concatenate(head, next.value);
    }
    if (isGzip(head)) yield* inflate(head, source, file);
    else {
      if (head.length > 0) yield head;
      yield* source;
    }
  } finally {
    await source.return();
  }
}

/** Whether bytes start as gzip does. */
export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

/** gzip-compressed bytes, in pieces. */
export async function* gzip(bytes: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
  yield* through(new CompressionStream("gzip"), iterate(bytes));
}

async function* inflate(
  head: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
  file: string,
): AsyncGenerator<Uint8Array> {
  let sourceFailed = false;
  async function* all() {
    yield head;
    try {
      yield* rest;
    } catch (error) {
      sourceFailed = true;
      throw error;
    }
  }
  try {
    yield* through(new DecompressionStream("gzip"), all());
  } catch (error) {
    if (sourceFailed) throw error;
    throw invalid(file, "a whole gzip file", `damaged or truncated data (${(error as Error).message})`);
  }
}

/** Pushes the source through a stream of the platform, at the pace of the consumer. */
async function* through(
  stream: CompressionStream | DecompressionStream,
  source: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  let failure: unknown;
  const feed = async () => {
    try {
      for await (const piece of source) await writer.write(piece as Uint8Array<ArrayBuffer>);
      await writer.close();
    } catch (error) {
      failure = error;
      await writer.abort(error).catch(() => undefined); // already broken: `failure` is what the reader is told
    }
  };
  const feeding = feed();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    await feeding;
    if (failure !== undefined) throw failure;
  } catch (error) {
    await feeding;
    throw failure ?? error;
  } finally {
    // When the consumer stops early, this lets the feeder end too.
    await reader.cancel().catch(() => undefined);
    await feeding;
  }
}

async function* iterate(bytes: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
  yield* bytes;
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
