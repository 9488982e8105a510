import type { Device } from "../device/device.ts";
import type { Work } from "./work.ts";

/** Columns that are finished before what they do to those right of them is one matrix product. */
const PANEL = 32;

/** A square matrix [n, n] at a byte address, in rows of `stride` numbers, and room for its panels of `bidiagonalBytes`. */
export interface Square {
  readonly at: number;
  readonly stride: number;
  readonly n: number;
  readonly room: number;
}

/** Bytes of room beside a matrix that is made bidiagonal. */
export const bidiagonalBytes = (n: number): number => 8 * 2 * PANEL * (2 * n + 1);

/**
 * A = U₁ B V₁ᵀ of a square A by Householder reflections, B upper bidiagonal, with U₁ᵀ z of one right-hand side: enough
 * to solve |A x − z|² + λ|x|² for any λ in n operations, and where singular values start from
 * (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §5.4.8 and §8.6.1).
 */
export interface Bidiagonal {
  readonly n: number;
  /** Diagonal [n] and what stands right of it [n − 1]. */
  readonly d: Float64Array;
  readonly e: Float64Array;
  /** U₁ᵀ z, [n]. */
  readonly y: Float64Array;
  /** x ← V₁ x. */
  readonly expand: (x: Float64Array) => void;
}

/** Householder vector v with (I − τ v vᵀ) x = β e₁, v₁ = 1; x is overwritten with v. */
function reflector(x: Float64Array): { tau: number; beta: number } {
  let norm2 = 0;
  for (let k = 1; k < x.length; k++) norm2 += x[k] * x[k];
  const alpha = x[0];
  if (norm2 === 0) return { tau: 0, beta: alpha };
  const norm = Math.sqrt(alpha * alpha + norm2);
  const beta = alpha > 0 ? -norm : norm;
  for (let k = 1; k < x.length; k++) x[k] /= alpha - beta;
  x[0] = 1;
  return { tau: (beta - alpha) / beta, beta };
}

const scale = (x: Float64Array, factor: number): void => {
  for (let k = 0; k < x.length; k++) x[k] *= factor;
};

/**
 * Column after column of a panel, the matrix right of it left as it was: what it is by now is A + PᵀQ, two rows of P
 * and Q for each column (J. J. Dongarra, D. C. Sorensen, S. J. Hammarling, DOI 10.1016/0377-0427(89)90367-1).
 */
class Reduction {
  readonly d: Float64Array;
  readonly e: Float64Array;
  readonly y: Float64Array;
  /** Vectors of the reflections from the right, one after another, each [n − k − 1]. */
  readonly #right: Float64Array;
  readonly #taus: Float64Array;
  readonly #device: Device;
  readonly #square: Square;
  readonly #p: number;
  readonly #q: number;
  readonly #c: number;

  constructor(device: Device, square: Square, z: Float64Array) {
    const { n, room } = square;
    this.#device = device;
    this.#square = square;
    this.d = new Float64Array(n);
    this.e = new Float64Array(Math.max(0, n - 1));
    this.y = z.slice();
    this.#right = new Float64Array((n * (n - 1)) / 2);
    this.#taus = new Float64Array(n);
    [this.#p, this.#q, this.#c] = [0, 1, 2].map((k) => room + 8 * 2 * PANEL * n * k);
  }

  /** Address of A[i, j]. */
  #at(i: number, j: number): number {
    return this.#square.at + 8 * (i * this.#square.stride + j);
  }

