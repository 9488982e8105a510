import { dot } from "../../math/minimise.ts";
import type { Point } from "../surface.ts";
import { tangent } from "./band.ts";

/** The energy along a path. */
export interface Profile {
  /** Length of the path up to each image, [images], Å. */
  readonly lengths: Float64Array;
  /** Relative to the first image, [images], eV. */
  readonly energies: Float64Array;
  /** dE/ds at each image, eV/Å. */
  readonly slopes: Float64Array;
  /** A smooth curve through them: lengths and energies. */
  readonly curve: { readonly lengths: Float64Array; readonly energies: Float64Array };
  /** Highest energy of the curve over the first image and over the last, eV. */
  readonly forward: number;
  readonly backward: number;
}

/** Points of the curve between two images. */
const FINE = 20;

/** The energy profile of a path: cubic pieces with the images' energies and slopes along the path. */
export function profileOf(images: readonly Point[]): Profile {
  const lengths = new Float64Array(images.length);
  for (let k = 1; k < images.length; k++) {
    const step = images[k].positions.map((x, i) => x - images[k - 1].positions[i]);
    lengths[k] = lengths[k - 1] + Math.sqrt(dot(step, step));
  }
  const energies = Float64Array.from(images, ({ energy }) => energy - images[0].energy);
  const slopes = Float64Array.from(images, (image, k) =>
    k === 0 || k === images.length - 1 ? 0 : -dot(image.forces, tangent(images, k)),
  );
  const x: number[] = [0];
  const y: number[] = [0];
  for (let k = 0; k + 1 < images.length; k++) {
    const h = lengths[k + 1] - lengths[k];
    for (let f = 1; f <= FINE; f++) {
      const t = f / FINE;
      x.push(lengths[k] + t * h);
      y.push(hermite(t, h, energies[k], energies[k + 1], slopes[k], slopes[k + 1]));
    }
  }
  const top = Math.max(...y);
  return {
    lengths,
    energies,
    slopes,
    curve: { lengths: Float64Array.from(x), energies: Float64Array.from(y) },
    forward: top,
    backward: top - energies[images.length - 1],
  };
}

/** The cubic with values e and slopes d at both ends of an interval of length h. */
const hermite = (t: number, h: number, e0: number, e1: number, d0: number, d1: number): number =>
  (1 + 2 * t) * (1 - t) ** 2 * e0 +
  t * t * (3 - 2 * t) * e1 +
  h * t * (1 - t) ** 2 * d0 +
  h * t * t * (t - 1) * d1;
