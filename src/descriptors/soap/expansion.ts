import type { Device } from "../../device/device.ts";
import { emitGemm, type GemmExports } from "../../device/gemm-kernels.ts";
import type { Memory } from "../../device/memory.ts";
import { instantiate } from "../../device/modules.ts";
import { supports } from "../../formula/assembler.ts";
import { ElementNeighbours } from "../density/neighbours.ts";
import { Room } from "../density/room.ts";
import type { Environments } from "../environments.ts";
import type { Harmonics } from "./harmonics.ts";
import { emitRadial, type RadialKernels } from "./radial-kernel.ts";
import type { RadialTable } from "./radial-table.ts";

/** Bytes of a panel of the matrix product's kernels, whose right factor is read where it is. */
const PANEL = 32;

/** The tiles of the matrix product, for factors too small to be packed. */
export function tiles(device: Device): GemmExports {
  const { memory } = device;
  return instantiate(
    emitGemm("f64", isFused(device), memory.shared),
    memory.memory,
  ) as unknown as GemmExports;
}

export const isFused = ({ deterministic }: Device): boolean => !deterministic && supports().relaxedSimd;

/** Neighbours of one element. */
export interface Source {
  /** Element index. */
  readonly element: number;
  /** Factor of its density. */
  readonly weight: number;
}

/** What an expansion is made of. */
export interface ExpansionShape {
  readonly nmax: number;
  readonly lmax: number;
  /** Å. */
  readonly reach: number;
  readonly sources: readonly Source[];
  /** A of a centre of each element without neighbours, [elements][N]: only l = 0 is not 0. */
  readonly centres: readonly Float64Array[];
}

/** ∂A/∂r_ij of the neighbours of one element: R F r̂-like products, not multiplied out. */
export interface SourceSlopes {
  /** Byte addresses of R_ln, [lmax + 1, nmax, stride], and of its slopes. */
  readonly values: number;
  readonly slopes: number;
  /** Of F_lm r̂ [3, lm, stride] and of ∂F_lm, [3, lm, stride]. */
  readonly directions: number;
  readonly gradients: number;
  readonly stride: number;
  readonly lanes: number;
  /** Neighbours. */
  readonly count: number;
}

/**
 * A_lm,sn = Σ_j w_s f_c(r_j) R_ln(r_j) Y_lm(r̂_j), rows (l, m) of N = S nmax columns: radial functions by polynomials,
 * harmonics by formulas, sums over neighbours as matrix products, one for each l.
 */
export class Expansion {
  /** Numbers of A of one centre. */
  readonly size: number;
  readonly shape: ExpansionShape;
  readonly channels: number;
  readonly #memory: Memory;
  readonly #harmonics: Harmonics;
  readonly #table: RadialTable;
  readonly #radial: RadialKernels;
  readonly #tiles: GemmExports;
  readonly #near: ElementNeighbours;
  /** Byte address of w of every source. */
  readonly #weights: number;
  /** Values of harmonics, of radial functions, of their slopes. */
  readonly #F: Room;
  readonly #R: Room;
  readonly #dR: Room;

