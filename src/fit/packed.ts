import type { Memory } from "../device/memory.ts";
import { volume } from "../structure/cell.ts";
import type { Frame, Structure } from "../structure/structure.ts";
import type { FrameLabels } from "./loss.ts";

/** Where packed frames lie: plain data, sent to threads. */
export interface PackedAddress {
  readonly frames: number;
  readonly atoms: number;
  /** Byte address of the block. */
  readonly address: number;
}

const PBC = [1, 2, 4] as const;
const HAS_CELL = 8;
const HAS_ENERGY = 16;
const HAS_FORCES = 32;
const HAS_VIRIAL = 64;

/** Bytes that packed frames take: per frame 31 numbers, per atom 9 and its element. */
const bytesFor = (frames: number, atoms: number): number =>
  8 * (31 * frames + 9 * atoms) + 4 * (frames + 1) + frames + atoms + 64;

/**
 * Structures, labels, weights and room for predictions of all frames as flat arrays in the device's memory, so that
 * every thread reads the same bytes. Labels are what is left to learn, after the known terms are taken away.
 */
export class PackedFrames {
  readonly address: PackedAddress;
  readonly frames: number;
  /** Atoms of frame f are first[f] … first[f+1], [frames + 1]. */
  readonly first: Int32Array;
  /** w_s, [frames]. */
  readonly weights: Float64Array;
  /** Labels, [frames] eV, [atoms, 3] eV/Å, [frames, 9] eV. */
  readonly energies: Float64Array;
  readonly forces: Float64Array;
  readonly virials: Float64Array;
  /** What was predicted, same shapes. */
  readonly predicted: {
    readonly energies: Float64Array;
    readonly forces: Float64Array;
    readonly virials: Float64Array;
  };
  readonly #flags: Uint8Array;
  readonly #numbers: Uint8Array;
  readonly #positions: Float64Array;
  readonly #cells: Float64Array;

  /** Views of a block that `pack` made. */
  constructor(memory: Memory, address: PackedAddress) {
    const { frames, atoms } = address;
    let at = address.address;
    const real = (n: number) => memory.f64((at += 8 * n) - 8 * n, n);
    this.address = address;
    this.frames = frames;
    this.weights = real(frames);
    this.energies = real(frames);
    this.forces = real(3 * atoms);
    this.virials = real(9 * frames);
    this.predicted = { energies: real(frames), forces: real(3 * atoms), virials: real(9 * frames) };
    this.#positions = real(3 * atoms);
    this.#cells = real(9 * frames);
    this.first = memory.i32(at, frames + 1);
    this.#flags = memory.u8(at + 4 * (frames + 1), frames);
    this.#numbers = memory.u8(at + 4 * (frames + 1) + frames, atoms);
  }

  /** Copies frames and their weights [frames] into a fresh block. */
  static pack(memory: Memory, frames: readonly Frame[], weights: ArrayLike<number>): PackedFrames {
    const atoms = frames.reduce((n, f) => n + f.structure.numbers.length, 0);
    const address = memory.alloc(bytesFor(frames.length, atoms));
    const packed = new PackedFrames(memory, { frames: frames.length, atoms, address });
    frames.forEach((frame, f) => packed.#put(f, frame, weights[f]));
    return packed;
  }

  #put(f: number, { structure, energy, forces, stress }: Frame, weight: number): void {
    const { numbers, positions, cell, pbc } = structure;
    const a = this.first[f];
    this.first[f + 1] = a + numbers.length;
    this.#numbers.set(numbers, a);
    this.#positions.set(positions, 3 * a);
    if (cell) this.#cells.set(cell, 9 * f);
    this.weights[f] = weight;
    if (energy !== undefined) this.energies[f] = energy;
    if (forces) this.forces.set(forces, 3 * a);
    if (stress && cell) for (let k = 0; k < 9; k++) this.virials[9 * f + k] = -volume(cell) * stress[k];
    this.#flags[f] =
      PBC.reduce((sum, bit, k) => sum + (pbc[k] ? bit : 0), 0) +
      (cell ? HAS_CELL : 0) +
      (energy === undefined ? 0 : HAS_ENERGY) +
      (forces ? HAS_FORCES : 0) +
      (stress ? HAS_VIRIAL : 0);
  }

  /** Bytes of the block. */
  get bytes(): number {
    return bytesFor(this.frames, this.address.atoms);
  }

  /** Number of atoms of frame f. */
  size(f: number): number {
    return this.first[f + 1] - this.first[f];
  }

  /** Frame f's structure; its arrays are views. */
  structure(f: number): Structure {
    const [a, b] = [this.first[f], this.first[f + 1]];
    const flags = this.#flags[f];
    return {
      numbers: this.#numbers.subarray(a, b),
      positions: this.#positions.subarray(3 * a, 3 * b),
      cell: flags & HAS_CELL ? this.#cells.subarray(9 * f, 9 * f + 9) : null,
      pbc: [(flags & 1) !== 0, (flags & 2) !== 0, (flags & 4) !== 0],
    };
  }

  /** Frame f's labels; null where the data have none. */
  labels(f: number): FrameLabels {
    const flags = this.#flags[f];
    return {
      energy: flags & HAS_ENERGY ? this.energies[f] : null,
      forces: flags & HAS_FORCES ? this.forces.subarray(3 * this.first[f], 3 * this.first[f + 1]) : null,
      virial: flags & HAS_VIRIAL ? this.virials.subarray(9 * f, 9 * f + 9) : null,
    };
  }
}
