import type { Calibration } from "../least-squares/calibration.ts";

/** Shares of the errors of one set within one, two and three standard deviations, before and after scaling. */
export interface Shares {
  readonly set: "validation" | "test";
  /** Whether of energies or of components of forces. */
  readonly what: "energies" | "forces";
  readonly count: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Shares within the standard deviations that should hold 5, 15, …, 95 % of them: the calibration curve. */
  readonly curve: { readonly before: readonly number[]; readonly after: readonly number[] };
}

/** How standard deviations compare with errors not fitted to, and what they are multiplied with. */
export interface Calibrations {
  readonly energies: Calibration;
  readonly forces: Calibration;
}

/** What a solved model of whole molecules says of itself. */
export interface WholeOutcome {
  /** One line each. */
  readonly lines: readonly string[];
  /** Hyper-parameters by name. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  readonly logLikelihood: number | null;
  readonly calibration: Calibrations | null;
  readonly shares: readonly Shares[];
}
