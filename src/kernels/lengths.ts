import { array, number, strictObject, union } from "../zod.ts";
import type { output } from "zod";

const positive = number().positive();

/** ℓ of distances and products: one for all dimensions, or one of each. */
export const length = union([positive, array(positive).min(1)])
  .default(1)
  .meta({ help: "Length scale ℓ: one number, or one per dimension of the descriptor" });

/** Options of a kernel that has nothing but lengths. */
export const onlyLength = strictObject({ length });

export type OnlyLength = output<typeof onlyLength>;
