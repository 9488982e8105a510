import type { Comparison } from "../../fit/metrics.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import type { Frame } from "../../structure/structure.ts";
import { EV_A3_IN_GPA } from "../../structure/units.ts";
import type { Parity, SetName } from "./figures.ts";

/** Frames of one set, in step with truth and prediction. */
export interface Judged {
  readonly set: SetName;
  readonly frames: readonly Frame[];
  readonly comparisons: readonly Comparison[];
}

/** Error of a frame against its shortest distance. */
export interface Closeness {
  readonly set: SetName;
  readonly distance: Float64Array;
  readonly error: Float64Array;
}

/** Energy per atom above the known terms, eV/atom. */
export function energyParity({ set, comparisons }: Judged): Parity {
  const pairs = comparisons.flatMap(({ energy, baseline, numbers }) =>
    energy ? [energy.map((e) => (e - baseline) / numbers.length)] : [],
  );
  return {
    set,
    predicted: Float64Array.from(pairs, ([p]) => p),
    reference: Float64Array.from(pairs, ([, r]) => r),
  };
}

/** Force components, eV/Å. */
export const forceParity = ({ set, comparisons }: Judged): Parity =>
  join(
    set,
    comparisons.flatMap(({ forces }) => (forces ? [forces] : [])),
  );

/** The six components of the stress, GPa. */
export const stressParity = ({ set, comparisons }: Judged): Parity =>
  join(
    set,
    comparisons.flatMap(({ stress }) => (stress ? [[upper(stress[0]), upper(stress[1])] as const] : [])),
  );

const upper = (s: Float64Array): Float64Array =>
  Float64Array.of(s[0], s[4], s[8], s[5], s[2], s[1]).map((x) => x * EV_A3_IN_GPA);

function join(
  set: SetName,
  pairs: readonly (readonly [predicted: Float64Array, reference: Float64Array])[],
): Parity {
  const total = pairs.reduce((sum, [p]) => sum + p.length, 0);
  const [predicted, reference] = [new Float64Array(total), new Float64Array(total)];
  let at = 0;
  for (const [p, r] of pairs) {
    predicted.set(p, at);
    reference.set(r, at);
    at += p.length;
  }
  return { set, reference, predicted };
}

/** Shortest distance in each of at most `most` frames, Å, and the RMSE of its forces, meV/Å. */
export function closeness({ set, frames, comparisons }: Judged, most = 1500): Closeness {
  const stride = Math.max(1, frames.length / most);
  const rows: (readonly [number, number])[] = [];
  for (let k = 0; k < frames.length; k += stride) {
    const at = Math.floor(k);
    const { forces } = comparisons[at];
    if (!forces) continue;
    const shortest = Math.min(...Object.values(pairStatistics([frames[at].structure], 4).shortest));
    if (!Number.isFinite(shortest)) continue;
    const [predicted, reference] = forces;
    const square = predicted.reduce((sum, f, i) => sum + (f - reference[i]) ** 2, 0) / predicted.length;
    rows.push([shortest, 1000 * Math.sqrt(square)]);
  }
  return {
    set,
    distance: Float64Array.from(rows, ([d]) => d),
    error: Float64Array.from(rows, ([, e]) => e),
  };
}
