import type { Device } from "../../device/device.ts";
import { bidiagonalBytes, bidiagonalising } from "../../math/bidiagonal.ts";
import { RowQr } from "../../math/qr.ts";
import type { Layout } from "./layout.ts";
import type { Rates } from "./stages.ts";

/** Rows that are reduced, and columns that are made bidiagonal, to see how long it takes. */
const ROWS = 128;
const COLUMNS = 3;
/** Side of the matrices of a product. */
const PRODUCT = 192;
const REPEATS = 3;

/** Seconds of the fastest of some runs. */
function fastest(run: () => void): number {
  let best = Infinity;
  for (let k = 0; k < REPEATS; k++) {
    const began = performance.now();
    run();
    best = Math.min(best, performance.now() - began);
  }
  return best / 1000;
}

/** Numbers without a pattern that would make anything easier. */
const fill = (B: Float64Array): void => {
  for (let k = 0; k < B.length; k++) B[k] = ((k * 7919) % 104_729) / 104_729;
};

/** Bytes that the measurement takes. */
export function ratesBytes({ columns, blockRows }: Layout): number {
  const m = Math.min(blockRows, ROWS);
  return (
    RowQr.bytes(columns, m) + 8 * (columns * (columns + m) + 3 * PRODUCT ** 2) + bidiagonalBytes(columns)
  );
}

/** What one thread of this machine does in a second, at the size of the problem: some tenths of a second are spent. */
export function measureRates(
  device: Device,
  columns: number,
  blockRows: number,
  bidiagonal: boolean,
): Omit<Rates, "make"> {
  const { memory, gemm } = device;
  const m = Math.min(blockRows, ROWS);
  const qr = new RowQr(device, columns, m);
  const [r, b] = [memory.alloc(8 * columns * columns), memory.alloc(8 * m * columns)];
  const B = memory.f64(b, m * columns);
  const R = memory.f64(r, columns * columns);
  let reduce = Infinity;
  for (let k = 0; k < REPEATS; k++) {
    fill(B);
    reduce = Math.min(
      reduce,
      secondsOf(() => qr.append(r, b, m)),
    );
  }
  const n = PRODUCT;
  const [x, y, z] = [0, 1, 2].map(() => memory.alloc(8 * n * n));
  const product = fastest(() => gemm.f64(n, n, n, x, n, y, n, z, n)) / (2 * n ** 3);
  let sum = 0;
  const read = fastest(() => {
    for (let k = 0; k < R.length; k++) sum += R[k] * R[k];
  });
  if (Number.isNaN(sum)) throw new TypeError("numbers that are none (this is a bug)");
  return {
    reduce: reduce / m,
    product,
    read: read / R.length,
    bidiagonal: bidiagonal ? bidiagonalSeconds(device, r, columns, product) : 0,
  };
}

function secondsOf(run: () => void): number {
  const began = performance.now();
  run();
  return (performance.now() - began) / 1000;
}

/**
 * Seconds in which a matrix [n, n] at address `at` is made bidiagonal, from its first columns: column k takes (n − k)²
 * operations, and as many as all columns take go into products.
 */
function bidiagonalSeconds(device: Device, at: number, n: number, product: number): number {
  const { memory } = device;
  fill(memory.f64(at, n * n));
  const room = memory.alloc(bidiagonalBytes(n));
  const work = bidiagonalising(device, { at, stride: n, n, room }, new Float64Array(n));
  work.next();
  const columns = Math.min(COLUMNS, n);
  const perColumn = secondsOf(() => {
    for (let k = 0; k < columns; k++) work.next();
  });
  return ((perColumn / columns) * n) / 3 + (4 / 3) * n ** 3 * product;
}
