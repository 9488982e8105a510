import { ModuleBuilder, type FunctionBuilder, type Local } from "../../formula/assembler.ts";
import { DEGREE, recordOf, type RadialTable } from "./radial-table.ts";

/**
 * Radial functions of the neighbours whose x, y, z stand in rows of `stride` bytes from `near` on; lanes is even.
 * `rows` and `rowsAndSlopes` write [lanes, functions rounded up to even], slopes behind all values; `columns` writes
 * [functions, stride], then the slopes ∂/∂r likewise. Beyond the reach they stay as they are there.
 */
export interface RadialKernels {
  rows(near: number, stride: number, lanes: number, values: number, slopes: number): void;
  rowsAndSlopes(near: number, stride: number, lanes: number, values: number, slopes: number): void;
  columns(near: number, stride: number, lanes: number, values: number, slopes: number): void;
}

/** What one function of the module writes. */
interface Shape {
  readonly slopes: boolean;
  readonly columns: boolean;
}

/** The neighbour at `row`: t in both lanes, and where its polynomials stand. */
interface Place {
  readonly t: Local;
  readonly record: Local;
}

/** The module over the polynomials of `table`; `fused` rounds multiply-adds once. */
export function emitRadial(table: RadialTable, fused: boolean, shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder().importMemory(shared);
  emit(module, "rows", table, fused, { slopes: false, columns: false });
  emit(module, "rowsAndSlopes", table, fused, { slopes: true, columns: false });
  emit(module, "columns", table, fused, { slopes: true, columns: true });
  return module.bytes();
}

function emit(module: ModuleBuilder, name: string, table: RadialTable, fused: boolean, shape: Shape): void {
  const f = module.function(name, ["i32", "i32", "i32", "i32", "i32"]);
  const [near, stride, lanes, values, slopes] = [0, 1, 2, 3, 4].map((i) => f.param(i));
  const i = f.local("i32");
  const places = [0, 1].map(() => ({ t: f.local("v128"), record: f.local("i32") }));
  const vectors = Math.ceil(table.functions / 2);
  const locate = emitPlace(f, table, near, stride);
  const poly = emitPolynomial(f, table, fused, shape.slopes);
  f.for(i, lanes, 2, () => {
    for (const [k, place] of places.entries()) locate(place, k);
    for (let v = 0; v < vectors; v++) {
      const both = places.map((place) => poly(place, v));
      if (shape.columns) storeColumns(f, both, [values, slopes], stride, 2 * v + 1 < table.functions);
      else storeRows(f, both, [values, slopes], v, vectors);
    }
    f.get(near).i32(16).op("i32.add").set(near);
    advance(f, [values, slopes], shape.columns, stride, vectors, table.functions);
  });
}

/** t and the record of neighbour k of two. */
function emitPlace(
  f: FunctionBuilder,
  { address, functions, intervals, reach }: RadialTable,
  near: Local,
  stride: Local,
): (place: Place, k: number) => void {
  const [at, interval] = [f.local("i32"), f.local("i32")];
  const [sum, u] = [f.local("f64"), f.local("f64")];
  return ({ t, record }, k) => {
    f.get(near).set(at);
    f.f64(0).set(sum);
    for (let c = 0; c < 3; c++) {
      if (c > 0) f.get(at).get(stride).op("i32.add").set(at);
      f.get(at)
        .mem("f64.load", 8 * k)
        .tee(u)
        .get(u)
        .op("f64.mul")
        .get(sum)
        .op("f64.add")
        .set(sum);
    }
    f.get(sum)
      .op("f64.sqrt")
      .f64(intervals / reach)
      .op("f64.mul")
      .f64(intervals)
      .op("f64.min")
      .set(u);
    // Saturating: no trap where a coordinate is not a number.
    f.get(u).op("f64x2.splat").op("i32x4.trunc_sat_f64x2_u_zero").lane("i32x4.extract_lane", 0).set(interval);
    // The end itself belongs to the last interval.
    f.get(interval)
      .i32(intervals - 1)
      .get(interval)
      .i32(intervals - 1)
      .op("i32.lt_u")
      .op("select")
      .set(interval);
    f.get(u).get(interval).op("f64.convert_i32_u").op("f64.sub").f64(2).op("f64.mul").f64(1).op("f64.sub");
    f.op("f64x2.splat").set(t);
    f.get(interval).i32(recordOf(functions)).op("i32.mul").i32(address).op("i32.add").set(record);
  };
}

/** Horner's rule for functions 2v, 2v + 1 of one neighbour: locals of their values and of their slopes. */
function emitPolynomial(
  f: FunctionBuilder,
  { intervals, reach }: RadialTable,
  fused: boolean,
  slopes: boolean,
): (place: Place, v: number) => readonly Local[] {
  // Two sets, one for each neighbour of a pair.
  const sets = [0, 1].map(() => [f.local("v128"), f.local("v128")]);
  let turn = 0;
  return ({ t, record }, v) => {
    const [p, q] = sets[turn++ % 2];
    const coefficient = (d: number) => f.get(record).mem("v128.load", 16 * (v * (DEGREE + 1) + d));
    const step = (to: Local, add: () => void) => {
      if (fused) {
        f.get(to).get(t);
        add();
        f.op("f64x2.relaxed_madd").set(to);
        return;
      }
      f.get(to).get(t).op("f64x2.mul");
      add();
      f.op("f64x2.add").set(to);
    };
    coefficient(0);
    f.set(p);
    if (slopes) f.get(p).set(q);
    for (let d = 1; d <= DEGREE; d++) {
      if (slopes && d > 1) step(q, () => f.get(p));
      step(p, () => coefficient(d));
    }
    if (slopes)
      f.get(q)
        .f64x2((2 * intervals) / reach)
        .op("f64x2.mul")
        .set(q);
    return slopes ? [p, q] : [p];
  };
}

const FIRST = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/** Functions 2v and 2v + 1, each of two neighbours side by side. */
function storeColumns(
  f: FunctionBuilder,
  both: readonly (readonly Local[])[],
  to: readonly Local[],
  stride: Local,
  second: boolean,
): void {
  both[0].forEach((_, part) => {
    for (const half of second ? [0, 1] : [0]) {
      f.get(to[part]).get(both[0][part]).get(both[1][part]);
      f.shuffle(FIRST.map((byte) => byte + 8 * half)).mem("v128.store");
      f.get(to[part]).get(stride).op("i32.add").set(to[part]);
    }
  });
}

function storeRows(
  f: FunctionBuilder,
  both: readonly (readonly Local[])[],
  to: readonly Local[],
  v: number,
  vectors: number,
): void {
  both.forEach((parts, k) =>
    parts.forEach((value, part) =>
      f
        .get(to[part])
        .get(value)
        .mem("v128.store", 16 * (k * vectors + v)),
    ),
  );
}

/** To the next two neighbours. */
function advance(
  f: FunctionBuilder,
  to: readonly Local[],
  columns: boolean,
  stride: Local,
  vectors: number,
  functions: number,
): void {
  for (const at of to) {
    f.get(at);
    if (columns) f.get(stride).i32(functions).op("i32.mul").op("i32.sub").i32(16);
    else f.i32(32 * vectors);
    f.op("i32.add").set(at);
  }
}
