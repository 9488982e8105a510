import { z } from "../../zod.ts";

/** Options of the linear model; the same for every element. */
export const linearOptions = z.strictObject({
  quadratic: z
    .boolean()
    .default(false)
    .meta({ help: "Add ½ GᵀαG, α symmetric: all products of two features" }),
  bias: z.boolean().default(true).meta({ help: "Fit β₀; false: it stays 0, as with bzeroflag 1 of FitSNAP" }),
});

export type LinearOptions = z.infer<typeof linearOptions>;

/** Coefficients of one element with K features: β₀, β [K], and with `quadratic` the upper triangle of α. */
export const countOf = ({ quadratic }: Pick<LinearOptions, "quadratic">, K: number): number =>
  1 + K + (quadratic ? (K * (K + 1)) / 2 : 0);
