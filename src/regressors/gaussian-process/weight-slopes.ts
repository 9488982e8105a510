import type { MolecularDescriptor } from "../../descriptors/molecular/descriptor.ts";
import type { Device } from "../../device/device.ts";
import type { KernelFunction } from "../../kernels/function.ts";
import { slopeRows, valueRow } from "./covariance.ts";
import { Forms } from "./forms.ts";
import { denseSlopes } from "./molecules.ts";
import { Pairs } from "./pairs.ts";
import { observationsOf, reservePoints, scalePoints, type PointsAddress, type RawPoints } from "./points.ts";
import { QueryPoint } from "./query.ts";

/** Factors of what is predicted of one molecule. */
export interface MoleculeSeeds {
  readonly energy: number;
  /** [n, 3]; null where neither forces nor the virial count. */
  readonly forces: Float64Array | null;
  /** [9]. */
  readonly virial: Float64Array;
}

/** Derivatives of predictions by the weights α, β of a Gaussian process: covariances with what was observed. */
export class WeightSlopes {
  readonly #device: Device;
  readonly #kernel: KernelFunction;
  readonly #raw: RawPoints;
  readonly #mean: Float64Array;
  readonly #descriptor: MolecularDescriptor;
  readonly #points: PointsAddress;
  readonly #pairs: Pairs;
  readonly #query: QueryPoint;
  #theta: Float64Array | null = null;

  constructor(
    device: Device,
    kernel: KernelFunction,
    raw: RawPoints,
    mean: Float64Array,
    descriptor: MolecularDescriptor,
  ) {
    const M = descriptor.active.length;
    this.#device = device;
    this.#kernel = kernel;
    this.#raw = raw;
    this.#mean = mean;
    this.#descriptor = descriptor;
    this.#points = reservePoints(device.memory, raw, kernel);
    this.#pairs = new Pairs(device, this.#points, new Forms(device, kernel, 2, false), M);
    this.#query = new QueryPoint(device, kernel, descriptor.size, M);
  }

  /** Hyper-parameters have changed. */
  forget(): void {
    this.#theta = null;
  }

  /** Makes ready for hyper-parameters, unless it is. */
  set(theta: Float64Array): void {
    if (this.#theta) return;
    const { memory, gemm } = this.#device;
    this.#pairs.forms.set(theta);
    scalePoints(memory, gemm.f64, this.#kernel, this.#raw, this.#points, theta, this.#mean);
    this.#theta = theta;
  }

  /** ADDS Σ seeds·∂(energy, forces, virial)/∂(α, β) of a molecule to gradient [observations]; after `set`. */
  add(positions: Float64Array, seeds: MoleculeSeeds, gradient: Float64Array): void {
    const { active, size } = this.#descriptor;
    const M = active.length;
    const n = observationsOf(this.#points);
    const [E, G] = [this.#points.energies.length, this.#points.gradients.length];
    const columns = { energies: E, gradients: G };
    const slopes = new Float64Array(M * size);
    const { features } = denseSlopes(this.#descriptor, positions, slopes);
    const query = this.#query.set(features, slopes, this.#theta!, this.#mean);
    const row = new Float64Array(n);
    valueRow(this.#pairs, query, columns, row, E);
    for (let o = 0; o < n; o++) gradient[o] += seeds.energy * row[o];
    if (!seeds.forces) return;
    const rows = new Float64Array(M * n);
    slopeRows(this.#pairs, query, columns, rows, n, E);
    for (let b = 0; b < M; b++) {
      const c = active[b];
      const atom = c - (c % 3);
      // F = −g and W = −g ⊗ r.
      let seed = -seeds.forces[c];
      for (let v = 0; v < 3; v++) seed -= seeds.virial[3 * (c % 3) + v] * positions[atom + v];
      for (let o = 0; o < n; o++) gradient[o] += seed * rows[b * n + o];
    }
  }
}
