import type { Check, Subject, Verdict } from "./check.ts";
import { shear, volume } from "./compression.ts";
import { dimers } from "./dimers.ts";
import { energyDrift, hotRuns } from "./runs.ts";
import { surroundings } from "./surroundings.ts";

/** Every check, in the order in which they run: cheap ones first. */
export const checks: readonly Check[] = [surroundings, dimers, volume, shear, energyDrift, hotRuns];

/** Runs all checks and yields their verdicts one by one. */
export function* battery(subject: Subject): Generator<Verdict> {
  for (const check of checks) yield* check.run(subject);
}
