import type { Memory } from "../../device/memory.ts";
import { instantiate } from "../../device/modules.ts";
import { ModuleBuilder } from "../../formula/assembler.ts";

/** Triplets per kernel call: few calls, and inputs and outputs that stay in the nearest caches. */
export const LANES = 512;

/** Bytes of the rows of a table of triplets: rij, rik, rjk², their three tangents, f64; lanes of j and of k, i32. */
export const TABLE = (6 * 8 + 2 * 4) * LANES;
/** Byte offsets of the lanes of j and k in the table. */
export const J = 6 * 8 * LANES;
export const K = J + 4 * LANES;

/** Machine code of the inner loop over k. */
export interface Gather {
  /**
   * Appends (r_ij, r_ik, r_jk², j, k) for k … end − 1 with r_jk² < limit to the table, which holds n triplets, and
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
 * unless it counted.
 */
export function compileGather(memory: Memory): Gather {
  const module = new ModuleBuilder().importMemory(memory.shared);
  const params = ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "f64"] as const;
  const f = module.function("run", [...params], ["i32"]);
  const [rows, stride, j, k, end, n, table, limit] = params.map((_, i) => f.param(i));
  const [p, m, at] = [f.local("i32"), f.local("i32"), f.local("i32")];
  const [rj, xj, yj, zj, d, s] = Array.from({ length: 6 }, () => f.local("f64"));
  /** Loads row 0 (r), 3 (x), 4 (y) or 5 (z) at the pointer p. */
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
    f.get(m).get(s).get(limit).op("f64.lt").i32(2).op("i32.shl").op("i32.add").set(m);
    f.get(p).i32(8).op("i32.add").set(p);
  });
  f.get(m).i32(2).op("i32.shr_u");
  return instantiate(module.bytes(), memory.memory) as unknown as Gather;
}
