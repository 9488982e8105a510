import { evaluate } from "../formula/javascript.ts";
import type { KernelFunction } from "../kernels/function.ts";
import { Random } from "../math/random.ts";

/** A kernel of points with D features. */
export interface KernelSubject {
  readonly kernel: KernelFunction;
  readonly seed: number;
}

const POINTS = 12;
const STEP = 1e-5;

/** Random points, [POINTS][D]. */
const pointsOf = ({ kernel, seed }: KernelSubject): Float64Array[] =>
  Array.from({ length: POINTS }, (_, i) =>
    new Random(seed, "points", i).normals(new Float64Array(kernel.size)),
  );

/** Arguments of the kernel for two points, by the names of their variables. */
function argumentsOf(kernel: KernelFunction, x: Float64Array, y: Float64Array, same: boolean) {
  const theta = kernel.hyperparameters.map(({ value }) => value);
  const inputs: Record<string, number> = { same: Number(same) };
  for (const { variable, value } of kernel.hyperparameters) if (variable) inputs[variable] = value;
  for (const { kind, variable, lengths } of kernel.seen)
    inputs[variable] = x.reduce((sum, _, d) => {
      const length = theta[lengths.length === 1 ? lengths[0] : lengths[d]];
      return sum + (kind === "distance" ? (x[d] - y[d]) ** 2 : x[d] * y[d]) / (length * length);
    }, 0);
  return inputs;
}

const valueOf = (kernel: KernelFunction, x: Float64Array, y: Float64Array, same = false): number =>
  evaluate([kernel.by()], argumentsOf(kernel, x, y, same))[0];

/** Every law that a kernel has to obey, by name; each throws with figures where it does not. */
export const kernelLaws: Readonly<Record<string, (subject: KernelSubject) => void>> = {
  "k(x, y) = k(y, x)": (subject) => {
    const [x, y] = pointsOf(subject);
    const [a, b] = [valueOf(subject.kernel, x, y), valueOf(subject.kernel, y, x)];
    if (a !== b) throw new Error(`not symmetric: ${a} and ${b}`);
  },

  "matrices of random points are positive definite": (subject) => {
    const points = pointsOf(subject);
    const K = points.map((x, i) => points.map((y, j) => valueOf(subject.kernel, x, y, i === j)));
    const size = Math.max(...K.map((row, i) => row[i]));
    for (let k = 0; k < POINTS; k++) {
      for (let j = 0; j < k; j++) K[k][k] -= K[k][j] ** 2;
      // Polynomials of few features have matrices of low rank: their pivots are 0 but for rounding.
      if (!(K[k][k] >= -1e-10 * size)) throw new Error(`pivot ${k} is ${K[k][k]}, diagonal ${size}`);
      const root = Math.sqrt(Math.max(K[k][k], 1e-10 * size));
      K[k][k] = root;
      for (let i = k + 1; i < POINTS; i++) {
        for (let j = 0; j < k; j++) K[i][k] -= K[i][j] * K[k][j];
        K[i][k] /= root;
      }
    }
  },

  "derivatives by the arguments are slopes": (subject) => {
    const { kernel } = subject;
    const [x, y] = pointsOf(subject);
    const inputs = argumentsOf(kernel, x, y, false);
    for (const [a, { variable }] of kernel.seen.entries()) {
      const at = (step: number) => ({ ...inputs, [variable]: inputs[variable] + step });
      for (const orders of [[], [a]]) {
        const [slope] = evaluate([kernel.by(...orders, a)], inputs);
        const [up] = evaluate([kernel.by(...orders)], at(STEP));
        const [down] = evaluate([kernel.by(...orders)], at(-STEP));
        demandSlope(`∂/∂${variable} of order ${orders.length + 1}`, slope, (up - down) / (2 * STEP));
      }
    }
  },

  "slopes by hyper-parameters are slopes": (subject) => {
    const { kernel } = subject;
    const [x, y] = pointsOf(subject);
    const inputs = argumentsOf(kernel, x, y, true);
    for (const [h, { variable }] of kernel.hyperparameters.entries()) {
      if (variable === null) continue;
      const at = (step: number) => ({ ...inputs, [variable]: inputs[variable] * Math.exp(step) });
      const [slope] = evaluate([kernel.slope(kernel.by(), h)], inputs);
      const [up] = evaluate([kernel.by()], at(STEP));
      const [down] = evaluate([kernel.by()], at(-STEP));
      demandSlope(`∂/∂log ${variable}`, slope, (up - down) / (2 * STEP));
    }
  },
};

function demandSlope(what: string, slope: number, wanted: number): void {
  if (!(Math.abs(slope - wanted) <= 1e-7 * (1 + Math.abs(wanted))))
    throw new Error(`${what} is ${slope}, by differences ${wanted}`);
}
