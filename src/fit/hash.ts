import type { Frame } from "../structure/structure.ts";

/** The first n primes. */
function primes(n: number): number[] {
  const found: number[] = [];
  for (let k = 2; found.length < n; k++) if (found.every((p) => k % p !== 0)) found.push(k);
  return found;
}

/** First 32 bits of the fraction of p^(1/root), exactly: the integer root of p·2^(32·root) by bisection. */
function fractionBits(p: number, root: 2 | 3): number {
  const target = BigInt(p) << BigInt(32 * root);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(root) <= target) low = middle;
    else high = middle;
  }
  return Number(low & 0xffffffffn);
}

const ROUND = Int32Array.from(primes(64), (p) => fractionBits(p, 3));
const START = Int32Array.from(primes(8), (p) => fractionBits(p, 2));

const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

/** SHA-256 (FIPS 180-4, https://doi.org/10.6028/NIST.FIPS.180-4), fed piece by piece, the same in Node and in the browser. */
export class Sha256 {
  #state = START.slice();
  #schedule = new Int32Array(64);
  #block = new Uint8Array(64);
  #filled = 0;
  #length = 0;

  /** Appends bytes. */
  update(bytes: Uint8Array): this {
    this.#length += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const take = Math.min(64 - this.#filled, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled === 64) this.#compress();
    }
    return this;
  }

  /** Closes the message; 64 hexadecimal digits. */
  digest(): string {
    const bits = BigInt(this.#length) * 8n;
    const zeros = (119 - (this.#length % 64)) % 64;
    this.update(Uint8Array.of(0x80)).update(new Uint8Array(zeros));
    const size = new DataView(new ArrayBuffer(8));
    size.setBigUint64(0, bits);
    this.update(new Uint8Array(size.buffer));
    return Array.from(this.#state, (x) => (x >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #compress(): void {
    const w = this.#schedule;
    const view = new DataView(this.#block.buffer);
    for (let t = 0; t < 16; t++) w[t] = view.getInt32(4 * t);
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15];
      const y = w[t - 2];
      const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = this.#state;
    for (let t = 0; t < 64; t++) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[t] + w[t]) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    const s = this.#state;
    [a, b, c, d, e, f, g, h].forEach((x, k) => (s[k] += x));
    this.#filled = 0;
  }
}

const bytesOf = (x: Uint8Array | Float64Array): Uint8Array =>
  new Uint8Array(x.buffer, x.byteOffset, x.byteLength);

/** Feeds one frame, structure and labels to the last bit, to a hash; absent labels are told from zeros. */
function feed(hash: Sha256, frame: Frame): void {
  const { numbers, positions, cell, pbc } = frame.structure;
  const parts = [cell, frame.forces, frame.stress];
  const energy = frame.energy === undefined ? undefined : Float64Array.of(frame.energy);
  hash.update(Uint8Array.of(...pbc.map(Number), ...[...parts, energy].map((part) => (part ? 1 : 0))));
  hash
    .update(bytesOf(Float64Array.of(numbers.length)))
    .update(numbers)
    .update(bytesOf(positions));
  for (const part of [...parts, energy]) if (part) hash.update(bytesOf(part));
}

/** SHA-256 of all structures and labels in their order: the name of a data set in a model file. */
export function dataHash(frames: Iterable<Frame>): string {
  const hash = new Sha256();
  for (const frame of frames) feed(hash, frame);
  return hash.digest();
}
