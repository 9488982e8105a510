import { bidiagonalising, type Bidiagonal } from "../../math/bidiagonal.ts";
import { conditioning } from "../../math/condition.ts";
import { invertUpper, solveUpper } from "../../math/triangular.ts";
import { invertUpperInBlocks } from "../../math/upper-inverse.ts";
import type { Work } from "../../math/work.ts";
import type { Triangles } from "./triangles.ts";

/** How columns are seen by the solvers: which come first because nothing penalises them, and their lengths. */
export interface Columns {
  /** Parameter of each column, [P]: the first `free` are not penalised. */
  readonly order: Int32Array;
  readonly free: number;
  /**
   * Length of each column of the weighted design matrix, in this order, 1 where it is 0, [P]; infinite, so that the
   * parameter is 0, for a free column that others make up, which nothing else would hold, and for one that is rounding.
   */
  readonly scale: Float64Array;
}

/** Lengths of the columns of R, and the order in which those that do not decay come first. */
export function columnsOf(R: Float64Array, decays: Uint8Array): Columns {
  const P = decays.length;
  const parameters = Array.from(decays.keys());
  const order = Int32Array.from([
    ...parameters.filter((k) => decays[k] === 0),
    ...parameters.filter((k) => decays[k] !== 0),
  ]);
  const squares = new Float64Array(P);
  for (let i = 0; i < P; i++) for (let k = i; k < P; k++) squares[k] += R[i * (P + 1) + k] ** 2;
  const scale = Float64Array.from(order, (k) => Math.sqrt(squares[k]) || 1);
  const free = decays.reduce((n, d) => n + (d === 0 ? 1 : 0), 0);
  const column = (k: number) => Float64Array.from({ length: k + 1 }, (_, i) => R[i * (P + 1) + k]);
  const columns = Array.from(order.subarray(0, free), column);
  for (const at of dependent(columns)) scale[at] = Infinity;
  const least = NEGLIGIBLE * Math.sqrt(squares.reduce((most, s) => Math.max(most, s), 0));
  scale.forEach((s, at) => (scale[at] = s < least ? Infinity : s));
  return { order, free, scale };
}

/** A column this much shorter than the longest is the rounding of one that vanishes, which scaling would blow up. */
export const NEGLIGIBLE = 1e-14;
/** Of a part this small of a column that is left beside others, rounding has made most. */
const ROUNDING = 1e-10;

/** Which columns are, to rounding, combinations of those before them: energies of atoms that always come together. */
function dependent(columns: readonly Float64Array[]): number[] {
  const basis: Float64Array[] = [];
  const found: number[] = [];
  for (const [at, column] of columns.entries()) {
    const rest = new Float64Array(Math.max(...columns.map((c) => c.length)));
    rest.set(column);
    const whole = norm(rest);
    for (let pass = 0; pass < 2; pass++)
      for (const b of basis) {
        const s = b.reduce((sum, x, i) => sum + x * rest[i], 0);
        for (let i = 0; i < rest.length; i++) rest[i] -= s * b[i];
      }
    const left = norm(rest);
    if (left <= ROUNDING * whole) {
      if (whole > 0) found.push(at);
      continue;
    }
    basis.push(rest.map((x) => x / left));
  }
  return found;
}

const norm = (v: Float64Array): number => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));

/** A penalised solution: parameters, and what says how certain they are. */
export interface Penalised {
  /** In the scale and order of the columns, [P]. */
  readonly x: Float64Array;
  /** C, upper triangular, with C Cᵀ = (TᵀT + Λ)⁻¹, [P, P]. */
  readonly inverse: Float64Array;
  /** |T x − z|² with what no x can reach. */
  readonly error: number;
  /** Effective number of parameters, tr T (TᵀT + Λ)⁻¹ Tᵀ. */
  readonly effective: number;
}

/** Columns of a triangle from one on, and their right-hand side. */
export interface Part {
  /** [n, n], zero below the diagonal; empty columns are zero. */
  readonly T: Float64Array;
  readonly z: Float64Array;
  readonly n: number;
}

/** The least-squares problem of some rows as a triangle T with right-hand side z, columns ordered and of length about 1. */
export class System {
  readonly columns: Columns;
  /** Columns that no row has anything in. */
  readonly empty: readonly number[];
  readonly #triangles: Triangles;
  /** [P + 1, P + 1], z in the last column. */
  readonly #T: Float64Array;
  readonly #P: number;

