import type { Pool } from "../../device/pool.ts";
import { invalid } from "../../error.ts";
import { packedNumbers } from "../../math/triangle.ts";
import type { Term } from "../../potentials/potential.ts";
import type { Permutation } from "../../regressors/symmetric-gradient-domain/group.ts";
import type { Written } from "../checkpoint.ts";
import { copyInto, type Stage } from "../optimiser.ts";
import type { WholeSolver } from "../whole/method.ts";
import type { WholeOutcome } from "../whole/outcome.ts";
import { ExactSolution } from "./exact.ts";
import type { Geometries, Labelled } from "./geometries.ts";
import { IterativeSolution } from "./iterative.ts";
import { LengthSearch, searchBytes, searchFlops } from "./lengths.ts";
import type { GradientDomainOptions } from "./options.ts";
import { expectedFlops, STAGE, type Route } from "./route.ts";
import { System } from "./system.ts";

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

/** Chooses the length on some frames, then solves for all: at once or by iterations, a part of the work in each step. */
export class GradientDomainSolver implements WholeSolver {
  readonly steps = Number.MAX_SAFE_INTEGER;
  readonly parameters: Float64Array;
  readonly #made: Made;
  readonly #lengths: readonly number[];
  readonly #system: System;
  readonly #search: LengthSearch | null;
  #solution: ExactSolution | IterativeSolution | undefined;
  /** Of a solution that an earlier run began. */
  #saved: Readonly<Record<string, Float64Array>> | undefined;
  #residual = NaN;
  #seconds = 0;

  private constructor(made: Made, system: System) {
    const { options, labelled, geometries, pool, route } = made;
    this.#made = made;
    this.#system = system;
    this.#lengths = options.length === "auto" ? options.lengths : [options.length];
    this.parameters = new Float64Array(2 + labelled.length * geometries.size);
    const room = searchRoom(route, geometries, options);
    this.#search =
      this.#lengths.length > 1
        ? new LengthSearch(
            made,
            this.#lengths,
            room > 0 ? pool.device.memory.alloc(room) : system.spec.matrix,
          )
        : null;
  }

  static async create(made: Made): Promise<GradientDomainSolver> {
    const { pool, numbers, geometries, permutations, route } = made;
    return new GradientDomainSolver(
      made,
      await System.create(pool, numbers, geometries, permutations, route.held),
    );
  }

  get progress(): Stage {
    const { route, options } = this.#made;
    const search = this.#search ? searchFlops(this.#lengths.length, options.sample) : 0;
    const rest = expectedFlops(route);
    const done = search * (this.#search?.done ?? 0) + rest * (this.#solution?.done ?? 0);
    return { ...this.#stage, done: done / (search + rest) };
  }

  get #stage(): Omit<Stage, "done"> {
    if (this.#search && !this.#search.finished) return { name: STAGE.length };
    if (this.#made.route.exact) return { name: STAGE.factor };
    if (!(this.#solution instanceof IterativeSolution) || this.#solution.iterations === 0)
      return { name: STAGE.preconditioner };
    return { name: STAGE.iterations, detail: `residual ${this.#residual.toExponential(1)}` };
  }

  async step(): Promise<{ finished: boolean; loss: number }> {
    if (!(await this.#advance())) return { finished: false, loss: 0 };
    await this.#finish(this.#solution!.solution);
    return { finished: true, loss: this.#residual };
  }

  /** A part of the work; true once v is known. */
  async #advance(): Promise<boolean> {
    if (this.#search && !this.#search.finished) {
      await this.#search.advance();
      return false;
    }
    const began = performance.now();
    this.#solution ??= await this.#begin();
    const done = await this.#solution.advance();
    if (this.#solution instanceof IterativeSolution) this.#residual = this.#solution.residual;
    this.#seconds += (performance.now() - began) / 1000;
    return done;
  }

  async #begin(): Promise<ExactSolution | IterativeSolution> {
    const { pool, options, route } = this.#made;
    this.#system.setLength(this.#search?.best ?? this.#lengths[0]);
    const solution = route.exact
      ? await ExactSolution.create(this.#system, options.ridge, pool)
      : new IterativeSolution(this.#system, options, route, pool);
    if (this.#saved) solution.load(this.#saved);
    this.#saved = undefined;
    return solution;
  }

  /** Parameters from v: the constant is what the energies miss on average. */
  async #finish(v: Float64Array): Promise<void> {
    const system = this.#system;
    system.vector.set(v);
    await system.multiply();
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
    this.parameters[0] = this.#search?.best ?? this.#lengths[0];
    this.parameters[1] = count > 0 ? missing / count : 0;
    this.parameters.set(system.weights(v), 2);
  }

  save(): Record<string, Float64Array | Written> {
    return {
      ...(this.#solution?.save() ?? this.#saved),
      ...(this.#search && { errors: this.#search.errors }),
      parameters: this.parameters,
      times: Float64Array.of(this.#seconds, this.#residual),
    };
  }

  load({ errors, parameters, times, ...solution }: Readonly<Record<string, Float64Array>>): void {
    this.#search?.load(errors);
    copyInto(this.parameters, parameters, "parameters");
    if (times?.length !== 2) throw invalid("checkpoint: times", "2 numbers", times?.length ?? "nothing");
    [this.#seconds, this.#residual] = times;
    if (Object.keys(solution).length > 0) this.#saved = solution;
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
    const rate = route.flops / this.#seconds / 1e9;
    const how =
      this.#solution instanceof IterativeSolution
        ? `solved by ${this.#solution.iterations} iterations with a preconditioner of ${route.held.inducing!.length} frames`
        : `solved exactly, ${rate.toPrecision(3)} GFLOP/s`;
    return {
      lines: [
        `${permutations.length} permutations of the atoms`,
        `length ${this.parameters[0]} 1/Å${this.#search?.summary ?? ""}`,
        `${n} equations ${how}, in ${this.#seconds.toPrecision(3)} s; relative residual ${this.#residual.toExponential(1)}`,
      ],
      hyperparameters: { length: this.parameters[0], ridge: options.ridge },
      logLikelihood: null,
      calibration: null,
      shares: [],
    };
  }
}

/** Bytes for the matrices of the search where the place of the whole one is too small for them; 0 where it is not. */
export function searchRoom(
  { held }: Route,
  { count: M, directions: m }: Geometries,
  { length, lengths, sample }: GradientDomainOptions,
): number {
  if (length !== "auto" || lengths.length < 2) return 0;
  const whole =
    held.part === "all" ? packedNumbers(M * m) : M * m * held.inducing!.length * held.perInducing!;
  const bytes = searchBytes(Math.min(sample, M * m));
  return bytes > 8 * whole ? bytes : 0;
}
