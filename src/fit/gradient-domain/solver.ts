import type { Pool } from "../../device/pool.ts";
import { invalid } from "../../error.ts";
import type { Term } from "../../potentials/potential.ts";
import { GradientDomain } from "../../regressors/symmetric-gradient-domain/molecule.ts";
import type { Permutation } from "../../regressors/symmetric-gradient-domain/group.ts";
import { copyInto } from "../optimiser.ts";
import type { WholeSolver } from "../whole/method.ts";
import type { WholeOutcome } from "../whole/outcome.ts";
import { ConjugateGradients } from "./conjugate-gradients.ts";
import { solveExactly } from "./exact.ts";
import { describe, type Geometries, type Labelled } from "./geometries.ts";
import type { GradientDomainOptions } from "./options.ts";
import { Preconditioner } from "./preconditioner.ts";
import type { Route } from "./route.ts";
import { System } from "./system.ts";

/** Frames left out on which a length is judged, at most. */
const JUDGED = 200;

/** Everything that a solution is made from. */
export interface Made {
  readonly pool: Pool;
  readonly options: GradientDomainOptions;
  readonly term: Term;
  readonly numbers: Uint8Array;
  readonly permutations: readonly Permutation[];
  readonly labelled: readonly Labelled[];
  readonly geometries: Geometries;
  readonly route: Route;
}

/** Chooses the length on some frames, then solves for all: at once, or an iteration in each step. */
export class GradientDomainSolver implements WholeSolver {
  readonly parameters: Float64Array;
  readonly #made: Made;
  readonly #lengths: readonly number[];
  /** Mean absolute error of forces by length, NaN where it is not known yet. */
  readonly #errors: Float64Array;
  #sample: { readonly system: System; readonly judged: readonly Labelled[] } | undefined;
  #system: System | undefined;
  #gradients: ConjugateGradients | undefined;
  /** Of iterations of an earlier run. */
  #saved: Readonly<Record<string, Float64Array>> | undefined;
  #residual = NaN;
  #seconds = 0;

  constructor(made: Made) {
    const { options, labelled, geometries } = made;
    this.#made = made;
    this.#lengths = options.length === "auto" ? options.lengths : [options.length];
    this.#errors = new Float64Array(this.#lengths.length).fill(this.#lengths.length > 1 ? NaN : 0);
    this.parameters = new Float64Array(2 + labelled.length * geometries.size);
  }

  get steps(): number {
    const { options, route } = this.#made;
    return (this.#lengths.length > 1 ? this.#lengths.length : 0) + (route.exact ? 1 : options.iterations);
  }

  async step(): Promise<{ finished: boolean; loss: number }> {
    const began = performance.now();
    const open = this.#errors.findIndex(Number.isNaN);
    if (open >= 0) {
      this.#errors[open] = await this.#judge(this.#lengths[open]);
      return { finished: false, loss: 0 };
    }
    const v = this.#made.route.exact ? await this.#exact() : await this.#iterate();
    this.#seconds += (performance.now() - began) / 1000;
    if (!v) return { finished: false, loss: 0 };
    const system = this.#system!;
    system.vector.set(v);
    await system.multiply();
    this.#finish(system, v);
    return { finished: true, loss: this.#residual };
  }

  /** σ with the least error. */
  get #length(): number {
    let best = 0;
    for (const [k, error] of this.#errors.entries()) if (error < this.#errors[best]) best = k;
    return this.#lengths[best];
  }

  /** Mean absolute error of forces on frames left out, of a model of some others. */
  async #judge(length: number): Promise<number> {
    const { pool, options, numbers, permutations } = this.#made;
    this.#sample ??= await this.#makeSample();
    const { system, judged } = this.#sample;
    system.setLength(length);
    const v = await solveExactly(system, options.ridge, pool);
    const model = new GradientDomain(numbers, permutations, system.geometries.features, pool.device);
    model.set(length, 0, system.weights(v));
    let [sum, count] = [0, 0];
    for (const { positions, forces } of judged) {
      const gradient = new Float64Array(positions.length);
      model.energy(positions, gradient);
      for (let c = 0; c < gradient.length; c++, count++) sum += Math.abs(forces[c] + gradient[c]);
    }
    return sum / count;
  }

  async #makeSample() {
    const { pool, options, labelled, geometries, numbers, permutations } = this.#made;
    const M = labelled.length;
    const count = Math.max(
      1,
      Math.min(Math.floor(options.sample / geometries.directions), Math.floor(0.75 * M)),
    );
    const taken = new Set(Array.from({ length: count }, (_, k) => Math.floor((k * M) / count)));
    const some = labelled.filter((_, k) => taken.has(k));
    const rest = labelled.filter((_, k) => !taken.has(k));
    const every = Math.ceil(rest.length / JUDGED);
    const small = describe(numbers, some, pool.device);
    const system = await System.create(pool, numbers, small, permutations, { part: "all" });
    return { system, judged: rest.filter((_, k) => k % every === 0) };
  }

