import type { Device } from "../../device/device.ts";
import { instantiate } from "../../device/modules.ts";
import type { Local } from "../../formula/assembler.ts";
import { ModuleBuilder, supports } from "../../formula/assembler.ts";
import { Emitter, REAL, type Numbers } from "./lanes.ts";

/** Records of the tables, in bytes; the first words are byte offsets of nodes. */
export const PRODUCT = 24; // out, b, c, 0 (i32); sign (f64)
export const SEGMENT = 24; // b, c, feature, end of its entries (i32); sign (f64)
export const ENTRY = 24; // a, 0 (i32); coefficients of the real and of the imaginary part (f64)

/**
 * The loops over tables. Every argument is a byte address: X nodes, dX their tangents, Y derivatives by them; G [features,
 * LANES]; records first … last; entries the address that ends of segments are counted from, entry that of the first.
 */
export interface Sweeps {
  /** Zeros. */
  clear(at: number, bytes: number): void;
  /** X_out = X_b X_c^(*) */
  products(X: number, first: number, last: number): void;
  /** dX_out of the same. */
  productTangents(X: number, dX: number, first: number, last: number): void;
  /** From the last record to the first: ADDS to Y_b, Y_c what Y_out brings. */
  productAdjoints(X: number, Y: number, first: number, last: number): void;
  /** ADDS to G. */
  value(X: number, G: number, first: number, last: number, entries: number, entry: number): void;
  /** ADDS to G and, with all weights 1, to Y: for one feature. */
  gradient(
    X: number,
    G: number,
    Y: number,
    first: number,
    last: number,
    entries: number,
    entry: number,
  ): void;
  /** ADDS to Y with weights W [features, LANES]. */
  adjoint(X: number, W: number, Y: number, first: number, last: number, entries: number, entry: number): void;
  /** ADDS to dG. */
  tangent(
    X: number,
    dX: number,
    dG: number,
    first: number,
    last: number,
    entries: number,
    entry: number,
  ): void;
}

/** Addresses of one function's records, and what its loops share. */
interface Walk {
  readonly X: Local;
  readonly first: Local;
  readonly last: Local;
  readonly entries: Local;
  readonly entry: Local;
}

function emitProducts(e: Emitter): void {
  const { f } = e;
  const [X, first, last] = [0, 1, 2];
  const [b, c, out] = [e.numbers(), e.numbers(), e.numbers()];
  const [at, sign] = [f.local("i32"), f.local("v128")];
  e.records(first, last, PRODUCT, () => {
    e.pair(X, X, first, 4, { b, c, at, sign });
    e.multiply(out, b, c);
    e.address(at, X, first, 0);
    e.store(out, at);
  });
}

function emitProductTangents(e: Emitter): void {
  const { f } = e;
  const [X, dX, first, last] = [0, 1, 2, 3];
  const [b, c, out] = [e.numbers(), e.numbers(), e.numbers()];
  const [at, sign] = [f.local("i32"), f.local("v128")];
  e.records(first, last, PRODUCT, () => {
    e.pair(X, dX, first, 4, { b, c, at, sign });
    e.multiply(out, b, c);
    e.pair(dX, X, first, 4, { b, c, at, sign });
    e.addMultiple(out, b, c);
    e.address(at, dX, first, 0);
    e.store(out, at);
  });
}

function emitProductAdjoints(e: Emitter): void {
  const { f } = e;
  const [X, Y, first, last] = [0, 1, 2, 3];
  const [b, c, P] = [e.numbers(), e.numbers(), e.numbers()];
  const [at, sign] = [f.local("i32"), f.local("v128")];
  f.block((done) => {
    f.loop((again) => {
      f.get(last).get(first).op("i32.le_u").brIf(done);
      f.get(last).i32(PRODUCT).op("i32.sub").set(last);
      e.pair(X, X, last, 4, { b, c, at, sign });
      e.address(at, Y, last, 0);
      e.load(P, at);
      e.addPairAdjoint(Y, last, 4, P, { b, c, at, sign });
      f.br(again);
    });
  });
}

/**
 * For every segment: p = X_b X_c^(*), L = Σ c X_a^(*); the feature is p_re L_re + p_im L_im. With derivatives, `q` (the
 * weight times p) goes to the X_a as the sum passes them, and the weight times L to X_b and X_c.
 */
