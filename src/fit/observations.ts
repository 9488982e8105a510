import type { Random } from "../math/random.ts";

/**
 * Ways to make few observations of many components. With errors e = label − prediction of N components of which c
 * observations are made, each of a scaled loss λ|e|²/N in all:
 * "component": √(λ/c) e_k of chosen components k;
 * "random": √(λ/N) Σ ±e_k over the components of each of c groups, with random signs;
 * "signs": √(λ/(N N_g)) Σ |e_k| over the N_g components of each of c groups (RLEKF, https://arxiv.org/abs/2212.06989).
 * Expectations of the squared sums of the first two are λ|e|²/N, so the filter minimises the loss of loss.ts.
 */
export const OBSERVATION_KINDS = ["component", "random", "signs"] as const;
export type ObservationKind = (typeof OBSERVATION_KINDS)[number];

/** How many observations of a block are made, and the scaled error below which none is wanted. */
export interface BlockChoice {
  readonly count: number;
  readonly floor: number;
}

/** Which observations of each frame are made. */
export interface ObservationChoice {
  readonly energy: BlockChoice;
  /** A count of at least all components takes each of them once. */
  readonly forces: BlockChoice;
  readonly stress: BlockChoice;
  readonly kind: ObservationKind;
  /** Components drawn to find one above the floor. */
  readonly trials: number;
  readonly seed: number;
  readonly epoch: number;
}

/** Where the choice lies in the shared block. */
export const CHOICE = { size: 10 } as const;

export function writeChoice(to: Float64Array, c: ObservationChoice): void {
  const blocks = [c.energy, c.forces, c.stress].flatMap(({ count, floor }) => [count, floor]);
  to.set([...blocks, OBSERVATION_KINDS.indexOf(c.kind), c.trials, c.seed, c.epoch]);
}

export function readChoice(from: Float64Array): ObservationChoice {
  const [e, eFloor, f, fFloor, s, sFloor, kind, trials, seed, epoch] = from;
  return {
    energy: { count: e, floor: eFloor },
    forces: { count: f, floor: fFloor },
    stress: { count: s, floor: sFloor },
    kind: OBSERVATION_KINDS[kind],
    trials,
    seed,
    epoch,
  };
}

/** Most observations of a frame with `atoms` atoms. */
export const mostObservations = (atoms: number, forces: number, stress: number): number =>
  1 + Math.min(forces, 3 * atoms) + Math.min(stress, 9);

/**
 * Makes the observations of one block: for each, seeds [N] hold the derivative of the scaled observation by the
 * predictions while `use` is called with its scaled error; all are zero again at the end. `scale` is √λ.
 */
export function observeBlock(
  predicted: Float64Array,
  label: Float64Array,
  seeds: Float64Array,
  scale: number,
  { count, floor }: BlockChoice,
  kind: ObservationKind,
  trials: number,
  random: Random,
  use: (error: number) => void,
): void {
  const N = label.length;
  const c = Math.min(count, N);
  if (c === 0 || scale === 0) return;
  if (c === N || kind === "component")
    observeComponents(predicted, label, seeds, scale, c, floor, c === N ? 1 : trials, random, use);
  else observeSums(predicted, label, seeds, scale, c, kind, random, use);
}

function observeComponents(
  predicted: Float64Array,
  label: Float64Array,
  seeds: Float64Array,
  scale: number,
  count: number,
  floor: number,
  trials: number,
  random: Random,
  use: (error: number) => void,
): void {
  const N = label.length;
  const order = Int32Array.from(label, (_, k) => k);
  const each = scale / Math.sqrt(count);
  const error = (at: number) => scale * (label[order[at]] - predicted[order[at]]);
  for (let c = 0; c < count; c++) {
    // The largest error of those drawn, and no further draw once one exceeds the floor.
    let best = count < N ? c + random.integer(N - c) : c;
    for (let t = 1; t < trials && Math.abs(error(best)) < floor; t++) {
      const drawn = c + random.integer(N - c);
      if (Math.abs(error(drawn)) > Math.abs(error(best))) best = drawn;
    }
    [order[c], order[best]] = [order[best], order[c]];
    // Where nothing could be chosen, what is too small is left out.
    if (count === N && Math.abs(error(c)) < floor) continue;
    seeds[order[c]] = each;
    use(each * (label[order[c]] - predicted[order[c]]));
    seeds[order[c]] = 0;
  }
}

function observeSums(
  predicted: Float64Array,
  label: Float64Array,
  seeds: Float64Array,
  scale: number,
  count: number,
  kind: "random" | "signs",
  random: Random,
  use: (error: number) => void,
): void {
  const N = label.length;
  const order = random.shuffle(Int32Array.from(label, (_, k) => k));
  for (let c = 0; c < count; c++) {
    const members = order.subarray(Math.floor((c * N) / count), Math.floor(((c + 1) * N) / count));
    const each = scale / Math.sqrt(N * (kind === "signs" ? members.length : 1));
    let sum = 0;
    for (const k of members) {
      const e = label[k] - predicted[k];
      const positive = kind === "signs" ? e >= 0 : random.integer(2) === 0;
      seeds[k] = positive ? each : -each;
      sum += seeds[k] * e;
    }
    use(sum);
    for (const k of members) seeds[k] = 0;
  }
}
