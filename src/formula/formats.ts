/** Which numbers a kernel works in: two lanes of f64 or four of f32. */
export type Precision = "f64" | "f32";

/** What the elementary functions must know of a floating-point format; coefficients: test/golden/coefficients.py. */
export interface FloatFormat {
  readonly bytes: 4 | 8;
  /** Numbers in a vector of 128 bits. */
  readonly lanes: 2 | 4;
  /** Bits of the stored significand, and the bias of the exponent above it. */
  readonly significand: number;
  readonly bias: number;
  /** What a formula's constant becomes. */
  readonly round: (x: number) => number;
  /** The number whose bit pattern is the significand's bits, all set. */
  readonly fraction: number;
  /** The least number with a full significand, and the least of all. */
  readonly leastNormal: number;
  readonly least: number;
  /** eˣ is 0 where x is the first of these or less, ∞ where it is the second. */
  readonly exponents: readonly [number, number];
  /** ln 2 in two pieces; a multiple of the first by an exponent is exact. */
  readonly ln2: readonly [number, number];
  /** π/2 in three pieces; multiples of the first two are exact for |n| < 2¹⁹ in f64, 2¹³ in f32. */
  readonly halfPi: readonly [number, number, number];
  /** π and what rounding left of it. */
  readonly pi: readonly [number, number];
  /** (eʳ − 1 − r)/r² for |r| ≤ ½ ln 2, in r. */
  readonly exp: readonly number[];
  /** (sin r − r)/r³ for |r| ≤ π/4, in r². */
  readonly sin: readonly number[];
  /** (cos r − 1 + r²/2)/r⁴ for |r| ≤ π/4, in r². */
  readonly cos: readonly number[];
  /** (2 artanh s − 2 s)/s³ for |s| ≤ 0.172, in s². */
  readonly log: readonly number[];
  /** The same for |s| ≤ ⅓. */
  readonly logWide: readonly number[];
  /** (arcsin s/s − 1)/s² for 0 ≤ s ≤ ½, in s². */
  readonly asin: readonly number[];
}

const f64: FloatFormat = {
  bytes: 8,
  lanes: 2,
  significand: 52,
  bias: 1023,
  round: (x) => x,
  fraction: 2 ** -1022 - 2 ** -1074,
  leastNormal: 2 ** -1022,
  least: 2 ** -1074,
  exponents: [-708.3, 710],
  ln2: [0.6931471805582987, 1.6465949582897082e-12],
  halfPi: [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21],
  pi: [Math.PI, 1.2246467991473532e-16],
  exp: [
    0.5000000000000001, 0.16666666666666669, 0.041666666666624164, 0.008333333333330065, 0.001388888891719689,
    0.00019841269863040675, 2.480152132210459e-5, 2.7557268480106926e-6, 2.762007600563138e-7,
    2.5100375929185925e-8,
  ],
  sin: [
    -0.16666666666666666, 0.008333333333330948, -0.00019841269836758557, 2.7557316102543096e-6,
    -2.505113184305603e-8, 1.5918129154550317e-10,
  ],
  cos: [
    0.041666666666666664, -0.0013888888888887398, 2.4801587298765676e-5, -2.755731727172395e-7,
    2.0876146267184808e-9, -1.1382632337741072e-11,
  ],
  log: [
    0.666666666666667, 0.39999999999899505, 0.28571428625975487, 0.22222211134795078, 0.1818288912526188,
    0.1533172160055169, 0.14616449685088906,
  ],
  logWide: [
    0.6666666666666666, 0.40000000000014585, 0.2857142856710872, 0.222222227174316, 0.18181789435944842,
    0.15385570070237026, 0.13314144123081703, 0.12001073633224721, 0.08800734278093429, 0.16164054537311398,
  ],
  asin: [
    0.1666666666666665, 0.07500000000020765, 0.04464285710342318, 0.030381947367129573, 0.022372047630671556,
    0.017355259977273253, 0.013929652635310413, 0.011875496504952872, 0.007802938680095729,
    0.0160355483486804, -0.010749110667899128, 0.02816926416655376,
  ],
};

const f32: FloatFormat = {
  bytes: 4,
  lanes: 4,
  significand: 23,
  bias: 127,
  round: Math.fround,
  fraction: 2 ** -126 - 2 ** -149,
  leastNormal: 2 ** -126,
  least: 2 ** -149,
  exponents: [-87.2, 89],
  ln2: [0.693145751953125, 1.428606765330187e-6],
  halfPi: [1.5703125, 0.0004837512969970703, 7.549790126404332e-8],
  pi: [3.1415927410125732, -8.742277657347586e-8],
  exp: [0.5, 0.16666576, 0.041666538, 0.008363204, 0.0013927937],
  sin: [-0.16666664, 0.008332748, -0.0001958789],
  cos: [0.041666664, -0.0013888302, 2.4547942e-5],
  log: [0.66666687, 0.3998878, 0.2957995],
  logWide: [0.6666667, 0.39999706, 0.28592357, 0.21706575, 0.23224334],
  asin: [0.16666666, 0.07500094, 0.044599403, 0.031100666, 0.017149225, 0.033690874],
};

/** The formats by name. */
export const formats: Readonly<Record<Precision, FloatFormat>> = { f64, f32 };
