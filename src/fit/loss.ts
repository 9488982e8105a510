/**
 * What is minimised, for a set of frames s of n_s atoms with weights w_s:
 *
 *     L = Σ_s w_s [ λ_E ΔE_s²/n_s + λ_F |ΔF_s|²/(3 n_s) + λ_S |ΔW_s|²/(9 n_s) ] / Σ_s w_s
 *
 * ΔE total energy (eV), ΔF forces [n_s, 3] (eV/Å), ΔW virial −V Δσ [3, 3] (eV). Errors of extensive quantities grow
 * as √n, so the energy and virial terms are per atom of variance and λ mean the same for small and large frames.
 * With a Huber threshold δ each square u² becomes 2δ|u| − δ² where |u| > δ (https://doi.org/10.1214/aoms/1177703732),
 * u = ΔE/√n, ΔF, ΔW/√n.
 */
export interface LossWeights {
  /** λ_E, 1/eV². */
  readonly energy: number;
  /** λ_F, Å²/eV². */
  readonly forces: number;
  /** λ_S, 1/eV². */
  readonly stress: number;
  /** δ, eV and eV/Å; infinite for plain squares. */
  readonly huber: number;
}

/** One frame's labels, or what was predicted for it; a missing label is null. */
export interface FrameLabels {
  readonly energy: number | null;
  readonly forces: Float64Array | null;
  readonly virial: Float64Array | null;
}

/** Where the derivative of a frame's loss by its prediction goes. */
export interface FrameSeeds {
  readonly forces: Float64Array;
  readonly virial: Float64Array;
}

/** The parts of a frame's loss, each with its λ, without w_s. */
export interface LossParts {
  energy: number;
  forces: number;
  stress: number;
}

const penalty = (u: number, delta: number): number => {
  const a = Math.abs(u);
  return a <= delta ? u * u : 2 * delta * a - delta * delta;
};

const slope = (u: number, delta: number): number => 2 * Math.max(-delta, Math.min(delta, u));

/** Σ of penalties of (predicted − label)·scale, times factor; seeds get weight·factor·scale·penalty′. */
function block(
  predicted: Float64Array,
  label: Float64Array,
  scale: number,
  factor: number,
  weight: number,
  delta: number,
  seeds: Float64Array,
): number {
  let sum = 0;
  for (let k = 0; k < label.length; k++) {
    const u = (predicted[k] - label[k]) * scale;
    sum += penalty(u, delta);
    seeds[k] = weight * factor * scale * slope(u, delta);
  }
  return factor * sum;
}

/**
 * Loss of one frame of n atoms, added to `parts`; overwrites the seeds with `weight`·∂L_s/∂(F, W) and returns
 * `weight`·∂L_s/∂E.
 */
export function frameLoss(
  n: number,
  energy: number,
  forces: Float64Array,
  virial: Float64Array,
  labels: FrameLabels,
  lambda: LossWeights,
  weight: number,
  seeds: FrameSeeds,
  parts: LossParts,
): number {
  const root = 1 / Math.sqrt(n);
  const delta = lambda.huber;
  seeds.forces.fill(0);
  seeds.virial.fill(0);
  if (labels.forces && lambda.forces > 0)
    parts.forces += block(forces, labels.forces, 1, lambda.forces / (3 * n), weight, delta, seeds.forces);
  if (labels.virial && lambda.stress > 0)
    parts.stress += block(virial, labels.virial, root, lambda.stress / 9, weight, delta, seeds.virial);
  if (labels.energy === null || lambda.energy === 0) return 0;
  const u = (energy - labels.energy) * root;
  parts.energy += lambda.energy * penalty(u, delta);
  return weight * lambda.energy * root * slope(u, delta);
}
