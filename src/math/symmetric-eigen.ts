/** Eigenvalues, descending, and the eigenvector of each as a row of `vectors` [n, n]. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * All eigenvalues and eigenvectors of a symmetric row-major A [n, n], which is overwritten: Householder
 * tridiagonalisation, then QR steps with Wilkinson's shift; errors of some n·2⁻⁵² of the largest |eigenvalue|
 * (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §8.3).
 */
export function symmetricEigen(A: Float64Array, n: number): Eigen {
  const Q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) Q[i * n + i] = 1;
  const reflectors = tridiagonalise(A, n);
  // Rows of Q: A = Qᵀ T Q with Qᵀ = H₀ H₁ …; the last reflector acts first, on rows that are still those of the identity.
  for (let k = reflectors.length - 1; k >= 0; k--) reflectRows(Q, n, reflectors[k], k + 1);
  const d = Float64Array.from({ length: n }, (_, i) => A[i * n + i]);
  const e = Float64Array.from({ length: Math.max(0, n - 1) }, (_, i) => A[i * n + n + i]);
  diagonalise(d, e, Q, n);
  const order = Array.from(d.keys()).sort((a, b) => d[b] - d[a] || a - b);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => vectors.set(Q.subarray(from * n, (from + 1) * n), to * n));
  return { values: Float64Array.from(order, (k) => d[k]), vectors };
}

/** Brings A to tridiagonal form; returns v_k of the reflectors I − v vᵀ, which act on components k + 1 … */
function tridiagonalise(A: Float64Array, n: number): Float64Array[] {
  const reflectors: Float64Array[] = [];
  const w = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    const v = new Float64Array(n);
    let norm2 = 0;
    for (let i = k + 1; i < n; i++) norm2 += (v[i] = A[i * n + k]) ** 2;
    const alpha = v[k + 1] > 0 ? -Math.sqrt(norm2) : Math.sqrt(norm2);
    // |x − α e|² = 2 α (α − x₁), and v is scaled to √2 of unit length so that the reflector is I − v vᵀ.
    const length2 = alpha * (alpha - v[k + 1]);
    v[k + 1] -= alpha;
    const factor = length2 > 0 ? 1 / Math.sqrt(length2) : 0;
    for (let i = k + 1; i < n; i++) v[i] *= factor;
    let vAv = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += A[i * n + j] * v[j];
      w[i] = sum;
      vAv += sum * v[i];
    }
    for (let i = k + 1; i < n; i++) w[i] -= (vAv / 2) * v[i];
    for (let i = k + 1; i < n; i++) for (let j = k + 1; j < n; j++) A[i * n + j] -= v[i] * w[j] + w[i] * v[j];
    if (length2 > 0) A[(k + 1) * n + k] = alpha;
    reflectors.push(v);
  }
  return reflectors;
}

/** Q ← Q (I − v vᵀ) for rows and components from `from` on; those before are still of the identity. */
function reflectRows(Q: Float64Array, n: number, v: Float64Array, from: number): void {
  for (let i = from; i < n; i++) {
    let sum = 0;
    for (let j = from; j < n; j++) sum += Q[i * n + j] * v[j];
    for (let j = from; j < n; j++) Q[i * n + j] -= sum * v[j];
  }
}

/** QR steps on the tridiagonal (d, e) until e vanishes; every rotation is applied to the rows of Q. */
function diagonalise(d: Float64Array, e: Float64Array, Q: Float64Array, n: number): void {
  const scale = d.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (let hi = n - 1; hi > 0;) {
    for (let i = 0; i < hi; i++) {
      const small = Number.EPSILON * (Math.abs(d[i]) + Math.abs(d[i + 1]));
      if (Math.abs(e[i]) <= small + Number.EPSILON ** 2 * scale) e[i] = 0;
    }
    if (e[hi - 1] === 0) {
      hi--;
      continue;
    }
    let lo = hi - 1;
    while (lo > 0 && e[lo - 1] !== 0) lo--;
    sweep(d, e, Q, n, lo, hi);
  }
}

/** One implicit QR step on rows lo … hi: a bulge is made by the shift and chased to the end. */
function sweep(d: Float64Array, e: Float64Array, Q: Float64Array, n: number, lo: number, hi: number): void {
  const half = (d[hi - 1] - d[hi]) / 2;
  const root = Math.sqrt(half * half + e[hi - 1] ** 2);
  let x = d[lo] - (d[hi] - e[hi - 1] ** 2 / (half + (half < 0 ? -root : root)));
  let z = e[lo];
  for (let k = lo; k < hi; k++) {
    const r = Math.sqrt(x * x + z * z);
    const [c, s] = r > 0 ? [x / r, z / r] : [1, 0];
    if (k > lo) e[k - 1] = r;
    const [d1, d2, f] = [d[k], d[k + 1], e[k]];
    d[k] = c * c * d1 + 2 * c * s * f + s * s * d2;
    d[k + 1] = s * s * d1 - 2 * c * s * f + c * c * d2;
    e[k] = c * s * (d2 - d1) + (c * c - s * s) * f;
    x = e[k];
    if (k < hi - 1) {
      z = s * e[k + 1];
      e[k + 1] *= c;
    }
    for (let j = k * n; j < (k + 1) * n; j++) {
      const [p, q] = [Q[j], Q[j + n]];
      Q[j] = c * p + s * q;
      Q[j + n] = c * q - s * p;
    }
  }
}
