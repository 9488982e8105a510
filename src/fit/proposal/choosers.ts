import { symmetryFunctions } from "../../descriptors/symmetry-functions/symmetry-functions.ts";
import type { Device } from "../../device/device.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import type { Structure } from "../../structure/structure.ts";
import { propose } from "./proposal.ts";

/** Completes a descriptor's options from structures; undefined where they say all themselves. */
export type Chooser = (
  options: unknown,
  structures: readonly Structure[],
  statistics: PairStatistics,
  device: Device,
) => object | undefined;

/** Descriptors whose functions a fit chooses from the training structures, not from their distances alone. */
export const choosers: Readonly<Record<string, Chooser>> = {
  [symmetryFunctions.name]: (given, structures, statistics, device) => {
    const { functions, size, cutoff } = symmetryFunctions.options.parse(given);
    if (functions) return undefined;
    return propose(structures, device, { cutoff, ...(size && { size }) }, statistics).options;
  },
};
