import { createDevice } from "../../device/device.ts";
import { buildTrainable } from "../../potentials/build.ts";
import { composed } from "../../potentials/composed.ts";
import { pick } from "../../potentials/pick.ts";
import type { Term, Trainable } from "../../potentials/potential.ts";
import { regressors } from "../../regressors/table.ts";
import type { Frame } from "../../structure/structure.ts";
import type { FitOptions, TrainingOptions } from "../options.ts";
import { LeftOut } from "./left-out.ts";
import { FOLDS, probe } from "./probe.ts";

/** Expected errors of the energy per atom (eV), of a force component (eV/Å), of the virial per atom (eV). */
export type ExpectedErrors = TrainingOptions["weights"]["sigma"][string];

/** Representative environments of the model that is tried: the best errors hardly depend on their number. */
const POINTS = 250;
/** Where the search starts, with δ of 1 eV. */
const START = [0.001, 0.1, 0.3];
/** Steps of the search, one after the other: factors √10, then half of that in logarithms. */
const STEPS = [0.5, 0.25];
/** How far it goes from the start, in powers of ten. */
const FARTHEST = 3;
/** Improvements of the score below this are none. */
const ENOUGH = 1e-3;
/** Fewer frames than this are not divided. */
const FEWEST = 2 * FOLDS;

/** What expected errors are chosen from. */
export interface ExpectedInput {
  readonly term: Term;
  readonly elements: readonly number[];
  /** Training frames without what is known. */
  readonly frames: readonly Frame[];
  readonly deterministic: boolean;
  /** Hears what is being done. */
  readonly tell: (what: string) => void;
}

/**
 * Expected errors with which a smaller model of the same kind says most of frames that it was not fitted to, by 6-fold
 * cross-validation over a grid. Only their ratio to δ counts. Energies are few beside forces, and what a model cannot
 * say is no noise: the evidence would give energies less weight than serves them.
 */
export function expectedErrors(
  { term, elements, frames, deterministic, tell }: ExpectedInput,
  seed: number,
): ExpectedErrors {
  tell("expected errors by cross-validation");
  const device = createDevice({ deterministic });
  const model = buildTrainable(thinned(term), elements, device);
  const rows = frames.length < FEWEST ? null : probe(model, frames, device, seed);
  return named(rows ? search(new LeftOut(rows)) : START);
}

const named = ([energy, forces, stress]: readonly number[]): ExpectedErrors => ({ energy, forces, stress });

/** The term with fewer representative environments. */
function thinned(term: Term): Term {
  const { regressor } = composed.options.parse(term.options);
  const method = pick(regressors, regressor.name, "model.regressor.name");
  return { ...term, tensors: method.thin?.(term.tensors, POINTS) ?? term.tensors };
}

/** Pattern search over logarithms: up or down one step along each axis as long as the score falls. */
function search(leftOut: LeftOut): number[] {
  const sigmaOf = (x: readonly number[]) =>
    x.map((power, t) => Number((START[t] * 10 ** power).toPrecision(2)));
  const axes = START.flatMap((_, t) => (leftOut.counts[t] > 0 ? [t] : []));
  let best = START.map(() => 0);
  let least = leftOut.score(sigmaOf(best));
  for (const step of STEPS)
    for (let moved = true; moved;) {
      moved = false;
      for (const t of axes)
        for (const sign of [1, -1]) {
          const x = best.with(t, best[t] + sign * step);
          if (Math.abs(x[t]) > FARTHEST) continue;
          const score = leftOut.score(sigmaOf(x));
          if (!(score < least - ENOUGH)) continue;
          [best, least, moved] = [x, score, true];
          break;
        }
    }
  return sigmaOf(best);
}

/** The options with expected errors, which a Gaussian process must have, found from the data where none are given. */
export function withExpectedErrors(options: FitOptions, model: Trainable, input: ExpectedInput): FitOptions {
  const { training, seed } = options;
  const { weights } = training;
  const given = Object.keys(weights.sigma).length + Object.keys(weights.groups).length;
  if (!model.prior || given > 0) return options;
  const sigma = { default: expectedErrors(input, seed) };
  return { ...options, training: { ...training, weights: { ...weights, sigma } } };
}

/** What the user is told of them. */
export function errorsNote({ weights }: TrainingOptions): string {
  const { energy, forces, stress } = weights.sigma["default"];
  return (
    `expected errors by cross-validation: ${Number((1000 * energy).toPrecision(3))} meV per atom, ${forces} eV/Å, ` +
    `virial ${stress} eV per atom`
  );
}
