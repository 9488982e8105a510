import { NumericalError } from "../../error.ts";
import { dot } from "../../math/minimise.ts";
import type { Structure } from "../../structure/structure.ts";
import { limit, longest } from "../movers.ts";
import type { Simulation } from "../simulation.ts";
import { createSurface } from "../surface.ts";
import type { Point } from "../surface.ts";
import type { PotentialOf } from "./band.ts";
import { imagesOn } from "./images.ts";
import type { Images } from "./images.ts";

/** Options of a string. */
export interface StringOptions {
  /** Step along the forces, Å²/eV; 0.01 by default. */
  readonly rate?: number;
  /** Longest move of an atom in a step, Å; 0.1 by default. */
  readonly maxMove?: number;
  /** Atoms that stay where they are. */
  readonly fixed?: readonly number[];
  /** What evaluates the images; one after another on this thread by default. */
  readonly images?: Images;
}

/** A string under way: plain data. */
export interface StringState {
  readonly images: readonly Point[];
  /** Largest force across the path on an atom, eV/Å. */
  maxForce: number;
  step: number;
  evaluations: number;
}

/**
 * The simplified string method: every image steps down the forces, then all are laid at equal distances along the
 * curve through them; the ends move too, down to their minima (W. E, W. Ren, E. Vanden-Eijnden, J. Chem. Phys. 126,
 * 164103 (2007), DOI 10.1063/1.2720838).
 */
export function string(
  structure: Structure,
  path: readonly Float64Array[],
  potentialOf: PotentialOf,
  { rate = 0.01, maxMove = 0.1, fixed = [], images: given }: StringOptions = {},
): Simulation<StringState> {
  const surfaces = path.map((positions, k) => createSurface({ ...structure, positions }, potentialOf(k)));
  const evaluator = given ?? imagesOn(surfaces);
  const judge = (state: StringState) => {
    const { images } = state;
    for (const { forces } of images) for (const i of fixed) forces.fill(0, 3 * i, 3 * i + 3);
    if (images.some(({ energy }) => !Number.isFinite(energy)))
      throw new NumericalError("the energy of an image of the path is not finite");
    state.maxForce = Math.max(
      ...images.map(({ forces }, k) => {
        if (k === 0 || k === images.length - 1) return longest(forces);
        const tau = chord(images[k - 1], images[k + 1]);
        const along = dot(forces, tau);
        return longest(forces.map((f, i) => f - along * tau[i]));
      }),
    );
  };
  return {
    init() {
      const images = surfaces.map((surface) => surface.start());
      const state = { images, maxForce: 0, step: 0, evaluations: images.length };
      judge(state);
      return state;
    },
    step(state) {
      const moved = state.images.map(({ positions, forces }) => {
        const move = forces.map((f) => rate * f);
        limit(move, maxMove);
        return positions.map((x, i) => x + move[i]);
      });
      const even = evenlySpaced(moved);
      state.images.forEach((image, k) => {
        image.positions.set(even[k]);
      });
      evaluator.evaluate(state.images, 0);
      state.evaluations += state.images.length;
      state.step++;
      judge(state);
    },
  };
}

/** Unit vector from one image to another. */
function chord(from: Point, to: Point): Float64Array {
  const step = to.positions.map((x, i) => x - from.positions[i]);
  const length = Math.sqrt(dot(step, step));
  return step.map((x) => x / length);
}

/** The same curve with its images at equal distances: cubic through the images (natural spline of the length). */
export function evenlySpaced(path: readonly Float64Array[]): Float64Array[] {
  const lengths = [0];
  for (let k = 1; k < path.length; k++) {
    const step = path[k].map((x, i) => x - path[k - 1][i]);
    lengths.push(lengths[k - 1] + Math.sqrt(dot(step, step)));
  }
  const total = lengths[lengths.length - 1];
  const curvatures = naturalSpline(lengths, path);
  return path.map((here, k) => {
    if (k === 0 || k === path.length - 1) return here.slice();
    const s = (k / (path.length - 1)) * total;
    let j = 0;
    while (lengths[j + 1] < s && j < path.length - 2) j++;
    const h = lengths[j + 1] - lengths[j];
    const [a, b] = [(lengths[j + 1] - s) / h, (s - lengths[j]) / h];
    const [c, d] = [((a ** 3 - a) * h * h) / 6, ((b ** 3 - b) * h * h) / 6];
    return here.map(
      (_, i) => a * path[j][i] + b * path[j + 1][i] + c * curvatures[j][i] + d * curvatures[j + 1][i],
    );
  });
}

/** Second derivatives of the natural cubic spline through vectors at the given lengths. */
function naturalSpline(s: readonly number[], y: readonly Float64Array[]): Float64Array[] {
  const n = y.length;
  const out = y.map((v) => new Float64Array(v.length));
  const ratio = new Float64Array(n);
  for (let k = 1; k < n - 1; k++) {
    const [h0, h1] = [s[k] - s[k - 1], s[k + 1] - s[k]];
    const pivot = 2 * (h0 + h1) - h0 * ratio[k - 1];
    ratio[k] = h1 / pivot;
    for (let i = 0; i < y[0].length; i++) {
      const bend = 6 * ((y[k + 1][i] - y[k][i]) / h1 - (y[k][i] - y[k - 1][i]) / h0);
      out[k][i] = (bend - h0 * out[k - 1][i]) / pivot;
    }
  }
  for (let k = n - 2; k > 0; k--) for (let i = 0; i < y[0].length; i++) out[k][i] -= ratio[k] * out[k + 1][i];
  return out;
}
