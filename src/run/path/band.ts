import { NumericalError, invalid } from "../../error.ts";
import { dot } from "../../math/minimise.ts";
import type { Potential } from "../../potentials/potential.ts";
import type { Structure } from "../../structure/structure.ts";
import { forget, guardedMemory, guardedMove } from "../guarded.ts";
import type { GuardedMemory } from "../guarded.ts";
import { fireMemory, fireMove, longest } from "../movers.ts";
import type { FireMemory } from "../movers.ts";
import type { Simulation } from "../simulation.ts";
import { createSurface } from "../surface.ts";
import type { Point } from "../surface.ts";
import { imagesOn } from "./images.ts";
import type { Images } from "./images.ts";

/** Options of a band. */
export interface BandOptions {
  /** k of the springs between images, eV/Å²; 5 by default. */
  readonly spring?: number;
  /** Whether the highest image climbs to the saddle point, once no force is above `climbBelow`. */
  readonly climb?: boolean;
  /** eV/Å; 0.5 by default. */
  readonly climbBelow?: number;
  /** "lbfgs" under guard, see `guardedMove`, or "fire". */
  readonly method?: "lbfgs" | "fire";
  /** Longest move of an atom in a step, Å; 0.2 by default. */
  readonly maxMove?: number;
  /** Atoms that stay where they are. */
  readonly fixed?: readonly number[];
  /** What evaluates the images; one after another on this thread by default. */
  readonly images?: Images;
}

/** A band under way: plain data. */
export interface BandState {
  readonly images: readonly Point[];
  /** Forces on the images across the path and along the springs, [images − 2, n, 3], eV/Å. */
  readonly forces: Float64Array;
  /** Largest of them on an atom, eV/Å. */
  maxForce: number;
  /** The image that climbs; −1 while none does. */
  climbing: number;
  step: number;
  /** Evaluations of the potential so far, those of the ends included. */
  evaluations: number;
  readonly fire: FireMemory;
  readonly lbfgs: GuardedMemory;
}

/** The potential that an image feels. */
export type PotentialOf = (image: number) => Potential;

/** Growth of the forces at which a move is taken back. */
const WORSE = 1.75;

/**
 * Nudged elastic band: images between two fixed ends feel the force across the path, and springs along it, with the
 * improved tangent (G. Henkelman, H. Jónsson, J. Chem. Phys. 113, 9978 (2000), DOI 10.1063/1.1323224); the highest
 * climbs along the path to the saddle point (G. Henkelman, B. P. Uberuaga, H. Jónsson, J. Chem. Phys. 113, 9901
 * (2000), DOI 10.1063/1.1329672). `path` holds positions [n, 3] of all images, Å.
 */
export function band(
  structure: Structure,
  path: readonly Float64Array[],
  potentialOf: PotentialOf,
  options: BandOptions = {},
): Simulation<BandState> {
  const { spring = 5, climb = true, climbBelow = 0.5, method = "lbfgs", maxMove = 0.2, fixed = [] } = options;
  if (path.length < 3) throw invalid("path", "3 images or more", path.length);
  const width = structure.positions.length;
  const surfaces = path.map((positions, k) => createSurface({ ...structure, positions }, potentialOf(k)));
  const evaluator = options.images ?? imagesOn(surfaces);

  /** Across the path plus along the springs; the climbing image: turned round along the path. */
  function judge(state: BandState): void {
    const { images, forces } = state;
    if (images.some(({ energy }) => !Number.isFinite(energy)))
      throw new NumericalError("the energy of an image of the path is not finite");
    for (let k = 1; k < images.length - 1; k++) {
      const F = forces.subarray((k - 1) * width, k * width).fill(0);
      F.set(images[k].forces);
      for (const i of fixed) F.fill(0, 3 * i, 3 * i + 3);
      const tau = tangent(images, k);
      const along = dot(F, tau);
      const pull =
        k === state.climbing
          ? -2 * along
          : spring * (apart(images[k + 1], images[k]) - apart(images[k], images[k - 1])) - along;
      for (let i = 0; i < width; i++) F[i] += pull * tau[i];
      if (k !== state.climbing) straighten(F, images, k, tau, spring);
    }
    state.maxForce = longest(forces);
  }

  function follow(state: BandState): void {
    if (!climb || (state.climbing < 0 && state.maxForce > climbBelow)) return;
    const before = state.climbing;
    state.climbing = highest(state.images);
    if (state.climbing === before) return;
    judge(state);
    forget(state.lbfgs);
  }

  return {
    init() {
      const images = surfaces.map((surface) => surface.start());
      const inner = (images.length - 2) * width;
      const state: BandState = {
        images,
        forces: new Float64Array(inner),
        maxForce: 0,
        climbing: -1,
        step: 0,
        evaluations: images.length,
        fire: fireMemory(inner),
        lbfgs: guardedMemory(),
      };
      judge(state);
      follow(state);
      return state;
    },
    step(state) {
      const { images, forces } = state;
      const inner = images.slice(1, -1);
      const now = joined(inner.map(({ positions }) => positions));
      const move =
        method === "fire"
          ? fireMove(state.fire, forces, maxMove, { gradient: false })
          : guardedMove(state.lbfgs, now, forces, maxMove, WORSE);
      inner.forEach((image, k) => {
        for (let i = 0; i < width; i++) image.positions[i] += move[k * width + i];
      });
      evaluator.evaluate(inner, 1);
      state.evaluations += inner.length;
      state.step++;
      judge(state);
      follow(state);
    },
  };
}

