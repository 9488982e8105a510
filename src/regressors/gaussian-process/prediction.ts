import type { Device, Kernel } from "../../device/device.ts";
import { add, constant, max, mul, variable, type Expr } from "../../formula/expression.ts";
import { substitute } from "../../formula/lower.ts";
import type { KernelSpec } from "../../formula/spec.ts";
import { SAME, type KernelFunction } from "../../kernels/function.ts";
import { scaling, type RawPoints } from "./points.ts";

const even = (n: number): number => n + (n & 1);

/** t = ∂s/∂R_i · β_i of an argument, |z|² of the query; the weight of a value. */
const slopeOf = (a: number): string => `t${a}`;
const squareOf = (a: number): string => `zz${a}`;
const WEIGHT = "alpha";

const sumOf = (terms: readonly Expr[]): Expr => terms.reduce((a, b) => add(a, b));

/**
 * Over points: s_a (of distances less |z|²) and t_a of every argument, α → p_a = α F_a + Σ_b F_ab t_b and q_a = F_a, the
 * slopes of E by s_a and t_a; their sums are E = Σ α F + Σ_a F_a t_a and, of distances, Σ p_a.
 */
function predictionSpec(kernel: KernelFunction): KernelSpec {
  const alpha = variable(WEIGHT);
  const args = kernel.seen.map((_, a) => a);
  const distances = args.filter((a) => kernel.seen[a].kind === "distance");
  const replaced = new Map<Expr, Expr>([[variable(SAME), constant(0)]]);
  for (const a of distances) {
    const s = variable(kernel.seen[a].variable);
    replaced.set(s, max(0, add(variable(squareOf(a)), s)));
  }
  const at = (y: Expr): Expr => substitute(y, replaced);
  const along = (by: (b: number) => Expr) => args.map((b) => mul(by(b), variable(slopeOf(b))));
  const p = args.map((a) => at(sumOf([mul(alpha, kernel.by(a)), ...along((b) => kernel.by(a, b))])));
  const energy = at(sumOf([mul(alpha, kernel.by()), ...along((b) => kernel.by(b))]));
  return {
    name: "prediction",
    varying: [...args.flatMap((a) => [kernel.seen[a].variable, slopeOf(a)]), WEIGHT],
    uniform: [...kernel.variables, ...distances.map(squareOf)],
    elementwise: args.flatMap((a) => [p[a], at(kernel.by(a))]),
    reduced: [energy, ...distances.map((a) => p[a])],
  };
}

/** Byte addresses of what one argument of the kernel needs of N points, of which the first G have slopes. */
interface Argument {
  /** The sign and factor c with which a query z enters: s = … + c z·z_i, t = … + c z·b_i: −2 of a distance, 1 of a product. */
  readonly factor: number;
  /** c z of every point, then c b, as columns [D, N + G] and as rows [N + G, D]. */
  readonly columns: number;
  readonly rows: number;
  /** What s and t are at z = 0, [N + G]. */
  readonly own: number;
  /** Of each feature, [D]: z = (x − shift)/length. */
  readonly lengths: Float64Array;
  readonly shift: Float64Array;
}

/**
 * E(x) = Σ_i α_i k(x, x_i) + Σ_j β_j · ∂k(x, x_j)/∂R_j and dE/dx. With b_j = (∂x/∂R_j)ᵀ β_j the Jacobians of the points
 * are not needed: every point counts by two vectors, x_i and, where it has slopes, b_i, of D numbers each. Two products
 * with all of them, between them one generated loop over points.
 */
export class Prediction {
  readonly kernel: KernelFunction;
  readonly #device: Device;
  readonly #raw: RawPoints;
  readonly #mean: Float64Array;
  /** Points in the order of this, those with slopes first; numbers of both, even. */
  readonly #order: Int32Array;
  readonly #N: number;
  readonly #G: number;
  readonly #arguments: readonly Argument[];
  readonly #compiled: Kernel;
  /** The loop's arrays, [2 m + 1, N]: s and t of every argument, which p and q overwrite, then α. */
  readonly #arrays: number;
  readonly #uniform: number;
  readonly #sums: number;
  /** z of the query for each argument, [m, D], and dE/dz. */
  readonly #z: number;
  readonly #slope: number;

