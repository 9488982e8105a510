import type { Device } from "../../device/device.ts";
import { bidiagonalBytes } from "../../math/bidiagonal.ts";
import { RowQr } from "../../math/qr.ts";
import { inverseBytes } from "../../math/upper-inverse.ts";
import type { Work } from "../../math/work.ts";
import type { Layout } from "./layout.ts";

/** Triangular factors of the folds' rows, right-hand sides in the last column: all that a solver needs of the data. */
export class Triangles {
  /** P + 1. */
  readonly columns: number;
  readonly device: Device;
  readonly qr: RowQr;
  readonly #folds: readonly number[];
  readonly #free: number[] = [];
  readonly #prior: Float64Array | null;
  #room: number | undefined;
  #panels: number | undefined;

  private constructor(device: Device, layout: Layout, prior: Float64Array | null) {
    this.#prior = prior;
    this.device = device;
    this.columns = layout.columns;
    this.qr = new RowQr(device, layout.columns);
    this.#folds = layout.folds.map(() => this.scratch());
  }

  /** From the lanes' triangles, which start at `lanes` and stay as they are; `prior` [P, P] counts in every sum. */
  static *create(
    device: Device,
    layout: Layout,
    lanes: number,
    prior: Float64Array | null = null,
  ): Work<Triangles> {
    const made = new Triangles(device, layout, prior);
    const size = 8 * made.columns ** 2;
    const filled = new Set<number>();
    for (const [l, { fold }] of layout.lanes.entries()) {
      const [to, from] = [made.#folds[fold], lanes + l * size];
      if (filled.has(fold)) yield* made.qr.merging(to, from);
      else made.copy(to, from);
      filled.add(fold);
    }
    return made;
  }

  /** How many folds. */
  get count(): number {
    return this.#folds.length;
  }

  /** R of one fold's rows with its right-hand side, [P + 1, P + 1]; a view, zero below the diagonal. */
  fold(k: number): Float64Array {
    return this.view(this.#folds[k]);
  }

  view(address: number): Float64Array {
    return this.device.memory.f64(address, this.columns ** 2);
  }

  /** Room for a triangle, of any contents; given back with `release`. */
  scratch(): number {
    return this.#free.pop() ?? this.device.memory.alloc(8 * this.columns ** 2);
  }

  release(address: number): void {
    this.#free.push(address);
  }

  copy(to: number, from: number): void {
    this.view(to).set(this.view(from));
  }

  /** Room for the blocks of an inverse. */
  get room(): number {
    return (this.#room ??= this.device.memory.alloc(inverseBytes(this.columns)));
  }

  /** Room for the panels of a bidiagonal form. */
  get panels(): number {
    return (this.#panels ??= this.device.memory.alloc(bidiagonalBytes(this.columns)));
  }

  /** The triangle of all rows, in scratch room. */
  *all(): Work<number> {
    const to = this.scratch();
    this.copy(to, this.#folds[0]);
    for (const from of this.#folds.slice(1)) yield* this.qr.merging(to, from);
    if (this.#prior) {
      const from = this.scratch();
      this.#start(from);
      yield* this.qr.merging(to, from);
      this.release(from);
    }
    return to;
  }

  /** What a triangle holds before any data. */
  #start(to: number): void {
    const [T, P] = [this.view(to).fill(0), this.columns - 1];
    if (this.#prior)
      for (let i = 0; i < P; i++) T.set(this.#prior.subarray(i * P, (i + 1) * P), i * this.columns);
  }

  /** Calls `use` with every fold and the triangle of the rows of all others, F log₂ F merges for F folds. */
  *leaveOut(use: (fold: number, rest: number) => Work<void>): Work<void> {
    yield* this.#visit([...this.#folds.keys()], null, use);
  }

  *#visit(
    folds: readonly number[],
    rest: number | null,
    use: (fold: number, rest: number) => Work<void>,
  ): Work<void> {
    if (folds.length === 1) {
      if (rest !== null) yield* use(folds[0], rest);
      return;
    }
    const half = Math.ceil(folds.length / 2);
    const parts = [folds.slice(0, half), folds.slice(half)];
    for (const [p, part] of parts.entries()) {
      const other = this.scratch();
      if (rest === null) this.#start(other);
      else this.copy(other, rest);
      for (const fold of parts[1 - p]) yield* this.qr.merging(other, this.#folds[fold]);
      yield* this.#visit(part, other, use);
      this.release(other);
    }
  }
}
