import type { Local, ModuleBuilder } from "../formula/assembler.ts";
import type { Real } from "./gemm-kernels.ts";

/** Rows of B that are added at a time, which keeps C in registers meanwhile. */
const GROUP = 8;

const ops = {
  f64: {
    size: 8,
    splat: "v128.load64_splat",
    first: "v128.load64_zero",
    store: "v128.store64_lane",
    madd: "f64x2.relaxed_madd",
    mul: "f64x2.mul",
    add: "f64x2.add",
  },
  f32: {
    size: 4,
    splat: "v128.load32_splat",
    first: "v128.load32_zero",
    store: "v128.store32_lane",
    madd: "f32x4.relaxed_madd",
    mul: "f32x4.mul",
    add: "f32x4.add",
  },
} as const;

/**
 * row(n, k, a, step, b, ldb, c): c [n] += Σ_κ a_κ B[κ, :], `step` bytes from one number of a to the next. Reads B once, row
 * by row: what a product of a single row is bound by.
 */
export function emitRow(module: ModuleBuilder, name: string, real: Real, fused: boolean): void {
  const op = ops[real];
  const f = module.function(
    name,
    Array.from({ length: 7 }, () => "i32"),
  );
  const [n, k, a, step, b, ldb, c] = Array.from({ length: 7 }, (_, i) => f.param(i));
  const [pc, end] = [f.local("i32"), f.local("i32")];
  const from = Array.from({ length: GROUP }, () => f.local("i32"));
  const splats = Array.from({ length: GROUP }, () => f.local("v128"));
  const sum = f.local("v128");
  const madd = (u: number, load: (pointer: Local) => void) => {
    if (fused) {
      f.get(splats[u]);
      load(from[u]);
      f.get(sum).op(op.madd).set(sum);
    } else {
      f.get(sum).get(splats[u]);
      load(from[u]);
      f.op(op.mul).op(op.add).set(sum);
    }
  };
  const advance = (pointer: Local, bytes: number) => f.get(pointer).i32(bytes).op("i32.add").set(pointer);
  /** Columns from pc up to `end`, `bytes` of them at a time. */
  const emitColumns = (rows: number, bytes: number) => {
    const whole = bytes === 16;
    f.block((done) => {
      f.loop((again) => {
        f.get(pc).get(end).op("i32.ge_u").brIf(done);
        f.get(pc);
        if (whole) f.mem("v128.load", 0, 2).set(sum);
        else f.mem(op.first).set(sum);
        for (let u = 0; u < rows; u++)
          madd(u, (pointer) => {
            f.get(pointer);
            if (whole) f.mem("v128.load", 0, 2);
            else f.mem(op.first);
          });
        f.get(pc).get(sum);
        if (whole) f.mem("v128.store", 0, 2);
        else f.laneMem(op.store, 0);
        advance(pc, bytes);
        for (let u = 0; u < rows; u++) advance(from[u], bytes);
        f.br(again);
      });
    });
  };
  const emitGroup = (rows: number) => {
    for (let u = 0; u < rows; u++) {
      f.get(a).mem(op.splat).set(splats[u]);
      f.get(a).get(step).op("i32.add").set(a);
      f.get(b).set(from[u]);
      f.get(b).get(ldb).op("i32.add").set(b);
    }
    f.get(c).tee(pc);
    f.get(n)
      .i32(-(16 / op.size))
      .op("i32.and")
      .i32(op.size)
      .op("i32.mul")
      .op("i32.add")
      .set(end);
    emitColumns(rows, 16);
    f.get(c).get(n).i32(op.size).op("i32.mul").op("i32.add").set(end);
    emitColumns(rows, op.size);
    f.get(k).i32(rows).op("i32.sub").set(k);
  };
  for (const rows of [GROUP, 1])
    f.block((done) => {
      f.loop((again) => {
        f.get(k).i32(rows).op("i32.lt_s").brIf(done);
        emitGroup(rows);
        f.br(again);
      });
    });
}