  /** Both reflections of column k, the j-th of its panel. */
  reflect(k: number, j: number): void {
    this.#fromLeft(k, 2 * j);
    if (k < this.#square.n - 1) this.#fromRight(k, 2 * j + 1);
  }

  /** Row r of P becomes −v, that of Q τ Aᵀ v: of the reflection that clears column k below the diagonal. */
  #fromLeft(k: number, r: number): void {
    const { memory, gemm } = this.#device;
    const { n, stride } = this.#square;
    const [rows, rest] = [n - k, n - k - 1];
    const [P, Q, c] = [this.#p, this.#q, this.#c];
    const [p, q] = [P + 8 * (r * n + k), Q + 8 * (r * n + k + 1)];
    const v = memory.f64(p, rows);
    const column = memory.f64(this.#at(k, k), rest * stride + 1);
    for (let i = 0; i < rows; i++) v[i] = column[i * stride];
    if (r > 0) gemm.f64(1, rows, r, Q + 8 * k, n, P + 8 * k, n, p, n, { transA: true, add: true });
    const { tau, beta } = reflector(v);
    this.d[k] = beta;
    const w = memory.f64(q, rest);
    if (tau === 0) {
      w.fill(0);
      return;
    }
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += v[i] * this.y[k + i];
    for (let i = 0; i < rows; i++) this.y[k + i] -= tau * sum * v[i];
    if (rest === 0) return;
    gemm.f64(1, rest, rows, p, rows, this.#at(k, k + 1), stride, q, rest);
    if (r > 0) {
      gemm.f64(r, 1, rows, P + 8 * k, n, p, 1, c, 1);
      gemm.f64(1, rest, r, c, r, Q + 8 * (k + 1), n, q, rest, { add: true });
    }
    scale(w, tau);
    scale(v, -1);
  }

  /** Row r of Q becomes u, that of P −τ A u: of the reflection that clears row k right of the second diagonal. */
  #fromRight(k: number, r: number): void {
    const { memory, gemm } = this.#device;
    const { n, stride } = this.#square;
    const rest = n - k - 1;
    const [P, Q, c] = [this.#p + 8 * (k + 1), this.#q + 8 * (k + 1), this.#c];
    const [p, q] = [P + 8 * r * n, Q + 8 * r * n];
    const u = memory.f64(q, rest);
    u.set(memory.f64(this.#at(k, k + 1), rest));
    gemm.f64(1, rest, r, P - 8, n, Q, n, q, rest, { transA: true, add: true });
    const { tau, beta } = reflector(u);
    this.e[k] = beta;
    this.#taus[k] = tau;
    this.#right.set(u, this.#start(k));
    gemm.f64(rest, 1, rest, this.#at(k + 1, k + 1), stride, q, 1, p, 1);
    gemm.f64(r, 1, rest, Q, n, q, 1, c, 1);
    gemm.f64(1, rest, r, c, r, P, n, p, rest, { add: true });
    scale(memory.f64(p, rest), -tau);
  }

  /** A += PᵀQ from row and column k on, after a panel of so many columns. */
  update(k: number, width: number): void {
    const { n, stride } = this.#square;
    const [p, q] = [this.#p + 8 * k, this.#q + 8 * k];
    const options = { transA: true, add: true };
    this.#device.gemm.f64(n - k, n - k, 2 * width, p, n, q, n, this.#at(k, k), stride, options);
  }

  /** Where the k-th vector from the right starts. */
  #start(k: number): number {
    return k * (this.#square.n - 1) - (k * (k - 1)) / 2;
  }

  get form(): Bidiagonal {
    const { n } = this.#square;
    const [right, taus] = [this.#right, this.#taus];
    const expand = (x: Float64Array) => {
      for (let k = n - 2; k >= 0; k--) {
        const from = this.#start(k);
        let sum = 0;
        for (let j = k + 1, at = from; j < n; j++) sum += right[at++] * x[j];
        for (let j = k + 1, at = from; j < n; j++) x[j] -= taus[k] * sum * right[at++];
      }
    };
    return { n, d: this.d, e: this.e, y: this.y, expand };
  }
}

/** Of a square A, which is overwritten, and z [n], column by column. */
export function* bidiagonalising(device: Device, square: Square, z: Float64Array): Work<Bidiagonal> {
  const { n } = square;
  const reduction = new Reduction(device, square, z);
  for (let first = 0; first < n; first += PANEL) {
    const width = Math.min(PANEL, n - first);
    for (let j = 0; j < width; j++) {
      reduction.reflect(first + j, j);
      yield;
    }
    if (first + width < n) reduction.update(first + width, width);
  }
  return reduction.form;
}

/**
 * The x that minimises |A x − z|² + λ|x|², λ > 0: plane rotations bring (B; √λ I) to triangular form
 * (L. Eldén, DOI 10.1007/BF01932285).
 */
export function ridge({ n, d, e, y, expand }: Bidiagonal, lambda: number): Float64Array {
  const x = y.slice();
  const [diagonal, above] = [d.slice(), e.slice()];
  let [extra, rhs] = [Math.sqrt(lambda), 0];
  for (let k = 0; k < n; k++) {
    // The penalty row k has `extra` in column k: rotated into row k it leaves a number in column k + 1.
    const r = Math.sqrt(diagonal[k] ** 2 + extra ** 2);
    const [c, s] = [diagonal[k] / r, extra / r];
    diagonal[k] = r;
    [x[k], rhs] = [c * x[k] + s * rhs, c * rhs - s * x[k]];
    if (k === n - 1) break;
    const fill = -s * above[k];
    above[k] *= c;
    // That number and √λ of row k + 1 stand in one column: one rotation joins them; row k + 1 has no right-hand side.
    extra = Math.sqrt(lambda + fill * fill);
    rhs *= fill / extra;
  }
  for (let k = n - 1; k >= 0; k--) x[k] = (x[k] - (k < n - 1 ? above[k] * x[k + 1] : 0)) / diagonal[k];
  expand(x);
  return x;
}
