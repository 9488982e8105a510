import { play, tapeOf } from "./javascript.ts";
import { program } from "./program.ts";
import { SUM_BLOCK } from "./spec.ts";
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
  const { format, elementwise, reduced, scales } = program(spec);
  const { varying, uniform } = spec;
  const { bytes, lanes, round } = format;
  const tape = tapeOf([...elementwise, ...reduced, ...scales], [...varying, ...uniform], format);
  const { cells, inputs: slots, outputs: results } = tape;
  const set = (k: number, x: number) => {
    if (slots[k] >= 0) cells[slots[k]] = round(x);
  };
  return {
    run(n, inputs, stride, uniforms, outputs, sums) {
      const m = new Float64Array(memory.buffer);
      const arrays = bytes === 8 ? m : new Float32Array(memory.buffer);
      uniform.forEach((_, k) => set(varying.length + k, m[uniforms / 8 + k]));
      // Factors of the sums do not depend on the inputs, which may be 0 here.
      play(tape);
      const factors = scales.map(({ op, value }, k) =>
        op === "constant" ? value : cells[results[elementwise.length + reduced.length + k]],
      );
      const totals = new Float64Array(lanes * reduced.length);
      const addUp = () => {
        for (let k = 0; k < reduced.length; k++) {
          const t = totals.subarray(lanes * k, lanes * (k + 1));
          const total = lanes === 2 ? t[0] + t[1] : t[0] + t[1] + (t[2] + t[3]);
          m[sums / 8 + k] += total * factors[k];
        }
        totals.fill(0);
      };
      for (let i = 0; i < n; i++) {
        varying.forEach((_, k) => set(k, arrays[(inputs + k * stride) / bytes + i]));
        play(tape);
        elementwise.forEach((_, k) => (arrays[(outputs + k * stride) / bytes + i] = cells[results[k]]));
        for (let k = 0; k < reduced.length; k++) {
          const lane = lanes * k + (i % lanes);
          totals[lane] = round(totals[lane] + cells[results[elementwise.length + k]]);
        }
        if (bytes === 4 && (i + 1) % SUM_BLOCK === 0 && i + 1 < n) addUp();
      }
      addUp();
    },
  };
}