  constructor(device: Device, kernel: KernelFunction, raw: RawPoints, mean: Float64Array) {
    const { memory } = device;
    const { features: D, gradients } = raw;
    const m = kernel.seen.length;
    const sloped = new Set(gradients);
    const points = Array.from({ length: raw.x.length / D }, (_, i) => i);
    this.kernel = kernel;
    this.#device = device;
    this.#raw = raw;
    this.#mean = mean;
    this.#order = Int32Array.from([...gradients, ...points.filter((i) => !sloped.has(i))]);
    [this.#N, this.#G] = [even(points.length), even(gradients.length)];
    const width = this.#N + this.#G;
    this.#arguments = kernel.seen.map(({ kind }) => ({
      factor: kind === "distance" ? -2 : 1,
      columns: memory.alloc(8 * D * width),
      rows: memory.alloc(8 * D * width),
      own: memory.alloc(8 * width),
      lengths: new Float64Array(D),
      shift: new Float64Array(D),
    }));
    const spec = predictionSpec(kernel);
    this.#compiled = device.compile(spec);
    this.#arrays = memory.alloc(8 * (2 * m + 1) * this.#N);
    this.#uniform = memory.alloc(8 * (kernel.variables.length + m + 1));
    this.#sums = memory.alloc(8 * (1 + m));
    this.#z = memory.alloc(8 * m * D);
    this.#slope = memory.alloc(8 * D);
  }

  /** Takes hyper-parameters by value and weights [n] of the observations. */
  set(theta: Float64Array, weights: Float64Array): void {
    const { memory } = this.#device;
    const { energies } = this.#raw;
    const { variables, hyperparameters } = this.kernel;
    const uniform = memory.f64(this.#uniform, variables.length);
    hyperparameters
      .flatMap(({ variable: name }, h) => (name === null ? [] : [theta[h]]))
      .forEach((value, k) => (uniform[k] = value));
    const alpha = this.#row(2 * this.#arguments.length).fill(0);
    const weightOf = new Map(Array.from(energies, (i, e) => [i, weights[e]]));
    this.#order.forEach((i, k) => (alpha[k] = weightOf.get(i) ?? 0));
    const b = this.#slopesWeighted(weights);
    for (const a of this.#arguments.keys()) this.#write(a, theta, b);
  }

  /** b_j = (∂x/∂R_j)ᵀ β_j of the points with slopes, [G, D]. */
  #slopesWeighted(weights: Float64Array): Float64Array {
    const { energies, gradients, coordinates: M, features: D, slopes } = this.#raw;
    const b = new Float64Array(gradients.length * D);
    for (let g = 0; g < gradients.length; g++)
      for (let c = 0; c < M; c++) {
        const w = weights[energies.length + g * M + c];
        for (let d = 0, at = (g * M + c) * D; d < D; d++) b[g * D + d] += w * slopes[at + d];
      }
    return b;
  }

  /** The points as argument a sees them. */
  #write(a: number, theta: Float64Array, b: Float64Array): void {
    const { memory } = this.#device;
    const { x, features: D } = this.#raw;
    const { factor, columns, rows, own, lengths, shift } = this.#arguments[a];
    const scaled = scaling(this.kernel, a, theta, this.#mean);
    lengths.set(scaled.lengths);
    shift.set(scaled.shift);
    const width = this.#N + this.#G;
    const distance = this.kernel.seen[a].kind === "distance";
    const [column, row] = [memory.f64(columns, D * width), memory.f64(rows, D * width)];
    const at = memory.f64(own, width).fill(0);
    this.#order.forEach((i, k) => {
      const sloped = k < b.length / D;
      for (let d = 0; d < D; d++) {
        const z = (x[i * D + d] - shift[d]) / lengths[d];
        column[d * width + k] = row[k * D + d] = factor * z;
        if (distance) at[k] += z * z;
        if (!sloped) continue;
        const slope = b[k * D + d] / lengths[d];
        const to = this.#N + k;
        column[d * width + to] = row[to * D + d] = factor * slope;
        if (distance) at[to] += 2 * slope * z;
      }
    });
  }

  /** An array of the loop, [N]. */
  #row(k: number): Float64Array {
    return this.#device.memory.f64(this.#arrays + 8 * k * this.#N, this.#N);
  }

  /** E at features x [D]; overwrites dEdx [D] where it is given. */
  evaluate(x: Float64Array, dEdx: Float64Array | null): number {
    const { memory, gemm } = this.#device;
    const D = this.#raw.features;
    const [N, G] = [this.#N, this.#G];
    const { length: known } = this.kernel.variables;
    const uniform = memory.f64(this.#uniform, known + this.#arguments.length + 1);
    let square = known;
    for (const [a, { columns, own, factor, lengths, shift }] of this.#arguments.entries()) {
      const z = memory.f64(this.#z + 8 * a * D, D);
      let total = 0;
      for (let d = 0; d < D; d++) {
        z[d] = (x[d] - shift[d]) / lengths[d];
        total += z[d] * z[d];
      }
      if (factor < 0) uniform[square++] = total;
      const products = this.#arrays + 8 * 2 * a * N;
      memory.f64(products, N + G).set(memory.f64(own, N + G));
      memory.f64(products + 8 * (N + G), N - G).fill(0);
      gemm.f64(1, N + G, D, this.#z + 8 * a * D, D, columns, N + G, products, N + G, { add: true });
    }
    const sums = memory.f64(this.#sums, 1 + this.#arguments.length).fill(0);
    this.#compiled.run(N, this.#arrays, 8 * N, this.#uniform, this.#arrays, this.#sums);
    if (dEdx) this.#slopes(dEdx, sums);
    return sums[0];
  }

  /** dE/dx = Σ_i p ∂s/∂x + q ∂t/∂x over all arguments. */
  #slopes(dEdx: Float64Array, sums: Float64Array): void {
    const { memory, gemm } = this.#device;
    const D = this.#raw.features;
    const [N, G] = [this.#N, this.#G];
    let sum = 1;
    dEdx.fill(0);
    for (const [a, { rows, factor, lengths }] of this.#arguments.entries()) {
      gemm.f64(1, D, N + G, this.#arrays + 8 * 2 * a * N, N + G, rows, D, this.#slope, D);
      const [slope, z] = [memory.f64(this.#slope, D), memory.f64(this.#z + 8 * a * D, D)];
      const twice = factor < 0 ? 2 * sums[sum++] : 0;
      for (let d = 0; d < D; d++) dEdx[d] += (slope[d] + twice * z[d]) / lengths[d];
    }
  }
}
