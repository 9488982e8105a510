import { invalid } from "../error.ts";
import { topological } from "./derivative.ts";
import type { Expr, Primitive } from "./expression.ts";
import { lower } from "./lower.ts";

/**
 * The reference lowering: primitives over f64, interpreted one after another. A mask is 1 or 0.
 * (No code is generated: content security policies forbid it.)
 */
export interface Tape {
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
export function tapeOf(primitive: readonly Expr[], inputs: readonly string[]): Tape {
  const order = topological(primitive);
  const cell = new Map(order.map((x, i) => [x, i]));
  const code = new Int32Array(STEP * order.length);
  const cells = new Float64Array(order.length);
  const slots = new Int32Array(inputs.length).fill(-1);
  order.forEach((x, i) => {
    code[STEP * i] = operations.indexOf(x.op as Primitive);
    x.args.forEach((a, k) => (code[STEP * i + 1 + k] = cell.get(a)!));
    if (x.op === "shl" || x.op === "shr") code[STEP * i + 4] = x.value;
    if (x.op === "constant") cells[i] = x.value;
    if (x.op !== "variable") return;
    const k = inputs.indexOf(x.name);
    if (k < 0) throw invalid("formula", `variables among ${inputs.join(", ") || "none"}`, x.name);
    slots[k] = i;
  });
  return { code, cells, inputs: slots, outputs: Int32Array.from(primitive, (y) => cell.get(y)!) };
}

const scratch = new Float64Array(2);
/** The same two numbers as little-endian words: low, high, low, high. */
const words = new Int32Array(scratch.buffer);

const bitwise = (op: number, a: number, b: number): number => {
  scratch[0] = a;
  scratch[1] = b;
  for (let k = 0; k < 2; k++) {
    const [p, q] = [words[k], words[2 + k]];
    words[k] = op === 13 ? p & q : op === 14 ? p | q : p ^ q;
  }
  return scratch[0];
};

const shifted = (op: number, a: number, n: number): number => {
  scratch[0] = a;
  if (op === 16) {
    words[1] = words[0] << (n - 32);
    words[0] = 0;
  } else {
    words[0] = words[1] >>> (n - 32);
    words[1] = 0;
  }
  return scratch[0];
};

const isOdd = (a: number): number => {
  scratch[0] = a;
  return words[0] & 1;
};

/** Computes every cell from the input cells, which the caller has set. */
export function play({ code, cells: v }: Tape): void {
  for (let i = 0, s = 0; i < v.length; i++, s += STEP) {
    const op = code[s];
    if (op < 2) continue;
    const a = v[code[s + 1]];
    const b = v[code[s + 2]];
    switch (op) {
      case 2:
        v[i] = a + b;
        break;
      case 3:
        v[i] = a - b;
        break;
      case 4:
        v[i] = a * b;
        break;
      case 5:
        v[i] = a / b;
        break;
      case 6:
        v[i] = -a;
        break;
      case 7:
        v[i] = Math.sqrt(a);
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
        v[i] = bitwise(op, a, b);
        break;
      case 16:
      case 17:
        v[i] = shifted(op, a, code[s + 4]);
        break;
      default:
        v[i] = isOdd(a);
    }
  }
}

/** The outputs at one point, with the same elementary functions and so the same bits as a kernel without fused multiply-add. */
export function evaluate(outputs: readonly Expr[], values: Readonly<Record<string, number>>): number[] {
  const names = Object.keys(values);
  const t = tapeOf(lower(outputs), names);
  names.forEach((name, k) => {
    if (t.inputs[k] >= 0) t.cells[t.inputs[k]] = values[name];
  });
  play(t);
  return Array.from(t.outputs, (i) => t.cells[i]);
}
