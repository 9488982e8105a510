/** Operations a device executes directly. `less` gives a mask, which only `select` takes. */
export type Primitive =
  | "constant"
  | "variable"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "neg"
  | "sqrt"
  | "abs"
  | "min"
  | "max"
  | "less"
  | "select"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr"
  | "odd";

/** Functions that elementary.ts writes in primitives when a formula is lowered. */
export type Elementary = "exp" | "log" | "log1p" | "sin" | "cos" | "tanh" | "acos" | "logistic" | "softplus";

export type Op = Primitive | Elementary;

/**
 * A node of an immutable, hash-consed graph: equal formulas are the same object, so common
 * subexpressions are shared by construction and `===` is structural equality.
 */
export interface Expr {
  readonly op: Op;
  readonly args: readonly Expr[];
  /** Of a constant; the shift of `shl` and `shr`. */
  readonly value: number;
  /** Of a variable. */
  readonly name: string;
  /** Depends on the structure only, never on the order of creation: orders commutative operands. */
  readonly hash: number;
  readonly id: number;
}

export type Operand = Expr | number;

// The table holds its nodes weakly and forgets a key when its node is collected, so it grows only with
// the formulas that are alive. Keys name operands by id; ids are never reused.
const table = new Map<string, WeakRef<Expr>>();
const forget = new FinalizationRegistry<string>((key) => {
  if (table.get(key)?.deref() === undefined) table.delete(key);
});
let next = 0;

const word = new DataView(new ArrayBuffer(8));

/** Two 32-bit halves of the bit pattern of x, high first. */
export const halves = (x: number): readonly [high: number, low: number] => {
  word.setFloat64(0, x);
  return [word.getInt32(0), word.getInt32(4)];
};

/** The double whose bit pattern is high·2³² + low. */
export const fromHalves = (high: number, low: number): number => {
  word.setInt32(0, high);
  word.setInt32(4, low);
  return word.getFloat64(0);
};

const mix = (h: number, x: number): number => {
  const y = Math.imul(h ^ x, 0x9e3779b1);
  return Math.imul(y ^ (y >>> 15), 0x85ebca6b) ^ (y >>> 13);
};

/** Hash of a text, for names of operations and variables. */
function textHash(text: string): number {
  let h = text.length;
  for (let i = 0; i < text.length; i++) h = mix(h, text.charCodeAt(i));
  return h;
}
const opHashes = new Map<Op, number>();

function hashOf(op: Op, args: readonly Expr[], value: number, name: string): number {
  let ofOp = opHashes.get(op);
  if (ofOp === undefined) opHashes.set(op, (ofOp = textHash(op)));
  let a = mix(17, ofOp);
  let b = mix(91, ofOp);
  const put = (x: number) => {
    word.setFloat64(0, x);
    a = mix(mix(a, word.getInt32(0)), word.getInt32(4));
    b = mix(mix(b ^ 0x5bd1e995, word.getInt32(4)), word.getInt32(0));
  };
  put(value);
  if (name !== "") put(textHash(name));
  for (const arg of args) put(arg.hash);
  return (a >>> 0) * 0x200000 + (b >>> 11);
}

/** What tells a node from all others: ids are unique, and a constant is its bits. */
function keyOf(op: Op, args: readonly Expr[], value: number, name: string): string {
  if (op === "constant") return `#${halves(value).join()}`;
  let key = `${op}${name}`;
  for (const arg of args) key += ` ${arg.id}`;
  return value === 0 ? key : `${key} by ${value}`;
}

/** The node itself, without simplification; the same object for the same contents. */
function node(op: Op, args: readonly Expr[], value = 0, name = ""): Expr {
  const key = keyOf(op, args, value, name);
  const known = table.get(key)?.deref();
  if (known !== undefined) return known;
  const made = { op, args, value, name, hash: hashOf(op, args, value, name), id: next++ };
  table.set(key, new WeakRef(made));
  forget.register(made, key);
  return made;
}

/** Order by structure; total, and the same in every thread and engine. */
function compare(a: Expr, b: Expr): number {
  if (a === b) return 0;
  if (a.hash !== b.hash) return a.hash - b.hash;
  if (a.op !== b.op) return a.op < b.op ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.args.length !== b.args.length) return a.args.length - b.args.length;
  for (let i = 0; i < a.args.length; i++) {
    const c = compare(a.args[i], b.args[i]);
    if (c !== 0) return c;
  }
  return a.value - b.value;
}

/** A number. */
export const constant = (value: number): Expr => node("constant", [], value);

/** A named input. */
export function variable(name: string): Expr {
  if (name === "") throw new Error("a variable needs a name");
  return node("variable", [], 0, name);
}

const expr = (x: Operand): Expr => (typeof x === "number" ? constant(x) : x);
const isConstant = (x: Expr): boolean => x.op === "constant";
const is = (x: Expr, value: number): boolean => x.op === "constant" && x.value === value;

