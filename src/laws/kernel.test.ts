import { describe, it } from "vitest";
import { KernelFunction, type KernelOptions } from "../kernels/function.ts";
import { kernels } from "../kernels/table.ts";
import { kernelLaws } from "./kernel.ts";

const trees: readonly KernelOptions[] = [
  ...Object.keys(kernels).map((name) => ({ name })),
  { name: "rbf", length: [0.5, 1, 2] },
  { name: "dot-product", zeta: 3, offset: 0.7 },
  { product: [{ name: "constant", value: 3 }, { name: "matern-5/2" }, { name: "dot-product", zeta: 2 }] },
  {
    sum: [
      { name: "rational-quadratic", alpha: 0.3 },
      { name: "white", variance: 0.1 },
    ],
  },
];

describe.each(trees.map((tree) => [JSON.stringify(tree), tree] as const))("%s", (_, tree) => {
  const kernel = new KernelFunction(tree, 3);
  it.each(Object.entries(kernelLaws))("%s", (_name, holds) => holds({ kernel, seed: 1 }));
});
