import type { Device } from "../../device/device.ts";
import type { Memory } from "../../device/memory.ts";
import { instantiate } from "../../device/modules.ts";
import type { FunctionBuilder, LaneMemoryOp, Local, MemoryOp } from "../../formula/assembler.ts";
import { ModuleBuilder, supports } from "../../formula/assembler.ts";
import type { FloatFormat } from "../../formula/formats.ts";
import { MOST } from "./hoist.ts";
import { ROW } from "./neighbourhood.ts";

/** Triplets per kernel call: few calls, and inputs and outputs that stay in the nearest caches. */
export const LANES = 512;
/**
 * Numbers from one row of a table to the next: room for a vector behind the last triplet, and no power of two, so that
 * rows fall on different lines of the cache.
 */
export const PITCH = LANES + 16;
/** Rows of a table that every triplet has: rij, rik, rjk², r_ij·r_ik. */
const GEOMETRY = 4;
/** Most rows: these, what is copied of j and of k, and the tangents of rjk² and of r_ij·r_ik. */
export const ROWS = GEOMETRY + 2 * (2 * MOST + 1) + 2;
/** Row that holds the byte offset of neighbour k's point (x, y, z, 1), as an integer in the low 32 bits. */
const K = ROWS;
/** Bytes of a table in a format. */
export const tableBytes = ({ bytes }: FloatFormat): number => bytes * PITCH * (ROWS + 1);

/** Words of the state of a gather: the next j and k, where they end, where k begins (−1: after j); runs written. */
export const STATE = { j: 0, jEnd: 1, k: 2, kBegin: 3, kEnd: 4, runs: 5, words: 6 } as const;
const word = (i: number) => 4 * i;
/** Bytes of a list of runs: byte offset of the point of neighbour j, and the triplet after its last one. */
export const RUN_BYTES = 8 * LANES;

/** Machine code of the loops over j and k. */
export interface Gather {
  /**
   * Writes (r_ij, r_ik, r_jk², r_ij·r_ik, what is copied of j and of k) of triplets with r_jk² < limit from `state` on to the table
   * until it is full or no j is left, and the runs of equal j; returns how many there are. `rows` is the byte address of a
   * Neighbourhood's rows, `stride` bytes apart; k goes on beyond the last neighbour up to a full vector, which is masked.
   * Behind the last triplet is a vector of distances `far`, beyond every cutoff, whose terms and derivatives are exactly 0.
   */
  run(
    rows: number,
    stride: number,
    state: number,
    table: number,
    runs: number,
    limit: number,
    far: number,
  ): number;
}

/** The instructions of one format. */
interface Vector {
  readonly V: "f64x2" | "f32x4";
  readonly I: "i64x2" | "i32x4";
  readonly splat: MemoryOp;
  readonly lane: LaneMemoryOp;
}
const vectorOf = ({ lanes }: FloatFormat): Vector =>
  lanes === 2
    ? { V: "f64x2", I: "i64x2", splat: "v128.load64_splat", lane: "v128.load64_lane" }
    : { V: "f32x4", I: "i32x4", splat: "v128.load32_splat", lane: "v128.load32_lane" };

const canFuse = (device: Device): boolean => !device.deterministic && supports().relaxedSimd;

/** c + a b of three vectors on the stack, a, b and c. */
const madd = (f: FunctionBuilder, { V }: Vector, fused: boolean) => {
  if (fused) f.op(`${V}.relaxed_madd`);
  else {
    const c = f.local("v128");
    f.set(c).op(`${V}.mul`).get(c).op(`${V}.add`);
  }
};

/** Patterns that move the lanes whose bit is set to the front, one of 16 bytes for each mask; returns the byte address. */
function compressions(memory: Memory, { lanes, bytes }: FloatFormat): number {
  const address = memory.alloc(16 * 2 ** lanes);
  const table = memory.u8(address, 16 * 2 ** lanes);
  for (let mask = 0; mask < 2 ** lanes; mask++) {
    const kept = Array.from({ length: lanes }, (_, lane) => lane).filter((lane) => (mask >> lane) & 1);
    for (let b = 0; b < 16; b++) {
      const lane = kept[Math.floor(b / bytes)] ?? 0;
      table[16 * mask + b] = bytes * lane + (b % bytes);
    }
  }
  return address;
}