/** True for a mask (the result of a comparison), which is not a number. */
export const isMask = (x: Expr): boolean => x.op === "less" || x.op === "odd";

/** A node with its operands in canonical order: a constant last, the rest by structure. */
function commutative(op: Op, a: Expr, b: Expr): Expr {
  const swap = isConstant(a) || (!isConstant(b) && compare(a, b) > 0);
  return node(op, swap ? [b, a] : [a, b]);
}

/** a + b */
export function add(x: Operand, y: Operand): Expr {
  const a = expr(x);
  const b = expr(y);
  if (isConstant(a) && isConstant(b)) return constant(a.value + b.value);
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  if (a.op === "neg") return sub(b, a.args[0]);
  if (b.op === "neg") return sub(a, b.args[0]);
  if (a === b) return mul(2, a);
  return commutative("add", a, b);
}

/** a − b */
export function sub(x: Operand, y: Operand): Expr {
  const a = expr(x);
  const b = expr(y);
  if (isConstant(b)) return add(a, -b.value);
  if (is(a, 0)) return neg(b);
  if (a === b) return constant(0);
  if (b.op === "neg") return add(a, b.args[0]);
  if (a.op === "neg") return neg(add(a.args[0], b));
  return node("sub", [a, b]);
}

/** −x */
export function neg(x: Operand): Expr {
  const a = expr(x);
  if (isConstant(a)) return constant(-a.value);
  if (a.op === "neg") return a.args[0];
  if (a.op === "sub") return sub(a.args[1], a.args[0]);
  if (a.op === "mul" && isConstant(a.args[1])) return mul(-a.args[1].value, a.args[0]);
  return node("neg", [a]);
}

/** c·x of a product with a constant factor, [1, x] of anything else. */
const split = (x: Expr): readonly [number, Expr] =>
  x.op === "mul" && isConstant(x.args[1]) ? [x.args[1].value, x.args[0]] : [1, x];

const safe = (c: number): boolean => c === 0 || (Math.abs(c) > 1e-250 && Math.abs(c) < 1e250);

/** a b. Constant factors are gathered outside: a (c b) = c (a b). */
export function mul(x: Operand, y: Operand): Expr {
  const a = expr(x);
  const b = expr(y);
  if (isConstant(a) && isConstant(b)) return constant(a.value * b.value);
  if (isConstant(a)) return mul(b, a);
  if (is(b, 0)) return b;
  if (is(b, 1)) return a;
  if (is(b, -1)) return neg(a);
  if (a.op === "neg") return neg(mul(a.args[0], b));
  if (b.op === "neg") return neg(mul(a, b.args[0]));
  const [c, u] = split(a);
  const [d, v] = isConstant(b) ? [b.value, undefined] : split(b);
  if ((c === 1 && (d === 1 || v === undefined)) || !safe(c * d)) return commutative("mul", a, b);
  return mul(v === undefined ? u : mul(u, v), c * d);
}

/** a b as it stands, for the lowering, which groups factors by what varies rather than by what is constant. */
export const rawProduct = (a: Expr, b: Expr): Expr => commutative("mul", a, b);

const isPowerOfTwo = (x: number): boolean =>
  Number.isFinite(1 / x) && halves(x)[1] === 0 && (halves(x)[0] & 0xfffff) === 0;

/** a / b. Division by a power of two becomes the (exact) multiplication. */
export function div(x: Operand, y: Operand): Expr {
  const a = expr(x);
  const b = expr(y);
  if (isConstant(a) && isConstant(b)) return constant(a.value / b.value);
  if (is(a, 0)) return a;
  if (isConstant(b) && isPowerOfTwo(b.value)) return mul(a, 1 / b.value);
  if (a.op === "neg") return neg(div(a.args[0], b));
  if (b.op === "neg") return neg(div(a, b.args[0]));
  return node("div", [a, b]);
}

/** x² */
export const square = (x: Operand): Expr => mul(x, x);

/** √x; its derivative is taken as 0 at x = 0. */
export function sqrt(x: Operand): Expr {
  const a = expr(x);
  return isConstant(a) ? constant(Math.sqrt(a.value)) : node("sqrt", [a]);
}

/** xⁿ for an integer n as a product of x, x², x⁴, …; powers of one x share these. */
export function powi(x: Operand, n: number): Expr {
  if (!Number.isInteger(n)) throw new Error(`powi needs an integer exponent, got ${n}`);
  if (n < 0) return div(1, powi(x, -n));
  let power = constant(1);
  for (let rest = n, factor = expr(x); rest > 0; rest = Math.floor(rest / 2), factor = square(factor))
    if (rest % 2 === 1) power = mul(power, factor);
  return power;
}

/** xᵖ = exp(p log x) for x > 0 (x ≥ 0 for an integer or half-integer constant p, which is exact to rounding). */
export function pow(x: Operand, p: Operand): Expr {
  const value = typeof p === "number" ? p : isConstant(p) ? p.value : NaN;
  if (Number.isInteger(value) && Math.abs(value) <= 1024) return powi(x, value);
  if (Number.isInteger(2 * value) && Math.abs(value) <= 64) return powi(sqrt(x), 2 * value);
  return exp(mul(p, log(x)));
}

