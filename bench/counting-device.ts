import type { Device } from "../src/device/device.ts";
import type { Multiply } from "../src/device/gemm.ts";
import { topological } from "../src/formula/derivative.ts";
import type { Op } from "../src/formula/expression.ts";
import { program } from "../src/formula/program.ts";

/** Floating-point operations; a multiply-add counts as two, however it is rounded. */
const ARITHMETIC: readonly Op[] = ["add", "sub", "mul", "div", "sqrt", "neg", "abs", "min", "max"];

/** A device that counts the floating-point operations of its kernels and products, and the bytes that these touch once. */
export function countingDevice(
  device: Device,
): Device & { flops: { kernels: number; products: number; bytes: number } } {
  const flops = { kernels: 0, products: 0, bytes: 0 };
  const count =
    (multiply: Multiply, size: number): Multiply =>
    (m, n, k, ...rest) => {
      flops.products += 2 * m * n * k;
      flops.bytes += size * (m * k + k * n + m * n);
      multiply(m, n, k, ...rest);
    };
  return {
    ...device,
    flops,
    gemm: { f64: count(device.gemm.f64, 8), f32: count(device.gemm.f32, 4) },
    compile(spec) {
      const kernel = device.compile(spec);
      const { elementwise, reduced, invariant } = program(spec);
      const order = topological([...elementwise, ...reduced]);
      const once =
        order.filter((x) => ARITHMETIC.includes(x.op) && !invariant.has(x)).length + reduced.length;
      return {
        run(n, ...rest) {
          flops.kernels += n * once;
          flops.bytes += 8 * n * (spec.varying.length + elementwise.length);
          kernel.run(n, ...rest);
        },
      };
    },
  };
}
