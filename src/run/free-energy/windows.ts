import { blockAverage } from "../analysis/blocks.ts";
import { reweight } from "./reweight.ts";
import type { Binned, Reweighted, Sampled } from "./reweight.ts";

/** What was sampled under one bias. */
export interface Window {
  /** Values of the variable, equally spaced in time. */
  readonly samples: Float64Array;
  /** The bias, eV. */
  energyAt(s: number): number;
}

/** How samples become profiles. */
export interface ProfileOptions {
  /** k_B T, eV. */
  readonly kT: number;
  readonly bins: number;
  /** Of the variable; 0: none. */
  readonly period?: number;
  /** Ends of the profile; those of the samples, or one period, by default. */
  readonly range?: readonly [number, number];
}

/** A free energy along a variable, its least value 0. */
export interface FreeEnergy {
  /** −k_B T ln p of each bin, [bins], eV; NaN where nothing was sampled. */
  readonly energies: Float64Array;
  /** Standard errors of the differences to the lowest bin, [bins], eV. */
  readonly errors: Float64Array;
  /** Free energies of the biased ensembles, the first 0, [windows], eV. */
  readonly windows: Float64Array;
  /** Standard errors of their differences to the first. */
  readonly windowErrors: Float64Array;
  readonly iterations: number;
}

/** What umbrella sampling gives. */
export interface Umbrellas {
  /** Middles of the bins. */
  readonly centres: Float64Array;
  readonly width: number;
  readonly wham: FreeEnergy;
  readonly mbar: FreeEnergy;
  /** How many values of the variable are worth one: g = 1 + 2τ of each window. */
  readonly inefficiencies: Float64Array;
  /** Overlap of each window with the next, 0 … 1; for a ring the last with the first too. */
  readonly overlaps: Float64Array;
  /** Samples of each window in each bin, [windows][bins]. */
  readonly histograms: readonly Float64Array[];
}

/** An overlap below this joins two windows by chance only: P. V. Klimovich et al., DOI 10.1007/s10822-015-9840-9. */
export const LEAST_OVERLAP = 0.03;

/** g = 1 + 2τ: how many correlated values are worth one; values of a periodic variable are taken from the first on. */
function inefficiency(samples: Float64Array, period: number): number {
  const near = (s: number) => s - (period > 0 ? period * Math.round((s - samples[0]) / period) : 0);
  return Math.max(1, 2 * blockAverage(samples.map(near)).correlation);
}

/**
 * By how much the variance of an estimate exceeds that of independent samples: block averages of what each sample adds to
 * it, window by window.
 */
function excess(influence: Float64Array, windows: readonly Window[]): number {
  let [blocked, independent, at] = [0, 0, 0];
  for (const { samples } of windows) {
    const n = samples.length;
    const { error, correlation } = blockAverage(influence.subarray(at, at + n));
    blocked += (n * error) ** 2;
    independent += (n * error) ** 2 / (2 * correlation);
    at += n;
  }
  return independent > 0 ? Math.max(1, blocked / independent) : 1;
}

