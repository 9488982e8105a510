import type { Device } from "../../device/device.ts";
import type { GemmExports } from "../../device/gemm-kernels.ts";
import { Room } from "../density/room.ts";
import { tiles } from "./expansion.ts";
import { FEATURE, featureMoves, type FeatureMoves } from "./products.ts";
import type { Mix, Spectrum } from "./spectrum.ts";

const PANEL = 32;

/** A combination of channels ready to run. */
export interface Mixed {
  readonly count: number;
  /** Byte addresses of the weights [channels, count] and of their transpose; 0: the channels as they are. */
  readonly weights: number;
  readonly transposed: number;
  /** A′, its tangent or derivatives by it. */
  readonly values: Room;
  readonly others: Room;
}

/**
 * Features of A [lm, N]: for every l all products P_l = A′ᵀ B of two densities over the rows of l, then the features'
 * own among them.
 */
export class PowerSpectrum {
  readonly size: number;
  readonly first: Mixed;
  readonly second: Mixed;
  readonly spectrum: Spectrum;
  readonly #lmax: number;
  readonly #channels: number;
  readonly #device: Device;
  readonly #tiles: GemmExports;
  readonly #moves: FeatureMoves;
  readonly #records: number;
  /** Products of all pairs [l, i, j], and derivatives by them and, transposed, where the densities differ. */
  readonly #P: Room;
  readonly #T: Room;

  constructor(spectrum: Spectrum, channels: number, lmax: number, device: Device) {
    const { memory } = device;
    this.size = spectrum.factor.length;
    this.spectrum = spectrum;
    this.#lmax = lmax;
    this.#channels = channels;
    this.#device = device;
    this.#tiles = tiles(device);
    this.#moves = featureMoves(device);
    this.first = this.#mixed(spectrum.first);
    this.second = spectrum.second === spectrum.first ? this.first : this.#mixed(spectrum.second);
    [this.#P, this.#T] = [new Room(memory), new Room(memory)];
    this.#records = memory.alloc(FEATURE * this.size);
    const words = memory.i32(this.#records, (FEATURE / 4) * this.size);
    const factors = memory.f64(this.#records, (FEATURE / 8) * this.size);
    const [n, m] = [this.first.count, this.second.count];
    spectrum.factor.forEach((factor, t) => {
      const [i, j, l] = [spectrum.i[t], spectrum.j[t], spectrum.l[t]];
      words[4 * t] = 8 * ((l * n + i) * m + j);
      words[4 * t + 1] = 8 * ((l * m + j) * n + i);
      factors[2 * t + 1] = factor;
    });
  }

  #mixed({ count, weights }: Mix): Mixed {
    const { memory } = this.#device;
    const rooms = { values: new Room(memory), others: new Room(memory) };
    if (!weights) return { count, weights: 0, transposed: 0, ...rooms };
    const N = this.#channels;
    const [plain, turned] = [0, 1].map(() => memory.alloc(8 * weights.length + 32));
    memory.f64(plain, weights.length).set(weights);
    const T = memory.f64(turned, weights.length);
    for (let c = 0; c < N; c++) for (let i = 0; i < count; i++) T[i * N + c] = weights[c * count + i];
    return { count, weights: plain, transposed: turned, ...rooms };
  }

  /** Rows (l, m). */
  get #rows(): number {
    return (this.#lmax + 1) ** 2;
  }

  /** A′ = A·weights, [lm, count], in `room`; A itself where there are none. */
  #mix({ count, weights }: Mixed, room: Room, A: number): number {
    if (weights === 0) return A;
    const N = this.#channels;
    const out = room.at(this.#rows * count);
    this.#tiles.block(this.#rows, count, N, A, 8 * N, weights, PANEL, 8 * count, out, 8 * count, 0);
    return out;
  }

  /** A′ and B of A. */
  densities(A: number): readonly [first: number, second: number] {
    const one = this.#mix(this.first, this.first.values, A);
    return [one, this.second === this.first ? one : this.#mix(this.second, this.second.values, A)];
  }

  get #same(): boolean {
    return this.second === this.first;
  }

  /** P_l (+)= A_lᵀ B_l. */
  #multiply(A: number, B: number, add: 0 | 1): number {
    const [n, m] = [this.first.count, this.second.count];
    const P = this.#P.at((this.#lmax + 1) * n * m);
    for (let l = 0; l <= this.#lmax; l++)
      this.#tiles.blockTransposed(
        n,
        m,
        2 * l + 1,
        A + 8 * l * l * n,
        8 * n,
        B + 8 * l * l * m,
        PANEL,
        8 * m,
        P + 8 * l * n * m,
        8 * m,
        add,
      );
    return P;
  }

  #gather(P: number, G: number): void {
    this.#moves.gather(P, G, this.#records, this.#records + FEATURE * this.size);
  }

  /** Overwrites G [size]. */
  value(A: number, G: number): void {
    const [one, two] = this.densities(A);
    this.#gather(this.#multiply(one, two, 0), G);
  }

  /** Overwrites dG [size], the change of the features along dA. */
  tangent(A: number, dA: number, dG: number): void {
    const [one, two] = this.densities(A);
    const d1 = this.#mix(this.first, this.first.others, dA);
    const d2 = this.#same ? d1 : this.#mix(this.second, this.second.others, dA);
    this.#multiply(d1, two, 0);
    this.#gather(this.#multiply(one, d2, 1), dG);
  }

  /** Overwrites dA [lm, N] with the derivatives of Σ_t W_t G_t. */
  adjoint(A: number, W: number, dA: number): void {
    const [n, m] = [this.first.count, this.second.count];
    const size = (this.#lmax + 1) * n * m;
    const P = this.#P.at(size);
    const T = this.#same ? P : this.#T.at(size);
    this.#moves.clear(P, 8 * size);
    if (!this.#same) this.#moves.clear(T, 8 * size);
    this.#moves.scatter(P, T, W, this.#records, this.#records + FEATURE * this.size);
    const [one, two] = this.densities(A);
    this.#backward(this.first, two, m, T, dA, 0);
    if (!this.#same) this.#backward(this.second, one, n, P, dA, 1);
  }

  /** dA (+)= (X D) weightsᵀ, D [l, rows, count] being derivatives by products with X [lm, rows]. */
  #backward(mix: Mixed, X: number, rows: number, D: number, dA: number, add: 0 | 1): void {
    const { count, weights, transposed, others } = mix;
    const out = weights === 0 ? dA : others.at(this.#rows * count);
    for (let l = 0; l <= this.#lmax; l++)
      this.#tiles.block(
        2 * l + 1,
        count,
        rows,
        X + 8 * l * l * rows,
        8 * rows,
        D + 8 * l * rows * count,
        PANEL,
        8 * count,
        out + 8 * l * l * count,
        8 * count,
        weights === 0 ? add : 0,
      );
    const N = this.#channels;
    if (weights !== 0)
      this.#tiles.block(this.#rows, N, count, out, 8 * count, transposed, PANEL, 8 * N, dA, 8 * N, add);
  }
}
