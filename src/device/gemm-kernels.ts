import type { FunctionBuilder, Label, Local } from "../formula/assembler.ts";
import { ModuleBuilder } from "../formula/assembler.ts";
import { emitRow } from "./row-kernel.ts";

/** Element types of a matrix product. */
export type Real = "f64" | "f32";

/** Bytes of an element. */
export const sizeOf = (real: Real): number => (real === "f64" ? 8 : 4);
/** Elements of a 128-bit vector. */
const lanesOf = (real: Real): number => 16 / sizeOf(real);
/** Vectors side by side in a tile. */
const VECTORS = 2;
/** Columns of a tile, and of a packed panel of B. */
export const panelOf = (real: Real): number => VECTORS * lanesOf(real);
/** Bytes of a row of a packed panel. */
const PANEL = 16 * VECTORS;
/** Steps of k per turn of the inner loop. */
const UNROLL = 4;

/**
 * Rows of the tiles. Engines give 15 of the 16 vector registers: 6×2 sums, 2 of B and 1 of A use all of them; without
 * fused multiply-add the product needs one more, and 4×2 is what fits.
 */
const tileRows = (fused: boolean): readonly number[] => (fused ? [6, 4, 2] : [4, 2]);

interface Options {
  readonly real: Real;
  /** One rounding per multiply-add (relaxed SIMD) or two. */
  readonly fused: boolean;
}

const ops = {
  f64: {
    splat: "v128.load64_splat",
    store: "v128.store64_lane",
    load: "v128.load64_lane",
    first: "v128.load64_zero",
    madd: "f64x2.relaxed_madd",
    mul: "f64x2.mul",
    add: "f64x2.add",
  },
  f32: {
    splat: "v128.load32_splat",
    store: "v128.store32_lane",
    load: "v128.load32_lane",
    first: "v128.load32_zero",
    madd: "f32x4.relaxed_madd",
    mul: "f32x4.mul",
    add: "f32x4.add",
  },
} as const;

/** Parameters of a strip and of a block, all i32; strides in bytes. */
const parameters = ["rows", "n", "k", "a", "lda", "b", "panel", "step", "c", "ldc", "add"] as const;
type Parameters = Record<(typeof parameters)[number], Local>;

const openFunction = (module: ModuleBuilder, name: string | null): { f: FunctionBuilder; p: Parameters } => {
  const f = module.function(
    name,
    parameters.map(() => "i32"),
  );
  return { f, p: Object.fromEntries(parameters.map((q, i) => [q, f.param(i)])) as Parameters };
};

/** A tile of C: its sums, where its rows of A and its panel of B are. */
interface Tile {
  readonly sums: readonly (readonly Local[])[];
  readonly rows: readonly Local[];
  readonly b: readonly Local[];
  readonly a: Local;
  readonly q: Local;
  readonly turns: Local;
  readonly pc: Local;
}

/** sums = C, or 0 when nothing is to be added. Rows past the last repeat it; lanes past the last column are any. */
const emitStart = (f: FunctionBuilder, p: Parameters, tile: Tile, vectors: number): void => {
  const each = (body: (sum: Local, i: number, v: number) => void) =>
    tile.sums.forEach((row, i) => row.slice(0, vectors).forEach((sum, v) => body(sum, i, v)));
  f.get(p.add).if(
    () => {
      f.get(p.c).set(tile.pc);
      each((sum, i, v) => {
        if (i > 0 && v === 0) emitAdvance(f, p.rows, i, tile.pc, p.ldc);
        f.get(tile.pc)
          .mem("v128.load", 16 * v, 2)
          .set(sum);
      });
    },
    () => each((sum) => f.v128(new Uint8Array(16)).set(sum)),
  );
};

/** pointer += stride where row i exists, so that missing rows repeat the last one. */
const emitAdvance = (f: FunctionBuilder, rows: Local, i: number, pointer: Local, stride: Local): void => {
  f.get(pointer).get(stride).i32(0).get(rows).i32(i).op("i32.gt_s").op("select").op("i32.add").set(pointer);
};

/** sums[i][v] += A[i] · B[v] for `steps` successive k. */
const emitSteps = (
  f: FunctionBuilder,
  p: Parameters,
  tile: Tile,
  vectors: number,
  steps: number,
  o: Options & { transA: boolean },
): void => {
  const op = ops[o.real];
  const size = sizeOf(o.real);
  for (let u = 0; u < steps; u++) {
    for (let v = 0; v < vectors; v++)
      f.get(tile.q)
        .mem("v128.load", 16 * v, 2)
        .set(tile.b[v]);
    f.get(tile.q).get(p.step).op("i32.add").set(tile.q);
    tile.sums.forEach((row, i) => {
      if (o.transA) f.get(tile.rows[0]).mem(op.splat, size * i);
      else f.get(tile.rows[i]).mem(op.splat, size * u);
      f.set(tile.a);
      for (let v = 0; v < vectors; v++) {
        if (o.fused) f.get(tile.a).get(tile.b[v]).get(row[v]).op(op.madd);
        else f.get(row[v]).get(tile.a).get(tile.b[v]).op(op.mul).op(op.add);
        f.set(row[v]);
      }
    });
    if (o.transA) f.get(tile.rows[0]).get(p.lda).op("i32.add").set(tile.rows[0]);
  }
  if (!o.transA)
    tile.rows.forEach((row) =>
      f
        .get(row)
        .i32(size * steps)
        .op("i32.add")
        .set(row),
    );
};

