import type { Device } from "../../device/device.ts";
import { instantiate } from "../../device/modules.ts";
import { ModuleBuilder, supports } from "../../formula/assembler.ts";
import type { DensityCentre } from "./density.ts";
import type { ElementNeighbours } from "./neighbours.ts";
import { Emitter, NODE, REAL } from "./lanes.ts";
import type { ProductTable } from "./table.ts";

/** Bytes of an entry of a block: where its value stands, and its row (i32). */
const ENTRY = 8;
/** Numbers that one turn of the loop adds up; rows of neighbours are rounded up to it. */
const TILE = 8;

interface Exports {
  /** out[f, 0 … width) = Σ value·row over the entries of f; width in bytes, a multiple of 8·TILE. */
  multiply(
    features: number,
    starts: number,
    entries: number,
    values: number,
    rows: number,
    stride: number,
    out: number,
    outStride: number,
    width: number,
  ): void;
}

function emit(fused: boolean, shared: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder().importMemory(shared);
  const f = module.function(
    "multiply",
    Array.from({ length: 9 }, () => "i32" as const),
  );
  const e = new Emitter(f, fused);
  const [features, starts, entries, values, rows, stride, out, outStride, width] = Array.from(
    { length: 9 },
    (_, k) => f.param(k),
  );
  const [feature, column, entry, end, row] = Array.from({ length: 5 }, () => f.local("i32"));
  const sums = Array.from({ length: TILE / 2 }, () => f.local("v128"));
  const [value, x] = [f.local("v128"), f.local("v128")];
  f.for(feature, features, 1, () => {
    f.i32(0).set(column);
    f.for(column, width, 8 * TILE, () => {
      for (const sum of sums) f.f64x2(0).set(sum);
      f.get(entries).get(starts).mem("i32.load").op("i32.add").set(entry);
      f.get(entries).get(starts).mem("i32.load", 4).op("i32.add").set(end);
      e.records(entry, end, ENTRY, () => {
        f.get(values).get(entry).mem("i32.load").op("i32.add").mem("v128.load64_splat").set(value);
        f.get(entry).mem("i32.load", 4).get(stride).op("i32.mul");
        f.get(rows).op("i32.add").get(column).op("i32.add").set(row);
        for (const [k, sum] of sums.entries()) {
          f.get(row)
            .mem("v128.load", 16 * k)
            .set(x);
          e.addProduct(sum, value, x);
        }
      });
      f.get(out).get(column).op("i32.add").set(row);
      for (const [k, sum] of sums.entries())
        f.get(row)
          .get(sum)
          .mem("v128.store", 16 * k);
    });
    f.get(starts).i32(4).op("i32.add").set(starts);
    f.get(out).get(outStride).op("i32.add").set(out);
  });
  return module.bytes();
}

/** What the entries of one block are multiplied with. */
interface BlockRows {
  readonly starts: number;
  readonly entries: number;
}

/**
 * ∂G/∂A of one centre, the columns that each feature depends on only, and its product with ∂A/∂r_ij: a feature of ACE
 * depends on few columns, one of SNAP on most.
 */
export class Slopes {
  readonly #device: Device;
  readonly #exports: Exports;
  readonly #starts: Int32Array;
  /** Where the derivatives by each entry's column stand among those by the nodes, numbers. */
  readonly #offsets: Int32Array;
  readonly #address: number;
  readonly #values: Float64Array;
  readonly #blocks: readonly BlockRows[];

  constructor({ nodes, blocks }: DensityCentre, table: ProductTable, device: Device) {
    const { memory, deterministic } = device;
    this.#device = device;
    const bytes = emit(!deterministic && supports().relaxedSimd, memory.shared);
    this.#exports = instantiate(bytes, memory.memory) as unknown as Exports;
    const { starts, nodes: used } = table.support();
    const columns: number[] = [];
    const offsets: number[] = [];
    this.#starts = new Int32Array(starts.length);
    for (let f = 0; f + 1 < starts.length; f++) {
      for (let k = starts[f]; k < starts[f + 1]; k++)
        for (const [part, column] of nodes[used[k]].entries()) {
          if (column < 0) continue;
          columns.push(column);
          offsets.push((NODE * (used[k] + 1) + REAL * part) / 8);
        }
      this.#starts[f + 1] = columns.length;
    }
    this.#offsets = Int32Array.from(offsets);
    this.#address = memory.alloc(8 * columns.length);
    this.#values = memory.f64(this.#address, columns.length);
    this.#blocks = blocks.map(({ first, functions }) =>
      this.#rowsOf(columns, first, first + functions.functions.length),
    );
  }

  /** Entries whose columns are `first` … `last`. */
  #rowsOf(columns: readonly number[], first: number, last: number): BlockRows {
    const { memory } = this.#device;
    const words: number[] = [];
    const ends = [0];
    for (let f = 0; f + 1 < this.#starts.length; f++) {
      for (let k = this.#starts[f]; k < this.#starts[f + 1]; k++)
        if (columns[k] >= first && columns[k] < last) words.push(8 * k, columns[k] - first);
      ends.push(4 * words.length);
    }
    const rows = { starts: memory.alloc(4 * ends.length), entries: memory.alloc(4 * words.length) };
    memory.i32(rows.starts, ends.length).set(ends);
    memory.i32(rows.entries, words.length).set(words);
    return rows;
  }

  /** Takes features first … last from derivatives by X, [nodes, 2, LANES], each of them in a lane of its own. */
  take(Y: Float64Array, first: number, last: number): void {
    for (let f = first; f < last; f++)
      for (let k = this.#starts[f]; k < this.#starts[f + 1]; k++)
        this.#values[k] = Y[this.#offsets[k] + (f - first)];
  }

  /** Numbers from one component to the next in the rows of a product with the neighbours loaded. */
  static columnsOf({ lanes }: ElementNeighbours): number {
    return TILE * Math.ceil(lanes / TILE);
  }

  /**
   * ∂G/∂r_ij, [features, 3, columns], for the neighbours of block b; the kernel's ∂φ/∂r_ij lie at `rows` with the
   * stride of the neighbours.
   */
  multiply(b: number, near: ElementNeighbours, rows: number, out: number): void {
    const width = 8 * Slopes.columnsOf(near);
    const { starts, entries } = this.#blocks[b];
    for (let k = 0; k < 3; k++)
      this.#exports.multiply(
        this.#starts.length - 1,
        starts,
        entries,
        this.#address,
        rows + k * near.stride,
        3 * near.stride,
        out + k * width,
        3 * width,
        width,
      );
  }
}
