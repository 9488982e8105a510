/** A quantity that may change during a run: constant, or a straight ramp from one value to another over `steps`. */
export type Ramp = number | { readonly from: number; readonly to: number; readonly steps: number };

/** The value at a step; after the last step of a ramp, its end. */
export const rampAt = (ramp: Ramp, step: number): number =>
  typeof ramp === "number"
    ? ramp
    : ramp.from + (ramp.to - ramp.from) * Math.min(1, ramp.steps > 0 ? step / ramp.steps : 1);
