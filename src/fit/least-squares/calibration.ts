/** What one standard deviation of a normal distribution holds. */
const ONE_SIGMA = 0.682689492137;
/** Frames from which on a scale is told. */
const ENOUGH = 12;

/** How standard deviations of energies compare with errors of energies that the fit has not seen. */
export interface Calibration {
  /** Factor that the deviations were multiplied with, so that 68 % of the errors it is told from lie within one. */
  readonly scale: number;
  /** Where it was told from, and how many frames there were. */
  readonly from: "validation" | "leave one out" | "nothing";
  readonly frames: number;
  /** Shares of the errors of the test set within one and two deviations; null without one. */
  readonly test: { readonly frames: number; readonly within1: number; readonly within2: number } | null;
}

/** Ratios |ΔE|/σ. */
export type Ratios = readonly number[];

/** The factor from the first of the sources that has frames enough: the 68 % quantile of its ratios. */
export function calibrate(validation: Ratios, oneOut: Ratios, test: Ratios): Calibration {
  const from = [["validation", validation] as const, ["leave one out", oneOut] as const].find(
    ([, ratios]) => ratios.length >= ENOUGH,
  );
  const scale = from ? quantile(from[1], ONE_SIGMA) : 1;
  const within = (sigmas: number) => test.filter((r) => r <= sigmas * scale).length / test.length;
  return {
    scale,
    from: from?.[0] ?? "nothing",
    frames: from?.[1].length ?? 0,
    test: test.length > 0 ? { frames: test.length, within1: within(1), within2: within(2) } : null,
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}