const emitTurns = (f: FunctionBuilder, turns: Local, body: () => void): void => {
  f.get(turns).if(() => {
    f.loop((again) => {
      body();
      f.get(turns).i32(1).op("i32.sub").tee(turns).brIf(again);
    });
  });
};

/** C = sums, in the rows and, where `left` is given, the columns that exist. */
const emitFinish = (
  f: FunctionBuilder,
  p: Parameters,
  tile: Tile,
  vectors: number,
  real: Real,
  left: Local | null,
): void => {
  const lanes = lanesOf(real);
  const storeRow = (row: readonly Local[]) => {
    if (left === null) {
      for (let v = 0; v < vectors; v++)
        f.get(tile.pc)
          .get(row[v])
          .mem("v128.store", 16 * v, 2);
      return;
    }
    f.block((done) => {
      for (let column = 0; column < vectors * lanes; column++) {
        if (column > 0) f.get(left).i32(column).op("i32.le_s").brIf(done);
        f.get(tile.pc)
          .get(row[Math.floor(column / lanes)])
          .laneMem(ops[real].store, column % lanes, column * sizeOf(real));
      }
    });
  };
  f.get(p.c).set(tile.pc);
  f.block((done: Label) => {
    tile.sums.forEach((row, i) => {
      if (i > 0) {
        f.get(p.rows).i32(i).op("i32.le_s").brIf(done);
        f.get(tile.pc).get(p.ldc).op("i32.add").set(tile.pc);
      }
      storeRow(row);
    });
  });
};

/** A function that computes up to `height` rows of C: a loop over panels of columns, a tile in registers for each. */
const emitStrip = (
  module: ModuleBuilder,
  height: number,
  o: Options & { transA: boolean },
): FunctionBuilder => {
  const { f, p } = openFunction(module, null);
  const lanes = lanesOf(o.real);
  const columns = panelOf(o.real);
  const locals = (n: number, type: "i32" | "v128") => Array.from({ length: n }, () => f.local(type));
  const starts = locals(o.transA ? 1 : height, "i32");
  const tile: Tile = {
    rows: locals(starts.length, "i32"),
    q: f.local("i32"),
    turns: f.local("i32"),
    pc: f.local("i32"),
    sums: Array.from({ length: height }, () => locals(VECTORS, "v128")),
    b: locals(VECTORS, "v128"),
    a: f.local("v128"),
  };
  const emitTile = (vectors: number, left: Local | null) => {
    emitStart(f, p, tile, vectors);
    f.get(p.b).set(tile.q);
    starts.forEach((start, i) => f.get(start).set(tile.rows[i]));
    f.get(p.k).i32(Math.log2(UNROLL)).op("i32.shr_u").set(tile.turns);
    emitTurns(f, tile.turns, () => emitSteps(f, p, tile, vectors, UNROLL, o));
    f.get(p.k)
      .i32(UNROLL - 1)
      .op("i32.and")
      .set(tile.turns);
    emitTurns(f, tile.turns, () => emitSteps(f, p, tile, vectors, 1, o));
    emitFinish(f, p, tile, vectors, o.real, left);
  };
  f.get(p.a).set(starts[0]);
  for (let i = 1; i < starts.length; i++) {
    f.get(starts[i - 1]).set(starts[i]);
    emitAdvance(f, p.rows, i, starts[i], p.lda);
  }
  f.block((tail) => {
    f.loop((again) => {
      f.get(p.n).i32(columns).op("i32.lt_s").brIf(tail);
      emitTile(VECTORS, null);
      f.get(p.c).i32(PANEL).op("i32.add").set(p.c);
      f.get(p.b).get(p.panel).op("i32.add").set(p.b);
      f.get(p.n).i32(columns).op("i32.sub").set(p.n);
      f.br(again);
    });
  });
  f.get(p.n).if(() => {
    f.get(p.n).i32(lanes).op("i32.le_s");
    f.if(
      () => emitTile(1, p.n),
      () => emitTile(VECTORS, p.n),
    );
  });
  return f;
};

