import type { FunctionBuilder, LaneOp, Local, Op } from "./assembler.ts";
import { ModuleBuilder } from "./assembler.ts";
import type { Expr, Primitive } from "./expression.ts";
import { halves } from "./expression.ts";
import type { FloatFormat } from "./formats.ts";
import { SUM_BLOCK } from "./spec.ts";
import type { KernelSpec } from "./spec.ts";
import type { Program } from "./program.ts";
import { program, uses } from "./program.ts";

export interface EmitOptions {
  /** Relaxed SIMD: fused multiply-add, rounded once. */
  readonly fused: boolean;
  /** Whether the imported memory is shared. */
  readonly shared?: boolean;
}

/** The instructions of one precision. */
interface Instructions {
  /** Of the primitives that are one instruction each. */
  readonly direct: Partial<Record<Primitive, Op>>;
  readonly madd: Op;
  readonly nmadd: Op;
  readonly shl: Op;
  readonly shr: Op;
  readonly greater: Op;
  readonly extract: LaneOp;
}

const instructionsOf = (V: "f64x2" | "f32x4", I: "i64x2" | "i32x4"): Instructions => ({
  direct: {
    add: `${V}.add`,
    sub: `${V}.sub`,
    mul: `${V}.mul`,
    div: `${V}.div`,
    neg: `${V}.neg`,
    sqrt: `${V}.sqrt`,
    abs: `${V}.abs`,
    min: `${V}.pmin`,
    max: `${V}.pmax`,
    less: `${V}.lt`,
    and: "v128.and",
    or: "v128.or",
    xor: "v128.xor",
  },
  madd: `${V}.relaxed_madd`,
  nmadd: `${V}.relaxed_nmadd`,
  shl: `${I}.shl`,
  shr: `${I}.shr_u`,
  greater: `${I}.gt_s`,
  extract: `${V}.extract_lane`,
});

/** By the lanes of a vector. */
const instructions = { 2: instructionsOf("f64x2", "i64x2"), 4: instructionsOf("f32x4", "i32x4") };

/** A multiply-add found in the graph: c + a b, or c − a b. */
interface Contraction {
  readonly op: Op;
  readonly args: readonly [Expr, Expr, Expr];
}

const isZero = (x: Expr): boolean => x.op === "constant" && Object.is(x.value, 0);

/** The operands of x; of c₁ u + c₂ u the one with the larger constant last, which is then the product that is not rounded. */
function leadingLast({ op, args }: Expr): readonly Expr[] {
  const [a, b] = args;
  const same = op === "add" && a.op === "mul" && b.op === "mul" && a.args[0] === b.args[0];
  if (!same || a.args[1].op !== "constant" || b.args[1].op !== "constant") return args;
  return Math.abs(a.args[1].value) > Math.abs(b.args[1].value) ? [b, a] : args;
}

/** What one node of the loop body becomes. */
class Body {
  private readonly f: FunctionBuilder;
  private readonly fused: boolean;
  private readonly format: FloatFormat;
  private readonly ops: Instructions;
  private readonly remaining: Map<Expr, number>;
  private readonly contractions = new Map<Expr, Contraction>();
  private readonly locals = new Map<Expr, Local>();
  private readonly pinned = new Set<Expr>();
  private readonly free: Local[] = [];
  private readonly load: (x: Expr) => void;

  constructor(
    f: FunctionBuilder,
    { format, order, elementwise, reduced, scales, invariant }: Program,
    fused: boolean,
    load: (x: Expr) => void,
  ) {
    this.f = f;
    this.fused = fused;
    this.format = format;
    this.ops = instructions[format.lanes];
    this.load = load;
    this.remaining = uses(order, [...elementwise, ...reduced, ...scales]);
    if (fused) for (const x of order) if (!invariant.has(x)) this.contract(x, invariant);
  }

  /** A product that only this sum uses is not rounded on its own. */
  private contract(x: Expr, invariant: ReadonlySet<Expr>): void {
    if (x.op !== "add" && x.op !== "sub") return;
    const [a, b] = leadingLast(x);
    const product = (y: Expr) => y.op === "mul" && this.remaining.get(y) === 1 && !invariant.has(y);
    if (product(b))
      this.contractions.set(x, {
        op: x.op === "add" ? this.ops.madd : this.ops.nmadd,
        args: [b.args[0], b.args[1], a],
      });
    else if (x.op === "add" && product(a))
      this.contractions.set(x, { op: this.ops.madd, args: [a.args[0], a.args[1], b] });
  }

  /** Computes x now and keeps it for the whole function. */
  pin(x: Expr): void {
    if (this.pinned.has(x)) return;
    this.push(x, true);
    const local = this.f.local("v128");
    this.f.set(local);
    this.locals.set(x, local);
    this.pinned.add(x);
  }

