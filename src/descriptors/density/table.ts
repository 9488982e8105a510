import type { Device } from "../../device/device.ts";
import type { Memory } from "../../device/memory.ts";
import type { Polynomial } from "./monomials.ts";
import { makePlan, ONE, productSpans, supportOf } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { LANES, NODE, REAL } from "./lanes.ts";
import { ENTRY, PRODUCT, SEGMENT, sweepsOf } from "./sweeps.ts";
import type { Sweeps } from "./sweeps.ts";

/**
 * A polynomial ready to be evaluated for LANES atoms at a time. X, dX and Y (derivatives) are rows [nodes, 2, LANES]
 * shared by all tables of a workspace; node k of the polynomial is row k + 1.
 */
export class ProductTable {
  readonly polynomial: Polynomial;
  readonly nodes: number;
  readonly #plan: Plan;
  readonly #memory: Memory;
  readonly #sweeps: Sweeps;
  readonly #products: number;
  readonly #segments: number;
  readonly #entries: number;
  #spans: Int32Array | null = null;

  constructor(polynomial: Polynomial, device: Device) {
    const { memory } = device;
    const plan = makePlan(polynomial);
    this.polynomial = polynomial;
    this.#plan = plan;
    this.nodes = plan.nodes;
    this.#memory = memory;
    this.#sweeps = sweepsOf(device);
    this.#products = memory.alloc(PRODUCT * plan.products.length);
    this.#segments = memory.alloc(SEGMENT * plan.segments.length);
    this.#entries = memory.alloc(ENTRY * plan.node.length);
    this.#writeRecords();
    this.refresh();
  }

  get features(): number {
    return this.polynomial.features;
  }

  #writeRecords(): void {
    const { nodes, products, segments } = this.#plan;
    const first = nodes - products.length;
    this.#records(this.#products, PRODUCT, products, (words, { b, c }, k) =>
      words.set([NODE * (first + k), NODE * b, NODE * c]),
    );
    this.#records(this.#segments, SEGMENT, segments, (words, { b, c, feature, last }) =>
      words.set([NODE * b, NODE * c, REAL * feature, ENTRY * last]),
    );
  }

  #records<R extends { readonly sign: number }>(
    address: number,
    bytes: number,
    records: readonly R[],
    write: (words: Int32Array, record: R, k: number) => void,
  ): void {
    for (const [k, record] of records.entries()) {
      write(this.#memory.i32(address + k * bytes, 4), record, k);
      this.#memory.f64(address + k * bytes + 16, 1)[0] = record.sign;
    }
  }

  /** Takes the polynomial's coefficients as they are now. */
  refresh(): void {
    const { node, sign, source } = this.#plan;
    const { coefficient } = this.polynomial;
    const words = this.#memory.i32(this.#entries, (ENTRY / 4) * node.length);
    const numbers = this.#memory.f64(this.#entries, (ENTRY / 8) * node.length);
    for (let k = 0; k < node.length; k++) {
      const c = coefficient[source[k]];
      words[(ENTRY / 4) * k] = NODE * node[k];
      numbers[(ENTRY / 8) * k + 1] = c;
      // The sum stands conjugate in the product, see Sweeps.
      numbers[(ENTRY / 8) * k + 2] = -sign[k] * c;
    }
  }

  /** Sets node 0 to 1 and makes the products. */
  prepare(X: number): void {
    const one = this.#memory.f64(X + NODE * ONE, 2 * LANES);
    one.fill(1, 0, LANES).fill(0, LANES);
    this.#sweeps.products(X, this.#products, this.#end(this.#products, PRODUCT, this.#plan.products.length));
  }

  /** Overwrites G [features, LANES]. */
  value(X: number, G: number): void {
    this.#startValues(G);
    const [first, last] = this.#range(0, this.features);
    this.#sweeps.value(X, G, first, last, this.#entries, this.#entryAt(0));
  }

  /** Of one feature: overwrites G [1, LANES] and Y with its derivatives. */
  gradient(X: number, G: number, Y: number): void {
    this.#startValues(G);
    this.#clear(Y);
    const [first, last] = this.#range(0, 1);
    this.#sweeps.gradient(X, G, Y, first, last, this.#entries, this.#entryAt(0));
    this.#backward(X, Y);
  }

  /**
   * Overwrites Y with the derivatives of Σ_f W_f G_f over features from … to, W [features, LANES]; those by products
   * that none of them depends on are left as they are.
   */
  adjoint(X: number, W: number, Y: number, from = 0, to = this.features): void {
    const span = this.#spanOf(from, to);
    this.#clear(Y, span);
    const [first, last] = this.#range(from, to);
    this.#sweeps.adjoint(X, W, Y, first, last, this.#entries, this.#entryAt(this.#plan.ranges[from]));
    this.#backward(X, Y, span);
  }

  /** Overwrites dG [features, LANES]; dX holds the tangents of the polynomial's own nodes. */
  tangent(X: number, dX: number, dG: number): void {
    this.#memory.f64(dX + NODE * ONE, 2 * LANES).fill(0);
    this.#memory.f64(dG, LANES * this.features).fill(0);
    const { products } = this.#plan;
    this.#sweeps.productTangents(X, dX, this.#products, this.#end(this.#products, PRODUCT, products.length));
    const [first, last] = this.#range(0, this.features);
    this.#sweeps.tangent(X, dX, dG, first, last, this.#entries, this.#entryAt(0));
  }

  /** Which nodes of the polynomial each feature depends on: nodes[starts[f]] … nodes[starts[f + 1]], ascending. */
  support(): { readonly starts: Int32Array; readonly nodes: Int32Array } {
    return supportOf(this.#plan, this.polynomial.real.length);
  }

  #startValues(G: number): void {
    const heap = this.#memory.f64(G, LANES * this.features);
    for (let f = 0; f < this.features; f++)
      heap.fill(this.polynomial.constants[f], f * LANES, (f + 1) * LANES);
  }

  /** Products first … last that features from … to depend on. */
  #spanOf(from: number, to: number): readonly [first: number, last: number] {
    const { products } = this.#plan;
    if (from === 0 && to === this.features) return [0, products.length];
    this.#spans ??= productSpans(this.#plan);
    let [first, last] = [products.length, 0];
    for (let f = from; f < to; f++) {
      first = Math.min(first, this.#spans[2 * f]);
      last = Math.max(last, this.#spans[2 * f + 1]);
    }
    return [Math.min(first, last), last];
  }

  /** Derivatives by the polynomial's own nodes and by products first … last. */
  #clear(Y: number, [first, last] = this.#all): void {
    const own = this.nodes - this.#plan.products.length;
    this.#sweeps.clear(Y, NODE * own);
    this.#sweeps.clear(Y + NODE * (own + first), NODE * (last - first));
  }

  #backward(X: number, Y: number, [first, last] = this.#all): void {
    const at = (k: number) => this.#products + PRODUCT * k;
    this.#sweeps.productAdjoints(X, Y, at(first), at(last));
  }

  get #all(): readonly [first: number, last: number] {
    return [0, this.#plan.products.length];
  }

  #end(address: number, bytes: number, count: number): number {
    return address + bytes * count;
  }

  #range(from: number, to: number): [first: number, last: number] {
    const { ranges } = this.#plan;
    return [this.#segments + SEGMENT * ranges[from], this.#segments + SEGMENT * ranges[to]];
  }

  /** Address of the first entry of a segment. */
  #entryAt(segment: number): number {
    const { segments } = this.#plan;
    return this.#entries + ENTRY * (segments[segment]?.first ?? 0);
  }
}
