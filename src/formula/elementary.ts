import type { Elementary, Expr, Operand } from "./expression.ts";
import {
  abs,
  add,
  bits,
  constant,
  div,
  fromHalves,
  less,
  max,
  min,
  mul,
  neg,
  select,
  sqrt,
  square,
  sub,
} from "./expression.ts";

// Every function is written once in primitives, so every device gives the same bits. Nothing below relies on a
// product being rounded before it is added: where exactness matters the product is exact, so the bounds hold with
// and without fused multiply-add. Coefficients: test/golden/coefficients.py. Bounds: docs/formula.md.

/** Adding and subtracting it rounds |x| < 2⁵¹ to an integer, which then stands in the low bits of the sum. */
const ROUND = 1.5 * 2 ** 52;
const LN2 = [0.6931471805582987, 1.6465949582897082e-12] as const;

/** Pieces of π/2 of 34 bits, so that n times a piece is exact for |n| < 2¹⁹. */
const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;
const TWO_OVER_PI = 0.6366197723675814;

/** (eʳ − 1 − r)/r² for |r| ≤ ½ ln 2, in r. */
const EXP = [
  0.5000000000000001, 0.16666666666666669, 0.041666666666624164, 0.008333333333330065, 0.001388888891719689,
  0.00019841269863040675, 2.480152132210459e-5, 2.7557268480106926e-6, 2.762007600563138e-7,
  2.5100375929185925e-8,
];
/** (sin r − r)/r³ for |r| ≤ π/4, in r². */
const SIN = [
  -0.16666666666666666, 0.008333333333330948, -0.00019841269836758557, 2.7557316102543096e-6,
  -2.505113184305603e-8, 1.5918129154550317e-10,
];
/** (cos r − 1 + r²/2)/r⁴ for |r| ≤ π/4, in r². */
const COS = [
  0.041666666666666664, -0.0013888888888887398, 2.4801587298765676e-5, -2.755731727172395e-7,
  2.0876146267184808e-9, -1.1382632337741072e-11,
];
/** (2 artanh s − 2 s)/s³ for |s| ≤ 0.172, in s². */
const LOG = [
  0.666666666666667, 0.39999999999899505, 0.28571428625975487, 0.22222211134795078, 0.1818288912526188,
  0.1533172160055169, 0.14616449685088906,
];

/** The same for |s| ≤ ⅓. */
const LOG_WIDE = [
  0.6666666666666666, 0.40000000000014585, 0.2857142856710872, 0.222222227174316, 0.18181789435944842,
  0.15385570070237026, 0.13314144123081703, 0.12001073633224721, 0.08800734278093429, 0.16164054537311398,
];

/** (arcsin s/s − 1)/s² for 0 ≤ s ≤ ½, in s². */
const ASIN = [
  0.1666666666666665, 0.07500000000020765, 0.04464285710342318, 0.030381947367129573, 0.022372047630671556,
  0.017355259977273253, 0.013929652635310413, 0.011875496504952872, 0.007802938680095729, 0.0160355483486804,
  -0.010749110667899128, 0.02816926416655376,
];
/** π and what rounding left of it. */
const PI = [Math.PI, 1.2246467991473532e-16] as const;

/** Σ cₖ xᵏ in pairs, (c₀ + c₁ x) + x² ((c₂ + c₃ x) + x² …), which waits for half as many steps as Horner's rule. */
function polynomial(x: Expr, c: readonly number[]): Expr {
  const pairs = c.flatMap((low, k) => (k % 2 === 0 ? [add(mul(x, c[k + 1] ?? 0), low)] : []));
  return pairs.reduceRight((p, pair) => add(mul(p, square(x)), pair));
}

/** x rounded to a multiple n of 1/scale: the sum that holds n + bias in its low bits, and n. */
function round(x: Expr, scale: number, bias: number): readonly [Expr, Expr] {
  const held = add(mul(x, scale), ROUND + bias);
  return [held, sub(held, ROUND + bias)];
}

/** 2ᵏ·eʳ = eˣ with |r| ≤ ½ ln 2, as [2^(k+bias), r]. */
function splitExp(x: Expr, bias: number): readonly [Expr, Expr] {
  const [held, k] = round(x, Math.LOG2E, 1023 + bias);
  return [bits.shl(held, 52), sub(sub(x, mul(k, LN2[0])), mul(k, LN2[1]))];
}

/** Results below 3.3e-308 are 0. The scale is halved and the polynomial doubled, so that 2¹⁰²⁴ need not be formed. */
function exp(x: Expr): Expr {
  const [scale, r] = splitExp(max(min(x, 710), -708.3), -1);
  const q = polynomial(
    r,
    EXP.map((c) => 2 * c),
  );
  return mul(add(mul(add(mul(q, r), 2), r), 2), scale);
}

/**
 * With t = exp(−2|x|) − 1: |tanh x| = −t/(2 + t). What was lost in t and 2 + t is given back to first order,
 * with 1/d ≈ 1.457 − d/2 for 1 ≤ d ≤ 2.
 */