const patternsOf = new WeakMap<WebAssembly.Memory, Partial<Record<2 | 4, number>>>();

/** The same, made once for a memory and a format. */
function sharedCompressions(memory: Memory, format: FloatFormat): number {
  let known = patternsOf.get(memory.memory);
  if (!known) patternsOf.set(memory.memory, (known = {}));
  return (known[format.lanes] ??= compressions(memory, format));
}

/** What a gather writes besides the distances. */
export interface Gathered {
  /** Rows of the Neighbourhood that are copied for j and for k. */
  readonly copied: readonly number[];
  /** Whether the tangents of r_jk² and of r_ij·r_ik follow. */
  readonly tangents: boolean;
}

/**
 * Whether a triplet counts is a coin toss that no processor predicts: a vector of them is compressed to those that count,
 * written whole, and the next one over what is left.
 */
export function compileGather(device: Device, format: FloatFormat, { copied, tangents }: Gathered): Gather {
  const { memory } = device;
  const patterns = sharedCompressions(memory, format);
  const { bytes, lanes } = format;
  const vector = vectorOf(format);
  const { V, I, splat } = vector;
  const fused = canFuse(device);
  const shift = Math.log2(bytes);
  const module = new ModuleBuilder().importMemory(memory.shared);
  const params = ["i32", "i32", "i32", "i32", "i32", "f64", "f64"] as const;
  const f = module.function("run", [...params], ["i32"]);
  const [rows, stride, state, table, runs, limit, beyond] = params.map((_, i) => f.param(i));
  const i32 = () => f.local("i32");
  const v128 = () => f.local("v128");
  const [j, jEnd, k, kBegin, kEnd] = [i32(), i32(), i32(), i32(), i32()];
  const [n, start, run, mask, at, lane] = [i32(), i32(), i32(), i32(), i32(), i32()];
  const [far, pattern, index] = [v128(), v128(), v128()];
  const [s, ds, dot, ddot] = [v128(), v128(), v128(), v128()];
  /** total += a b of the two vectors on the stack; the first product is the total. */
  const accumulate = (total: Local, first: boolean) => {
    if (first) f.op(`${V}.mul`);
    else {
      f.get(total);
      madd(f, vector, fused);
    }
    f.set(total);
  };

  const axes = [0, 1, 2];
  const needed = new Set([ROW.r, ...axes.map((c) => ROW.x + c), ...copied]);
  if (tangents) for (const c of axes) needed.add(ROW.tx + c);
  const bases = new Map([...needed].map((row) => [row, i32()]));
  const ofJ = new Map([...needed].map((row) => [row, v128()]));
  for (const [row, base] of bases) f.get(rows).get(stride).i32(row).op("i32.mul").op("i32.add").set(base);
  const load = (row: number, at: Local, op: MemoryOp) => f.get(bases.get(row)!).get(at).op("i32.add").mem(op);
  /** Stores what `value` puts on the stack to a row of the table. */
  const store = (row: number, value: () => void) => {
    f.get(at);
    value();
    f.mem("v128.store", bytes * PITCH * row);
  };
  const compressed = (value: () => void) => () => {
    value();
    f.get(pattern).op(supports().relaxedSimd ? "i8x16.relaxed_swizzle" : "i8x16.swizzle");
  };
  const fromK = (row: number) => compressed(() => load(row, lane, "v128.load"));
  /** Ends the run of j, if it has triplets, and keeps where to go on. */
  const endRun = () =>
    f
      .get(n)
      .get(start)
      .op("i32.ne")
      .if(() => {
        f.get(run)
          .get(j)
          .i32(2 + shift)
          .op("i32.shl")
          .mem("i32.store");
        f.get(run).get(n).i32(shift).op("i32.shr_u").mem("i32.store", 4);
        f.get(run).i32(8).op("i32.add").set(run);
        f.get(n).set(start);
      });

  for (const [at, local] of [
    [STATE.j, j],
    [STATE.jEnd, jEnd],
    [STATE.k, k],
    [STATE.kBegin, kBegin],
    [STATE.kEnd, kEnd],
  ])
    f.get(state).mem("i32.load", word(at)).set(local);
  f.get(runs).set(run);
  const splatOf = (x: Local) => {
    f.get(x);
    if (bytes === 4) f.op("f32.demote_f64");
    return f.op(`${V}.splat`);
  };
  splatOf(limit).set(far);

  f.block((full) => {
    f.block((done) => {
      f.loop((next) => {
        f.get(j).get(jEnd).op("i32.ge_s").brIf(done);
        f.get(j).i32(shift).op("i32.shl").set(lane);
        for (const [row, local] of ofJ) load(row, lane, splat).set(local);
        f.block((end) => {
          f.loop((again) => {
            f.get(k).get(kEnd).op("i32.ge_s").brIf(end);
            f.get(n)
              .i32(bytes * (LANES - lanes))
              .op("i32.gt_s")
              .brIf(full);
            f.get(k).i32(shift).op("i32.shl").set(lane);
            axes.forEach((c) => {
              const [d, xk, xj] = [v128(), v128(), ofJ.get(ROW.x + c)!];
              load(ROW.x + c, lane, "v128.load")
                .tee(xk)
                .get(xj)
                .op(`${V}.sub`)
                .tee(d)
                .get(d);
              accumulate(s, c === 0);
              f.get(xk).get(xj);
              accumulate(dot, c === 0);
              if (!tangents) return;
              const [tk, tj] = [v128(), ofJ.get(ROW.tx + c)!];
              load(ROW.tx + c, lane, "v128.load")
                .tee(tk)
                .get(tj)
                .op(`${V}.sub`)
                .get(d);
              accumulate(ds, c === 0);
              f.get(xk).get(tj);
              accumulate(ddot, c === 0);
              f.get(tk).get(xj);
              accumulate(ddot, false);
            });
            f.get(s).get(far).op(`${V}.lt`);
            f.get(kEnd).get(k).op("i32.sub");
            if (lanes === 2) f.op("i64.extend_i32_s");
            f.op(`${I}.splat`);
            if (lanes === 2) f.i64x2(0n, 1n);
            else f.i32x4(0, 1, 2, 3);
            f.op(`${I}.gt_s`).op("v128.and").op(`${I}.bitmask`).tee(mask);
            f.i32(4).op("i32.shl").i32(patterns).op("i32.add").mem("v128.load").set(pattern);
            f.get(table).get(n).op("i32.add").set(at);
            store(0, () => f.get(ofJ.get(ROW.r)!));
            store(1, fromK(ROW.r));
            store(
              2,
              compressed(() => f.get(s)),
            );
            store(
              3,
              compressed(() => f.get(dot)),
            );
            copied.forEach((row, m) => {
              store(GEOMETRY + m, () => f.get(ofJ.get(row)!));
              store(GEOMETRY + copied.length + m, fromK(row));
            });
            if (tangents) {
              const row = GEOMETRY + 2 * copied.length;
              store(
                row,
                compressed(() => f.get(ds).get(ds).op(`${V}.add`)),
              );
              store(
                row + 1,
                compressed(() => f.get(ddot)),
              );
            }
            f.get(k)
              .i32(2 + shift)
              .op("i32.shl");
            if (lanes === 2) f.op("i64.extend_i32_u");
            f.op(`${I}.splat`);
            if (lanes === 2) f.i64x2(0n, BigInt(4 * bytes));
            else f.i32x4(0, 16, 32, 48);
            f.op(`${I}.add`).set(index);
            store(
              K,
              compressed(() => f.get(index)),
            );
            f.get(n).get(mask).op("i32.popcnt").i32(shift).op("i32.shl").op("i32.add").set(n);
            f.get(k).i32(lanes).op("i32.add").set(k).br(again);
          });
        });
        endRun();
        f.get(j).i32(1).op("i32.add").tee(j).i32(1).op("i32.add");
        f.get(kBegin).get(kBegin).i32(0).op("i32.lt_s").op("select").set(k);
        f.br(next);
      });
    });
  });
  endRun();
  splatOf(beyond).set(s);
  f.get(table).get(n).op("i32.add").set(at);
  for (const row of [0, 1]) store(row, () => f.get(s));
  store(2, () => f.get(s).get(s).op(`${V}.mul`));
  // The product, and what was copied: functions, cutoffs among them, slopes, tangents.
  const count = GEOMETRY + 2 * copied.length + (tangents ? 2 : 0);
  for (let row = 3; row < count; row++) store(row, () => f.i32x4(0));
  f.get(state).get(j).mem("i32.store", word(STATE.j));
  f.get(state).get(k).mem("i32.store", word(STATE.k));
  f.get(state);
  f.get(run).get(runs).op("i32.sub").i32(3).op("i32.shr_u").mem("i32.store", word(STATE.runs));
  f.get(n).i32(shift).op("i32.shr_u");
  return instantiate(module.bytes(), memory.memory) as unknown as Gather;
}

