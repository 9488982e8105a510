import type { Elementary, Expr, Operand } from "./expression.ts";
import {
  abs,
  add,
  bits,
  constant,
  div,
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
import { formats } from "./formats.ts";
import type { FloatFormat, Precision } from "./formats.ts";

// Every function is written once in primitives, so every device gives the same bits. Nothing below relies on a
// product being rounded before it is added: where exactness matters the product is exact, so the bounds hold with
// and without fused multiply-add. Bounds: docs/formula.md.

const TWO_OVER_PI = 0.6366197723675814;

/** Σ cₖ xᵏ in pairs, (c₀ + c₁ x) + x² ((c₂ + c₃ x) + x² …), which waits for half as many steps as Horner's rule. */
function polynomial(x: Expr, c: readonly number[]): Expr {
  const pairs = c.flatMap((low, k) => (k % 2 === 0 ? [add(mul(x, c[k + 1] ?? 0), low)] : []));
  return pairs.reduceRight((p, pair) => add(mul(p, square(x)), pair));
}

/** high + low + ln(1 + f): ln(1 + f) = f − (f²/2 − s (f²/2 + R)) with s = f/(2 + f), R = (2 artanh s − 2 s)/s. */
function log1pCore(f: Expr, c: readonly number[], high: Operand, low: Operand): Expr {
  const s = div(f, add(f, 2));
  const half = mul(square(f), 0.5);
  const z = square(s);
  const tail = add(mul(s, add(half, mul(z, polynomial(z, c)))), low);
  return sub(high, sub(sub(half, tail), f));
}

/** The elementary functions in one format, each as an expression of primitives. */
function elementaryOf(F: FloatFormat): Readonly<Record<Elementary, (x: Expr) => Expr>> {
  /** Adding and subtracting it rounds |x| < 2⁵¹ (f32: 2²²) to an integer, which then stands in the low bits of the sum. */
  const rounding = 1.5 * 2 ** F.significand;

  /** x rounded to a multiple n of 1/scale: the sum that holds n + bias in its low bits, and n. */
  function round(x: Expr, scale: number, bias: number): readonly [Expr, Expr] {
    const held = add(mul(x, scale), rounding + bias);
    return [held, sub(held, rounding + bias)];
  }

  /** 2ᵏ·eʳ = eˣ with |r| ≤ ½ ln 2, as [2^(k+bias), r]. */
  function splitExp(x: Expr, bias: number): readonly [Expr, Expr] {
    const [held, k] = round(x, Math.LOG2E, F.bias + bias);
    return [bits.shl(held, F.significand), sub(sub(x, mul(k, F.ln2[0])), mul(k, F.ln2[1]))];
  }

  /**
   * Results below 1.5 times the least normal number are 0. The scale is halved and the polynomial doubled, so that
   * 2¹⁰²⁴ (f32: 2¹²⁸) need not be formed.
   */
  function exp(x: Expr): Expr {
    const [scale, r] = splitExp(max(min(x, F.exponents[1]), F.exponents[0]), -1);
    const q = polynomial(
      r,
      F.exp.map((c) => 2 * c),
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
    const b = mul(add(mul(square(r), polynomial(r, F.exp)), r), scale);
    const t = add(a, b);
    const lostT = sub(b, sub(t, a));
    const d = add(t, 2);
    const lostD = add(sub(t, sub(d, 2)), lostT);
    const q = div(t, d);
    const corrected = add(q, mul(sub(lostT, mul(q, lostD)), sub(1.457, mul(d, 0.5))));
    return bits.or(abs(corrected), bits.and(x, -0));
  }

  /** ln(x + c) for normal x > 0 and |c| below the rounding of x; `shift` is added to the exponent. */
  function logCore(x: Expr, c: Expr, shift: Expr): Expr {
    const held = bits.or(bits.shr(x, F.significand), 2 ** F.significand);
    const m = bits.or(bits.and(x, F.fraction), 1);
    const high = less(Math.SQRT2, m);
    const k = add(add(sub(held, 2 ** F.significand + F.bias), select(high, 1, 0)), shift);
    const f = sub(select(high, mul(m, 0.5), m), 1);
    return log1pCore(f, F.log, mul(k, F.ln2[0]), add(mul(k, F.ln2[1]), c));
  }

  /** Subnormal x is scaled by a power of two first. */
  function log(x: Expr): Expr {
    const up = F.significand + 2;
    const small = less(x, F.leastNormal);
    const y = logCore(select(small, mul(x, 2 ** up), x), constant(0), select(small, -up, 0));
    const edge = select(less(x, 0), NaN, -Infinity);
    return select(less(x, Infinity), select(less(x, F.least), edge, y), x);
  }

  /** ln(1 + x) with the rounding error of 1 + x given back. */
  function log1p(x: Expr): Expr {
    const y = add(x, 1);
    const b = sub(y, 1);
    const lost = add(sub(1, sub(y, b)), sub(x, b));
    const edge = select(less(y, 0), NaN, -Infinity);
    const core = logCore(y, div(lost, y), constant(0));
    return select(less(y, Infinity), select(less(y, F.least), edge, core), x);
  }

  /** sin r and cos r with r = x − n π/2, and the sum that holds n. */
  function reduce(x: Expr): { held: Expr; sine: Expr; cosine: Expr } {
    const [held, n] = round(x, TWO_OVER_PI, 0);
    // The first two products are exact, and so is the first difference; the rounding of the second is given back.
    const a = sub(x, mul(n, F.halfPi[0]));
    const b = mul(n, F.halfPi[1]);
    const c = sub(a, b);
    const r = add(c, sub(sub(sub(a, c), b), mul(n, F.halfPi[2])));
    const z = square(r);
    const sine = add(mul(mul(z, r), polynomial(z, F.sin)), r);
    const cosine = add(mul(square(z), polynomial(z, F.cos)), sub(1, mul(z, 0.5)));
    return { held, sine, cosine };
  }

  /** x with its sign turned where bit 1 of `held` is set. */
  const turned = (x: Expr, held: Expr): Expr => bits.xor(x, bits.and(bits.shl(held, 8 * F.bytes - 2), -0));

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
    const tail = mul(mul(s, z), polynomial(z, F.asin));
    const asin = add(s, tail);
    const negative = less(x, 0);
    const signed = bits.or(asin, bits.and(x, -0));
    const middle = sub(F.pi[0] / 2, sub(signed, F.pi[1] / 2));
    return select(inner, middle, select(negative, sub(F.pi[0], sub(mul(asin, 2), F.pi[1])), mul(asin, 2)));
  }

  /** 1/(1 + e⁻ˣ) */
  const logistic = (x: Expr): Expr => div(1, add(exp(neg(x)), 1));

  /** max(x, 0) + ln(1 + e^−|x|), where e^−|x| ≤ 1 needs no exponent split off. */
  const softplus = (x: Expr): Expr => add(max(x, 0), log1pCore(exp(neg(abs(x))), F.logWide, 0, 0));

  return { exp, log, log1p, sin, cos, tanh, acos, logistic, softplus };
}

/** The elementary functions by precision. */
export const elementary: Readonly<Record<Precision, Readonly<Record<Elementary, (x: Expr) => Expr>>>> = {
  f64: elementaryOf(formats.f64),
  f32: elementaryOf(formats.f32),
};