function emitSegments(
  e: Emitter,
  walk: Walk,
  { value, weights, Y }: { readonly value?: Local; readonly weights?: Local; readonly Y?: Local },
): void {
  const { f } = e;
  const [b, c, p, L] = [e.numbers(), e.numbers(), e.numbers(), e.numbers()];
  const [at, sign, end] = [f.local("i32"), f.local("v128"), f.local("i32")];
  const q = weights === undefined ? p : e.numbers();
  e.records(walk.first, walk.last, SEGMENT, () => {
    e.pair(walk.X, walk.X, walk.first, 0, { b, c, at, sign });
    e.multiply(p, b, c);
    if (weights !== undefined) {
      e.address(at, weights, walk.first, 8);
      e.scale(q, p, at);
    }
    e.address(end, walk.entries, walk.first, 12);
    emitSum(e, walk, end, L, Y === undefined ? undefined : { Y, q });
    if (value !== undefined) {
      e.address(at, value, walk.first, 8);
      e.addReal(at, p, L);
    }
    if (Y === undefined) return;
    if (weights !== undefined) {
      e.address(at, weights, walk.first, 8);
      e.scale(L, L, at);
    }
    e.addPairAdjoint(Y, walk.first, 0, L, { b, c, at, sign });
  });
}

/** L = Σ c X_a^(*) from `entry` to `end`; ADDS c q^(*) to Y_a where asked for. */
function emitSum(
  e: Emitter,
  { X, entry }: Walk,
  end: Local,
  L: Numbers,
  adjoint?: { readonly Y: Local; readonly q: Numbers },
): void {
  const { f } = e;
  const [at, to, c, x] = [f.local("i32"), f.local("i32"), f.local("v128"), f.local("v128")];
  e.clear(L);
  f.loop((again) => {
    e.address(at, X, entry, 0);
    if (adjoint) e.address(to, adjoint.Y, entry, 0);
    for (const part of [0, 1]) {
      e.splat(c, entry, 8 + 8 * part);
      e.each((v) => {
        const offset = part * REAL + 16 * v;
        f.get(at).mem("v128.load", offset).set(x);
        e.addProduct(e.part(L, part)[v], c, x);
        if (!adjoint) return;
        f.get(to).mem("v128.load", offset).set(x);
        e.addProduct(x, c, e.part(adjoint.q, part)[v]);
        f.get(to).get(x).mem("v128.store", offset);
      });
    }
    f.get(entry).i32(ENTRY).op("i32.add").tee(entry).get(end).op("i32.lt_u").brIf(again);
  });
}

/** dG += dp·L + p·dL for every segment. */
function emitTangents(e: Emitter, walk: Walk, dX: Local, dG: Local): void {
  const { f } = e;
  const [b, c, p, dp] = [e.numbers(), e.numbers(), e.numbers(), e.numbers()];
  const [L, dL] = [e.numbers(), e.numbers()];
  const [at, sign, end, start] = [f.local("i32"), f.local("v128"), f.local("i32"), f.local("i32")];
  e.records(walk.first, walk.last, SEGMENT, () => {
    const scratch = { b, c, at, sign };
    e.pair(walk.X, dX, walk.first, 0, scratch);
    e.multiply(dp, b, c);
    e.pair(dX, walk.X, walk.first, 0, scratch);
    e.addMultiple(dp, b, c);
    e.pair(walk.X, walk.X, walk.first, 0, scratch);
    e.multiply(p, b, c);
    e.address(end, walk.entries, walk.first, 12);
    f.get(walk.entry).set(start);
    emitSum(e, walk, end, L);
    f.get(start).set(walk.entry);
    emitSum(e, { ...walk, X: dX }, end, dL);
    e.address(at, dG, walk.first, 8);
    e.addReal(at, dp, L);
    e.addReal(at, p, dL);
  });
}

/** The module of all sweeps; `fused` uses multiply-adds that round once. */
function emitSweeps(fused: boolean, shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder().importMemory(shared);
  const emitter = (name: string, params: number) =>
    new Emitter(
      module.function(
        name,
        Array.from({ length: params }, () => "i32" as const),
      ),
      fused,
    );
  emitter("clear", 2).f.get(0).i32(0).get(1).fill();
  emitProducts(emitter("products", 3));
  emitProductTangents(emitter("productTangents", 4));
  emitProductAdjoints(emitter("productAdjoints", 4));
  const two = { X: 0, first: 2, last: 3, entries: 4, entry: 5 };
  const three = { X: 0, first: 3, last: 4, entries: 5, entry: 6 };
  emitSegments(emitter("value", 6), two, { value: 1 });
  emitSegments(emitter("gradient", 7), three, { value: 1, Y: 2 });
  emitSegments(emitter("adjoint", 7), three, { weights: 1, Y: 2 });
  emitTangents(emitter("tangent", 7), three, 1, 2);
  return module.bytes();
}

/** The sweeps over the memory of a device. */
export function sweepsOf({ memory, deterministic }: Device): Sweeps {
  const fused = !deterministic && supports().relaxedSimd;
  return instantiate(emitSweeps(fused, memory.shared), memory.memory) as unknown as Sweeps;
}
