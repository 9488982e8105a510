import { invalid } from "../error.ts";
import { supports } from "../formula/assembler.ts";

export interface MemoryOptions {
  /** Bytes reserved; the system commits pages as they are touched. 1 GiB by default, less where that fails. */
  readonly bytes?: number;
  /** Whether other threads see it; by default where the engine allows it. */
  readonly shared?: boolean;
  /** An existing memory that a `Memory` of another thread manages. */
  readonly memory?: WebAssembly.Memory;
}

const PAGE = 65536;
const MAXIMUM = 2 ** 32 - PAGE;
const DEFAULTS = [2 ** 30, 2 ** 29, 2 ** 28];
/** Every address handed out is a multiple of this: a cache line. */
const ALIGNMENT = 64;
/** Index, in 32-bit words, of the address that is handed out next; the words before it stay zero. */
const NEXT = 4;
/** Bytes at the end never handed out, so that vector code may read (not write) past the end of an array. */
const GUARD = 4096;

/** Whether memory can be shared with other threads here: in a browser, only on a cross-origin isolated page. */
const canShare = (): boolean => {
  const { crossOriginIsolated: isolated = true } = globalThis as { crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer !== "undefined" && isolated && supports().threads;
};

const grab = (bytes: number, shared: boolean): WebAssembly.Memory => {
  const pages = Math.ceil(bytes / PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
};

/** The largest memory of the default sizes that the system grants. */
const reserveDefault = (shared: boolean): WebAssembly.Memory => {
  let cause: unknown;
  for (const bytes of DEFAULTS) {
    try {
      return grab(bytes, shared);
    } catch (error) {
      cause = error;
    }
  }
  const least = DEFAULTS.at(-1)! / 2 ** 20;
  throw new Error(`cannot reserve ${least} MiB of WebAssembly memory; ask for less with the option "bytes"`, {
    cause,
  });
};

const reserveExactly = (bytes: number, shared: boolean): WebAssembly.Memory => {
  if (!(bytes >= PAGE && bytes <= MAXIMUM))
    throw invalid("bytes", `a memory size from ${PAGE} to ${MAXIMUM} bytes`, String(bytes));
  try {
    return grab(bytes, shared);
  } catch (cause) {
    throw new Error(
      `cannot reserve ${bytes} bytes of WebAssembly memory; ask for less with the option "bytes"`,
      {
        cause,
      },
    );
  }
};

const reserve = (bytes: number | undefined, shared: boolean) =>
  bytes === undefined ? reserveDefault(shared) : reserveExactly(bytes, shared);

/**
 * One linear memory that WebAssembly kernels and typed arrays of all threads look at.
 * Its size never changes, so views never detach; what is allocated is zero and is never freed on its own: the
 * whole memory goes when nothing refers to it any more.
 */
export class Memory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  private readonly words: Uint32Array;

  constructor(options: MemoryOptions = {}) {
    const shared = options.shared ?? canShare();
    this.memory = options.memory ?? reserve(options.bytes, shared);
    this.shared = typeof SharedArrayBuffer !== "undefined" && this.memory.buffer instanceof SharedArrayBuffer;
    this.words = new Uint32Array(this.memory.buffer);
    Atomics.compareExchange(this.words, NEXT, 0, ALIGNMENT);
  }

  /** Bytes of the whole memory. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Bytes that can still be allocated, by all threads together. */
  get left(): number {
    return Math.max(0, this.bytes - GUARD - Atomics.load(this.words, NEXT));
  }

  /** The address of `bytes` fresh zero bytes, a multiple of 64; safe on several threads at once. */
  alloc(bytes: number): number {
    if (!(bytes >= 0)) throw new RangeError(`cannot allocate ${bytes} bytes`);
    const size = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    for (;;) {
      const address = Atomics.load(this.words, NEXT);
      if (address + size > this.bytes - GUARD) throw this.full(bytes);
      if (Atomics.compareExchange(this.words, NEXT, address, address + size) === address) return address;
    }
  }

  f64(address: number, n: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, n);
  }

  f32(address: number, n: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, n);
  }

  i32(address: number, n: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, n);
  }

  u8(address: number, n: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, n);
  }

  private full(bytes: number): Error {
    return new Error(
      `out of memory: ${bytes} bytes asked for, ${this.left} of ${this.bytes} left; ` +
        `create the device with a larger "bytes" (at most ${MAXIMUM}) or work on fewer structures at a time`,
    );
  }
}