function tanh(x: Expr): Expr {
  const [scale, r] = splitExp(max(mul(abs(x), -2), -80), 0);
  const a = sub(scale, 1);
  const b = mul(add(mul(square(r), polynomial(r, EXP)), r), scale);
  const t = add(a, b);
  const lostT = sub(b, sub(t, a));
  const d = add(t, 2);
  const lostD = add(sub(t, sub(d, 2)), lostT);
  const q = div(t, d);
  const corrected = add(q, mul(sub(lostT, mul(q, lostD)), sub(1.457, mul(d, 0.5))));
  return bits.or(abs(corrected), bits.and(x, -0));
}

/** high + low + ln(1 + f): ln(1 + f) = f − (f²/2 − s (f²/2 + R)) with s = f/(2 + f), R = (2 artanh s − 2 s)/s. */
function log1pCore(f: Expr, c: readonly number[], high: Operand, low: Operand): Expr {
  const s = div(f, add(f, 2));
  const half = mul(square(f), 0.5);
  const z = square(s);
  const tail = add(mul(s, add(half, mul(z, polynomial(z, c)))), low);
  return sub(high, sub(sub(half, tail), f));
}

/** ln(x + c) for normal x > 0 and |c| below the rounding of x; `shift` is added to the exponent. */
function logCore(x: Expr, c: Expr, shift: Expr): Expr {
  const held = bits.or(bits.shr(x, 52), 2 ** 52);
  const m = bits.or(bits.and(x, fromHalves(0xfffff, -1)), 1);
  const high = less(Math.SQRT2, m);
  const k = add(add(sub(held, 2 ** 52 + 1023), select(high, 1, 0)), shift);
  const f = sub(select(high, mul(m, 0.5), m), 1);
  return log1pCore(f, LOG, mul(k, LN2[0]), add(mul(k, LN2[1]), c));
}

/** Subnormal x is scaled by 2⁵⁴ first. */
function log(x: Expr): Expr {
  const small = less(x, 2 ** -1022);
  const y = logCore(select(small, mul(x, 2 ** 54), x), constant(0), select(small, -54, 0));
  const edge = select(less(x, 0), NaN, -Infinity);
  return select(less(x, Infinity), select(less(x, Number.MIN_VALUE), edge, y), x);
}

/** ln(1 + x) with the rounding error of 1 + x given back. */
function log1p(x: Expr): Expr {
  const y = add(x, 1);
  const b = sub(y, 1);
  const lost = add(sub(1, sub(y, b)), sub(x, b));
  const edge = select(less(y, 0), NaN, -Infinity);
  const core = logCore(y, div(lost, y), constant(0));
  return select(less(y, Infinity), select(less(y, Number.MIN_VALUE), edge, core), x);
}

/** sin r and cos r with r = x − n π/2, and the sum that holds n. */
function reduce(x: Expr): { held: Expr; sine: Expr; cosine: Expr } {
  const [held, n] = round(x, TWO_OVER_PI, 0);
  // The first two products are exact, and so is the first difference; the rounding of the second is given back.
  const a = sub(x, mul(n, HALF_PI[0]));
  const b = mul(n, HALF_PI[1]);
  const c = sub(a, b);
  const r = add(c, sub(sub(sub(a, c), b), mul(n, HALF_PI[2])));
  const z = square(r);
  const sine = add(mul(mul(z, r), polynomial(z, SIN)), r);
  const cosine = add(mul(square(z), polynomial(z, COS)), sub(1, mul(z, 0.5)));
  return { held, sine, cosine };
}

/** x with its sign turned where bit 1 of `held` is set. */
const turned = (x: Expr, held: Expr): Expr => bits.xor(x, bits.and(bits.shl(held, 62), -0));

function sin(x: Expr): Expr {
  const { held, sine, cosine } = reduce(x);
  return turned(select(bits.odd(held), cosine, sine), held);
}

function cos(x: Expr): Expr {
  const { held, sine, cosine } = reduce(x);
  return turned(select(bits.odd(held), sine, cosine), add(held, 1));
}

/** π/2 − arcsin x for |x| ≤ ½; beyond, half the angle: arccos x = 2 arcsin √((1 − x)/2), and π less that for −x. */
function acos(x: Expr): Expr {
  const size = select(less(1, abs(x)), 1, abs(x));
  const inner = less(size, 0.5);
  const z = select(inner, square(size), mul(sub(1, size), 0.5));
  const s = select(inner, size, sqrt(z));
  const tail = mul(mul(s, z), polynomial(z, ASIN));
  const asin = add(s, tail);
  const negative = less(x, 0);
  const signed = bits.or(asin, bits.and(x, -0));
  const middle = sub(PI[0] / 2, sub(signed, PI[1] / 2));
  return select(inner, middle, select(negative, sub(PI[0], sub(mul(asin, 2), PI[1])), mul(asin, 2)));
}

/** 1/(1 + e⁻ˣ) */
const logistic = (x: Expr): Expr => div(1, add(exp(neg(x)), 1));

/** max(x, 0) + ln(1 + e^−|x|), where e^−|x| ≤ 1 needs no exponent split off. */
const softplus = (x: Expr): Expr => add(max(x, 0), log1pCore(exp(neg(abs(x))), LOG_WIDE, 0, 0));

/** The elementary functions, each as an expression of primitives. */
export const elementary: Readonly<Record<Elementary, (x: Expr) => Expr>> = {
  exp,
  log,
  log1p,
  sin,
  cos,
  tanh,
  acos,
  logistic,
  softplus,
};
