import { play, tapeOf } from "./javascript.ts";
import { program } from "./program.ts";
import type { Kernel, KernelSpec } from "./spec.ts";
import type { EmitOptions } from "./wasm.ts";
import { emitKernel } from "./wasm.ts";

export type { Kernel, KernelSpec } from "./spec.ts";

/**
 * The loop of `spec` as machine code over `memory`. With `fused` each multiply-add is rounded once, where the engine
 * can (`supports().relaxedSimd`); without, every processor gives the bits of `referenceKernel`.
 */
export function compileKernel(spec: KernelSpec, memory: WebAssembly.Memory, options: EmitOptions): Kernel {
  const module = new WebAssembly.Module(emitKernel(spec, options));
  const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return { run: run as Kernel["run"] };
}

/** The same loop interpreted: the oracle that the machine code without fused multiply-add must equal to the bit. */
export function referenceKernel(spec: KernelSpec, memory: WebAssembly.Memory): Kernel {
  const { elementwise, reduced, scales } = program(spec);
  const { varying, uniform } = spec;
  const tape = tapeOf([...elementwise, ...reduced, ...scales], [...varying, ...uniform]);
  const { cells, inputs: slots, outputs: results } = tape;
  const set = (k: number, x: number) => {
    if (slots[k] >= 0) cells[slots[k]] = x;
  };
  return {
    run(n, inputs, stride, uniforms, outputs, sums) {
      const m = new Float64Array(memory.buffer);
      uniform.forEach((_, k) => set(varying.length + k, m[uniforms / 8 + k]));
      // Factors of the sums do not depend on the inputs, which may be 0 here.
      play(tape);
      const factors = scales.map((_, k) => cells[results[elementwise.length + reduced.length + k]]);
      const totals = new Float64Array(2 * reduced.length);
      for (let i = 0; i < n; i++) {
        varying.forEach((_, k) => set(k, m[(inputs + k * stride) / 8 + i]));
        play(tape);
        elementwise.forEach((_, k) => (m[(outputs + k * stride) / 8 + i] = cells[results[k]]));
        reduced.forEach((_, k) => (totals[2 * k + (i % 2)] += cells[results[elementwise.length + k]]));
      }
      reduced.forEach((_, k) => (m[sums / 8 + k] += (totals[2 * k] + totals[2 * k + 1]) * factors[k]));
    },
  };
}