  /** Computes x now, for its uses later in the same turn of the loop. */
  keep(x: Expr): void {
    this.compute(x);
    this.settle(x);
    this.f.set(this.locals.get(x)!);
  }

  private settle(x: Expr): void {
    this.locals.set(x, this.free.pop() ?? this.f.local("v128"));
  }

  /** Ends the part before the loop: what is not pinned is forgotten, as the loop may reuse its local. */
  startLoop(): void {
    for (const [x, local] of this.locals) {
      if (this.pinned.has(x)) continue;
      this.locals.delete(x);
      this.free.push(local);
    }
  }

  /** Puts x on the stack. A node with more uses to come is kept in a local, given back after the last use. */
  push(x: Expr, fresh = false): void {
    const known = this.locals.get(x);
    const left = this.remaining.get(x)! - 1;
    if (!fresh) this.remaining.set(x, left);
    if (known !== undefined) {
      this.f.get(known);
      if (left === 0 && !this.pinned.has(x)) {
        this.locals.delete(x);
        this.free.push(known);
      }
      return;
    }
    this.compute(x);
    if (fresh || left === 0 || x.op === "constant") return;
    this.settle(x);
    this.f.tee(this.locals.get(x)!);
  }

  /** total += x, per lane. */
  addTo(total: Local, x: Expr): void {
    const { f } = this;
    if (this.fused && x.op === "mul" && this.remaining.get(x) === 1 && !this.locals.has(x)) {
      for (const a of x.args) this.push(a);
      f.get(total).op(this.ops.madd).set(total);
      return;
    }
    f.get(total);
    this.push(x);
    f.op(this.ops.direct.add!).set(total);
  }

  private compute(x: Expr): void {
    const { f, ops } = this;
    if (x.op === "variable") return this.load(x);
    if (x.op === "constant") {
      if (this.format.bytes === 4) f.f32x4(x.value);
      else {
        const [high, low] = halves(x.value);
        f.i32x4(low, high, low, high);
      }
      return;
    }
    const fused = this.contractions.get(x);
    if (fused) {
      for (const a of fused.args) this.push(a);
      f.op(fused.op);
      return;
    }
    if (x.op === "select") {
      const [mask, a, b] = x.args;
      // The zero of a mask's lanes is the zero that is asked for.
      if (isZero(a) || isZero(b)) {
        this.push(isZero(b) ? a : b);
        this.push(mask);
        f.op(isZero(b) ? "v128.and" : "v128.andnot");
        return;
      }
      for (const arg of [a, b, mask]) this.push(arg);
      f.op("v128.bitselect");
      return;
    }
    if (x.op === "odd") f.i32x4(0, 0, 0, 0);
    for (const a of x.args) this.push(a);
    if (x.op === "shl") f.i32(x.value).op(ops.shl);
    else if (x.op === "shr") f.i32(x.value).op(ops.shr);
    else if (x.op === "odd")
      f.i32(8 * this.format.bytes - 1)
        .op(ops.shl)
        .op(ops.greater);
    else f.op(ops.direct[x.op as Primitive]!);
  }
}

const isLoaded = (x: Expr, { invariant }: Program): boolean => x.op === "variable" && !invariant.has(x);

/** Where the arguments of `run` are, and the counters of its loop. */
interface Frame {
  readonly n: Local;
  readonly inputs: Local;
  readonly stride: Local;
  readonly uniform: Local;
  readonly outputs: Local;
  readonly sums: Local;
  /** Byte offset of lane 0 in every array, and its end. */
  readonly i: Local;
  readonly end: Local;
}

function frame(f: FunctionBuilder): Frame {
  const [n, inputs, stride, uniform, outputs, sums] = [0, 1, 2, 3, 4, 5].map((i) => f.param(i));
  return { n, inputs, stride, uniform, outputs, sums, i: f.local("i32"), end: f.local("i32") };
}

/** A function that emits the load of an input; addresses of the arrays are computed before the loop. */
function loader(
  f: FunctionBuilder,
  spec: KernelSpec,
  { format, order }: Program,
  at: Frame,
): (x: Expr) => void {
  const used = new Set(order.map((x) => x.name));
  const bases = new Map<string, Local>();
  for (const [k, name] of spec.varying.entries()) {
    if (!used.has(name)) continue;
    const base = f.local("i32");
    f.get(at.inputs).get(at.stride).i32(k).op("i32.mul").op("i32.add").set(base);
    bases.set(name, base);
  }
  return (x) => {
    const base = bases.get(x.name);
    const offset = 8 * spec.uniform.indexOf(x.name);
    if (base === undefined && format.bytes === 8) f.get(at.uniform).mem("v128.load64_splat", offset);
    else if (base === undefined)
      f.get(at.uniform).mem("f64.load", offset).op("f32.demote_f64").op("f32x4.splat");
    else f.get(base).get(at.i).op("i32.add").mem("v128.load");
  };
}

