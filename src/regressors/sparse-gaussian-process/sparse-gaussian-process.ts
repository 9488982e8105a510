import type { Features } from "../../descriptors/descriptor.ts";
import type { Device } from "../../device/device.ts";
import { placeTensors, type TensorShape } from "../placement.ts";
import type { Choose, LinearBasis, Regressor, RegressorMethod, Surveyed } from "../regressor.ts";
import { EnvironmentKernel, ROWS } from "./environments.ts";
import { options, type SparseOptions } from "./options.ts";
import { priorOf } from "./prior.ts";

type Tensors = Readonly<Record<string, Float64Array>>;

/** Part k of the features of element e: its points where it has any, the covariance of its features where not. */
const nameOf = (e: number, k: number, what: "points" | "covariance"): string => `${e}.${k}.${what}`;
const partsOf = (e: number): string => `${e}.parts`;
const coefficientsOf = (e: number): string => `${e}.coefficients`;

/** Parameters of an element's parts, which are listed as (features, parameters, features, parameters, …). */
const countOf = (list: readonly number[]): number =>
  list.reduce((sum, value, k) => sum + (k % 2 === 0 ? 0 : value), 0);

/** One part of an element's features: what of the parameters belongs to it. */
interface Part {
  /** First feature, number of features. */
  readonly offset: number;
  readonly size: number;
  /** First parameter and number of them: one per point, or one per feature that is a kernel sum itself. */
  readonly first: number;
  readonly count: number;
  readonly kernel: EnvironmentKernel | null;
  /** Between the features of a part without a kernel, [size, size]. */
  readonly covariance: Float64Array | null;
}

/**
 * E_i = Σ_s α_s δ² k(x_i, x_s) over representative environments x_s, and Σ α_s G_s of features that are kernel sums
 * themselves: A. P. Bartók, G. Csányi, DOI 10.1002/qua.24927; V. L. Deringer et al., DOI 10.1021/acs.chemrev.1c00022.
 */
class SparseGaussianProcess implements Regressor {
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  readonly starts: readonly number[];
  readonly tensors: Tensors;
  readonly basis: LinearBasis;
  readonly #elements: readonly (readonly Part[])[];
  readonly #sizes: readonly number[];
  readonly #options: SparseOptions;
  readonly #device: Device;

  constructor(given: SparseOptions, sizes: readonly number[], tensors: Tensors, device: Device) {
    const lists = sizes.map((_, e) => Array.from(tensors[partsOf(e)] ?? []));
    const trainable = lists.map((list, e) => ({ name: coefficientsOf(e), length: countOf(list) }));
    const fixed = lists.flatMap((list, e) => [
      { name: partsOf(e), length: list.length },
      ...shapesOf(list, e, tensors),
    ]);
    const placed = placeTensors(trainable, fixed, tensors, device.memory);
    this.parameters = placed.parameters;
    this.tensors = placed.tensors;
    this.decays = new Uint8Array(this.parameters.length).fill(1);
    let end = 0;
    this.starts = [0, ...trainable.map(({ length }) => (end += length))];
    this.#options = given;
    this.#sizes = sizes;
    this.#device = device;
    this.#elements = lists.map((list, e) => this.#partsOf(list, e));
    this.basis = {
      starts: this.starts,
      addValues: (e, G, row) => this.#addValues(e, G, row),
      addSlopes: (e, G, dG, row) => {
        const slopes = this.#slopeRows(e, G, dG, 1);
        for (let k = 0; k < slopes.length; k++) row[this.starts[e] + k] += slopes[k];
      },
      slopeRows: (e, G, dG, count) => this.#slopeRows(e, G, dG, count),
    };
  }

  #partsOf(list: readonly number[], e: number): Part[] {
    let [offset, first] = [0, this.starts[e]];
    return Array.from({ length: list.length / 2 }, (_, k) => {
      const [size, count] = [list[2 * k], list[2 * k + 1]];
      const points = this.tensors[nameOf(e, k, "points")];
      const part = {
        offset,
        size,
        first,
        count,
        kernel: points ? new EnvironmentKernel(this.#options, points, size, this.#device) : null,
        covariance: points ? null : (this.tensors[nameOf(e, k, "covariance")] ?? null),
      };
      offset += size;
      first += count;
      return part;
    });
  }

