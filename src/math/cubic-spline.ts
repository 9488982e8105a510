import { invalid } from "../error.ts";

/**
 * The cubic spline through points (x_k, y_k) with given slopes at both ends: twice continuously differentiable, error
 * 5/384 h⁴ max|y⁗| (C. A. Hall, DOI 10.1016/0021-9045(68)90025-7).
 */
export class CubicSpline {
  /** Ends of the interval. */
  readonly first: number;
  readonly last: number;
  /** What the last `evaluate` found. */
  value = 0;
  slope = 0;
  /** y″, continuous, straight between the points. */
  bend = 0;
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  /** y″ at the points. */
  readonly #curvature: Float64Array;

  constructor(x: Float64Array, y: Float64Array, firstSlope: number, lastSlope: number) {
    const n = x.length;
    if (n < 2 || y.length !== n) throw invalid("spline", "two or more points", `${n} and ${y.length}`);
    const bad = x.findIndex((value, k) => k > 0 && !(value > x[k - 1]));
    if (bad >= 0) throw invalid("spline", "ascending distances", `${x[bad - 1]}, ${x[bad]}`);
    [this.first, this.last] = [x[0], x[n - 1]];
    [this.#x, this.#y] = [x, y];
    this.#curvature = curvatures(x, y, firstSlope, lastSlope);
  }

  /** Sets `value`, `slope` and `bend` at x, which lies in the interval. */
  evaluate(x: number): void {
    const [X, Y, M] = [this.#x, this.#y, this.#curvature];
    let [low, high] = [0, X.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (X[middle] > x) high = middle;
      else low = middle;
    }
    const h = X[high] - X[low];
    const [a, b] = [(X[high] - x) / h, (x - X[low]) / h];
    this.value =
      a * Y[low] + b * Y[high] + (((a * a - 1) * a * M[low] + (b * b - 1) * b * M[high]) * h * h) / 6;
    this.slope = (Y[high] - Y[low]) / h + (((3 * b * b - 1) * M[high] - (3 * a * a - 1) * M[low]) * h) / 6;
    this.bend = a * M[low] + b * M[high];
  }
}

/** Solves the tridiagonal equations of continuous slopes for y″. */
function curvatures(x: Float64Array, y: Float64Array, first: number, last: number): Float64Array {
  const n = x.length;
  const [M, c] = [new Float64Array(n), new Float64Array(n)];
  const secant = (k: number) => (y[k + 1] - y[k]) / (x[k + 1] - x[k]);
  c[0] = 0.5;
  M[0] = (3 * (secant(0) - first)) / (x[1] - x[0]);
  for (let k = 1; k < n - 1; k++) {
    const [h, H] = [x[k] - x[k - 1], x[k + 1] - x[k - 1]];
    const pivot = 2 - (h / H) * c[k - 1];
    c[k] = (1 - h / H) / pivot;
    M[k] = ((6 * (secant(k) - secant(k - 1))) / H - (h / H) * M[k - 1]) / pivot;
  }
  const right = (6 * (last - secant(n - 2))) / (x[n - 1] - x[n - 2]);
  M[n - 1] = (right - M[n - 2]) / (2 - c[n - 2]);
  for (let k = n - 2; k >= 0; k--) M[k] -= c[k] * M[k + 1];
  return M;
}
