import { symmetricEigen } from "./symmetric-eigen.ts";

/** Row-major matrix [count, width]. */
export interface Matrix {
  readonly count: number;
  readonly width: number;
  readonly rows: Float64Array;
}

/** Singular values below this part of the largest are noise of the Gram matrix. */
const NOISE = 1e-6;

/** How many singular vectors are wanted: so many, or as many as hold a share of Σσ² but at most `most`. */
export interface Rank {
  readonly rank?: number;
  readonly share: number;
  readonly most: number;
}

/**
 * Leading left singular vectors U [count, k] of X = U Σ Vᵀ, from the eigenvectors of the smaller of XᵀX and XXᵀ:
 * memory of min(count, width)² numbers. k = 0 for a matrix of zeros.
 */
export function leftVectors(X: Matrix, { rank, share, most }: Rank): Matrix {
  const { count, width, rows } = X;
  const tall = width <= count;
  const n = tall ? width : count;
  const { values, vectors } = symmetricEigen(tall ? gramOfColumns(X) : gramOfRows(X), n);
  const real = values.findIndex((x) => !(x > NOISE ** 2 * values[0]));
  const limit = Math.min(rank ?? most, real < 0 ? n : real);
  const k = rank === undefined ? sharing(values, share, limit) : limit;
  const U = new Float64Array(count * k);
  for (let t = 0; t < k; t++) {
    const v = vectors.subarray(t * n, (t + 1) * n);
    const sigma = Math.sqrt(values[t]);
    for (let i = 0; i < count; i++) {
      let sum = tall ? 0 : v[i];
      if (tall) for (let j = 0; j < width; j++) sum += rows[i * width + j] * v[j];
      U[i * k + t] = tall ? sum / sigma : sum;
    }
  }
  return { count, width: k, rows: U };
}

/** The smallest number of leading values, at most `limit`, that hold a share of the sum. */
function sharing(values: Float64Array, share: number, limit: number): number {
  const total = values.reduce((sum, x) => sum + Math.max(0, x), 0);
  let [k, held] = [0, 0];
  while (k < limit && held < share * total) held += values[k++];
  return k;
}

function gramOfColumns({ count, width, rows }: Matrix): Float64Array {
  const G = new Float64Array(width * width);
  for (let i = 0; i < count; i++) {
    const x = rows.subarray(i * width, (i + 1) * width);
    for (let a = 0; a < width; a++) {
      if (x[a] === 0) continue;
      for (let b = 0; b <= a; b++) G[a * width + b] += x[a] * x[b];
    }
  }
  return mirror(G, width);
}

function gramOfRows({ count, width, rows }: Matrix): Float64Array {
  const G = new Float64Array(count * count);
  for (let a = 0; a < count; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += rows[a * width + j] * rows[b * width + j];
      G[a * count + b] = sum;
    }
  return mirror(G, count);
}

function mirror(G: Float64Array, n: number): Float64Array {
  for (let a = 0; a < n; a++) for (let b = 0; b < a; b++) G[b * n + a] = G[a * n + b];
  return G;
}