  private constructor(triangles: Triangles, columns: Columns, T: Float64Array) {
    this.columns = columns;
    this.#triangles = triangles;
    this.#P = triangles.columns - 1;
    this.#T = T;
    // A column without any row gets a unit vector in its row, which is zero too: its parameter is 0.
    this.empty = Array.from({ length: this.#P }, (_, k) => k).filter((k) => this.#isEmpty(k));
    for (const k of this.empty) this.#T[k * triangles.columns + k] = 1;
  }

  /** Of the triangle at `address`, which stays as it is. */
  static *create(triangles: Triangles, address: number, columns: Columns): Work<System> {
    const N = triangles.columns;
    const { order, scale } = columns;
    // A column that is left out makes the triangle anew: its row must not hold what belongs to others.
    const sorted = order.every((k, at) => k === at && scale[at] < Infinity);
    const to = triangles.scratch();
    const from = triangles.view(address);
    const T = triangles.view(to);
    if (sorted) {
      for (let i = 0; i < N; i++)
        for (let k = 0; k < N; k++) T[i * N + k] = k < i ? 0 : from[i * N + k] / (k < N - 1 ? scale[k] : 1);
    } else {
      const rows = triangles.scratch();
      const B = triangles.view(rows);
      for (let i = 0; i < N; i++)
        for (let k = 0; k < N; k++) {
          const parameter = k < N - 1 ? order[k] : k;
          B[i * N + k] = parameter < i ? 0 : from[i * N + parameter] / (k < N - 1 ? scale[k] : 1);
        }
      T.fill(0);
      for (let i = 0; i < N; i += 128) {
        triangles.qr.append(to, rows + 8 * i * N, Math.min(128, N - i));
        yield;
      }
      triangles.release(rows);
    }
    const made = new System(triangles, columns, T.slice());
    triangles.release(to);
    return made;
  }

  #isEmpty(k: number): boolean {
    for (let i = 0; i <= k; i++) if (this.#T[i * (this.#P + 1) + k] !== 0) return false;
    return true;
  }

  get parameters(): number {
    return this.#P;
  }

  /** σ_max/σ_min of the columns in use, of length 1 as they are here. */
  *condition(): Work<number> {
    return (this.#condition ??= yield* conditioning(this.#T, this.#P + 1, this.#P));
  }

  #condition: number | undefined;

  /** The same with their lengths in the weighted design matrix. */
  *plainCondition(): Work<number> {
    const [N, P] = [this.#P + 1, this.#P];
    const { scale } = this.columns;
    const out = new Set(this.empty);
    // The length of a column lies between the least and the largest singular value, so that it changes neither.
    const usual = scale.find((_, k) => !out.has(k)) ?? 1;
    const R = this.#T.slice();
    for (let i = 0; i < P; i++) for (let k = i; k < P; k++) if (!out.has(k)) R[i * N + k] *= scale[k];
    for (const k of out) R[k * N + k] = usual;
    return yield* conditioning(R, N, P);
  }

  /** Square of what no parameters can reach. */
  get unreachable(): number {
    return this.#T.at(-1)! ** 2;
  }

  /** T and its right-hand side. */
  get whole(): Part {
    return this.#part(0);
  }

  /** The same without the free columns: what is left once they are at their best. */
  get penalised(): Part {
    return this.#part(this.columns.free);
  }

  #part(q: number): Part {
    const N = this.#P + 1;
    const n = this.#P - q;
    const T = new Float64Array(n * n);
    for (let i = 0; i < n; i++) T.set(this.#T.subarray((q + i) * N + q, (q + i) * N + N - 1), i * n);
    const z = Float64Array.from({ length: n }, (_, i) => this.#T[(q + i) * N + N - 1]);
    for (const k of this.empty) if (k >= q) T[(k - q) * (n + 1)] = 0;
    return { T, z, n };
  }

  /** Bidiagonal form of T and its right-hand side, or of a part of them. */
  *bidiagonal({ T, z, n }: Part = this.whole): Work<Bidiagonal> {
    const triangles = this.#triangles;
    const at = triangles.scratch();
    triangles.view(at).set(T);
    const form = yield* bidiagonalising(triangles.device, { at, stride: n, n, room: triangles.panels }, z);
    triangles.release(at);
    return form;
  }

  /** x [P] from its penalised part [P − free]: the free columns at their best. */
  complete(part: Float64Array): Float64Array {
    const [N, q] = [this.#P + 1, this.columns.free];
    const x = new Float64Array(this.#P);
    x.set(part, q);
    for (let i = q - 1; i >= 0; i--) {
      let sum = this.#T[i * N + N - 1];
      for (let k = i + 1; k < N - 1; k++) sum -= this.#T[i * N + k] * x[k];
      x[i] = sum / this.#T[i * N + i];
    }
    return x;
  }

  /** Parameters in their own order and scale. */
  parametersOf(x: Float64Array): Float64Array {
    const theta = new Float64Array(this.#P);
    this.columns.order.forEach((k, at) => (theta[k] = x[at] / this.columns.scale[at]));
    for (const at of this.empty) theta[this.columns.order[at]] = 0;
    return theta;
  }

  /** |T x − z|², with what no x can reach. */
  error(x: Float64Array): number {
    const N = this.#P + 1;
    let total = this.unreachable;
    for (let i = 0; i < this.#P; i++) {
      let sum = -this.#T[i * N + N - 1];
      for (let k = i; k < this.#P; k++) sum += this.#T[i * N + k] * x[k];
      total += sum * sum;
    }
    return total;
  }

  /**
   * Minimises |T x − z|² + Σ λ_k x_k², λ [P]: T is extended by the rows √λ_k e_k. A column of infinite λ is not used.
   * Singular systems give infinities.
   */
  *solve(lambda: Float64Array | null): Work<Penalised> {
    const P = this.#P;
    const { R, x } = yield* this.#minimum(lambda);
    const inverse = yield* this.#inverse(R);
    let effective = P;
    for (let i = 0; i < P; i++) {
      const row = inverse.subarray(i * P, (i + 1) * P);
      if (lambda?.[i] === Infinity || this.empty.includes(i)) {
        row.fill(0);
        effective -= 1;
      } else if (lambda) effective -= lambda[i] * row.reduce((sum, c) => sum + c * c, 0);
    }
    return { x, inverse, error: this.error(x), effective };
  }

  /** R⁻¹, [P, P]. */
  *#inverse(R: Float64Array): Work<Float64Array> {
    const [P, N] = [this.#P, this.#P + 1];
    // Infinities of a singular triangle would spread in matrix products.
    for (let k = 0; k < P; k++) if (R[k * N + k] === 0) return invertUpper(R, N, P);
    const triangles = this.#triangles;
    const { device, room } = triangles;
    const [from, to] = [triangles.scratch(), triangles.scratch()];
    triangles.view(from).set(R);
    yield* invertUpperInBlocks(device, { from, to, room, stride: N, n: P });
    const X = triangles.view(to);
    const inverse = new Float64Array(P * P);
    for (let i = 0; i < P; i++) inverse.set(X.subarray(i * N, i * N + P), i * P);
    triangles.release(from);
    triangles.release(to);
    return inverse;
  }

  /** The x of `solve` alone. */
  *minimum(lambda: Float64Array | null): Work<Float64Array> {
    return (yield* this.#minimum(lambda)).x;
  }

  *#minimum(lambda: Float64Array | null): Work<{ R: Float64Array; x: Float64Array }> {
    const [P, N] = [this.#P, this.#P + 1];
    const R = lambda ? yield* this.#extended(lambda) : this.#T;
    const x = Float64Array.from({ length: P }, (_, i) => R[i * N + P]);
    solveUpper(R, N, P, x);
    return { R, x };
  }

  /** The triangle of T and the rows of a penalty; an unused column is a unit vector in a row of its own. */
  *#extended(lambda: Float64Array): Work<Float64Array> {
    const triangles = this.#triangles;
    const [P, N] = [this.#P, this.#P + 1];
    const [to, rows] = [triangles.scratch(), triangles.scratch()];
    const R = triangles.view(to);
    const D = triangles.view(rows).fill(0);
    R.set(this.#T);
    for (let k = 0; k < P; k++) {
      const unused = lambda[k] === Infinity;
      if (unused) for (let i = 0; i <= k; i++) R[i * N + k] = 0;
      D[k * N + k] = unused ? 1 : Math.sqrt(lambda[k]);
    }
    yield* triangles.qr.merging(to, rows);
    const extended = R.slice();
    triangles.release(to);
    triangles.release(rows);
    return extended;
  }
}
