import type { Memory } from "../../device/memory.ts";
import { instantiate } from "../../device/modules.ts";
import { ModuleBuilder } from "../../formula/assembler.ts";
import { MOST } from "./hoist.ts";

/** Triplets per kernel call: few calls, and inputs and outputs that stay in the nearest caches. */
export const LANES = 512;

/** Rows that a Neighbourhood has before those of hoisted functions. */
export const OWN_ROWS = 10;

/** Rows of a table of triplets: rij, rik, rjk², then their tangents, or what was hoisted at j and at k. */
export const ROWS = 3 + 2 * MOST;
/** Bytes of a table: these rows, f64; lanes of j and of k, i32. */
export const TABLE = (8 * ROWS + 2 * 4) * LANES;
/** Byte offsets of the lanes of j and k in the table. */
export const J = 8 * ROWS * LANES;
export const K = J + 4 * LANES;

/** Machine code of the inner loop over k. */
export interface Gather {
  /**
   * Appends (r_ij, r_ik, r_jk², hoisted at j and at k, j, k) for k … end − 1 with r_jk² < limit to the table, which holds n triplets, and
   * returns how many it holds then; n + end − k ≤ LANES. `rows` is the byte address of a Neighbourhood's rows, whose
   * distance is `stride` bytes.
   */
  run(
    rows: number,
    stride: number,
    j: number,
    k: number,
    end: number,
    n: number,
    table: number,
    limit: number,
  ): number;
}

/**
 * Whether a triplet counts is a coin toss that no processor predicts: every one is written, and the next one over it
 * unless it counted. `hoisted`: how many values of each neighbour go into the table.
 */
export function compileGather(memory: Memory, hoisted: number): Gather {
  const module = new ModuleBuilder().importMemory(memory.shared);
  const params = ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "f64"] as const;
  const f = module.function("run", [...params], ["i32"]);
  const [rows, stride, j, k, end, n, table, limit] = params.map((_, i) => f.param(i));
  const [p, m, at] = [f.local("i32"), f.local("i32"), f.local("i32")];
  const [rj, xj, yj, zj, d, s] = Array.from({ length: 6 }, () => f.local("f64"));
  const fj = Array.from({ length: hoisted }, () => f.local("f64"));
  /** Loads row 0 (r), 3 (x), 4 (y), 5 (z) or OWN_ROWS … (hoisted) at the pointer p. */
  const load = (row: number) => {
    f.get(p);
    if (row > 0) f.get(stride).i32(row).op("i32.mul").op("i32.add");
    return f.mem("f64.load");
  };
  const point = (i: typeof j) => f.get(rows).get(i).i32(3).op("i32.shl").op("i32.add").set(p);
  point(j);
  for (const [row, local] of [
    [0, rj],
    [3, xj],
    [4, yj],
    [5, zj],
  ])
    load(row).set(local);
  for (let h = 0; h < hoisted; h++) load(OWN_ROWS + h).set(fj[h]);
  point(k);
  f.get(n).i32(2).op("i32.shl").set(m);
  f.for(k, end, 1, () => {
    load(3).get(xj).op("f64.sub").tee(d).get(d).op("f64.mul");
    load(4).get(yj).op("f64.sub").tee(d).get(d).op("f64.mul").op("f64.add");
    load(5).get(zj).op("f64.sub").tee(d).get(d).op("f64.mul").op("f64.add").set(s);
    f.get(table).get(m).op("i32.add").tee(at).get(j).mem("i32.store", J);
    f.get(at).get(k).mem("i32.store", K);
    f.get(at).get(m).op("i32.add").tee(at).get(rj).mem("f64.store");
    f.get(at);
    load(0).mem("f64.store", 8 * LANES);
    f.get(at)
      .get(s)
      .mem("f64.store", 16 * LANES);
    for (let h = 0; h < hoisted; h++) {
      f.get(at)
        .get(fj[h])
        .mem("f64.store", 8 * LANES * (3 + h));
      f.get(at);
      load(OWN_ROWS + h).mem("f64.store", 8 * LANES * (3 + hoisted + h));
    }
    f.get(m).get(s).get(limit).op("f64.lt").i32(2).op("i32.shl").op("i32.add").set(m);
    f.get(p).i32(8).op("i32.add").set(p);
  });
  f.get(m).i32(2).op("i32.shr_u");
  return instantiate(module.bytes(), memory.memory) as unknown as Gather;
}