/** A function that computes all rows, strip by strip, each of the lowest height that holds the rows left. */
const emitBlock = (module: ModuleBuilder, name: string, o: Options & { transA: boolean }): void => {
  const heights = tileRows(o.fused);
  const strips = heights.map((height) => emitStrip(module, height, o));
  const { f, p } = openFunction(module, name);
  const now = f.local("i32");
  const callStrip = (i: number): void => {
    const call = () => {
      f.get(p.rows).i32(heights[i]).get(p.rows).i32(heights[i]).op("i32.lt_s").op("select").set(now);
      parameters.forEach((q) => f.get(q === "rows" ? now : p[q]));
      f.call(strips[i]);
    };
    if (i === heights.length - 1) {
      call();
      return;
    }
    f.get(p.rows)
      .i32(heights[i + 1])
      .op("i32.gt_s")
      .if(call, () => callStrip(i + 1));
  };
  f.loop((again) => {
    callStrip(0);
    f.get(p.a).get(now);
    if (o.transA) f.i32(sizeOf(o.real));
    else f.get(p.lda);
    f.op("i32.mul").op("i32.add").set(p.a);
    f.get(p.c).get(now).get(p.ldc).op("i32.mul").op("i32.add").set(p.c);
    f.get(p.rows).get(now).op("i32.sub").tee(p.rows).i32(0).op("i32.gt_s").brIf(again);
  });
};

/**
 * pack(k, n, b, ldb, out): the panels of B [k, n] one after another, each [k, columns of a panel]. What is in the
 * lanes past column n does not matter.
 */
const emitPack = (module: ModuleBuilder, name: string, real: Real): void => {
  const f = module.function(name, ["i32", "i32", "i32", "i32", "i32"]);
  const [k, n, b, ldb, out] = [0, 1, 2, 3, 4].map((i) => f.param(i));
  const turns = f.local("i32");
  const from = f.local("i32");
  f.loop((again) => {
    f.get(k).set(turns).get(b).set(from);
    emitTurns(f, turns, () => {
      for (let v = 0; v < VECTORS; v++)
        f.get(out)
          .get(from)
          .mem("v128.load", 16 * v, 2)
          .mem("v128.store", 16 * v);
      f.get(from).get(ldb).op("i32.add").set(from);
      f.get(out).i32(PANEL).op("i32.add").set(out);
    });
    f.get(b).i32(PANEL).op("i32.add").set(b);
    f.get(n).i32(panelOf(real)).op("i32.sub").tee(n).i32(0).op("i32.gt_s").brIf(again);
  });
};

/** The same from Bᵀ [n, k]; lanes past column n repeat it. */
const emitPackTransposed = (module: ModuleBuilder, name: string, real: Real): void => {
  const f = module.function(name, ["i32", "i32", "i32", "i32", "i32"]);
  const [k, n, b, ldb, out] = [0, 1, 2, 3, 4].map((i) => f.param(i));
  const turns = f.local("i32");
  const columns = Array.from({ length: panelOf(real) }, () => f.local("i32"));
  const gathered = f.local("v128");
  const { first, load } = ops[real];
  const lanes = lanesOf(real);
  f.loop((again) => {
    f.get(k).set(turns).get(b).set(columns[0]);
    for (let i = 1; i < columns.length; i++) {
      f.get(columns[i - 1]).set(columns[i]);
      emitAdvance(f, n, i, columns[i], ldb);
    }
    emitTurns(f, turns, () => {
      for (let v = 0; v < VECTORS; v++) {
        f.get(columns[v * lanes])
          .mem(first)
          .set(gathered);
        for (let l = 1; l < lanes; l++)
          f.get(columns[v * lanes + l])
            .get(gathered)
            .laneMem(load, l)
            .set(gathered);
        f.get(out)
          .get(gathered)
          .mem("v128.store", 16 * v);
      }
      for (const column of columns) f.get(column).i32(sizeOf(real)).op("i32.add").set(column);
      f.get(out).i32(PANEL).op("i32.add").set(out);
    });
    f.get(b).get(ldb).i32(columns.length).op("i32.mul").op("i32.add").set(b);
    f.get(n).i32(columns.length).op("i32.sub").tee(n).i32(0).op("i32.gt_s").brIf(again);
  });
};

/** Names of the functions of the module below. */
export interface GemmExports {
  /** rows, n, k, a, lda, b, panel, step, c, ldc, add: C (+)= A B, where B[κ, j] is in panel j / columns, step κ. */
  readonly block: (...args: number[]) => void;
  /** The same with A stored transposed. */
  readonly blockTransposed: (...args: number[]) => void;
  readonly pack: (k: number, n: number, b: number, ldb: number, out: number) => void;
  readonly packTransposed: (k: number, n: number, b: number, ldb: number, out: number) => void;
  /** n, k, a, step, b, ldb, c: see `emitRow`. */
  readonly row: (...args: number[]) => void;
}

/** The module with the five functions that `Gemm` is made of. */
export const emitGemm = (real: Real, fused: boolean, shared: boolean): Uint8Array<ArrayBuffer> => {
  const module = new ModuleBuilder().importMemory(shared);
  emitBlock(module, "block", { real, fused, transA: false });
  emitBlock(module, "blockTransposed", { real, fused, transA: true });
  emitPack(module, "pack", real);
  emitPackTransposed(module, "packTransposed", real);
  emitRow(module, "row", real, fused);
  return module.bytes();
};
