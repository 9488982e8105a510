import type { Device } from "../device/device.ts";
import { RowQr } from "../math/qr.ts";
import { singular } from "../math/singular.ts";
import { solveUpper } from "../math/triangular.ts";
import { featureScale } from "../regressors/neural-network/scaling.ts";
import type { FeatureStatistics } from "../regressors/regressor.ts";
import { maximalVolume } from "./selection/maxvol.ts";

/** Numbers of the matrix among whose rows the active set is chosen; every so many rows of larger ones. */
const NUMBERS = 2 ** 20;
/** Directions along which the data spread less than this part of the most are left out: noise decides there. */
const FAINT = 1e-5;
const BLOCK = 256;

/** R of rows [count, width] that `row` writes. */
function triangle(
  count: number,
  width: number,
  row: (k: number, to: Float64Array) => void,
  device: Device,
): Float64Array {
  const { memory } = device;
  const qr = new RowQr(device, width, BLOCK);
  const [r, b] = [memory.alloc(8 * width * width), memory.alloc(8 * BLOCK * width)];
  for (let k = 0; k < count; k += BLOCK) {
    const m = Math.min(BLOCK, count - k);
    for (let i = 0; i < m; i++) row(k + i, memory.f64(b + 8 * i * width, width));
    qr.append(r, b, m);
  }
  return memory.f64(r, width * width).slice();
}

/** X with A X = T for square A [n, n] and T [n, n]: returns X, row-major. */
function divide(A: Float64Array, T: Float64Array, n: number, device: Device): Float64Array {
  const R = triangle(
    n,
    2 * n,
    (k, to) => {
      to.set(A.subarray(k * n, (k + 1) * n));
      to.set(T.subarray(k * n, (k + 1) * n), n);
    },
    device,
  );
  const X = new Float64Array(n * n);
  const column = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) column[i] = R[i * 2 * n + n + j];
    solveUpper(R, 2 * n, n, column);
    for (let i = 0; i < n; i++) X[i * n + j] = column[i];
  }
  return X;
}

/**
 * The map from (1, G − mean) to coefficients in the training environments of greatest volume, [size + 1, rank + 1]
 * row-major (S. A. Goreinov et al., 10.1142/9789812836021_0015): features `rows` [count, size] are scaled and reduced
 * to the directions in which they spread, and a constant stands beside them.
 */
export function activeMap(rows: Float64Array, statistics: FeatureStatistics, device: Device): Float64Array {
  const { mean } = statistics;
  const size = mean.length;
  const scale = featureScale(statistics);
  const every = Math.max(1, Math.ceil(rows.length / NUMBERS));
  const count = size === 0 ? 0 : Math.ceil(rows.length / size / every);
  const scaled = (k: number, to: Float64Array) => {
    for (let t = 0, at = k * every * size; t < size; t++) to[t] = (rows[at++] - mean[t]) * scale[t];
  };
  const R = triangle(count, size, scaled, device);
  const { values, vectors } = singular(device, R, new Float64Array(size), size, true);
  const rank = Math.min(count - 1, values.filter((s) => s > FAINT * values[0]).length);
  // Columns of unit variance: the volume asks no direction for more than another.
  const width = rank + 1;
  const direction = (t: number, j: number) => (vectors![j * size + t] * Math.sqrt(count)) / values[j];
  const z = new Float64Array(size);
  const all = new Float64Array(count * width);
  for (let k = 0; k < count; k++) {
    scaled(k, z);
    all[k * width] = 1;
    for (let j = 0; j < rank; j++) {
      let sum = 0;
      for (let t = 0; t < size; t++) sum += z[t] * direction(t, j);
      all[k * width + 1 + j] = sum;
    }
  }
  const chosen = maximalVolume({ count, width, rows: all.slice() });
  const active = new Float64Array(width * width);
  chosen.forEach((k, j) => active.set(all.subarray(k * width, (k + 1) * width), j * width));
  const identity = new Float64Array(width * width).map((_, k) => (k % (width + 1) === 0 ? 1 : 0));
  const inverse = divide(active, identity, width, device);
  const map = new Float64Array((size + 1) * width);
  map.set(inverse.subarray(0, width));
  for (let t = 0; t < size; t++)
    for (let i = 0; i < rank; i++) {
      const d = scale[t] * direction(t, i);
      for (let j = 0; j < width; j++) map[(t + 1) * width + j] += d * inverse[(i + 1) * width + j];
    }
  return map;
}
