import type { Task } from "../../device/pool.ts";
import { KernelFunction, type KernelOptions } from "../../kernels/function.ts";
import { rowAt, type Triangle } from "../../math/triangle.ts";
import { slopeRows, valueRow } from "./covariance.ts";
import { EvidenceSlopes } from "./evidence-slopes.ts";
import { Forms } from "./forms.ts";
import { Pairs, type Query } from "./pairs.ts";
import { observationsOf, type PointsAddress } from "./points.ts";

/** What every thread is sent once. */
export interface CovarianceSpec {
  readonly kernel: KernelOptions;
  readonly points: PointsAddress;
  /** Byte addresses: values of all hyper-parameters [H]; K and A, lower triangles packed, [n, n]; slopes [chunks, H]. */
  readonly theta: number;
  readonly matrix: number;
  readonly weights: number;
  readonly slopes: number;
  /** Variances added on the diagonal: of energies, of gradients, [2]. */
  readonly noise: number;
  /** One word: what to do, see `WORK`. */
  readonly control: number;
}

export const WORK = { covariance: 0, slopes: 1 } as const;

/** Energies of one chunk; each point with slopes is a chunk of its own. */
const ENERGIES = 16;

export const chunksOf = ({ energies, gradients }: PointsAddress): number =>
  Math.ceil(energies.length / ENERGIES) + gradients.length;

/** The pool task `gaussian-process.covariance`: rows of the covariance, or their part in the slopes of the evidence. */
export const covarianceTask: Task = ({ device }, given) => {
  const { kernel, points, theta, matrix, weights, slopes, noise, control } = given as CovarianceSpec;
  const { memory } = device;
  const fn = new KernelFunction(kernel, points.features);
  const H = fn.hyperparameters.length;
  const { features: D, coordinates: M, energies, gradients, scaled } = points;
  const E = energies.length;
  const n = observationsOf(points);
  const pairs = new Pairs(device, points, new Forms(device, fn, 2, false));
  const packed = (address: number): Triangle => ({ address, n, stride: 0 });
  const [K, A] = [packed(matrix), packed(weights)];
  /** Rows of one point with slopes. */
  let rows: Float64Array | undefined;
  let evidence: { pairs: Pairs; slopes: EvidenceSlopes } | undefined;
  const evidenceOf = () => {
    if (!evidence) {
      const own = new Pairs(device, points, new Forms(device, fn, 3, true));
      evidence = { pairs: own, slopes: new EvidenceSlopes(device, own) };
    }
    return evidence;
  };
  const queryOf = (point: number, g: number | null): Query => ({
    z: scaled.map(({ z }) => z + 8 * point * D),
    slopes: g === null ? null : scaled.map((s) => s.slopes + 8 * g * M * D),
    self: point,
  });
  const blocks = Math.ceil(E / ENERGIES);

  const fill = (chunk: number) => {
    pairs.forms.set(memory.f64(theta, H));
    const [forEnergy, forGradient] = memory.f64(noise, 2);
    if (chunk < blocks)
      for (let e = chunk * ENERGIES; e < Math.min(E, (chunk + 1) * ENERGIES); e++) {
        const row = memory.f64(rowAt(K, e), e + 1);
        valueRow(pairs, queryOf(energies[e], null), { energies: e + 1, gradients: 0 }, row, E);
        row[e] += forEnergy;
      }
    else {
      const g = gradients.length - 1 - (chunk - blocks);
      const first = E + g * M;
      rows ??= new Float64Array(M * n);
      slopeRows(pairs, queryOf(gradients[g], g), { energies: E, gradients: g + 1 }, rows, n, E);
      for (let b = 0; b < M; b++) {
        const row = memory.f64(rowAt(K, first + b), first + b + 1);
        row.set(rows.subarray(b * n, b * n + first + b + 1));
        row[first + b] += forGradient;
      }
    }
  };

  /** A of the rows from `row` on, rows × n: twice what lies left of the diagonal (block), once the diagonal's. */
  const weighted = (row: number, count: number, once: number): Float64Array => {
    const out = new Float64Array(count * n);
    for (let b = 0; b < count; b++) {
      const own = memory.f64(rowAt(A, row + b), once + b + 1);
      for (let c = 0; c < once; c++) out[b * n + c] = 2 * own[c];
      for (let c = 0; c <= b; c++) out[b * n + once + c] = out[c * n + once + b] = own[once + c];
    }
    return out;
  };

  const slope = (chunk: number) => {
    const { pairs: own, slopes: sums } = evidenceOf();
    own.forms.set(memory.f64(theta, H));
    const out = memory.f64(slopes + 8 * chunk * H, H).fill(0);
    if (chunk < blocks)
      for (let e = chunk * ENERGIES; e < Math.min(E, (chunk + 1) * ENERGIES); e++)
        sums.addValue(queryOf(energies[e], null), weighted(e, 1, e), { energies: e + 1, gradients: 0 }, out);
    else {
      const g = gradients.length - 1 - (chunk - blocks);
      const first = E + g * M;
      const columns = { energies: E, gradients: g + 1 };
      sums.addSlopes(queryOf(gradients[g], g), weighted(first, M, first), n, E, columns, out);
    }
  };

  return (chunk) => {
    if (memory.i32(control, 1)[0] === WORK.covariance) fill(chunk);
    else slope(chunk);
  };
};
