import { gradient } from "../formula/derivative.ts";
import { add, constant, div, less, mul, powi, select, sqrt, type Expr } from "../formula/expression.ts";

/** Coefficient times powers of factors, of which r is one: c r^n Π f^k. */
interface Monomial {
  coefficient: number;
  /** Sum of the sizes of what was added up, to tell what cancelled. */
  size: number;
  readonly factors: ReadonlyMap<Expr, number>;
}

/** A sum of such terms, one for each set of powers. */
type Powers = ReadonlyMap<string, Monomial>;

const keyOf = (factors: ReadonlyMap<Expr, number>): string =>
  [...factors]
    .map(([f, n]) => `${f.id}^${n}`)
    .sort()
    .join(" ");

/** What is left of a sum of terms that cancel but for rounding counts as nothing. */
const CANCELLED = 1e-13;

function collect(terms: readonly Monomial[]): Powers {
  const sums = new Map<string, Monomial>();
  for (const { coefficient, size, factors } of terms) {
    const key = keyOf(factors);
    const known = sums.get(key);
    if (known) {
      known.coefficient += coefficient;
      known.size += size;
    } else sums.set(key, { coefficient, size, factors });
  }
  return new Map([...sums].filter(([, m]) => Math.abs(m.coefficient) > CANCELLED * m.size));
}

function times(a: Powers, b: Powers): Powers {
  const terms = [...a.values()].flatMap((x) =>
    [...b.values()].map((y): Monomial => {
      const factors = new Map(x.factors);
      for (const [f, n] of y.factors) factors.set(f, (factors.get(f) ?? 0) + n);
      for (const [f, n] of factors) if (n === 0) factors.delete(f);
      return { coefficient: x.coefficient * y.coefficient, size: x.size * y.size, factors };
    }),
  );
  return collect(terms);
}

const single = (coefficient: number, factor?: Expr, n = 1): Powers =>
  collect([
    { coefficient, size: Math.abs(coefficient), factors: new Map(factor && n !== 0 ? [[factor, n]] : []) },
  ]);

const plus = (a: Powers, b: Powers): Powers => collect([...a.values(), ...b.values()].map((m) => ({ ...m })));

/** A formula as a sum of powers; functions and what is divided by are factors. */
function expand(y: Expr): Powers {
  const [a, b] = y.args;
  switch (y.op) {
    case "constant":
      return single(y.value);
    case "add":
      return plus(expand(a), expand(b));
    case "sub":
      return plus(expand(a), times(single(-1), expand(b)));
    case "neg":
      return times(single(-1), expand(a));
    case "mul":
      return times(expand(a), expand(b));
    case "div": {
      const below = [...expand(b).values()];
      if (below.length !== 1) return times(expand(a), single(1, b, -1));
      const [{ coefficient, factors }] = below;
      const inverse = new Map([...factors].map(([f, n]) => [f, -n]));
      return times(
        expand(a),
        collect([{ coefficient: 1 / coefficient, size: Math.abs(1 / coefficient), factors: inverse }]),
      );
    }
    default:
      return single(1, y);
  }
}

/** (1/2r) d/dr, which is d/ds for s = r². */
function derive(y: Powers, r: Expr): Powers {
  let total: Powers = new Map();
  for (const { coefficient, size, factors } of y.values()) {
    for (const [f, n] of factors) {
      const slope = f === r ? single(1) : expand(gradient(f, [r])[0]);
      if (slope.size === 0) continue;
      const rest = new Map(factors);
      rest.set(f, n - 1);
      if (n === 1) rest.delete(f);
      const outer = collect([{ coefficient: coefficient * n, size: size * Math.abs(n), factors: rest }]);
      total = plus(total, times(outer, slope));
    }
  }
  return times(total, single(0.5, r, -1));
}

/** r^n by √s: even powers without the root, negative ones 0 at s = 0, where they meet factors that vanish faster. */
function powerOf(s: Expr, n: number): Expr {
  const r = sqrt(s);
  if (n >= 0) return n % 2 === 0 ? powi(s, n / 2) : mul(powi(s, (n - 1) / 2), r);
  return powi(select(less(s, 1e-200), 0, div(1, r)), -n);
}

function formulaOf(y: Powers, r: Expr, s: Expr): Expr {
  let total = constant(0);
  for (const { coefficient, factors } of y.values()) {
    let term = constant(coefficient);
    for (const [f, n] of factors) term = mul(term, f === r ? powerOf(s, n) : powi(f, n));
    total = add(total, term);
  }
  return total;
}

/**
 * k, dk/ds, …, dⁿk/dsⁿ of a formula of r = √s (the node `r`): derivatives along r over 2r, whose terms are collected by
 * powers of r before anything is divided, so that the limits at s = 0 are exact.
 */
export function derivativesBySquare(k: Expr, r: Expr, s: Expr, order: number): Expr[] {
  let powers = expand(k);
  const chain = [k];
  for (let n = 1; n <= order; n++) {
    powers = derive(powers, r);
    chain.push(formulaOf(powers, r, s));
  }
  return chain;
}
