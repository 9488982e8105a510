import { invalid } from "../../error.ts";
import type { Hills } from "../../potentials/bias/hills.ts";
import { blockAverage } from "../analysis/blocks.ts";

/** What a run of metadynamics was told, and what it saw. */
export interface HillsRun {
  /** With all hills of the run, on one variable. */
  readonly hills: Hills;
  /** k_B T, eV. */
  readonly kT: number;
  readonly biasFactor: number;
  /** Steps between hills. */
  readonly every: number;
  /** How many lay hills together; 1 by default. */
  readonly walkers?: number;
  /** Values of the variable, and the steps at which they were seen, ascending; those of several walkers in turn. */
  readonly samples: Float64Array;
  readonly steps: Float64Array;
}

/** A free energy along the variable by two ways, the least value of each 0. */
export interface HillsProfile {
  readonly centres: Float64Array;
  /** −γ/(γ−1) V(s), [bins], eV. */
  readonly fromHills: Float64Array;
  /** −k_B T ln p of the samples with the bias taken out, [bins], eV; NaN where nothing was sampled. */
  readonly energies: Float64Array;
  /** Standard errors of the differences to the lowest bin, [bins], eV. */
  readonly errors: Float64Array;
}

/** Points per σ at which the offset's integrals are summed. */
const FINE = 5;

/**
 * The free energy from the hills and, after the first `skip` of the run, from the samples, each with the weight
 * e^{(V(s,t) − c(t))/k_B T}, c(t) = k_B T ln ∫ e^{γV/((γ−1)k_B T)} ds / ∫ e^{V/((γ−1)k_B T)} ds (P. Tiwary, M. Parrinello, J. Phys.
 * Chem. B 119, 736 (2015), DOI 10.1021/jp504920s); errors by block averages of the weighted samples.
 */
export function hillsProfile(run: HillsRun, bins: number, skip = 1 / 3): HillsProfile {
  const { hills, kT, biasFactor, samples } = run;
  if (hills.variables.length !== 1)
    throw invalid("profile of hills", "one variable", `${hills.variables.length}`);
  const [low, high] = rangeOf(run);
  const width = (high - low) / bins;
  const centres = Float64Array.from({ length: bins }, (_, b) => low + (b + 0.5) * width);
  const scale = Number.isFinite(biasFactor) ? biasFactor / (biasFactor - 1) : 1;
  const raw = centres.map((s) => -scale * hills.at([s])[0]);
  const least = Math.min(...raw);
  const first = Math.floor(skip * samples.length);
  const logs = logWeights(run, low, high).subarray(first);
  const top = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = logs.map((x) => Math.exp(x - top));
  const where = Int32Array.from(samples.subarray(first), (s) =>
    Math.min(bins - 1, Math.max(0, Math.floor((hills.variables[0].wrap(s) - low) / width))),
  );
  const mass = new Float64Array(bins);
  weights.forEach((w, n) => (mass[where[n]] += w));
  const lowest = mass.indexOf(Math.max(...mass));
  const share = (b: number, n: number) => (where[n] === b ? weights[n] / mass[b] : 0);
  return {
    centres,
    fromHills: raw.map((F) => F - least),
    energies: mass.map((m) => (m > 0 ? -kT * Math.log(m / mass[lowest]) : NaN)),
    errors: mass.map((m, b) => {
      if (!(m > 0)) return NaN;
      const differences = weights.map((_, n) => share(b, n) - share(lowest, n));
      return kT * weights.length * blockAverage(differences).error;
    }),
  };
}

function rangeOf({ hills, samples }: HillsRun): [number, number] {
  const { period } = hills.variables[0];
  if (period > 0) return [-period / 2, period / 2];
  let [low, high] = [Infinity, -Infinity];
  for (const s of samples) [low, high] = [Math.min(low, s), Math.max(high, s)];
  return [low, high];
}

/** (V(s,t) − c(t))/k_B T of every sample, with the hills that acted on it. */
function logWeights(run: HillsRun, low: number, high: number): Float64Array {
  const { hills, kT, biasFactor, every, samples, steps, walkers = 1 } = run;
  const [v] = hills.variables;
  const [sigma] = hills.widths;
  const reach = v.period > 0 ? 0 : 3 * sigma;
  const count = Math.ceil(((high - low + 2 * reach) / sigma) * FINE);
  const grid = Float64Array.from(
    { length: count },
    (_, k) => low - reach + ((k + 0.5) * (high - low + 2 * reach)) / count,
  );
  const V = new Float64Array(count);
  const inverse = Number.isFinite(biasFactor) ? 1 / (biasFactor - 1) : 0;
  let laid = 0;
  let offset = 0;
  return samples.map((s, n) => {
    // A hill of this very step came after the sample.
    const rounds = Math.max(0, Math.ceil(steps[n] / every) - 1);
    const present = Math.min(hills.count, walkers * rounds);
    if (present > laid) {
      for (; laid < present; laid++) {
        const [centre, w] = hills.table.subarray(2 * laid, 2 * laid + 2);
        for (let k = 0; k < count; k++) V[k] += w * Math.exp(-0.5 * (v.wrap(grid[k] - centre) / sigma) ** 2);
      }
      offset = logIntegral(V, (1 + inverse) / kT) - logIntegral(V, inverse / kT);
    }
    return hills.at([s], present)[0] / kT - offset;
  });
}

/** ln Σ e^{aV} */
function logIntegral(V: Float64Array, a: number): number {
  const top = V.reduce((most, x) => Math.max(most, a * x), -Infinity);
  return top + Math.log(V.reduce((sum, x) => sum + Math.exp(a * x - top), 0));
}
