import { gaussianProcess } from "../gaussian-process/gaussian-process.ts";
import { gradientDomain } from "../gradient-domain/gradient-domain.ts";
import type { WholeMethod } from "./method.ts";

/** Every model of whole molecules by name. */
export const wholeMethods: Readonly<Record<string, WholeMethod>> = {
  "gaussian-process": gaussianProcess,
  "symmetric-gradient-domain": gradientDomain,
};

/** The method that a regressor's name stands for; undefined for those of single atoms. */
export const wholeMethod = (name: string): WholeMethod | undefined =>
  Object.hasOwn(wholeMethods, name) ? wholeMethods[name] : undefined;