/** |x|; its derivative is taken as 0 at x = 0. */
export function abs(x: Operand): Expr {
  const a = expr(x);
  if (isConstant(a)) return constant(Math.abs(a.value));
  return node("abs", a.op === "neg" ? a.args : [a]);
}

/** b < a ? b : a, so NaN of the first operand is kept. */
export function min(x: Operand, y: Operand): Expr {
  const a = expr(x);
  const b = expr(y);
  if (isConstant(a) && isConstant(b)) return b.value < a.value ? b : a;
  return a === b ? a : node("min", [a, b]);
}

/** a < b ? b : a, so NaN of the first operand is kept. */
export function max(x: Operand, y: Operand): Expr {
  const a = expr(x);
  const b = expr(y);
  if (isConstant(a) && isConstant(b)) return a.value < b.value ? b : a;
  return a === b ? a : node("max", [a, b]);
}

/** The mask a < b, for `select`; false where either is NaN. */
export const less = (a: Operand, b: Operand): Expr => node("less", [expr(a), expr(b)]);

/** mask ? a : b. Both are computed; in reverse mode both must have finite derivatives. */
export function select(mask: Expr, x: Operand, y: Operand): Expr {
  if (!isMask(mask)) throw new Error(`select needs a mask, got ${mask.op}`);
  const a = expr(x);
  const b = expr(y);
  if (a === b) return a;
  const [p, q] = mask.args;
  if (mask.op === "less" && isConstant(p) && isConstant(q)) return p.value < q.value ? a : b;
  if (mask.op === "odd" && isConstant(p)) return halves(p.value)[1] & 1 ? a : b;
  return node("select", [mask, a, b]);
}

/** Simplification of an elementary function at one exactly known point, which needs no evaluation. */
const elementary = (op: Elementary, x: Operand, at?: number, result = 0): Expr =>
  is(expr(x), at ?? NaN) ? constant(result) : node(op, [expr(x)]);

/** eˣ */
export const exp = (x: Operand): Expr => elementary("exp", x, 0, 1);
/** ln x */
export const log = (x: Operand): Expr => elementary("log", x, 1, 0);
/** ln(1 + x) */
export const log1p = (x: Operand): Expr => elementary("log1p", x, 0, 0);
/** sin x, x in radians */
export const sin = (x: Operand): Expr => elementary("sin", x, 0, 0);
/** cos x, x in radians */
export const cos = (x: Operand): Expr => elementary("cos", x, 0, 1);
/** tanh x */
export const tanh = (x: Operand): Expr => elementary("tanh", x, 0, 0);
/** The angle whose cosine is x, 0 … π; an |x| that rounding took above 1 counts as 1 */
export const acos = (x: Operand): Expr => elementary("acos", x, 1, 0);
/** 1 / (1 + e⁻ˣ) */
export const logistic = (x: Operand): Expr => elementary("logistic", x, 0, 0.5);
/** ln(1 + eˣ), without overflow */
export const softplus = (x: Operand): Expr => elementary("softplus", x);

/** Σ terms, added from the first to the last. */
export const sum = (terms: readonly Operand[]): Expr =>
  terms.reduce<Expr>((total, term) => add(total, term), constant(0));

const bitwise = (op: "and" | "or" | "xor", a: Expr, b: Expr): Expr => {
  if (!isConstant(a) || !isConstant(b)) return node(op, [a, b]);
  const f = {
    and: (p: number, q: number) => p & q,
    or: (p: number, q: number) => p | q,
    xor: (p: number, q: number) => p ^ q,
  }[op];
  const [p, q] = [halves(a.value), halves(b.value)];
  return constant(fromHalves(f(p[0], q[0]), f(p[1], q[1])));
};

/** Bitwise operations on the 64-bit patterns, for elementary.ts; they have no derivative. */
export const bits = {
  and: (a: Expr, b: Operand): Expr => bitwise("and", a, expr(b)),
  or: (a: Expr, b: Operand): Expr => bitwise("or", a, expr(b)),
  xor: (a: Expr, b: Operand): Expr => bitwise("xor", a, expr(b)),
  /** Pattern shifted left by 32 ≤ n < 64. */
  shl: (a: Expr, n: number): Expr =>
    isConstant(a) ? constant(fromHalves(halves(a.value)[1] << (n - 32), 0)) : node("shl", [a], n),
  /** Pattern shifted right by 32 ≤ n < 64, zeros moving in. */
  shr: (a: Expr, n: number): Expr =>
    isConstant(a) ? constant(fromHalves(0, halves(a.value)[0] >>> (n - 32))) : node("shr", [a], n),
  /** The mask "bit 0 is set". */
  odd: (a: Expr): Expr => node("odd", [a]),
};