  constructor(shape: ExpansionShape, harmonics: Harmonics, table: RadialTable, device: Device) {
    const { memory } = device;
    this.shape = shape;
    this.channels = shape.sources.length * shape.nmax;
    this.size = this.channels * (shape.lmax + 1) ** 2;
    this.#memory = memory;
    this.#harmonics = harmonics;
    this.#table = table;
    const module = emitRadial(table, isFused(device), memory.shared);
    this.#radial = instantiate(module, memory.memory) as unknown as RadialKernels;
    this.#tiles = tiles(device);
    this.#near = new ElementNeighbours(memory, 2 * harmonics.count);
    this.#weights = memory.alloc(16 * shape.sources.length);
    shape.sources.forEach(({ weight }, s) => memory.f64(this.#weights + 16 * s, 1).fill(weight));
    [this.#F, this.#R, this.#dR] = [new Room(memory), new Room(memory), new Room(memory)];
  }

  /** Visits the sources with neighbours around centre c: their place in A and their lanes. */
  #each(env: Environments, c: number, visit: (s: number, lanes: number) => void): void {
    this.shape.sources.forEach(({ element }, s) => {
      const lanes = this.#near.load(env, c, element, this.shape.reach);
      if (lanes > 0) visit(s, lanes);
    });
  }

  /** For every l: its first row of F_lm, its first radial function, its rows. */
  #eachL(visit: (row: number, radial: number, rows: number) => void): void {
    const { nmax, lmax } = this.shape;
    for (let l = 0; l <= lmax; l++) visit(l * l, l * nmax, 2 * l + 1);
  }

  /** Overwrites A [lm, N] of centre c of element e at a byte address. */
  collect(env: Environments, c: number, e: number, A: number): void {
    const start = this.#memory.f64(A, this.size).fill(0);
    start.set(this.shape.centres[e]);
    this.#each(env, c, (s, lanes) => {
      const { address, stride } = this.#near;
      const F = this.#F.at((this.#harmonics.count * stride) / 8);
      this.#harmonics.values.run(lanes, address, stride, this.#weights + 16 * s, F, 0);
      const R = this.#rows(lanes, false);
      this.#accumulate(s, lanes, F, R, A);
    });
  }

  /** Radial functions, [lanes, functions], and their slopes where asked for. */
  #rows(lanes: number, slopes: boolean): number {
    const { address, stride } = this.#near;
    const room = lanes * this.#width;
    const R = this.#R.at(room);
    if (slopes) this.#radial.rowsAndSlopes(address, stride, lanes, R, this.#dR.at(room));
    else this.#radial.rows(address, stride, lanes, R, 0);
    return R;
  }

  /** Radial functions, rounded up to even. */
  get #width(): number {
    return 2 * Math.ceil(this.#table.functions / 2);
  }

  /** ADDS Σ_j F_lm R_ln to the columns of source s. */
  #accumulate(s: number, lanes: number, F: number, R: number, A: number): void {
    const { nmax } = this.shape;
    const { stride } = this.#near;
    const N = this.channels;
    const step = 8 * this.#width;
    this.#eachL((row, radial, rows) =>
      this.#tiles.block(
        rows,
        nmax,
        lanes,
        F + row * stride,
        stride,
        R + 8 * radial,
        PANEL,
        step,
        A + 8 * (row * N + s * nmax),
        8 * N,
        1,
      ),
    );
  }

  /** ADDS Σ ∂E/∂A ∂A/∂r_ij to gradient [pairs, 3]; dA [lm, N] at a byte address. */
  pullback(env: Environments, c: number, dA: number, gradient: Float64Array): void {
    const { nmax } = this.shape;
    const N = this.channels;
    const L = this.#harmonics.count;
    const near = this.#near;
    this.#each(env, c, (s, lanes) => {
      const { address, stride, extra } = near;
      const [R, dR] = this.#columns(lanes);
      this.#eachL((row, radial, rows) => {
        const from = dA + 8 * (row * N + s * nmax);
        for (const [k, functions] of [R, dR].entries())
          this.#tiles.block(
            rows,
            lanes,
            nmax,
            from,
            8 * N,
            functions + radial * stride,
            PANEL,
            stride,
            extra + (k * L + row) * stride,
            stride,
            0,
          );
      });
      this.#harmonics.pullback.run(lanes, address, stride, this.#weights + 16 * s, near.gradients, 0);
      near.addGradient(gradient);
    });
  }

  /** Radial functions [functions, stride] and their slopes. */
  #columns(lanes: number): readonly [values: number, slopes: number] {
    const { address, stride } = this.#near;
    const room = (this.#table.functions * stride) / 8;
    const [R, dR] = [this.#R.at(room), this.#dR.at(room)];
    this.#radial.columns(address, stride, lanes, R, dR);
    return [R, dR];
  }

  /** Overwrites dA [lm, N] with Σ_j ∂A/∂r_ij · tangents [pairs, 3]. */
  pushforward(env: Environments, c: number, tangents: Float64Array, dA: number): void {
    const L = this.#harmonics.count;
    this.#memory.f64(dA, this.size).fill(0);
    this.#each(env, c, (s, lanes) => {
      this.#near.loadTangents(tangents);
      const { address, stride } = this.#near;
      const F = this.#F.at((2 * L * stride) / 8);
      this.#harmonics.pushforward.run(lanes, address, stride, this.#weights + 16 * s, F, 0);
      const R = this.#rows(lanes, true);
      this.#accumulate(s, lanes, F, this.#dR.address, dA);
      this.#accumulate(s, lanes, F + L * stride, R, dA);
    });
  }

  /** What derivatives by the neighbours of source s are made of; null where there is none. Those beyond the reach count. */
  slopes(env: Environments, c: number, s: number): SourceSlopes | null {
    const L = this.#harmonics.count;
    // Anything farther than all neighbours: the envelope is 0 beyond the reach.
    const lanes = this.#near.load(env, c, this.shape.sources[s].element, 1e3);
    if (lanes === 0) return null;
    const { address, stride, count } = this.#near;
    const [values, slopes] = this.#columns(lanes);
    const directions = this.#F.at((6 * L * stride) / 8);
    this.#harmonics.jacobian.run(lanes, address, stride, this.#weights + 16 * s, directions, 0);
    return { values, slopes, directions, gradients: directions + 3 * L * stride, stride, lanes, count };
  }
}
