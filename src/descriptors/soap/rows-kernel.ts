import type { Device } from "../../device/device.ts";
import { instantiate } from "../../device/modules.ts";
import { ModuleBuilder, type Local } from "../../formula/assembler.ts";
import { Emitter } from "../density/lanes.ts";
import { isFused } from "./expansion.ts";

/** Bytes of a record: feature, radial and contracted row of either half (i32), 0, factor (f64). */
export const RECORD = 32;

/** One half of a derivative: radial functions and their slopes, what they are multiplied with. */
const HALF = ["R", "dR", "U", "W", "step"] as const;

/**
 * out[t, j, k] = factor Σ_halves R′_j U_kj + R_j W_kj for the features t of records first … last: rows of `width` bytes,
 * neighbours j = 0 … count − 1, k = x, y, z. Rows of R, U, W are `stride` bytes; from k to k + 1 there are `step`.
 */
export interface RowKernels {
  one(
    out: number,
    width: number,
    count: number,
    stride: number,
    first: number,
    last: number,
    ...half: number[]
  ): void;
  two(
    out: number,
    width: number,
    count: number,
    stride: number,
    first: number,
    last: number,
    ...halves: number[]
  ): void;
}

/** The kernels over the memory of a device. */
export function rowKernels(device: Device): RowKernels {
  const module = new ModuleBuilder().importMemory(device.memory.shared);
  emit(module, "one", 1, isFused(device));
  emit(module, "two", 2, isFused(device));
  return instantiate(module.bytes(), device.memory.memory) as unknown as RowKernels;
}

const bytes = (a: number, b: number): number[] =>
  [a, b].flatMap((half) => Array.from({ length: 8 }, (_, k) => 8 * half + k));

function emit(module: ModuleBuilder, name: string, halves: 1 | 2, fused: boolean): void {
  const parameters = 6 + HALF.length * halves;
  const f = module.function(
    name,
    Array.from({ length: parameters }, () => "i32" as const),
  );
  const e = new Emitter(f, fused);
  const [out, width, count, stride, first, last] = [0, 1, 2, 3, 4, 5].map((i) => f.param(i));
  const [j, pairs, to, row] = ["j", "pairs", "to", "row"].map(() => f.local("i32"));
  const sums = [0, 1, 2].map(() => f.local("v128"));
  const [factor, R, dR, x] = [0, 1, 2, 3].map(() => f.local("v128"));
  const at = Array.from({ length: halves }, (_, h) => {
    const given = HALF.map((_, k) => f.param(6 + h * HALF.length + k));
    return { given, rows: [0, 1, 2, 3].map(() => f.local("i32")) };
  });
  const addHalf = ({ given, rows }: (typeof at)[0]): void => {
    f.get(rows[1]).get(j).op("i32.add").mem("v128.load").set(dR);
    f.get(rows[0]).get(j).op("i32.add").mem("v128.load").set(R);
    for (const [from, factorOf] of [
      [rows[2], dR],
      [rows[3], R],
    ]) {
      f.get(from).get(j).op("i32.add").set(row);
      sums.forEach((sum, k) => {
        if (k > 0) f.get(row).get(given[4]).op("i32.add").set(row);
        f.get(row).mem("v128.load").set(x);
        e.addProduct(sum, factorOf, x);
      });
    }
  };
  const sumUp = (): void => {
    for (const sum of sums) f.f64x2(0).set(sum);
    at.forEach(addHalf);
    for (const sum of sums) e.product(sum, sum, factor);
  };
  f.get(count).i32(1).op("i32.shr_u").i32(16).op("i32.mul").set(pairs);
  e.records(first, last, RECORD, () => {
    f.get(first).mem("v128.load64_splat", 24).set(factor);
    f.get(first).mem("i32.load").get(width).op("i32.mul").get(out).op("i32.add").set(to);
    for (const [h, { given, rows }] of at.entries())
      rows.forEach((own, k) =>
        f
          .get(first)
          .mem("i32.load", 4 + 8 * h + (k < 2 ? 0 : 4))
          .get(stride)
          .op("i32.mul")
          .get(given[k])
          .op("i32.add")
          .set(own),
      );
    f.i32(0).set(j);
    f.for(j, pairs, 16, () => {
      sumUp();
      storePair(to, sums);
      f.get(to).i32(48).op("i32.add").set(to);
    });
    f.get(count).i32(1).op("i32.and");
    f.if(() => {
      f.get(pairs).set(j);
      sumUp();
      sums.forEach((sum, k) =>
        f
          .get(to)
          .get(sum)
          .laneMem("v128.store64_lane", 0, 8 * k),
      );
    });
  });

  function storePair(address: Local, [gx, gy, gz]: readonly Local[]): void {
    const stores = [
      [gx, gy, bytes(0, 2)],
      [gz, gx, bytes(0, 3)],
      [gy, gz, bytes(1, 3)],
    ] as const;
    stores.forEach(([a, b, lanes], k) =>
      f
        .get(address)
        .get(a)
        .get(b)
        .shuffle(lanes)
        .mem("v128.store", 16 * k, 3),
    );
  }
}
