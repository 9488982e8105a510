import { digits } from "../../descriptors/reach.ts";

/** A histogram over x = from … from + width·values.length. */
export interface Density {
  readonly from: number;
  readonly width: number;
  readonly values: Float64Array;
}

/** A place for a bell of standard deviation `sigma`. */
export interface Place {
  readonly centre: number;
  readonly sigma: number;
}

/**
 * `count` places in the middles of equal parts of a histogram's range, each bell `ratio` of a part wide. Places that
 * follow the density inside the range were tried and are worse: see docs/init.md.
 */
export function places({ from, width, values }: Density, count: number, ratio: number): Place[] {
  const part = (values.length * width) / count;
  return Array.from({ length: count }, (_, k) => ({
    centre: digits(from + (k + 0.5) * part),
    sigma: digits(ratio * part),
  }));
}