  prior(): Float64Array {
    return priorOf(
      this.#elements.flat().map(({ kernel, covariance, count }) => ({
        covariance: kernel ? kernel.between() : covariance,
        count,
      })),
      this.#options.jitter,
      this.#device,
    );
  }

  forward(G: Features, energies: Float64Array): void {
    this.#evaluate(G, energies, null);
  }

  pullback(G: Features, energies: Float64Array, dEdG: Features): void {
    this.#evaluate(G, energies, dEdG);
  }

  #evaluate(G: Features, energies: Float64Array, dEdG: Features | null): void {
    let centre = 0;
    energies.fill(0);
    this.#elements.forEach((parts, e) => {
      const [n, K] = [G.counts[e], this.#sizes[e]];
      for (const part of parts) {
        const alpha = this.parameters.subarray(part.first, part.first + part.count);
        for (let c = 0; c < n; c += ROWS) {
          const rows = Math.min(ROWS, n - c);
          if (part.kernel)
            part.kernel.evaluate(
              alpha,
              G.matrices[e],
              dEdG?.matrices[e] ?? null,
              energies.subarray(centre + c, centre + c + rows),
              { first: c, n: rows, stride: K, offset: part.offset },
            );
          else
            for (let k = c; k < c + rows; k++) {
              const at = k * K + part.offset;
              for (let t = 0; t < part.size; t++) energies[centre + k] += alpha[t] * G.matrices[e][at + t];
              dEdG?.matrices[e].set(alpha, at);
            }
        }
      }
      centre += n;
    });
  }

  parameterGradient(G: Features, seeds: Float64Array, dG: Features | null, gradient: Float64Array): void {
    let centre = 0;
    this.#elements.forEach((parts, e) => {
      const [n, K] = [G.counts[e], this.#sizes[e]];
      for (const { kernel, offset, first, count } of parts)
        for (let c = 0; c < n; c += ROWS) {
          const rows = Math.min(ROWS, n - c);
          kernel?.load(G.matrices[e], c, rows, K, offset);
          const slopes = dG && kernel?.along(dG.matrices[e], c, rows, K, offset, (i) => i);
          for (let k = 0; k < rows; k++) {
            const seed = seeds[centre + c + k];
            const at = (c + k) * K + offset;
            const [G0, d0] = [G.matrices[e], dG?.matrices[e]];
            for (let t = 0; t < count; t++)
              gradient[first + t] += kernel
                ? seed * kernel.values[k * count + t] + (slopes ? slopes[k * count + t] : 0)
                : seed * G0[at + t] + (d0 ? d0[at + t] : 0);
          }
        }
      centre += n;
    });
  }

  #addValues(e: number, G: Float64Array, row: Float64Array): void {
    for (const { kernel, offset, first, count } of this.#elements[e]) {
      kernel?.load(G, 0, 1, G.length, offset);
      for (let t = 0; t < count; t++) row[first + t] += kernel ? kernel.values[t] : G[offset + t];
    }
  }

  #rows = new Float64Array(0);

  #slopeRows(e: number, G: Float64Array, dG: Float64Array, m: number): Float64Array {
    const width = this.starts[e + 1] - this.starts[e];
    if (this.#rows.length < m * width) this.#rows = new Float64Array(Math.ceil(1.5 * m * width));
    const out = this.#rows.subarray(0, m * width);
    const K = G.length;
    for (const { kernel, offset, first, count } of this.#elements[e]) {
      const column = first - this.starts[e];
      kernel?.load(G, 0, 1, K, offset);
      const slopes = kernel?.along(dG, 0, m, K, offset, () => 0);
      for (let i = 0; i < m; i++) {
        const from = slopes ? i * count : i * K + offset;
        out.set((slopes ?? dG).subarray(from, from + count), i * width + column);
      }
    }
    return out;
  }
}

