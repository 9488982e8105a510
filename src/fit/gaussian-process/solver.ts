import type { Pool } from "../../device/pool.ts";
import { invalid, NumericalError } from "../../error.ts";
import type { GaussianProcessPotential } from "../../potentials/gaussian-process.ts";
import type { Term } from "../../potentials/potential.ts";
import { packLower } from "../../regressors/gaussian-process/deviation.ts";
import type { RawPoints } from "../../regressors/gaussian-process/points.ts";
import { GaussianProcess } from "../../regressors/gaussian-process/exact.ts";
import type { PackedFrames } from "../packed.ts";
import type { WholeOutcome } from "../whole/outcome.ts";
import type { WholeSolver } from "../whole/method.ts";
import { judgeDeviations } from "./deviations.ts";
import type { ProcessOptions } from "./options.ts";
import { EvidenceSearch, settingOf, type Unknowns } from "./search.ts";
import { labelSquares, startOf } from "./start.ts";

/** Standard deviations of noise at the start over those of the labels, where they are left open. */
const NOISE = 1e-2;
/** How far logarithms may go from the start. */
const DOWN = Math.log(1e6);
const UP = Math.log(1e5);
/** Variance that is added to the diagonal, over that of the labels, where K is not positive definite; and how often. */
const JITTER = 1e-10;
const TRIES = 7;

/** The observations that a smaller process is made of, evenly spread. */
export function thinned(
  raw: RawPoints,
  labels: Float64Array,
  most: number,
): { raw: RawPoints; labels: Float64Array } {
  const { energies, gradients, coordinates: M, features: D } = raw;
  const share = Math.min(1, most / labels.length);
  const some = (count: number) => {
    const kept = share === 1 ? count : Math.max(Math.min(count, 1), Math.floor(count * share));
    return Array.from({ length: kept }, (_, k) => Math.floor(((k + 0.5) * count) / kept));
  };
  const [e, g] = [some(energies.length), some(gradients.length)];
  const slopes = new Float64Array(g.length * M * D);
  g.forEach((from, to) => slopes.set(raw.slopes.subarray(from * M * D, (from + 1) * M * D), to * M * D));
  const own = Float64Array.from([
    ...e.map((k) => labels[k]),
    ...g.flatMap((k) => [...labels.subarray(energies.length + k * M, energies.length + (k + 1) * M)]),
  ]);
  return {
    raw: {
      ...raw,
      slopes,
      energies: Int32Array.from(e, (k) => energies[k]),
      gradients: Int32Array.from(g, (k) => gradients[k]),
    },
    labels: own,
  };
}

/** Finds hyper-parameters on some observations, then solves for all. */
export class ProcessSolver implements WholeSolver {
  readonly parameters: Float64Array;
  readonly #pool: Pool;
  readonly #options: ProcessOptions;
  readonly #term: Term;
  readonly #model: GaussianProcessPotential;
  readonly #data: PackedFrames;
  readonly #labels: Float64Array;
  readonly #unknowns: Unknowns;
  readonly #search: EvidenceSearch;
  readonly #whole: GaussianProcess;
  readonly #sampled: number;
  #searched = false;
  #logLikelihood: number | null = null;
  #jitter = 0;
  #finished = false;

  constructor(made: {
    pool: Pool;
    options: ProcessOptions;
    term: Term;
    model: GaussianProcessPotential;
    data: PackedFrames;
    labels: Float64Array;
    whole: GaussianProcess;
    sample: GaussianProcess;
    seed: number;
  }) {
    const { options, whole, sample, labels, seed } = made;
    this.#pool = made.pool;
    this.#options = options;
    this.#term = made.term;
    this.#model = made.model;
    this.#data = made.data;
    this.#labels = labels;
    this.#whole = whole;
    this.#sampled = sample.size;
    this.#unknowns = unknownsOf(options, whole, labels);
    this.#search = new EvidenceSearch(sample, this.#unknowns, { ...options, seed });
    this.parameters = new Float64Array(whole.kernel.hyperparameters.length + labels.length);
  }

