import { invalid } from "../error.ts";
import { topological } from "./derivative.ts";
import type { Expr, Primitive } from "./expression.ts";
import { formats } from "./formats.ts";
import type { FloatFormat, Precision } from "./formats.ts";
import { lower } from "./lower.ts";

/**
 * The reference lowering: primitives over f64, or over f32 by rounding each result, interpreted one after another. A
 * mask is 1 or 0.
 * (No code is generated: content security policies forbid it.)
 */
export interface Tape {
  readonly format: FloatFormat;
  /** [steps × 5]: operation, three operands, shift. Step s writes cell s. */
  readonly code: Int32Array;
  /** One number per step; constants are in place. */
  readonly cells: Float64Array;
  /** Cell of each named input; −1 where the outputs do not use it. */
  readonly inputs: Int32Array;
  readonly outputs: Int32Array;
}

const operations: readonly Primitive[] = [
  "constant",
  "variable",
  "add",
  "sub",
  "mul",
  "div",
  "neg",
  "sqrt",
  "abs",
  "min",
  "max",
  "less",
  "select",
  "and",
  "or",
  "xor",
  "shl",
  "shr",
  "odd",
];
const STEP = 5;

/** A tape of outputs in primitives, whose variables must all be among `inputs`. */
export function tapeOf(
  primitive: readonly Expr[],
  inputs: readonly string[],
  format: FloatFormat = formats.f64,
): Tape {
  const order = topological(primitive);
  const cell = new Map(order.map((x, i) => [x, i]));
  const code = new Int32Array(STEP * order.length);
  const cells = new Float64Array(order.length);
  const slots = new Int32Array(inputs.length).fill(-1);
  order.forEach((x, i) => {
    code[STEP * i] = operations.indexOf(x.op as Primitive);
    x.args.forEach((a, k) => (code[STEP * i + 1 + k] = cell.get(a)!));
    if (x.op === "shl" || x.op === "shr") code[STEP * i + 4] = x.value;
    if (x.op === "constant") cells[i] = format.round(x.value);
    if (x.op !== "variable") return;
    const k = inputs.indexOf(x.name);
    if (k < 0) throw invalid("formula", `variables among ${inputs.join(", ") || "none"}`, x.name);
    slots[k] = i;
  });
  return { format, code, cells, inputs: slots, outputs: Int32Array.from(primitive, (y) => cell.get(y)!) };
}

/** Operations on bit patterns in one format. */
interface Bits {
  bitwise(op: number, a: number, b: number): number;
  shifted(op: number, a: number, n: number): number;
  isOdd(a: number): boolean;
}

/** A number and its bits as an integer of the same width. */
function bitsOf<W extends number | bigint>(
  number: Float64Array | Float32Array,
  bits: { [index: number]: W },
  left: (x: W, n: number) => W,
  right: (x: W, n: number) => W,
  odd: (x: W) => boolean,
): Bits {
  const read = (a: number): W => {
    number[0] = a;
    return bits[0];
  };
  const write = (x: W): number => {
    bits[0] = x;
    return number[0];
  };
  return {
    bitwise(op, a, b) {
      const [p, q] = [read(a), read(b)];
      return write((op === 13 ? p & q : op === 14 ? p | q : p ^ q) as W);
    },
    shifted: (op, a, n) => write(op === 16 ? left(read(a), n) : right(read(a), n)),
    isOdd: (a) => odd(read(a)),
  };
}

const double = new Float64Array(1);
const single = new Float32Array(1);
const patterns: Readonly<Record<4 | 8, Bits>> = {
  8: bitsOf<bigint>(
    double,
    new BigUint64Array(double.buffer),
    (x, n) => x << BigInt(n),
    (x, n) => x >> BigInt(n),
    (x) => (x & 1n) === 1n,
  ),
  4: bitsOf<number>(
    single,
    new Uint32Array(single.buffer),
    (x, n) => x << n,
    (x, n) => x >>> n,
    (x) => (x & 1) === 1,
  ),
};

/** Computes every cell from the input cells, which the caller has set. */
export function play({ code, cells: v, format: { bytes, round } }: Tape): void {
  const pattern = patterns[bytes];
  for (let i = 0, s = 0; i < v.length; i++, s += STEP) {
    const op = code[s];
    if (op < 2) continue;
    const a = v[code[s + 1]];
    const b = v[code[s + 2]];
    switch (op) {
      case 2:
        v[i] = round(a + b);
        break;
      case 3:
        v[i] = round(a - b);
        break;
      case 4:
        v[i] = round(a * b);
        break;
      case 5:
        v[i] = round(a / b);
        break;
      case 6:
        v[i] = -a;
        break;
      case 7:
        v[i] = round(Math.sqrt(a));
        break;
      case 8:
        v[i] = Math.abs(a);
        break;
      case 9:
        v[i] = b < a ? b : a;
        break;
      case 10:
        v[i] = a < b ? b : a;
        break;
      case 11:
        v[i] = a < b ? 1 : 0;
        break;
      case 12:
        v[i] = a === 1 ? b : v[code[s + 3]];
        break;
      case 13:
      case 14:
      case 15:
        v[i] = pattern.bitwise(op, a, b);
        break;
      case 16:
      case 17:
        v[i] = pattern.shifted(op, a, code[s + 4]);
        break;
      default:
        v[i] = pattern.isOdd(a) ? 1 : 0;
    }
  }
}

/** The outputs at one point, with the same elementary functions and so the same bits as a kernel without fused multiply-add. */
export function evaluate(
  outputs: readonly Expr[],
  values: Readonly<Record<string, number>>,
  precision: Precision = "f64",
): number[] {
  const names = Object.keys(values);
  const t = tapeOf(lower(outputs, precision), names, formats[precision]);
  names.forEach((name, k) => {
    if (t.inputs[k] >= 0) t.cells[t.inputs[k]] = t.format.round(values[name]);
  });
  play(t);
  return Array.from(t.outputs, (i) => t.cells[i]);
}

/** A formula of one variable as a function, lowered once: the values of `evaluate`, much sooner. */
export function functionOf(output: Expr, name: string): (x: number) => number {
  const t = tapeOf(lower([output], "f64"), [name], formats.f64);
  return (x) => {
    if (t.inputs[0] >= 0) t.cells[t.inputs[0]] = x;
    play(t);
    return t.cells[t.outputs[0]];
  };
}
