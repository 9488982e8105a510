import type { Descriptor } from "../descriptors/descriptor.ts";
import { EnvironmentsBuilder, type Environments } from "../descriptors/environments.ts";
import type { Device } from "../device/device.ts";
import type { LinearBasis } from "../regressors/regressor.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { FeatureBuffer } from "./feature-buffer.ts";
import type { Design } from "./potential.ts";

/** Rows of a design matrix from the Jacobian of the descriptor and the basis of the regressor, one centre at a time. */
export class ComposedDesign implements Design {
  readonly #descriptor: Descriptor;
  readonly #basis: LinearBasis;
  readonly #builder: EnvironmentsBuilder;
  readonly #G: FeatureBuffer;
  /** ∂G_t/∂r_ij of one centre, [size, pairs, 3]. */
  #jacobian = new Float64Array(0);
  /** Derivatives of the features of one centre: by minus the positions of the atoms near it, then by the strain. */
  #slopes = new Float64Array(0);
  /** Which of `#near` an atom is, −1 where it is far. */
  #slots = new Int32Array(0);
  #near = new Int32Array(0);

  constructor(descriptor: Descriptor, basis: LinearBasis, device: Device) {
    this.#descriptor = descriptor;
    this.#basis = basis;
    this.#builder = new EnvironmentsBuilder(descriptor.elements, descriptor.cutoff);
    const sizes = descriptor.elements.map((_, e) => descriptor.size(e));
    this.#G = new FeatureBuffer(device.memory, sizes);
  }

  fill(structure: Structure, rows: Float64Array, stride: number): void {
    const n = structure.numbers.length;
    const neighbours = findNeighbours(structure, this.#descriptor.cutoff);
    const env = this.#builder.build([{ structure, neighbours }]);
    const G = this.#G.reserve(env.starts);
    this.#descriptor.forward(env, G);
    rows.fill(0, 0, (1 + 3 * n + 6) * stride);
    const row = Array.from({ length: 1 + 3 * n + 6 }, (_, r) => rows.subarray(r * stride, (r + 1) * stride));
    if (this.#slots.length < n) this.#slots = new Int32Array(n).fill(-1);
    if (this.#near.length < n) this.#near = new Int32Array(n);
    G.matrices.forEach((matrix, e) => {
      const K = this.#descriptor.size(e);
      for (let k = 0; k < G.counts[e]; k++)
        this.#centre(env, env.starts[e] + k, e, matrix.subarray(k * K, (k + 1) * K), row);
    });
  }

  energy(structure: Structure, row: Float64Array): void {
    const neighbours = findNeighbours(structure, this.#descriptor.cutoff);
    const env = this.#builder.build([{ structure, neighbours }]);
    const G = this.#G.reserve(env.starts);
    this.#descriptor.forward(env, G);
    row.fill(0);
    G.matrices.forEach((matrix, e) => {
      const K = this.#descriptor.size(e);
      for (let k = 0; k < G.counts[e]; k++)
        this.#basis.addValues(e, matrix.subarray(k * K, (k + 1) * K), row);
    });
  }

  /** What centre c adds to all rows. */
  #centre(env: Environments, c: number, e: number, G: Float64Array, row: readonly Float64Array[]): void {
    const K = G.length;
    const near = this.#contract(env, c, K);
    const slope = (s: number) => this.#slopes.subarray(s * K, (s + 1) * K);
    this.#basis.addValues(e, G, row[0]);
    /** Row of direction k: x, y, z of the atoms near, then the strain. */
    const rowOf = (k: number) =>
      row[k < 3 * near ? 1 + 3 * this.#near[Math.floor(k / 3)] + (k % 3) : 1 + 3 * (env.atoms - near) + k];
    const m = 3 * near + 6;
    if (this.#basis.slopeRows) {
      const slopes = this.#basis.slopeRows(e, G, this.#slopes, m);
      const first = this.#basis.starts[e];
      const width = this.#basis.starts[e + 1] - first;
      for (let k = 0, at = 0; k < m; k++) {
        const to = rowOf(k);
        for (let t = first; t < first + width; t++, at++) to[t] += slopes[at];
      }
    } else for (let k = 0; k < m; k++) this.#basis.addSlopes(e, G, slope(k), rowOf(k));
    for (let s = 0; s < near; s++) this.#slots[this.#near[s]] = -1;
  }

  /**
   * Sums the Jacobian of centre c over periodic images: F_i += g_ij, F_j −= g_ij and W −= r_ij ⊗ g_ij (see pairs.ts)
   * with ∂G_t/∂r_ij for g_ij. Returns how many atoms are near, the centre the first of them.
   */
  #contract(env: Environments, c: number, K: number): number {
    const S = env.elements.length;
    const [first, last] = [env.offsets[c * S], env.offsets[(c + 1) * S]];
    const pairs = last - first;
    if (this.#jacobian.length < 3 * pairs * K) this.#jacobian = new Float64Array(4 * pairs * K);
    const J = this.#jacobian.subarray(0, 3 * pairs * K);
    this.#descriptor.jacobian(env, c, J);
    const near = this.#list(env, c, first, last);
    if (this.#slopes.length < (3 * near + 6) * K) this.#slopes = new Float64Array((4 * near + 6) * K);
    const D = this.#slopes.fill(0, 0, (3 * near + 6) * K);
    const W = 3 * near * K;
    const { neighbour, vectors } = env;
    for (let p = 0; p < pairs; p++) {
      const v = 3 * (first + p);
      const [x, y, z] = [vectors[v], vectors[v + 1], vectors[v + 2]];
      const to = 3 * K * this.#slots[neighbour[first + p]];
      for (let t = 0, at = 3 * p; t < K; t++, at += 3 * pairs) {
        const [gx, gy, gz] = [J[at], J[at + 1], J[at + 2]];
        D[t] += gx;
        D[K + t] += gy;
        D[2 * K + t] += gz;
        D[to + t] -= gx;
        D[to + K + t] -= gy;
        D[to + 2 * K + t] -= gz;
        D[W + t] -= x * gx;
        D[W + K + t] -= y * gy;
        D[W + 2 * K + t] -= z * gz;
        D[W + 3 * K + t] -= (y * gz + z * gy) / 2;
        D[W + 4 * K + t] -= (x * gz + z * gx) / 2;
        D[W + 5 * K + t] -= (x * gy + y * gx) / 2;
      }
    }
    return near;
  }

  #list({ centre, neighbour }: Environments, c: number, first: number, last: number): number {
    let near = 0;
    const see = (atom: number) => {
      if (this.#slots[atom] >= 0) return;
      this.#slots[atom] = near;
      this.#near[near++] = atom;
    };
    see(centre[c]);
    for (let p = first; p < last; p++) see(neighbour[p]);
    return near;
  }
}
