import { constant } from "./constant.ts";
import { dotProduct } from "./dot-product.ts";
import type { KernelMethod } from "./kernel.ts";
import { matern32, matern52 } from "./matern.ts";
import { rationalQuadratic } from "./rational-quadratic.ts";
import { rbf } from "./rbf.ts";
import { white } from "./white.ts";

/** Every kernel by name; each is held to the laws of laws/kernel.ts. */
export const kernels: Readonly<Record<string, KernelMethod>> = {
  rbf,
  "matern-3/2": matern32,
  "matern-5/2": matern52,
  "rational-quadratic": rationalQuadratic,
  "dot-product": dotProduct,
  constant,
  white,
};