function joined(arrays: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(arrays.length * arrays[0].length);
  arrays.forEach((array, k) => all.set(array, k * array.length));
  return all;
}

/**
 * Where the path turns back by more than a right angle, springs along it could drive the image away from both its
 * neighbours: there they pull across it too, as strongly as it turns (after H. Jónsson, G. Mills, K. W. Jacobsen, DOI
 * 10.1142/9789812839664_0016, whose switch acts at every bend).
 */
function straighten(
  F: Float64Array,
  images: readonly Point[],
  k: number,
  tau: Float64Array,
  spring: number,
): void {
  const [before, here, after] = [images[k - 1], images[k], images[k + 1]].map((image) => image.positions);
  const on = here.map((x, i) => after[i] - x);
  const back = here.map((x, i) => x - before[i]);
  const cosine = dot(on, back) / Math.sqrt(dot(on, on) * dot(back, back));
  if (!(cosine < 0)) return;
  // 0 at a right angle and 1 where the path runs back into itself, smoothly.
  const part = cosine * cosine * (3 + 2 * cosine);
  const pull = on.map((d, i) => spring * part * (d - back[i]));
  const along = dot(pull, tau);
  for (let i = 0; i < F.length; i++) F[i] += pull[i] - along * tau[i];
}

/** |R_a − R_b|. */
const apart = (a: Point, b: Point): number => {
  let square = 0;
  for (let i = 0; i < a.positions.length; i++) square += (a.positions[i] - b.positions[i]) ** 2;
  return Math.sqrt(square);
};

/** The inner image of highest energy. */
export const highest = (images: readonly Pick<Point, "energy">[]): number => {
  let top = 1;
  for (let k = 2; k < images.length - 1; k++) if (images[k].energy > images[top].energy) top = k;
  return top;
};

/** Unit tangent at image k: towards the higher neighbour, at an extremum a mean of both by their energies. */
export function tangent(images: readonly Point[], k: number): Float64Array {
  const [before, here, after] = [images[k - 1], images[k], images[k + 1]];
  const [back, on] = [here.energy - before.energy, after.energy - here.energy];
  const [low, high] = [Math.min(Math.abs(back), Math.abs(on)), Math.max(Math.abs(back), Math.abs(on))];
  // Weights of the steps behind and ahead.
  let weights = [high, low];
  if (back > 0 && on > 0) weights = [0, 1];
  else if (back < 0 && on < 0) weights = [1, 0];
  else if (after.energy > before.energy) weights = [low, high];
  // A flat piece, as on a path of equal energies, has no higher neighbour.
  if (weights[0] === 0 && weights[1] === 0) weights = [1, 1];
  const tau = here.positions.map(
    (x, i) => weights[0] * (x - before.positions[i]) + weights[1] * (after.positions[i] - x),
  );
  const length = Math.sqrt(dot(tau, tau));
  return tau.map((x) => x / length);
}