/** Machine code that hands derivatives by triplets to their neighbours. */
export interface Spread {
  /**
   * With dψ/dr_ij = a_j r_ij + c r_ik and dψ/dr_ik = a_k r_ik + c r_ij, ADDS (c r_ik, a_j) and (c r_ij, a_k) to the sums
   * (g, a) of neighbours j and k. Rows of PITCH at byte address `derivatives` hold a_j, a_k and c of the table's triplets;
   * `points` and `sums` are byte addresses of a Neighbourhood's.
   */
  run(points: number, sums: number, table: number, runs: number, count: number, derivatives: number): void;
}

/** The weights of a point (x, y, z, 1) are (c, c, c, a): one vector of f32, two of f64. */
export function compileSpread(device: Device, format: FloatFormat): Spread {
  const { memory } = device;
  const { bytes, lanes } = format;
  const vector = vectorOf(format);
  const fused = canFuse(device);
  const module = new ModuleBuilder().importMemory(memory.shared);
  const params = Array.from({ length: 6 }, () => "i32" as const);
  const f = module.function("run", params);
  const [points, sums, table, runs, count, derivatives] = params.map((_, i) => f.param(i));
  const i32 = () => f.local("i32");
  const [t, end, j, k, at, stop] = [i32(), i32(), i32(), i32(), i32(), i32()];
  const halves = lanes === 2 ? [0, 1] : [0];
  const last = halves.length - 1;
  const v128 = () => halves.map(() => f.local("v128"));
  const [point, sum, weight] = [v128(), v128(), f.local("v128")];
  const c = f.local("v128");
  const row = (r: number) => bytes * PITCH * r;
  /** Weights of half h, with the a of row r. */
  const weights = (h: number, r: number) => {
    if (h < last) f.get(c);
    else
      f.get(at)
        .get(c)
        .laneMem(vector.lane, lanes - 1, row(r));
  };
  const address = (base: Local, of: Local) => f.get(base).get(of).op("i32.add");
  f.get(runs).get(count).i32(3).op("i32.shl").op("i32.add").set(stop);
  f.for(runs, stop, 8, () => {
    f.get(runs).mem("i32.load").set(j);
    f.get(runs).mem("i32.load", 4).i32(Math.log2(bytes)).op("i32.shl").set(end);
    for (const h of halves) {
      address(points, j)
        .mem("v128.load", 16 * h)
        .set(point[h]);
      address(sums, j)
        .mem("v128.load", 16 * h)
        .set(sum[h]);
    }
    f.for(t, end, bytes, () => {
      f.get(table).get(t).op("i32.add").mem("i32.load", row(K)).set(k);
      f.get(derivatives).get(t).op("i32.add").tee(at).mem(vector.splat, row(2)).set(c);
      for (const h of halves) {
        weights(h, 0);
        address(points, k).mem("v128.load", 16 * h);
        f.get(sum[h]);
        madd(f, vector, fused);
        f.set(sum[h]);
        weights(h, 1);
        f.set(weight);
        address(sums, k);
        f.get(weight).get(point[h]);
        address(sums, k).mem("v128.load", 16 * h);
        madd(f, vector, fused);
        f.mem("v128.store", 16 * h);
      }
    });
    for (const h of halves)
      address(sums, j)
        .get(sum[h])
        .mem("v128.store", 16 * h);
  });
  return instantiate(module.bytes(), memory.memory) as unknown as Spread;
}
