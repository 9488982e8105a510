import type { Device } from "../../device/device.ts";
import { Room } from "../density/room.ts";
import type { StructureDescriptor } from "../descriptor.ts";
import type { Environments } from "../environments.ts";
import { SpectrumRows } from "./rows.ts";
import type { SoapParts } from "./parts.ts";

/** What is averaged over the atoms: coefficients A before their products, or features. */
export type Averaging = "inner" | "outer";

/**
 * Features of a structure as a whole, of the same kind and number as those of an atom: inner, p of the mean
 * Ā = 1/n Σ_i A_i; outer, the mean 1/n Σ_i p_i (S. De et al., DOI 10.1039/C6CP00415F). Environments are those of all
 * atoms of one structure.
 */
export class SoapAverage implements StructureDescriptor {
  readonly size: number;
  readonly labels: readonly string[];
  /** Å. */
  readonly cutoff: number;
  readonly elements: readonly number[];
  readonly #parts: SoapParts;
  readonly #mode: Averaging;
  readonly #rows: SpectrumRows;
  /** A of one centre, the mean or derivatives by it, features or weights, ∂p/∂r_ij of one centre. */
  readonly #A: Room;
  readonly #mean: Room;
  readonly #dA: Room;
  readonly #G: Room;
  #slopes = new Float64Array(0);

  constructor(parts: SoapParts, mode: Averaging, device: Device) {
    this.size = parts.power.size;
    this.labels = parts.labels;
    this.cutoff = parts.shape.cutoff;
    this.elements = parts.shape.elements;
    this.#parts = parts;
    this.#mode = mode;
    this.#rows = new SpectrumRows(parts.expansion, parts.power, device);
    const room = () => new Room(device.memory);
    [this.#A, this.#mean, this.#dA, this.#G] = [room(), room(), room(), room()];
  }

  /** Visits every centre with the byte address of its A. */
  #each(env: Environments, visit: (c: number, A: number) => void): void {
    const A = this.#A.at(this.#parts.expansion.size);
    for (let e = 0; e < env.elements.length; e++)
      for (let c = env.starts[e]; c < env.starts[e + 1]; c++) {
        this.#parts.expansion.collect(env, c, e, A);
        visit(c, A);
      }
  }

  /** Byte address of Ā. */
  #meanOf(env: Environments): number {
    const { size } = this.#parts.expansion;
    const mean = this.#mean.at(size);
    this.#mean.values.fill(0, 0, size);
    this.#each(env, () => {
      for (let k = 0; k < size; k++) this.#mean.values[k] += this.#A.values[k] / env.count;
    });
    return mean;
  }

  /** Overwrites x [size]. */
  value(env: Environments, x: Float64Array): void {
    const { power } = this.#parts;
    const G = this.#G.at(this.size);
    x.fill(0);
    if (this.#mode === "inner") {
      power.value(this.#meanOf(env), G);
      x.set(this.#G.values.subarray(0, this.size));
      return;
    }
    this.#each(env, (_, A) => {
      power.value(A, G);
      for (let t = 0; t < this.size; t++) x[t] += this.#G.values[t] / env.count;
    });
  }

  /** ADDS Σ_t W_t ∂x_t/∂r_ij to gradient [pairs, 3]; W [size]. */
  pullback(env: Environments, W: Float64Array, gradient: Float64Array): void {
    const { power, expansion } = this.#parts;
    const inner = this.#mode === "inner";
    const G = this.#G.at(this.size);
    for (let t = 0; t < this.size; t++) this.#G.values[t] = W[t] / env.count;
    const dA = this.#dA.at(expansion.size);
    if (inner) power.adjoint(this.#meanOf(env), G, dA);
    this.#each(env, (c, A) => {
      if (!inner) power.adjoint(A, G, dA);
      expansion.pullback(env, c, dA, gradient);
    });
  }

  /** ∂x/∂r_ij one centre at a time: rows [size, pairs of centre c, 3], valid until the next centre. */
  jacobian(env: Environments, visit: (c: number, rows: Float64Array) => void): void {
    const mean = this.#mode === "inner" ? this.#meanOf(env) : null;
    const S = env.elements.length;
    this.#each(env, (c, A) => {
      const length = 3 * this.size * (env.offsets[(c + 1) * S] - env.offsets[c * S]);
      if (this.#slopes.length < length) this.#slopes = new Float64Array(Math.ceil(1.5 * length));
      const rows = this.#slopes.subarray(0, length);
      this.#rows.fill(env, c, mean ?? A, rows);
      for (let k = 0; k < length; k++) rows[k] /= env.count;
      visit(c, rows);
    });
  }
}
