import type { Frame } from "../../structure/structure.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import { EV_A3_IN_GPA } from "../../structure/units.ts";
import type { Parity, SetName } from "./figures.ts";

/** What a model says of one frame. */
export interface Prediction {
  /** eV. */
  readonly energy: number;
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
  /** [3, 3], eV/Å³; absent without a cell. */
  readonly stress?: Float64Array;
  /** Energy of the isolated atoms, eV: energies are shown above it. */
  readonly baseline: number;
}

/** Frames of one set, in step with their predictions. */
export interface Judged {
  readonly set: SetName;
  readonly frames: readonly Frame[];
  readonly predictions: readonly Prediction[];
}

/** Error of a frame against its shortest distance. */
export interface Closeness {
  readonly set: SetName;
  readonly distance: Float64Array;
  readonly error: Float64Array;
}

const per = (energy: number, baseline: number, frame: Frame): number =>
  (energy - baseline) / frame.structure.numbers.length;

/** Energy per atom above the isolated atoms, eV/atom. */
export const energyParity = ({ set, frames, predictions }: Judged): Parity => {
  const labelled = frames.flatMap((frame, k) =>
    frame.energy === undefined ? [] : [{ frame, p: predictions[k] }],
  );
  return {
    set,
    reference: Float64Array.from(labelled, ({ frame, p }) => per(frame.energy ?? NaN, p.baseline, frame)),
    predicted: Float64Array.from(labelled, ({ frame, p }) => per(p.energy, p.baseline, frame)),
  };
};

/** Force components, eV/Å. */
export const forceParity = ({ set, frames, predictions }: Judged): Parity =>
  join(
    set,
    frames.flatMap(({ forces }, k) => (forces ? [[forces, predictions[k].forces] as const] : [])),
  );

const upper = (s: Float64Array): Float64Array =>
  Float64Array.of(s[0], s[4], s[8], s[5], s[2], s[1]).map((x) => x * EV_A3_IN_GPA);

/** The six components of the stress, GPa. */
export const stressParity = ({ set, frames, predictions }: Judged): Parity =>
  join(
    set,
    frames.flatMap(({ stress }, k) => {
      const ours = predictions[k].stress;
      return stress && ours ? [[upper(stress), upper(ours)] as const] : [];
    }),
  );

function join(
  set: SetName,
  pairs: readonly (readonly [reference: Float64Array, predicted: Float64Array])[],
): Parity {
  const total = pairs.reduce((sum, [r]) => sum + r.length, 0);
  const [reference, predicted] = [new Float64Array(total), new Float64Array(total)];
  let at = 0;
  for (const [r, p] of pairs) {
    reference.set(r, at);
    predicted.set(p, at);
    at += r.length;
  }
  return { set, reference, predicted };
}

/** Shortest distance in each of at most `most` frames, Å, and the RMSE of its forces, meV/Å. */
export function closeness({ set, frames, predictions }: Judged, most = 1500): Closeness {
  const stride = Math.max(1, frames.length / most);
  const rows: (readonly [number, number])[] = [];
  for (let k = 0; k < frames.length; k += stride) {
    const at = Math.floor(k);
    const { structure, forces } = frames[at];
    if (!forces) continue;
    const shortest = Math.min(...Object.values(pairStatistics([structure], 4).shortest));
    if (!Number.isFinite(shortest)) continue;
    const ours = predictions[at].forces;
    const square = forces.reduce((sum, f, i) => sum + (f - ours[i]) ** 2, 0) / forces.length;
    rows.push([shortest, 1000 * Math.sqrt(square)]);
  }
  return {
    set,
    distance: Float64Array.from(rows, ([d]) => d),
    error: Float64Array.from(rows, ([, e]) => e),
  };
}
