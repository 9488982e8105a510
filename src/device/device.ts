import { supports } from "../formula/assembler.ts";
import type { Kernel, KernelSpec } from "../formula/kernel.ts";
import type { Gemm } from "./gemm.ts";
import { createGemm } from "./gemm.ts";
import { Memory } from "./memory.ts";

export type { Kernel, KernelSpec } from "../formula/kernel.ts";

/** Where numbers live and are worked on: a memory, and the kernels that run over it on this thread. */
export interface Device {
  readonly memory: Memory;
  /** True: no fused multiply-add, so that every processor gives the same bits; false: this processor's fastest. */
  readonly deterministic: boolean;
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
}

/** A device on this thread. */
export const createDevice = (options: DeviceOptions = {}): Device => {
  if (!supports().simd) throw new Error("this JavaScript engine has no WebAssembly SIMD; surfit needs it");
  const { deterministic = false, memory = new Memory({ bytes: options.bytes }) } = options;
  const fused = !deterministic && supports().relaxedSimd;
  return {
    memory,
    deterministic,
    compile(spec) {
      throw new Error(`kernel ${spec.name}: the lowering to WebAssembly is not in yet`);
    },
    gemm: createGemm(memory, fused),
  };
};
