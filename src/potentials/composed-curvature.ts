import type { Descriptor, Features } from "../descriptors/descriptor.ts";
import { EnvironmentsBuilder } from "../descriptors/environments.ts";
import type { Environments } from "../descriptors/environments.ts";
import type { Device } from "../device/device.ts";
import type { Regressor } from "../regressors/regressor.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { FeatureBuffer } from "./feature-buffer.ts";

/** A descriptor or regressor that has its second derivatives. */
type Curved<T extends { curvature?: unknown }> = T & Required<Pick<T, "curvature">>;

/** Whether second derivatives are to be had. */
export const isCurved = <T extends { curvature?: unknown }>(of: T): of is Curved<T> =>
  of.curvature !== undefined;

/**
 * Force constants of E = Σ_c E(G_c) by the chain rule: of every centre ∂²E_c/∂r∂r = Jᵀ (∂²E/∂G²) J + Σ_t ∂E/∂G_t ∂²G_t/∂r²
 * with J = ∂G/∂r over the vectors r to its neighbours, then from vectors to the atoms at their ends.
 */
export class ComposedCurvature {
  readonly #descriptor: Curved<Descriptor>;
  readonly #regressor: Curved<Regressor>;
  readonly #device: Device;
  readonly #builder: EnvironmentsBuilder;
  readonly #G: FeatureBuffer;
  readonly #dEdG: FeatureBuffer;
  /** Of one centre: its features once for each direction, directions, and what becomes of them. */
  readonly #rows: FeatureBuffer;
  readonly #tangents: FeatureBuffer;
  readonly #products: FeatureBuffer;
  #square = { address: 0, length: 0 };

  constructor(descriptor: Curved<Descriptor>, regressor: Curved<Regressor>, device: Device) {
    this.#descriptor = descriptor;
    this.#regressor = regressor;
    this.#device = device;
    this.#builder = new EnvironmentsBuilder(descriptor.elements, descriptor.cutoff);
    const sizes = descriptor.elements.map((_, e) => descriptor.size(e));
    const buffer = () => new FeatureBuffer(device.memory, sizes);
    [this.#G, this.#dEdG] = [buffer(), buffer()];
    [this.#rows, this.#tangents, this.#products] = [buffer(), buffer(), buffer()];
  }

  /** ADDS to H [3n, 3n]. */
  add(structure: Structure, neighbours: Neighbours, H: Float64Array): void {
    const env = this.#builder.build([{ structure, neighbours }]);
    const G = this.#G.reserve(env.starts);
    this.#descriptor.forward(env, G);
    const dEdG = this.#dEdG.reserve(env.starts);
    this.#regressor.pullback(G, new Float64Array(env.count), dEdG);
    for (let e = 0; e < env.elements.length; e++)
      for (let c = env.starts[e]; c < env.starts[e + 1]; c++) {
        const block = this.#square3(env, e, c, G);
        if (!block) continue;
        this.#descriptor.curvature(env, c, dEdG, block);
        spread(env, c, block, H);
      }
  }

  /** Jᵀ (∂²E/∂G²) J of centre c, [3p, 3p]; null for one without neighbours. */
  #square3(env: Environments, e: number, c: number, G: Features): Float64Array | null {
    const S = env.elements.length;
    const width = 3 * (env.offsets[(c + 1) * S] - env.offsets[c * S]);
    if (width === 0) return null;
    const size = this.#descriptor.size(e);
    const starts = Int32Array.from({ length: S + 1 }, (_, k) => (k > e ? width : 0));
    const [rows, tangents, products] = [this.#rows, this.#tangents, this.#products].map((b) =>
      b.reserve(starts),
    );
    const J = new Float64Array(size * width);
    this.#descriptor.jacobian(env, c, J);
    const at = size * (c - env.starts[e]);
    const own = G.matrices[e].subarray(at, at + size);
    for (let k = 0; k < width; k++) {
      rows.matrices[e].set(own, k * size);
      for (let t = 0; t < size; t++) tangents.matrices[e][k * size + t] = J[t * width + k];
    }
    this.#regressor.curvature(rows, tangents, products);
    const address = this.#reserve(width * width);
    const { gemm, memory } = this.#device;
    const [a, b] = [products.pointers[e], tangents.pointers[e]];
    gemm.f64(width, width, size, a, size, b, size, address, width, { transB: true });
    return memory.f64(address, width * width);
  }

  #reserve(length: number): number {
    if (this.#square.length < length)
      this.#square = { address: this.#device.memory.alloc(8 * length), length };
    return this.#square.address;
  }
}

/** ADDS a block over vectors r_ij = x_j − x_i to the atoms: the centre takes the opposite of every vector. */
function spread(env: Environments, c: number, block: Float64Array, H: Float64Array): void {
  const S = env.elements.length;
  const begin = env.offsets[c * S];
  const pairs = env.offsets[(c + 1) * S] - begin;
  const [width, size, i] = [3 * pairs, Math.sqrt(H.length), env.centre[c]];
  for (let p = 0; p < pairs; p++)
    for (let q = 0; q < pairs; q++) {
      const [j, k] = [env.neighbour[begin + p], env.neighbour[begin + q]];
      for (let x = 0; x < 3; x++)
        for (let y = 0; y < 3; y++) {
          const h = block[(3 * p + x) * width + 3 * q + y];
          H[(3 * j + x) * size + 3 * k + y] += h;
          H[(3 * i + x) * size + 3 * k + y] -= h;
          H[(3 * j + x) * size + 3 * i + y] -= h;
          H[(3 * i + x) * size + 3 * i + y] += h;
        }
    }
}
