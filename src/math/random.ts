import { invalid } from "../error.ts";

/** Everything that decides what a generator gives next: four 32-bit words, plain data for a checkpoint. */
export type RandomState = readonly [number, number, number, number];

/**
 * Seeded random numbers: xoshiro128** (D. Blackman, S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021),
 * DOI 10.1145/3460772), period 2¹²⁸ − 1, four words seeded by SplitMix-style mixing of seed and key.
 * Integer operations, +, ×, ÷ and sqrt only, so every engine gives the same bits.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** Same seed and keys, same numbers; each list of keys gives a stream of its own. */
  constructor(seed: number, ...keys: readonly (string | number)[]) {
    if (!Number.isSafeInteger(seed)) throw invalid("seed", "an integer", seed);
    this.restore(mix(seed, keys));
  }

  /** 32 random bits, 0 … 2³² − 1. */
  bits(): number {
    const x = Math.imul(this.#b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Uniform in [0, 1), multiples of 2⁻⁵³. */
  uniform(): number {
    const high = this.bits() >>> 5;
    return (high * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }

  /** Normal with mean 0 and variance 1: polar method (G. Marsaglia, T. A. Bray, DOI 10.1137/1006063), own logarithm. */
  normal(): number {
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      // The partner v·√(…) is dropped, so that the state of the generator is four words and nothing else.
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * logarithm(s)) / s);
    }
  }

  /** Uniform integer 0 … n − 1, without bias; n ≤ 2³². */
  integer(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 4294967296)) throw invalid("range", "an integer 1 … 2^32", n);
    const limit = 4294967296 - (4294967296 % n);
    for (;;) {
      const x = this.bits();
      if (x < limit) return x % n;
    }
  }

  /** Shuffles in place (Fisher–Yates) and returns the same array. */
  shuffle<T extends unknown[] | Int32Array | Uint32Array | Float64Array>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  /** Fills the array with normal numbers and returns it. */
  normals(out: Float64Array): Float64Array {
    for (let i = 0; i < out.length; i++) out[i] = this.normal();
    return out;
  }

  /** Copy of the state, for a checkpoint. */
  state(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** Goes on exactly where the generator that gave the state stood. */
  restore(state: RandomState): void {
    if (state.length !== 4 || !state.some((w) => w !== 0) || !state.every((w) => w === w >>> 0))
      throw invalid("random state", "four 32-bit words, not all zero", state);
    [this.#a, this.#b, this.#c, this.#d] = state.map((w) => w | 0);
  }
}

/** Avalanche of 32 bits (finaliser of MurmurHash3, A. Appleby, public domain constants). */
function avalanche(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mix(seed: number, keys: readonly (string | number)[]): RandomState {
  // The JSON text keeps ["a", 1], ["a1"] and ["a", "1"] apart.
  const text = JSON.stringify([seed, ...keys]);
  const words = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x71374491].map((start, lane) => {
    let h = start;
    for (let i = 0; i < text.length; i++)
      h = avalanche((h + Math.imul(text.charCodeAt(i) + lane + 1, 0x9e3779b1)) | 0);
    return avalanche(h ^ text.length);
  });
  return words.some((w) => w !== 0) ? (words as unknown as RandomState) : [1, 2, 3, 4];
}

const view = new DataView(new ArrayBuffer(8));

/**
 * ln x for normal 0 < x < ∞ in exact steps and plain arithmetic, because Math.log differs between engines:
 * x = m 2^k with m in [√½, √2], ln m = 2 artanh s with s = (m − 1)/(m + 1), |s| ≤ 0.1716. Error below 2 ulp near 1.
 */
function logarithm(x: number): number {
  view.setFloat64(0, x);
  let k = (view.getUint32(0) >>> 20) - 1023;
  view.setUint32(0, (view.getUint32(0) & 0x000fffff) | 0x3ff00000);
  let m = view.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let series = 0;
  for (let n = 25; n >= 3; n -= 2) series = (series + 1 / n) * z;
  return k * Math.LN2 + 2 * (s + s * series);
}