/** Machine code that hands derivatives by triplets to their neighbours. */
export interface Spread {
  /**
   * ADDS the derivatives by r_ij, r_ik, r_jk² and by what was hoisted, rows of LANES at byte address `derivatives`, of n
   * triplets of the table to the rows along, gx, gy, gz and hoisted of a Neighbourhood (see Gather for its arguments).
   */
  run(rows: number, stride: number, n: number, table: number, derivatives: number): void;
}

/** Each triplet adds to two neighbours; `hoisted`: how many derivatives by functions of one neighbour there are of each. */
export function compileSpread(memory: Memory, hoisted: number): Spread {
  const module = new ModuleBuilder().importMemory(memory.shared);
  const params = ["i32", "i32", "i32", "i32", "i32"] as const;
  const f = module.function("run", [...params]);
  const [rows, stride, n, table, derivatives] = params.map((_, i) => f.param(i));
  const [i, j, k, at] = Array.from({ length: 4 }, () => f.local("i32"));
  const [d, e] = [f.local("f64"), f.local("f64")];
  const [X, ALONG, GX] = [3, 6, 7];
  const used = [0, 1, 2].flatMap((c) => [X + c, GX + c]).concat(ALONG);
  for (let h = 0; h < hoisted; h++) used.push(OWN_ROWS + 2 * MOST + h);
  const bases = new Map(used.map((row) => [row, f.local("i32")]));
  for (const [row, base] of bases) f.get(rows).get(stride).i32(row).op("i32.mul").op("i32.add").set(base);
  /** The address of a neighbour's entry in a row. */
  const entry = (row: number, neighbour: typeof j) => f.get(bases.get(row)!).get(neighbour).op("i32.add");
  /** row[neighbour] ±= what `value` puts on the stack. */
  const add = (
    row: number,
    neighbour: typeof j,
    value: () => void,
    op: "f64.add" | "f64.sub" = "f64.add",
  ) => {
    entry(row, neighbour).tee(at).get(at).mem("f64.load");
    value();
    f.op(op).mem("f64.store");
  };
  const derivative = (row: number) => () =>
    f
      .get(derivatives)
      .get(i)
      .i32(3)
      .op("i32.shl")
      .op("i32.add")
      .mem("f64.load", 8 * LANES * row);
  const lane = (offset: number, local: typeof j) =>
    f
      .get(table)
      .get(i)
      .i32(2)
      .op("i32.shl")
      .op("i32.add")
      .mem("i32.load", offset)
      .i32(3)
      .op("i32.shl")
      .set(local);
  f.for(i, n, 1, () => {
    lane(J, j);
    lane(K, k);
    add(ALONG, j, derivative(0));
    add(ALONG, k, derivative(1));
    derivative(2)();
    f.f64(2).op("f64.mul").set(d);
    for (let c = 0; c < 3; c++) {
      f.get(d);
      entry(X + c, j).mem("f64.load");
      entry(X + c, k).mem("f64.load");
      f.op("f64.sub").op("f64.mul").set(e);
      add(GX + c, j, () => f.get(e));
      add(GX + c, k, () => f.get(e), "f64.sub");
    }
    for (let h = 0; h < hoisted; h++) {
      add(OWN_ROWS + 2 * MOST + h, j, derivative(3 + h));
      add(OWN_ROWS + 2 * MOST + h, k, derivative(3 + hoisted + h));
    }
  });
  return instantiate(module.bytes(), memory.memory) as unknown as Spread;
}
