import type { Pool } from "../../device/pool.ts";
import { copyInto } from "../optimiser.ts";
import { ConjugateGradients } from "./conjugate-gradients.ts";
import type { GradientDomainOptions } from "./options.ts";
import { Preconditioner } from "./preconditioner.ts";
import { USUAL_ITERATIONS, type Route } from "./route.ts";
import type { Solution } from "./solution.ts";
import type { System } from "./system.ts";

/** Iterations before the decay of the residual says how many there will be. */
const FIRST = 8;

/** v of (K + λ) v = y by preconditioned conjugate gradients, an iteration at a time. */
export class IterativeSolution implements Solution {
  readonly #system: System;
  readonly #options: GradientDomainOptions;
  readonly #route: Route;
  readonly #steps: AsyncGenerator<void, void>;
  /** Share of the preconditioner. */
  #prepared = 0;
  #gradients: ConjugateGradients | undefined;
  /** |y − (K + λ) v|/|y| after each iteration. */
  readonly #residuals: number[] = [];
  /** Of an earlier run. */
  #saved: Readonly<Record<string, Float64Array>> | undefined;

  constructor(system: System, options: GradientDomainOptions, route: Route, pool: Pool) {
    this.#system = system;
    this.#options = options;
    this.#route = route;
    this.#steps = this.#run(pool);
  }

  get iterations(): number {
    return this.#residuals.length;
  }

  /** |y − (K + λ) v|/|y| after the last iteration. */
  get residual(): number {
    return this.#residuals.at(-1) ?? NaN;
  }

  get done(): number {
    const { flops, perIteration } = this.#route;
    const before = this.#prepared * flops + this.iterations * perIteration;
    return Math.min(1, before / (flops + this.#expected * perIteration));
  }

  /** Iterations that there will be if the residual goes on to fall as it did in the later half. */
  get #expected(): number {
    const { tolerance, iterations: most } = this.#options;
    const r = this.#residuals;
    if (r.length < FIRST) return Math.min(most, USUAL_ITERATIONS);
    const half = Math.floor(r.length / 2);
    const decay = Math.log(r[half - 1] / r.at(-1)!) / (r.length - half);
    if (!(decay > 0)) return most;
    return Math.min(most, r.length + Math.max(0, Math.log(r.at(-1)! / tolerance)) / decay);
  }

  async advance(): Promise<boolean> {
    return (await this.#steps.next()).done!;
  }

  async *#run(pool: Pool): AsyncGenerator<void, void> {
    const made = Preconditioner.create(this.#system, pool);
    let next = await made.next();
    // each part needs those before
    for (; !next.done; next = await made.next()) {
      this.#prepared = next.value;
      yield;
    }
    this.#gradients = new ConjugateGradients(this.#system, this.#options.ridge, next.value);
    if (this.#saved) this.#restore(this.#saved, this.#gradients);
    while (!this.#finished) {
      // an iteration needs the one before
      this.#residuals.push(await this.#gradients.step());
      yield;
    }
  }

  get #finished(): boolean {
    const { tolerance, iterations: most } = this.#options;
    return this.iterations >= most || this.#residuals.at(-1)! < tolerance;
  }

  get solution(): Float64Array {
    if (!this.#gradients) throw new TypeError("no iterations yet (this is a bug)");
    return this.#gradients.state.v;
  }

  save(): Record<string, Float64Array> {
    if (!this.#gradients) return { ...this.#saved };
    return { ...this.#gradients.state, residuals: Float64Array.from(this.#residuals) };
  }

  load(saved: Readonly<Record<string, Float64Array>>): void {
    this.#saved = saved;
    this.#residuals.push(...saved["residuals"]);
  }

  #restore(saved: Readonly<Record<string, Float64Array>>, { state }: ConjugateGradients): void {
    for (const [name, array] of Object.entries(state)) copyInto(array, saved[name], name);
    this.#saved = undefined;
  }
}
