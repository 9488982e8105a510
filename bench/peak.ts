import type { Real } from "../src/device/gemm-kernels.ts";
import { sizeOf } from "../src/device/gemm-kernels.ts";
import type { Memory } from "../src/device/memory.ts";
import { instantiate } from "../src/device/modules.ts";
import { ModuleBuilder, supports } from "../src/formula/assembler.ts";

/** GFLOP/s of the fastest of many rounds; short ones, which the system is less likely to interrupt. */
export const rate = (flops: number, run: () => void): number => {
  const turns = Math.max(1, Math.round(2e7 / flops));
  let best = Infinity;
  for (let round = 0; round < 100; round++) {
    const start = performance.now();
    for (let i = 0; i < turns; i++) run();
    best = Math.min(best, (performance.now() - start) / turns);
  }
  return flops / best / 1e6;
};

/** GB/s at which one thread reads `bytes` again and again: what the caches that hold so much give. */
export const measureBandwidth = (bytes: number, memory: Memory): number => {
  const STEP = 128;
  const length = Math.max(STEP, Math.floor(bytes / STEP) * STEP);
  const module = new ModuleBuilder().importMemory(memory.shared);
  const f = module.function("run", ["i32", "i32"]);
  const [from, end] = [f.param(0), f.param(1)];
  const sums = Array.from({ length: STEP / 16 }, () => f.local("v128"));
  f.loop((again) => {
    sums.forEach((sum, u) =>
      f
        .get(sum)
        .get(from)
        .mem("v128.load", 16 * u)
        .op("v128.xor")
        .set(sum),
    );
    f.get(from).i32(STEP).op("i32.add").tee(from).get(end).op("i32.lt_u").brIf(again);
  });
  for (const sum of sums) f.get(end).get(sum).mem("v128.store");
  const { run } = instantiate(module.bytes(), memory.memory) as unknown as Record<
    "run",
    (from: number, end: number) => void
  >;
  const at = memory.alloc(length + 16);
  return rate(length, () => run(at, at + length));
};

/** Independent multiply-adds in registers and nothing else: what 128-bit SIMD can do here, GFLOP/s. */
export const measurePeak = (real: Real, memory: Memory): number => {
  const CHAINS = 10;
  const fused = supports().relaxedSimd;
  const module = new ModuleBuilder().importMemory(memory.shared);
  const f = module.function("run", ["i32", "i32"]);
  const i = f.local("i32");
  const sums = Array.from({ length: CHAINS }, () => f.local("v128"));
  const [x, y] = [f.local("v128"), f.local("v128")];
  f.get(1).mem("v128.load").tee(x).set(y);
  f.for(i, 0, 4, () => {
    for (let u = 0; u < 4; u++)
      for (const sum of sums) {
        if (fused)
          f.get(x)
            .get(y)
            .get(sum)
            .op(real === "f64" ? "f64x2.relaxed_madd" : "f32x4.relaxed_madd");
        else if (real === "f64") f.get(sum).get(x).get(y).op("f64x2.mul").op("f64x2.add");
        else f.get(sum).get(x).get(y).op("f32x4.mul").op("f32x4.add");
        f.set(sum);
      }
  });
  for (const sum of sums) f.get(1).get(sum).mem("v128.store");
  const { run } = instantiate(module.bytes(), memory.memory) as unknown as Record<
    "run",
    (n: number, at: number) => void
  >;
  const at = memory.alloc(16);
  const n = 1e5;
  return rate((2 * n * CHAINS * 16) / sizeOf(real), () => run(n, at));
};