  async #makeSystem(): Promise<System> {
    const { pool, numbers, geometries, permutations, route } = this.#made;
    const system = await System.create(pool, numbers, geometries, permutations, route.held);
    system.setLength(this.#length);
    return system;
  }

  async #exact(): Promise<Float64Array> {
    this.#system ??= await this.#makeSystem();
    return solveExactly(this.#system, this.#made.options.ridge, this.#made.pool);
  }

  /** One iteration; the solution once it is good enough. */
  async #iterate(): Promise<Float64Array | undefined> {
    const { pool, options } = this.#made;
    this.#system ??= await this.#makeSystem();
    if (!this.#gradients) {
      const preconditioner = await Preconditioner.create(this.#system, pool);
      this.#gradients = new ConjugateGradients(this.#system, options.ridge, preconditioner);
      const { state } = this.#gradients;
      if (this.#saved)
        for (const [name, array] of Object.entries(state)) copyInto(array, this.#saved[name], name);
    }
    this.#residual = await this.#gradients.step();
    const done = this.#residual < options.tolerance || this.#gradientsDone() >= options.iterations;
    return done ? this.#gradients.state.v : undefined;
  }

  /** Parameters from v, after K v was formed: the constant is what the energies miss on average. */
  #finish(system: System, v: Float64Array): void {
    const { labelled, options, geometries } = this.#made;
    const { product } = system;
    let [error, size] = [0, 0];
    for (const [k, y] of geometries.gradients.entries()) {
      error += (y - product[k] - options.ridge * v[k]) ** 2;
      size += y * y;
    }
    this.#residual = Math.sqrt(error / size);
    let [missing, count] = [0, 0];
    for (const [j, { energy }] of labelled.entries())
      if (energy !== undefined) {
        missing += energy - system.energies[j];
        count++;
      }
    this.parameters[0] = this.#length;
    this.parameters[1] = count > 0 ? missing / count : 0;
    this.parameters.set(system.weights(v), 2);
  }

  save(): Record<string, Float64Array> {
    const { state } = this.#gradients ?? {};
    const known = {
      errors: this.#errors,
      parameters: this.parameters,
      times: Float64Array.of(this.#seconds, this.#residual),
    };
    return { ...known, ...(state ?? this.#saved) };
  }

  load(saved: Readonly<Record<string, Float64Array>>): void {
    copyInto(this.#errors, saved["errors"], "errors");
    copyInto(this.parameters, saved["parameters"], "parameters");
    if (saved["times"]?.length !== 2)
      throw invalid("checkpoint: times", "2 numbers", saved["times"]?.length ?? "nothing");
    [this.#seconds, this.#residual] = saved["times"];
    if (saved["v"]) this.#saved = saved;
  }

  async conclude(): Promise<{ term: Term; outcome: WholeOutcome }> {
    const { term } = this.#made;
    const [length, constant] = this.parameters;
    const tensors = {
      ...term.tensors,
      length: Float64Array.of(length),
      constant: Float64Array.of(constant),
      weights: this.parameters.slice(2),
    };
    return { term: { ...term, tensors }, outcome: this.#outcome() };
  }

  #outcome(): WholeOutcome {
    const { permutations, geometries, route, options } = this.#made;
    const n = geometries.gradients.length;
    const chosen =
      this.#lengths.length > 1
        ? `, chosen by force errors (meV/Å) ${this.#lengths.map((l, k) => `${l}: ${(1000 * this.#errors[k]).toFixed(1)}`).join(", ")}`
        : "";
    const rate = route.flops / this.#seconds / 1e9;
    const how = route.exact
      ? `solved exactly, ${rate.toPrecision(3)} GFLOP/s`
      : `solved by ${this.#gradientsDone()} iterations with a preconditioner of ${route.held.inducing!.length} frames`;
    return {
      lines: [
        `${permutations.length} permutations of the atoms`,
        `length ${this.parameters[0]} 1/Å${chosen}`,
        `${n} equations ${how}, in ${this.#seconds.toPrecision(3)} s; relative residual ${this.#residual.toExponential(1)}`,
      ],
      hyperparameters: { length: this.parameters[0], ridge: options.ridge },
      logLikelihood: null,
      calibration: null,
      shares: [],
    };
  }

  #gradientsDone(): number {
    return this.#gradients?.state.scalars[1] ?? this.#saved?.["scalars"]?.[1] ?? 0;
  }
}