/** Constants, uniform inputs and what follows from them, as far as the loop uses them. */
function frontier({ order, invariant, elementwise, reduced, scales }: Program): Set<Expr> {
  const needed = order.filter((x) => !invariant.has(x)).flatMap((x) => x.args);
  const scaling = scales.filter((x) => x.op !== "constant");
  return new Set([...needed, ...elementwise, ...reduced, ...scaling].filter((x) => invariant.has(x)));
}

/** A pointer of its own steps through the output arrays. */
function storeOutputs(f: FunctionBuilder, body: Body, outputs: readonly Expr[], at: Frame): void {
  if (outputs.length === 0) return;
  const pointer = f.local("i32");
  f.get(at.outputs).get(at.i).op("i32.add").set(pointer);
  outputs.forEach((y, k) => {
    if (k > 0) f.get(pointer).get(at.stride).op("i32.add").set(pointer);
    f.get(pointer);
    body.push(y);
    f.mem("v128.store");
  });
}

/** sums[k] += (lane 0 + lane 1) · scale; of four lanes, in f64: ((lane 0 + lane 1) + (lane 2 + lane 3)) · scale */
function storeSums(
  f: FunctionBuilder,
  { format, scales }: Program,
  totals: readonly Local[],
  factors: readonly Local[],
  { sums }: Frame,
) {
  const { extract } = instructions[format.lanes];
  const lane = (total: Local, i: number) => {
    f.get(total).lane(extract, i);
    if (format.bytes === 4) f.op("f64.promote_f32");
  };
  totals.forEach((total, k) => {
    f.get(sums)
      .get(sums)
      .mem("f64.load", 8 * k);
    lane(total, 0);
    lane(total, 1);
    f.op("f64.add");
    if (format.lanes === 4) {
      lane(total, 2);
      lane(total, 3);
      f.op("f64.add").op("f64.add");
    }
    const scale = scales[k];
    if (scale.op === "constant") f.f64(scale.value);
    else f.get(factors[k]);
    f.op("f64.mul");
    f.op("f64.add").mem("f64.store", 8 * k);
  });
}

/** The factors of the sums that are not constants, each in a local. */
function scaleFactors(f: FunctionBuilder, body: Body, { format, scales }: Program): Local[] {
  return scales.map((scale) => {
    const factor = f.local("f64");
    if (scale.op === "constant") return factor;
    body.push(scale);
    f.lane(instructions[format.lanes].extract, 0);
    if (format.bytes === 4) f.op("f64.promote_f32");
    f.set(factor);
    return factor;
  });
}

/**
 * The module of a kernel: `lanes` elements per turn, one function `run` (see Kernel), memory imported as env.memory.
 * Invariants are computed before the loop; sums are kept per lane and added at the end, in f32 at the end of every
 * SUM_BLOCK elements.
 */
export function emitKernel(
  spec: KernelSpec,
  { fused, shared = false }: EmitOptions,
): Uint8Array<ArrayBuffer> {
  const p = program(spec);
  const module = new ModuleBuilder().importMemory(shared);
  const f = module.function(
    "run",
    Array.from({ length: 6 }, () => "i32" as const),
  );
  const at = frame(f);
  const body = new Body(f, p, fused, loader(f, spec, p, at));
  for (const x of frontier(p)) body.pin(x);
  const factors = scaleFactors(f, body, p);
  body.startLoop();
  const totals = p.reduced.map(() => f.local("v128"));
  const turns = () =>
    f.for(at.i, at.end, 16, () => {
      // All loads before the first store, so that an output may take the place of an input.
      if (p.elementwise.length > 0) for (const x of p.order) if (isLoaded(x, p)) body.keep(x);
      storeOutputs(f, body, p.elementwise, at);
      p.reduced.forEach((y, k) => body.addTo(totals[k], y));
    });
  f.get(at.n).i32(Math.log2(p.format.bytes)).op("i32.shl").set(at.end);
  if (p.format.bytes === 8 || totals.length === 0) {
    turns();
    storeSums(f, p, totals, factors, at);
    return module.bytes();
  }
  const last = f.local("i32");
  f.get(at.end).set(last);
  f.loop((again) => {
    f.get(at.i)
      .i32(4 * SUM_BLOCK)
      .op("i32.add")
      .tee(at.end)
      .get(last);
    f.get(at.end).get(last).op("i32.lt_s").op("select").set(at.end);
    for (const total of totals) f.f64x2(0).set(total);
    turns();
    storeSums(f, p, totals, factors, at);
    f.get(at.i).get(last).op("i32.lt_s").brIf(again);
  });
  return module.bytes();
}
