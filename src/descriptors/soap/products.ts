import type { Device } from "../../device/device.ts";
import { instantiate } from "../../device/modules.ts";
import { ModuleBuilder, type Local } from "../../formula/assembler.ts";

/** Bytes of the record of a feature: where its product stands, where its mirror image does (i32); its factor (f64). */
export const FEATURE = 16;

/** Moves between tables of all products and features. */
export interface FeatureMoves {
  /** G_t = factor_t P_t for records first … last. */
  gather(P: number, G: number, first: number, last: number): void;
  /** Zeros. */
  clear(at: number, bytes: number): void;
  /** ADDS factor_t W_t to P_t, and to its mirror image in T. */
  scatter(P: number, T: number, W: number, first: number, last: number): void;
}

/** The moves over the memory of a device. */
export function featureMoves({ memory }: Device): FeatureMoves {
  const module = new ModuleBuilder().importMemory(memory.shared);
  module.function("clear", ["i32", "i32"]).get(0).i32(0).get(1).fill();
  emitGather(module);
  emitScatter(module);
  return instantiate(module.bytes(), memory.memory) as unknown as FeatureMoves;
}

function emitGather(module: ModuleBuilder): void {
  const f = module.function("gather", ["i32", "i32", "i32", "i32"]);
  const [P, G, first, last] = [0, 1, 2, 3].map((i) => f.param(i));
  f.for(first, last, FEATURE, () => {
    f.get(G).get(P).get(first).mem("i32.load").op("i32.add").mem("f64.load");
    f.get(first).mem("f64.load", 8).op("f64.mul").mem("f64.store");
    f.get(G).i32(8).op("i32.add").set(G);
  });
}

function emitScatter(module: ModuleBuilder): void {
  const f = module.function("scatter", ["i32", "i32", "i32", "i32", "i32"]);
  const [P, T, W, first, last] = [0, 1, 2, 3, 4].map((i) => f.param(i));
  const [at, weight] = [f.local("i32"), f.local("f64")];
  const addTo = (table: Local, offset: number) => {
    f.get(table).get(first).mem("i32.load", offset).op("i32.add").tee(at);
    f.get(at).mem("f64.load").get(weight).op("f64.add").mem("f64.store");
  };
  f.for(first, last, FEATURE, () => {
    f.get(W).mem("f64.load").get(first).mem("f64.load", 8).op("f64.mul").set(weight);
    addTo(P, 0);
    addTo(T, 4);
    f.get(W).i32(8).op("i32.add").set(W);
  });
}
