import { supports } from "../formula/assembler.ts";
import type { Precision } from "../formula/formats.ts";
import type { Kernel, KernelSpec } from "../formula/kernel.ts";
import { emitKernel } from "../formula/wasm.ts";
import type { Gemm } from "./gemm.ts";
import { createGemm } from "./gemm.ts";
import { Memory } from "./memory.ts";
import { instantiate } from "./modules.ts";

export type { Precision } from "../formula/formats.ts";
export type { Kernel, KernelSpec } from "../formula/kernel.ts";

/** Where numbers live and are worked on: a memory, and the kernels that run over it on this thread. */
export interface Device {
  readonly memory: Memory;
  /** True: no fused multiply-add, so that every processor gives the same bits; false: this processor's fastest. */
  readonly deterministic: boolean;
  /** What sums over neighbours are done in; what goes in and comes out is f64 all the same. */
  readonly precision: Precision;
  /** The loop of `spec` as machine code; the same spec is compiled once. */
  compile(spec: KernelSpec): Kernel;
  readonly gemm: Gemm;
}

export interface DeviceOptions {
  /** Memory to work on; a new one of `bytes` by default. */
  readonly memory?: Memory;
  /** Bytes reserved for a new memory; 1 GiB by default, committed by the system as it is touched. */
  readonly bytes?: number;
  readonly deterministic?: boolean;
  /** f64 by default; f32: descriptors work in f32, about twice as fast, with relative errors of 1e-6. */
  readonly precision?: Precision;
}

/** Equal formulas are one object with one id, never reused; the name of a kernel does not matter. */
const identity = ({ precision, varying, uniform, elementwise = [], reduced = [] }: KernelSpec): string =>
  JSON.stringify([
    precision ?? "f64",
    varying,
    uniform,
    elementwise.map((y) => y.id),
    reduced.map((y) => y.id),
  ]);

/** A device on this thread. */
export const createDevice = (options: DeviceOptions = {}): Device => {
  if (!supports().simd) throw new Error("this JavaScript engine has no WebAssembly SIMD; surfit needs it");
  const { deterministic = false, precision = "f64", memory = new Memory({ bytes: options.bytes }) } = options;
  const fused = !deterministic && supports().relaxedSimd;
  const kernels = new Map<string, Kernel>();
  return {
    memory,
    deterministic,
    precision,
    compile(spec) {
      const key = identity(spec);
      let kernel = kernels.get(key);
      if (!kernel) {
        const bytes = emitKernel(spec, { fused, shared: memory.shared });
        kernel = instantiate(bytes, memory.memory) as unknown as Kernel;
        kernels.set(key, kernel);
      }
      return kernel;
    },
    gemm: createGemm(memory, fused),
  };
};