/** The free energy along a variable from windows that were sampled under different biases: by WHAM and by MBAR. */
export function umbrellas(windows: readonly Window[], options: ProfileOptions): Umbrellas {
  const { kT, bins, period = 0 } = options;
  const [from, to] = options.range ?? rangeOf(windows, period);
  const width = (to - from) / bins;
  const centres = Float64Array.from({ length: bins }, (_, b) => from + (b + 0.5) * width);
  const binOf = (s: number) => {
    const b = Math.floor((s - from) / width);
    if (period > 0) return ((b % bins) + bins) % bins;
    return s === to ? bins - 1 : b >= 0 && b < bins ? b : -1;
  };
  const inefficiencies = Float64Array.from(windows, ({ samples }) => inefficiency(samples, period));
  const histograms = windows.map(({ samples }) => {
    const histogram = new Float64Array(bins);
    for (const s of samples) if (binOf(s) >= 0) histogram[binOf(s)]++;
    return histogram;
  });
  const all = pooled(windows, kT);
  const solved = reweight(all);
  const profile = solved.probabilities(Int32Array.from(all.points, binOf), bins);
  const iterated = reweight(binned(windows, histograms, centres, kT));
  const own = iterated.probabilities(Int32Array.from(centres.keys()), bins);
  // Both ways see the same samples, so that their correlation counts alike.
  const p = profile.probabilities;
  const lowest = p.indexOf(Math.max(...p));
  const inBins = p.map((x, b) => (x > 0 && b !== lowest ? excess(profile.influence(b, lowest), windows) : 1));
  const inWindows = Float64Array.from(windows, (_, k) =>
    k > 0 ? excess(solved.influence(k, 0), windows) : 1,
  );
  return {
    centres,
    width,
    wham: freeEnergy(iterated, own, kT, lowest, inBins, inWindows),
    mbar: freeEnergy(solved, profile, kT, lowest, inBins, inWindows),
    inefficiencies,
    overlaps: neighbours(solved.overlap, windows.length, period > 0),
    histograms,
  };
}

function rangeOf(windows: readonly Window[], period: number): [number, number] {
  if (period > 0) return [-period / 2, period / 2];
  let [low, high] = [Infinity, -Infinity];
  for (const { samples } of windows)
    for (const s of samples) [low, high] = [Math.min(low, s), Math.max(high, s)];
  return [low, high];
}

/** All samples one after another. */
function pooled(windows: readonly Window[], kT: number): Sampled & { points: Float64Array } {
  const points = new Float64Array(windows.reduce((sum, { samples }) => sum + samples.length, 0));
  let at = 0;
  for (const { samples } of windows) {
    points.set(samples, at);
    at += samples.length;
  }
  return {
    points,
    energies: windows.map((window) => points.map((s) => window.energyAt(s) / kT)),
    weights: new Float64Array(points.length).fill(1),
    counts: Float64Array.from(windows, ({ samples }) => samples.length),
  };
}

/** Bins in the samples' place, each with the bias of its middle. */
function binned(
  windows: readonly Window[],
  histograms: readonly Float64Array[],
  centres: Float64Array,
  kT: number,
): Sampled {
  return {
    energies: windows.map((window) => centres.map((s) => window.energyAt(s) / kT)),
    weights: centres.map((_, b) => histograms.reduce((sum, h) => sum + h[b], 0)),
    counts: Float64Array.from(histograms, (h) => h.reduce((a, b) => a + b, 0)),
  };
}

/** In eV; `inBins` and `inWindows` are the factors of the variances that correlation brings. */
function freeEnergy(
  { f, covariance, iterations }: Reweighted,
  { probabilities: p, covariance: own }: Binned,
  kT: number,
  lowest: number,
  inBins: Float64Array,
  inWindows: Float64Array,
): FreeEnergy {
  const K = f.length;
  return {
    energies: p.map((x) => (x > 0 ? -kT * Math.log(x / p[lowest]) : NaN)),
    errors: p.map((x, b) => (x > 0 ? kT * Math.sqrt(inBins[b]) * deviation(own, p.length, b, lowest) : NaN)),
    windows: f.map((x) => kT * x),
    windowErrors: f.map((_, k) => kT * Math.sqrt(inWindows[k]) * deviation(covariance, K, k, 0)),
    iterations,
  };
}

/** √(Θ_aa − 2 Θ_ab + Θ_bb) */
const deviation = (theta: Float64Array, n: number, a: number, b: number): number =>
  Math.sqrt(Math.max(0, theta[a * n + a] - 2 * theta[a * n + b] + theta[b * n + b]));

function neighbours(overlap: Float64Array, K: number, ring: boolean): Float64Array {
  const pairs = K < 2 ? 0 : ring && K > 2 ? K : K - 1;
  return Float64Array.from({ length: pairs }, (_, k) => overlap[k * K + ((k + 1) % K)]);
}
