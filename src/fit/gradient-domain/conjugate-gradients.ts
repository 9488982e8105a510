import { dot } from "../../math/minimise.ts";
import type { Preconditioner } from "./preconditioner.ts";
import type { System } from "./system.ts";

/** Everything that an iteration goes on from. */
export interface CgState {
  readonly v: Float64Array;
  readonly residual: Float64Array;
  readonly direction: Float64Array;
  /** r·M⁻¹r; iterations done; |y|. */
  readonly scalars: Float64Array;
}

/** Preconditioned conjugate gradients on (K + λ) v = y (G. H. Golub, C. F. Van Loan, Matrix Computations, §11.5). */
export class ConjugateGradients {
  readonly state: CgState;
  readonly #system: System;
  readonly #lambda: number;
  readonly #preconditioner: Preconditioner;
  readonly #z: Float64Array;

  constructor(system: System, lambda: number, preconditioner: Preconditioner) {
    const { gradients } = system.geometries;
    this.#system = system;
    this.#lambda = lambda;
    this.#preconditioner = preconditioner;
    this.#z = new Float64Array(gradients.length);
    this.state = {
      v: new Float64Array(gradients.length),
      residual: gradients.slice(),
      direction: new Float64Array(gradients.length),
      scalars: Float64Array.of(0, 0, Math.sqrt(dot(gradients, gradients))),
    };
  }

  /** One iteration; returns |y − (K + λ) v|/|y|. */
  async step(): Promise<number> {
    const { v, residual, direction, scalars } = this.state;
    if (scalars[1] === 0) {
      await this.#preconditioner.apply(residual, direction);
      scalars[0] = dot(residual, direction);
    }
    const system = this.#system;
    system.vector.set(direction);
    await system.multiply();
    const { product } = system;
    for (let k = 0; k < product.length; k++) product[k] += this.#lambda * direction[k];
    const alpha = scalars[0] / dot(direction, product);
    for (let k = 0; k < v.length; k++) {
      v[k] += alpha * direction[k];
      residual[k] -= alpha * product[k];
    }
    await this.#preconditioner.apply(residual, this.#z);
    const next = dot(residual, this.#z);
    const beta = next / scalars[0];
    for (let k = 0; k < v.length; k++) direction[k] = this.#z[k] + beta * direction[k];
    scalars[0] = next;
    scalars[1]++;
    return Math.sqrt(dot(residual, residual)) / scalars[2];
  }
}
