import { blockAverage } from "../analysis/blocks.ts";
import type { Umbrellas, Window } from "./windows.ts";

/** Frames of one window that were evaluated on two surfaces. */
export interface Compared {
  /** Their variable. */
  readonly samples: Float64Array;
  /** Energy on the other surface less that on the own one, eV. */
  readonly differences: Float64Array;
}

/** A profile on another surface than the one that was sampled. */
export interface Perturbed {
  /** [bins], eV, the least 0; NaN without frames. */
  readonly energies: Float64Array;
  /** Standard errors of the differences to the bin that is lowest on the own surface, [bins], eV. */
  readonly errors: Float64Array;
  /** Frames that the weights leave, of 1. */
  readonly efficiency: number;
  /** Root mean square of the differences about their mean, eV. */
  readonly spread: number;
}

/**
 * Free-energy perturbation of an umbrella profile: F′(s) = F(s) − k_B T ln ⟨e^{−(U′ − U)/k_B T}⟩_s, the mean over frames in a
 * bin, each with the weight that it has without biases (R. W. Zwanzig, J. Chem. Phys. 22, 1420 (1954), DOI
 * 10.1063/1.1740409). Errors: those of F, and block averages of what each frame adds.
 */
export function perturb(
  found: Umbrellas,
  windows: readonly Window[],
  compared: readonly Compared[],
  kT: number,
): Perturbed {
  const { centres, width, mbar } = found;
  const bins = centres.length;
  const lowest = mbar.energies.indexOf(0);
  const all = compared.flatMap(({ differences }) => [...differences]);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const [plain, moved] = [new Float64Array(bins), new Float64Array(bins)];
  const frames = compared.map(({ samples, differences }) =>
    Array.from(samples, (s, n) => {
      const w = weightOf(s, found, windows, kT);
      const b = Math.min(bins - 1, Math.max(0, Math.floor((s - centres[0]) / width + 0.5)));
      const v = w * Math.exp((mean - differences[n]) / kT);
      plain[b] += w;
      moved[b] += v;
      return { b, w, v };
    }),
  );
  const shift = plain.map((w, b) => -kT * Math.log(moved[b] / w));
  const adds = ({ b, w, v }: { b: number; w: number; v: number }, bin: number): number =>
    b === bin ? kT * (w / plain[b] - v / moved[b]) : 0;
  const errorOf = (bin: number): number => {
    const parts = frames.map((window) => {
      const values = window.map((frame) => adds(frame, bin) - adds(frame, lowest));
      return values.length > 0 ? (values.length * blockAverage(values).error) ** 2 : 0;
    });
    return Math.sqrt(parts.reduce((a, b) => a + b, mbar.errors[bin] ** 2));
  };
  const energies = mbar.energies.map((F, b) => F + shift[b] - shift[lowest]);
  const least = energies.reduce((a, b) => (b < a ? b : a), Infinity);
  const factors = all.map((d) => Math.exp((mean - d) / kT));
  const [one, two] = [1, 2].map((power) => factors.reduce((sum, x) => sum + x ** power, 0));
  return {
    energies: energies.map((F) => F - least),
    errors: energies.map((F, b) => (Number.isNaN(F) ? NaN : errorOf(b))),
    efficiency: one ** 2 / (all.length * two),
    spread: Math.sqrt(all.reduce((sum, d) => sum + (d - mean) ** 2, 0) / all.length),
  };
}

/** 1/Σ_l N_l e^{f_l − V_l(s)/k_B T}: what a sample counts without biases. */
function weightOf(s: number, { mbar }: Umbrellas, windows: readonly Window[], kT: number): number {
  const logs = windows.map(
    (window, l) => Math.log(window.samples.length) + (mbar.windows[l] - window.energyAt(s)) / kT,
  );
  const top = Math.max(...logs);
  return Math.exp(-top) / logs.reduce((sum, x) => sum + Math.exp(x - top), 0);
}
