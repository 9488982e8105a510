import { invalid } from "../error.ts";
import { topological } from "./derivative.ts";
import type { Expr } from "./expression.ts";
import { constant, isMask, mul, neg, rawProduct } from "./expression.ts";
import { formats } from "./formats.ts";
import type { FloatFormat } from "./formats.ts";
import type { KernelSpec } from "./spec.ts";
import { lower, rebuild } from "./lower.ts";

/** A kernel in primitives, with what does not change with i told apart: what every lowering starts from. */
export interface Program {
  readonly format: FloatFormat;
  readonly elementwise: readonly Expr[];
  /** What is summed over i; */
  readonly reduced: readonly Expr[];
  /** the invariant factors of these sums, applied once after the loop. */
  readonly scales: readonly Expr[];
  /** All nodes, operands before results. */
  readonly order: readonly Expr[];
  /** Nodes that depend on constants and uniform inputs only. */
  readonly invariant: ReadonlySet<Expr>;
}

function check(spec: KernelSpec): void {
  const inputs = [...spec.varying, ...spec.uniform];
  const outputs = [...(spec.elementwise ?? []), ...(spec.reduced ?? [])];
  const place = `kernel ${spec.name}`;
  if (new Set(inputs).size !== inputs.length)
    throw invalid(place, "different names of inputs", inputs.join(", "));
  if (outputs.length === 0) throw invalid(place, "at least one output", "none");
  for (const x of topological(outputs))
    if (x.op === "variable" && !inputs.includes(x.name))
      throw invalid(place, `variables among ${inputs.join(", ") || "none"}`, x.name);
  if (outputs.some(isMask)) throw invalid(place, "numbers as outputs", "a mask");
  const { round } = formats[spec.precision ?? "f64"];
  for (const x of topological(outputs))
    if (x.op === "constant" && Number.isFinite(x.value) && !Number.isFinite(round(x.value)))
      throw invalid(place, "constants within the range of f32", x.value);
}

function invariants(order: readonly Expr[], uniform: readonly string[]): Set<Expr> {
  const found = new Set<Expr>();
  for (const x of order) {
    const leaf = x.op === "constant" || (x.op === "variable" && uniform.includes(x.name));
    if (leaf || (x.args.length > 0 && x.args.every((a) => found.has(a)))) found.add(x);
  }
  return found;
}

/** How often each node is an operand or an output. */
export function uses(order: readonly Expr[], outputs: readonly Expr[]): Map<Expr, number> {
  const count = new Map<Expr, number>(order.map((x) => [x, 0]));
  const one = (x: Expr) => count.set(x, count.get(x)! + 1);
  for (const x of order) x.args.forEach(one);
  outputs.forEach(one);
  return count;
}

/** a b, where null stands for no factor. */
const product = (a: Expr | null, b: Expr | null): Expr | null => (a && b ? mul(a, b) : (a ?? b));

/** u v, where the constants of the invariant u stay with it. */
const joined = (u: Expr, v: Expr): Expr => (u.op === "constant" ? mul(u, v) : rawProduct(u, v));

/**
 * Products with their invariant factors multiplied first, so that these leave the loop: u₁ (x (u₂ y)) = (u₁ u₂) (x y).
 * A product that others use as well is left whole.
 */
function gather(outputs: readonly Expr[], uniform: readonly string[]): Expr[] {
  const order = topological(outputs);
  const fixed = invariants(order, uniform);
  const count = uses(order, outputs);
  const whole = new Map<Expr, Expr>();
  const parts = new Map<Expr, readonly [Expr, Expr]>();
  const partsOf = (x: Expr): readonly [Expr | null, Expr | null] => {
    if (fixed.has(x)) return [whole.get(x)!, null];
    return (count.get(x) === 1 ? parts.get(x) : undefined) ?? [null, whole.get(x)!];
  };
  for (const x of order) {
    const args = x.args.map((a) => whole.get(a)!);
    const same = args.every((a, i) => a === x.args[i]);
    if (fixed.has(x) || (x.op !== "mul" && x.op !== "neg")) {
      whole.set(x, same ? x : rebuild(x, args));
      continue;
    }
    const [a, b] = x.args.map(partsOf);
    const u = x.op === "neg" ? a[0] && neg(a[0]) : product(a[0], b[0]);
    const v = x.op === "neg" ? a[1] : product(a[1], b[1]);
    if (u && v) parts.set(x, [u, v]);
    whole.set(x, u && v ? joined(u, v) : rebuild(x, args));
  }
  return outputs.map((y) => whole.get(y)!);
}

const one = constant(1);

/** [varying, invariant] factors of a summand. */
function factors(y: Expr, fixed: ReadonlySet<Expr>): readonly [Expr, Expr] {
  if (y.op === "neg") return [y.args[0], constant(-1)];
  if (y.op !== "mul" || fixed.has(y)) return [y, one];
  const [a, b] = y.args;
  return fixed.has(a) ? [b, a] : fixed.has(b) ? [a, b] : [y, one];
}

/** Checks the spec and brings it into the form that the lowerings share, so that they round alike. */
export function program(spec: KernelSpec): Program {
  check(spec);
  const { precision = "f64" } = spec;
  const count = spec.elementwise?.length ?? 0;
  const all = gather(lower([...(spec.elementwise ?? []), ...(spec.reduced ?? [])], precision), spec.uniform);
  const fixed = invariants(topological(all), spec.uniform);
  const elementwise = all.slice(0, count);
  const sums = all.slice(count).map((y) => factors(y, fixed));
  const reduced = sums.map(([y]) => y);
  const scales = sums.map(([, scale]) => scale);
  const order = topological([...elementwise, ...reduced, ...scales]);
  return {
    format: formats[precision],
    elementwise,
    reduced,
    scales,
    order,
    invariant: invariants(order, spec.uniform),
  };
}