  get steps(): number {
    return (this.#options.optimise ? this.#search.steps : 0) + 1;
  }

  /** −ln p(y) per observation. */
  get #loss(): number {
    return -(this.#logLikelihood ?? 0) / this.#labels.length;
  }

  async step(): Promise<{ finished: boolean; loss: number }> {
    if (this.#options.optimise && !this.#searched) {
      this.#searched = await this.#search.step();
      if (!this.#searched || this.#search.steps > 0) return { finished: false, loss: 0 };
    }
    await this.#solve();
    return { finished: true, loss: this.#loss };
  }

  /** All observations, with a little noise more where the matrix asks for it. */
  async #solve(): Promise<void> {
    const { theta, noise } = settingOf(this.#unknowns, this.#search.best);
    const squares = labelSquares(this.#labels, this.#whole.points.energies.length);
    for (let k = 0; k < TRIES; k++) {
      this.#jitter = k === 0 ? 0 : JITTER * 10 ** (k - 1);
      const more = {
        energies: noise.energies + this.#jitter * (squares.energies || squares.gradients),
        gradients: noise.gradients + this.#jitter * (squares.gradients || squares.energies),
      };
      // each try needs to know of the one before
      const evidence = await this.#whole.solve({ theta, noise: more });
      if (!evidence || !Number.isFinite(evidence.logLikelihood)) continue;
      this.#logLikelihood = evidence.logLikelihood;
      this.parameters.set(theta);
      this.parameters.set(evidence.weights, theta.length);
      this.#finished = true;
      return;
    }
    throw new NumericalError(
      "the covariance of the observations is not positive definite: give more noise (model.regressor.noise)",
    );
  }

  save(): Record<string, Float64Array> {
    const { best, bestValue } = this.#search;
    return { best, state: Float64Array.of(Math.max(bestValue, -1e300), Number(this.#finished)) };
  }

  load(saved: Readonly<Record<string, Float64Array>>): void {
    const { best, state } = saved;
    if (best?.length !== this.#search.best.length)
      throw invalid(
        "checkpoint: best",
        `${this.#search.best.length} numbers`,
        best ? `${best.length}` : "nothing",
      );
    this.#search.best.set(best);
    this.#search.bestValue = state[0];
    // The searches are not repeated: what they had found is used.
    this.#searched = state[0] > -1e300;
  }

  async conclude(
    validation: readonly number[],
    test: readonly number[],
  ): Promise<{ term: Term; outcome: WholeOutcome }> {
    if (!this.#finished) await this.#solve();
    const n = this.#labels.length;
    const { uncertainty } = this.#options;
    const keep = uncertainty === "auto" ? n <= MOST_CERTAIN : uncertainty;
    const { memory } = this.#pool.device;
    const factor = keep ? packLower(memory.f64(this.#whole.matrix, n * n), n) : null;
    const H = this.#whole.kernel.hyperparameters.length;
    const solved: Term = {
      ...this.#term,
      tensors: {
        ...this.#term.tensors,
        hyperparameters: this.parameters.slice(0, H),
        weights: this.parameters.slice(H),
        ...(factor && { factor }),
      },
    };
    const judged = factor
      ? judgeDeviations(solved, this.#model.elements, this.#pool.device, this.#data, validation, test)
      : null;
    const scale = {
      energy: judged?.calibration.energies.scale ?? 1,
      forces: judged?.calibration.forces.scale ?? 1,
    };
    const term = { ...solved, options: { ...(solved.options as object), scale } };
    return { term, outcome: this.#outcome(judged) };
  }

  #outcome(judged: ReturnType<typeof judgeDeviations> | null): WholeOutcome {
    const { theta, noise } = settingOf(this.#unknowns, this.#search.best);
    const { energies, gradients, coordinates } = this.#whole.points;
    const hyperparameters = Object.fromEntries([
      ...this.#whole.kernel.hyperparameters.map(({ name }, h) => [name, theta[h]]),
      ["noise of energies (eV)", Math.sqrt(noise.energies)],
      ["noise of forces (eV/Å)", Math.sqrt(noise.gradients)],
    ]) as Record<string, number>;
    const told = this.#options.optimise ? `, hyper-parameters told from ${this.#sampled}` : "";
    const lines = [
      `${this.#labels.length} observations: ${energies.length} energies, ${gradients.length} × ${coordinates} components of forces${told}`,
      `log marginal likelihood ${this.#logLikelihood?.toFixed(3) ?? "–"}`,
      ...(this.#jitter > 0
        ? [`noise of ${this.#jitter} of the variance of the labels was added: K was not positive definite`]
        : []),
      ...(judged ? [] : ["no standard deviations: model.regressor.uncertainty asks for them"]),
    ];
    return {
      lines,
      hyperparameters,
      logLikelihood: this.#logLikelihood,
      calibration: judged?.calibration ?? null,
      shares: judged?.shares ?? [],
    };
  }
}

/** Observations up to which standard deviations are kept unasked. */
export const MOST_CERTAIN = 4000;

const variance = (given: number | "auto", square: number) =>
  given === "auto" ? NOISE * NOISE * (square || 1) : given * given;

function unknownsOf(
  { noise, optimise }: ProcessOptions,
  gaussian: GaussianProcess,
  labels: Float64Array,
): Unknowns {
  const theta = startOf(gaussian.kernel);
  const E = gaussian.points.energies.length;
  const squares = labelSquares(labels, E);
  return {
    start: Float64Array.from([
      ...theta,
      variance(noise.energies, squares.energies),
      variance(noise.forces, squares.gradients),
    ]),
    moves: [
      ...Array.from(theta, () => optimise),
      optimise && noise.energies === "auto" && E > 0,
      optimise && noise.forces === "auto" && gaussian.points.gradients.length > 0,
    ],
    down: DOWN,
    up: UP,
  };
}
