import type { FunctionBuilder, Local } from "../../formula/assembler.ts";

/** Atoms that one sweep works on side by side. */
export const LANES = 4;
const VECTORS = LANES / 2;
/** Bytes of one real number of all lanes, and of a node: its real, then its imaginary part. */
export const REAL = 8 * LANES;
export const NODE = 2 * REAL;

/** Vectors of complex numbers in locals. */
export interface Numbers {
  readonly re: readonly Local[];
  readonly im: readonly Local[];
}

/** The factors of a product while it is worked on. */
export interface Pair {
  readonly b: Numbers;
  readonly c: Numbers;
  readonly at: Local;
  readonly sign: Local;
}

/** Emits the arithmetic of one function. */
export class Emitter {
  readonly f: FunctionBuilder;
  readonly #fused: boolean;

  constructor(f: FunctionBuilder, fused: boolean) {
    this.f = f;
    this.#fused = fused;
  }

  numbers(): Numbers {
    const some = () => Array.from({ length: VECTORS }, () => this.f.local("v128"));
    return { re: some(), im: some() };
  }

  /** to += a b, or to −= a b. */
  addProduct(to: Local, a: Local, b: Local, sign: 1 | -1 = 1): void {
    const { f } = this;
    if (this.#fused)
      f.get(a)
        .get(b)
        .get(to)
        .op(sign > 0 ? "f64x2.relaxed_madd" : "f64x2.relaxed_nmadd");
    else
      f.get(to)
        .get(a)
        .get(b)
        .op("f64x2.mul")
        .op(sign > 0 ? "f64x2.add" : "f64x2.sub");
    f.set(to);
  }

  /** to = a b */
  product(to: Local, a: Local, b: Local): void {
    this.f.get(a).get(b).op("f64x2.mul").set(to);
  }

  clear(to: Numbers): void {
    for (const v of [...to.re, ...to.im]) this.f.f64x2(0).set(v);
  }

  load(to: Numbers, at: Local): void {
    this.each((v) => {
      this.f
        .get(at)
        .mem("v128.load", 16 * v)
        .set(to.re[v]);
      this.f
        .get(at)
        .mem("v128.load", REAL + 16 * v)
        .set(to.im[v]);
    });
  }

  store(from: Numbers, at: Local): void {
    this.each((v) => {
      this.f
        .get(at)
        .get(from.re[v])
        .mem("v128.store", 16 * v);
      this.f
        .get(at)
        .get(from.im[v])
        .mem("v128.store", REAL + 16 * v);
    });
  }

  /** to = a b */
  multiply(to: Numbers, a: Numbers, b: Numbers): void {
    this.each((v) => {
      this.product(to.re[v], a.re[v], b.re[v]);
      this.addProduct(to.re[v], a.im[v], b.im[v], -1);
      this.product(to.im[v], a.re[v], b.im[v]);
      this.addProduct(to.im[v], a.im[v], b.re[v]);
    });
  }

  /** to += a b */
  addMultiple(to: Numbers, a: Numbers, b: Numbers): void {
    this.each((v) => {
      this.addProduct(to.re[v], a.re[v], b.re[v]);
      this.addProduct(to.re[v], a.im[v], b.im[v], -1);
      this.addProduct(to.im[v], a.re[v], b.im[v]);
      this.addProduct(to.im[v], a.im[v], b.re[v]);
    });
  }

  /** b and c^(*) of the record at `record`, whose node words start at `offset`; the sign follows 16 bytes in. */
  pair(B: Local, C: Local, record: Local, offset: number, { b, c, at, sign }: Pair): void {
    this.address(at, B, record, offset);
    this.load(b, at);
    this.address(at, C, record, offset + 4);
    this.load(c, at);
    this.splat(sign, record, 16);
    this.each((v) => this.product(c.im[v], c.im[v], sign));
  }

  /** Y_b += P c*, Y_c += P b* (its imaginary part times the sign), P holding derivatives by the parts of b c. */
  addPairAdjoint(Y: Local, record: Local, offset: number, P: Numbers, { b, c, at, sign }: Pair): void {
    const { f } = this;
    const [sum, turned] = [f.local("v128"), f.local("v128")];
    for (const [k, x] of [c, b].entries()) {
      this.address(at, Y, record, offset + 4 * k);
      this.each((v) => {
        f.get(at)
          .mem("v128.load", 16 * v)
          .set(sum);
        this.addProduct(sum, P.re[v], x.re[v]);
        this.addProduct(sum, P.im[v], x.im[v]);
        f.get(at)
          .get(sum)
          .mem("v128.store", 16 * v);
        f.get(at)
          .mem("v128.load", REAL + 16 * v)
          .set(sum);
        this.product(turned, P.im[v], x.re[v]);
        this.addProduct(turned, P.re[v], x.im[v], -1);
        if (k === 1) this.addProduct(sum, turned, sign);
        else f.get(sum).get(turned).op("f64x2.add").set(sum);
        f.get(at)
          .get(sum)
          .mem("v128.store", REAL + 16 * v);
      });
    }
  }

  /** The real number at `at` += p_re L_re + p_im L_im */
  addReal(at: Local, p: Numbers, L: Numbers): void {
    const { f } = this;
    const sum = f.local("v128");
    this.each((v) => {
      f.get(at)
        .mem("v128.load", 16 * v)
        .set(sum);
      this.addProduct(sum, p.re[v], L.re[v]);
      this.addProduct(sum, p.im[v], L.im[v]);
      f.get(at)
        .get(sum)
        .mem("v128.store", 16 * v);
    });
  }

  /** to = x times the real number at `at` */
  scale(to: Numbers, x: Numbers, at: Local): void {
    const { f } = this;
    for (const part of [0, 1])
      this.each((v) => {
        f.get(this.part(x, part)[v])
          .get(at)
          .mem("v128.load", 16 * v)
          .op("f64x2.mul")
          .set(this.part(to, part)[v]);
      });
  }

  part(x: Numbers, part: number): readonly Local[] {
    return part === 0 ? x.re : x.im;
  }

  each(body: (v: number) => void): void {
    for (let v = 0; v < VECTORS; v++) body(v);
  }

  /** base + the i32 at record + offset */
  address(to: Local, base: Local, record: Local, offset: number): void {
    this.f.get(base).get(record).mem("i32.load", offset).op("i32.add").set(to);
  }

  splat(to: Local, record: Local, offset: number): void {
    this.f.get(record).mem("v128.load64_splat", offset).set(to);
  }

  /** For records of `step` bytes from `first` to `last`; addresses may lie anywhere in 4 GiB. */
  records(first: Local, last: Local, step: number, body: () => void): void {
    const { f } = this;
    f.block((done) => {
      f.get(first).get(last).op("i32.ge_u").brIf(done);
      f.loop((again) => {
        body();
        f.get(first).i32(step).op("i32.add").tee(first).get(last).op("i32.lt_u").brIf(again);
      });
    });
  }
}
