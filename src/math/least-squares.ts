/** What a least-squares solution says about itself. */
export interface LeastSquares {
  /** Solution, [n]. */
  readonly x: Float64Array;
  readonly rank: number;
  /** True for every unknown that the equations determine, [n]. */
  readonly determined: readonly boolean[];
}

/**
 * The x of least norm that minimises |A x − b|², A row-major [m, n]: QR with column pivoting by Householder
 * reflections, then a second QR of the rows of R where the rank is short
 * (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., §5.5.6; LAPACK xGELSY).
 * Directions whose pivot falls below `tolerance` times the largest count as undetermined.
 */
export function leastSquares(
  A: Float64Array,
  b: Float64Array,
  m: number,
  n: number,
  tolerance = 1e-10,
): LeastSquares {
  const columns = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: m }, (_, i) => A[i * n + j]),
  );
  const rhs = Float64Array.from(b);
  const order = columns.map((_, j) => j);
  const rank = triangularise(columns, order, rhs, m, tolerance);
  // R[k][j], upper trapezoidal, in pivoted order; its transpose triangularised gives the least-norm solution.
  const R = Array.from({ length: rank }, (_, k) => Float64Array.from(columns, (c) => c[k]));
  const pivoted = leastNorm(R, rhs, rank, n);
  const x = new Float64Array(n);
  order.forEach((j, k) => (x[j] = pivoted.x[k]));
  const determined: boolean[] = Array.from({ length: n });
  order.forEach((j, k) => (determined[j] = pivoted.determined[k]));
  return { x, rank, determined };
}

const dot = (a: Float64Array, b: Float64Array, from: number): number => {
  let sum = 0;
  for (let i = from; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** Householder vector that maps a[k…] onto its first component, in place of a[k…]; returns that component. */
function reflector(a: Float64Array, k: number): { v: Float64Array; alpha: number } {
  const v = a.slice().fill(0, 0, k);
  const norm = Math.sqrt(dot(v, v, k));
  const alpha = v[k] > 0 ? -norm : norm;
  v[k] -= alpha;
  return { v, alpha };
}

function reflect(v: Float64Array, y: Float64Array, k: number): void {
  const vv = dot(v, v, k);
  if (vv === 0) return;
  const factor = (2 * dot(v, y, k)) / vv;
  for (let i = k; i < y.length; i++) y[i] -= factor * v[i];
}

/** Pivoted QR in place: columns become those of R, rhs becomes Qᵀ rhs; returns the rank. */
function triangularise(
  columns: Float64Array[],
  order: number[],
  rhs: Float64Array,
  m: number,
  tolerance: number,
): number {
  let first = 0;
  for (let k = 0; k < Math.min(m, columns.length); k++) {
    const sizes = columns.map((c, j) => (j < k ? -1 : dot(c, c, k)));
    const best = sizes.indexOf(Math.max(...sizes));
    const pivot = Math.sqrt(sizes[best]);
    if (k === 0) first = pivot;
    if (pivot <= tolerance * first || pivot === 0) return k;
    [columns[k], columns[best]] = [columns[best], columns[k]];
    [order[k], order[best]] = [order[best], order[k]];
    const { v, alpha } = reflector(columns[k], k);
    for (let j = k + 1; j < columns.length; j++) reflect(v, columns[j], k);
    reflect(v, rhs, k);
    columns[k].fill(0, k + 1)[k] = alpha;
  }
  return Math.min(m, columns.length);
}

/** Least-norm solution of R x = rhs for R [rank, n] of full row rank, by QR of Rᵀ. */
function leastNorm(R: Float64Array[], rhs: Float64Array, rank: number, n: number) {
  const rows = R.map((row) => row.slice());
  const reflectors: Float64Array[] = [];
  for (let k = 0; k < rank; k++) {
    const { v, alpha } = reflector(rows[k], k);
    reflectors.push(v);
    for (let j = k + 1; j < rank; j++) reflect(v, rows[j], k);
    rows[k].fill(0, k + 1)[k] = alpha;
  }
  // R = Lᵀ-like: row k of R is Σ_l rows[k][l] q_l with l ≤ k, so forward substitution gives the components.
  const x = new Float64Array(n);
  for (let k = 0; k < rank; k++) {
    let sum = rhs[k];
    for (let l = 0; l < k; l++) sum -= rows[k][l] * x[l];
    x[k] = sum / rows[k][k];
  }
  const expand = (y: Float64Array) => {
    for (let k = rank - 1; k >= 0; k--) reflect(reflectors[k], y, k);
    return y;
  };
  // An unknown is determined when its unit vector lies in the row space: nothing of it in the null space.
  const determined = Array.from({ length: n }, (_, j) => {
    const unit = new Float64Array(n);
    unit[j] = 1;
    for (let k = 0; k < rank; k++) reflect(reflectors[k], unit, k);
    return dot(unit, unit, rank) < 1e-16 * n;
  });
  return { x: expand(x), determined };
}
