import type { Device } from "../../device/device.ts";
import type { GemmExports } from "../../device/gemm-kernels.ts";
import { Room } from "../density/room.ts";
import type { Environments } from "../environments.ts";
import { tiles, type Expansion, type SourceSlopes } from "./expansion.ts";
import type { Mixed, PowerSpectrum } from "./power.ts";
import { RECORD, rowKernels, type RowKernels } from "./rows-kernel.ts";

const PANEL = 32;

/** Records of the features that depend on a source by both densities, by the first, by the second. */
interface Records {
  readonly both: readonly [first: number, last: number];
  readonly first: readonly [first: number, last: number];
  readonly second: readonly [first: number, last: number];
}

/** Radial functions of one density: byte addresses of values and slopes. */
type Radial = readonly [values: number, slopes: number];
/** One density times the derivatives of the harmonics: byte addresses, and bytes from one component to the next. */
type Contracted = readonly [directions: number, gradients: number, step: number];

/** ∂G/∂r_ij of one centre, [size, pairs, 3]: ∂A/∂r_ij is contracted with A before it is multiplied out. */
export class SpectrumRows {
  readonly #expansion: Expansion;
  readonly #power: PowerSpectrum;
  readonly #device: Device;
  readonly #tiles: GemmExports;
  readonly #kernels: RowKernels;
  readonly #rooms: readonly Room[];
  readonly #out: Room;
  #records: readonly Records[] | null = null;

  constructor(expansion: Expansion, power: PowerSpectrum, device: Device) {
    this.#expansion = expansion;
    this.#power = power;
    this.#device = device;
    this.#tiles = tiles(device);
    this.#kernels = rowKernels(device);
    this.#rooms = Array.from({ length: 8 }, () => new Room(device.memory));
    this.#out = new Room(device.memory);
  }

  /** Overwrites rows for centre c, whose A stand at a byte address. */
  fill(env: Environments, c: number, A: number, rows: Float64Array): void {
    const S = env.elements.length;
    const origin = env.offsets[c * S];
    const width = 3 * (env.offsets[(c + 1) * S] - origin);
    const size = width * this.#power.size;
    const { sources } = this.#expansion.shape;
    const out = this.#out.at(size);
    // With one element every number is written.
    if (S > 1) this.#out.values.fill(0, 0, size);
    const [one, two] = this.#power.densities(A);
    const records = (this.#records ??= sources.map((_, s) => this.#recordsOf(s)));
    sources.forEach(({ element }, s) => {
      const slopes = this.#expansion.slopes(env, c, s);
      if (!slopes) return;
      const column = 3 * (env.offsets[c * S + element] - origin);
      this.#fillSource(s, records[s], slopes, one, two, out + 8 * column, 8 * width);
    });
    rows.set(this.#out.values.subarray(0, size));
  }

  #fillSource(
    s: number,
    records: Records,
    slopes: SourceSlopes,
    one: number,
    two: number,
    out: number,
    width: number,
  ): void {
    const { first, second } = this.#power;
    const { stride, count } = slopes;
    const same = first === second;
    const R1 = this.#radial(first, s, slopes, 0);
    const R2 = same ? R1 : this.#radial(second, s, slopes, 2);
    const U1 = this.#contract(first, one, slopes, 4);
    const U2 = same ? U1 : this.#contract(second, two, slopes, 6);
    const shape = [out, width, count, stride] as const;
    this.#kernels.two(...shape, ...records.both, ...R1, ...U2, ...R2, ...U1);
    this.#kernels.one(...shape, ...records.first, ...R1, ...U2);
    this.#kernels.one(...shape, ...records.second, ...R2, ...U1);
  }

  /** Rows [l, i] of the radial functions of source s in density channels i. */
  #radial(mix: Mixed, s: number, { values, slopes, stride, lanes }: SourceSlopes, room: number): Radial {
    if (mix.weights === 0) return [values, slopes];
    const { nmax, lmax } = this.#expansion.shape;
    const N = this.#expansion.channels;
    const rows = mix.count * stride;
    const to = [room, room + 1].map((k) => this.#rooms[k].at(((lmax + 1) * rows) / 8)) as [number, number];
    [values, slopes].forEach((from, k) => {
      for (let l = 0; l <= lmax; l++)
        this.#tiles.block(
          mix.count,
          lanes,
          nmax,
          mix.transposed + 8 * s * nmax,
          8 * N,
          from + l * nmax * stride,
          PANEL,
          stride,
          to[k] + l * rows,
          stride,
          0,
        );
    });
    return to;
  }

  /** Rows [k, l, i]: Σ_m A′_ilm times F_lm r̂_k and ∂_k F_lm. */
  #contract({ count }: Mixed, A: number, slopes: SourceSlopes, room: number): Contracted {
    const { lmax } = this.#expansion.shape;
    const { stride, lanes } = slopes;
    const L = (lmax + 1) ** 2;
    const step = (lmax + 1) * count * stride;
    const to = [room, room + 1].map((k) => this.#rooms[k].at((3 * step) / 8));
    [slopes.directions, slopes.gradients].forEach((from, d) => {
      for (let k = 0; k < 3; k++)
        for (let l = 0; l <= lmax; l++)
          this.#tiles.blockTransposed(
            count,
            lanes,
            2 * l + 1,
            A + 8 * l * l * count,
            8 * count,
            from + (k * L + l * l) * stride,
            PANEL,
            stride,
            to[d] + k * step + l * count * stride,
            stride,
            0,
          );
    });
    return [to[0], to[1], step];
  }

  /** Row of the radial functions of source s in channel i at l; −1 where there are none. */
  #rowOf({ weights, count }: Mixed, s: number, i: number, l: number): number {
    const { nmax } = this.#expansion.shape;
    if (weights === 0) return Math.floor(i / nmax) === s ? l * nmax + (i % nmax) : -1;
    const W = this.#device.memory.f64(weights, this.#expansion.channels * count);
    for (let n = 0; n < nmax; n++) if (W[(s * nmax + n) * count + i] !== 0) return l * count + i;
    return -1;
  }

  #recordsOf(s: number): Records {
    const { first, second, spectrum } = this.#power;
    const lists: { both: number[][]; first: number[][]; second: number[][] } = {
      both: [],
      first: [],
      second: [],
    };
    spectrum.factor.forEach((_, t) => {
      const [i, j, l] = [spectrum.i[t], spectrum.j[t], spectrum.l[t]];
      const [r1, r2] = [this.#rowOf(first, s, i, l), this.#rowOf(second, s, j, l)];
      const [u1, u2] = [l * first.count + i, l * second.count + j];
      if (r1 >= 0 && r2 >= 0) lists.both.push([t, r1, u2, r2, u1]);
      else if (r1 >= 0) lists.first.push([t, r1, u2]);
      else if (r2 >= 0) lists.second.push([t, r2, u1]);
    });
    const write = (list: readonly number[][]): [number, number] => {
      const at = this.#device.memory.alloc(RECORD * list.length);
      list.forEach((words, k) => {
        this.#device.memory.i32(at + RECORD * k, words.length).set(words);
        this.#device.memory.f64(at + RECORD * k + 24, 1)[0] = spectrum.factor[words[0]];
      });
      return [at, at + RECORD * list.length];
    };
    return { both: write(lists.both), first: write(lists.first), second: write(lists.second) };
  }
}