/** Shapes of the arrays that belong to parts: what is there decides which kind a part is; one without has no prior. */
function shapesOf(list: readonly number[], e: number, tensors: Tensors): TensorShape[] {
  return Array.from({ length: list.length / 2 }, (_, k): TensorShape[] => {
    const [size, count] = [list[2 * k], list[2 * k + 1]];
    const [points, covariance] = [nameOf(e, k, "points"), nameOf(e, k, "covariance")];
    if (tensors[points]) return [{ name: points, length: size * count }];
    return tensors[covariance] ? [{ name: covariance, length: size * size }] : [];
  }).flat();
}

/** What count: auto makes: one point for so many environments, not fewer or more than … */
const EACH = 20;
const LEAST = 100;
const MOST = 500;

/** Representative points of parts that are no kernel sums, covariances of those that are, and coefficients of 0. */
function represent(
  { count, select, normalise }: SparseOptions,
  surveyed: readonly Surveyed[],
  choose: Choose,
): Record<string, Float64Array> {
  const tensors: Record<string, Float64Array> = {};
  surveyed.forEach(({ rows, count: n, parts }, e) => {
    const width = n > 0 ? rows.length / n : 0;
    const list: number[] = [];
    let offset = 0;
    parts.forEach(({ size, covariance }, k) => {
      if (covariance) {
        tensors[nameOf(e, k, "covariance")] = covariance;
        list.push(size, size);
      } else {
        const own = pointsOf(rows, n, width, offset, size, normalise);
        const wished = count === "auto" ? Math.min(MOST, Math.max(LEAST, Math.round(n / EACH))) : count;
        const chosen = choose(select, own, size, Math.min(wished, n));
        tensors[nameOf(e, k, "points")] = Float64Array.from(
          chosen.flatMap((i) => [...own.subarray(i * size, (i + 1) * size)]),
        );
        list.push(size, chosen.length);
      }
      offset += size;
    });
    tensors[partsOf(e)] = Float64Array.from(list);
    tensors[coefficientsOf(e)] = new Float64Array(countOf(list));
  });
  return tensors;
}

/** The features of one part of every row, each of length 1 where that is what the kernel sees. */
function pointsOf(
  rows: Float64Array,
  n: number,
  width: number,
  offset: number,
  size: number,
  normalise: boolean,
): Float64Array {
  const out = new Float64Array(n * size);
  for (let i = 0; i < n; i++) {
    const x = rows.subarray(i * width + offset, i * width + offset + size);
    const length = normalise ? Math.sqrt(x.reduce((sum, v) => sum + v * v, 0)) || 1 : 1;
    for (let t = 0; t < size; t++) out[i * size + t] = x[t] / length;
  }
  return out;
}

/** Every so many of the representative points, evenly; coefficients are 0. */
function thin(tensors: Tensors, count: number): Tensors {
  const out: Record<string, Float64Array> = { ...tensors };
  for (let e = 0; tensors[partsOf(e)]; e++) {
    const list = Array.from(tensors[partsOf(e)]);
    for (let k = 0; k < list.length / 2; k++) {
      const points = tensors[nameOf(e, k, "points")];
      const [size, n] = [list[2 * k], list[2 * k + 1]];
      if (!points || n <= count) continue;
      const kept = Array.from({ length: count }, (_, i) => Math.floor((i * n) / count));
      out[nameOf(e, k, "points")] = Float64Array.from(
        kept.flatMap((i) => [...points.subarray(i * size, (i + 1) * size)]),
      );
      list[2 * k + 1] = count;
    }
    out[partsOf(e)] = Float64Array.from(list);
    out[coefficientsOf(e)] = new Float64Array(countOf(list));
  }
  return out;
}

export const sparseGaussianProcess: RegressorMethod<SparseOptions> = {
  name: "sparse-gaussian-process",
  summary:
    "Gaussian process on representative environments, solved in closed form: GAP with SOAP, two- and three-body terms",
  options,
  linear: true,
  initialise: () => ({}),
  represent,
  thin,
  build: (given, sizes, tensors, device) => new SparseGaussianProcess(given, sizes, tensors, device),
};
