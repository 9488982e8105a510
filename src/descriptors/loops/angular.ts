import type { Device, Kernel } from "../../device/device.ts";
import { NumericalError } from "../../error.ts";
import { gradient, tangent } from "../../formula/derivative.ts";
import { div, mul, sqrt, sub, add, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import { formats } from "../../formula/formats.ts";
import type { Precision } from "../../formula/formats.ts";
import { compileGather, compileSpread, PITCH, RUN_BYTES, STATE, tableBytes } from "./triplets.ts";
import type { Gather, Spread } from "./triplets.ts";
import { hoist } from "./hoist.ts";
import type { Hoisted } from "./hoist.ts";
import { ROW } from "./neighbourhood.ts";
import type { Neighbourhood } from "./neighbourhood.ts";
import { r } from "./radial.ts";
import { compilePieces } from "./term.ts";
import type { Geometry, Term, TermKernels } from "./term.ts";

/** |r_ij| and |r_ik|, Å: the distances of the two neighbours from the centre. */
export const rij = variable("rij");
export const rik = variable("rik");
/** |r_jk|², Å²: free of the square root and smooth where the neighbours meet. */
export const rjkSquared = variable("rjk2");
/** |r_jk|, Å. */
export const rjk = sqrt(rjkSquared);
/** r_ij·r_ik, Å². */
const dot = variable("dot");
/** cos θ_jik = r_ij·r_ik/(r_ij r_ik). */
export const cosTheta = mul(dot, mul(div(1, rij), div(1, rik)));

const VARIABLES = ["rij", "rik", "rjk2", "dot"] as const;

/** Angular terms of the pairs of neighbours of elements a ≤ b: features first, first + 1, … of the row. */
export interface AngularBlock {
  /** Element indices of the neighbours. */
  readonly neighbours: readonly [a: number, b: number];
  readonly first: number;
  readonly kernels: AngularKernels;
  /** Å. */
  readonly cutoff: number;
  /** Every term is exactly 0 where r_jk is the cutoff or more, so those triplets are left out. */
  readonly narrow: boolean;
}

type Pass = "forward" | "pullback" | "pushforward" | "jacobian";

/** Kernels of a block. */
export interface AngularKernels {
  readonly pieces: readonly TermKernels[];
  readonly passes: Readonly<Record<Pass, Inputs>>;
}

/** What a pass's kernels read of each neighbour. */
interface Inputs {
  /** elementwise: functions of r (pushforward: and d_r) that are computed once per neighbour, into the rows ROW.hoisted … */
  readonly once: Kernel | null;
  /** Fills the table of triplets with them. */
  readonly gather: Gather;
}

/** Compiles the terms of one block. */
export function compileAngular(terms: readonly Term[], device: Device): AngularKernels {
  const taken = hoist(terms, rij, rik, r);
  const { functions } = taken;
  const { precision } = device;
  const slopes = functions.map((f) => gradient(f, [r])[0]);
  const dr = variable("d_r");
  const along = functions.map((f) => tangent(f, new Map([[r, dr]])));
  const passes = {
    forward: inputsOf(device, ["r"], functions),
    pullback: inputsOf(device, ["r"], [...functions, ...slopes]),
    pushforward: inputsOf(device, ["r", "d_r"], [...functions, ...along]),
    jacobian: inputsOf(device, ["r"], []),
  };
  const pieces = compilePieces(geometry(taken, precision), terms, taken.terms, device);
  return { pieces, passes };
}

/** Functions of `varying` that are computed once per neighbour, and the gather that copies them; with tangents, d_r too. */
function inputsOf(device: Device, varying: readonly string[], elementwise: readonly Expr[]): Inputs {
  const { precision } = device;
  const tangents = varying.includes("d_r");
  const copied = elementwise.map((_, m) => ROW.hoisted + m);
  return {
    once:
      elementwise.length === 0
        ? null
        : device.compile({ name: "hoisted", precision, varying, uniform: [], elementwise }),
    gather: compileGather(device, formats[precision], {
      copied: tangents ? [ROW.dr, ...copied] : copied,
      tangents,
    }),
  };
}

const both = (names: readonly string[]): string[] => ["j", "k"].flatMap((side) => names.map((n) => n + side));

/**
 * With a_j = ∂/∂r_ij/r_ij + 2 ∂/∂r_jk², a_k alike and c = ∂/∂(r_ij·r_ik) − 2 ∂/∂r_jk² the gradient of ψ by the vector
 * r_ij is a_j r_ij + c r_ik, and that by r_ik is a_k r_ik + c r_ij.
 */
function geometry({ functions, names }: Hoisted<Term>, precision: Precision): Geometry {
  const values = functions.map((_, m) => `f${m}`);
  const slopes = functions.map((_, m) => `s${m}`);
  const tangents = both(["d_r", ...values, ...values.map((v) => `d_${v}`)]);
  return {
    name: "angular",
    precision,
    variables: VARIABLES,
    inner: [...VARIABLES, ...names],
    inputs: {
      forward: [...VARIABLES, ...names],
      pullback: [...VARIABLES, ...both([...values, ...slopes])],
      pushforward: [...VARIABLES, ...tangents.map((v) => v.replace(/^d_r(.)$/, "d_ri$1")), "d_rjk2", "d_dot"],
    },
    coefficients: ([dj, dk, djk, ddot, ...rest]) => {
      const side = (d: Expr, name: string, own: readonly Expr[], distance: Expr) => {
        const total = own.reduce((sum, df, m) => add(sum, mul(df, variable(slopes[m] + name))), d);
        return add(mul(total, div(1, distance)), mul(2, djk));
      };
      const count = rest.length / 2;
      return [
        side(dj, "j", rest.slice(0, count), rij),
        side(dk, "k", rest.slice(count), rik),
        sub(ddot, mul(2, djk)),
      ];
    },
  };
}

/** Weights of features that f32 sums may have: products with slopes stay finite. */
const LARGEST_WEIGHT = 1e30;

/** What is done with n triplets of a block, padding not counted; `row` is the byte address of features or weights. */
type Flush = (block: AngularBlock, n: number, row: number) => void;

/** G_t = Σ_{j<k} ψ_t(r_ij, r_ik, r_jk), of the centre whose neighbours within the cutoff are loaded. */
export class AngularLoop {
  readonly #near: Neighbourhood;
  readonly #device: Device;
  readonly #spread: Spread;
  /** Byte addresses: state of the gather, the table of triplets, its runs, the derivatives. */
  readonly #stateAddress: number;
  readonly #inputs: number;
  readonly #runs: number;
  readonly #outputs: number;
  readonly #state: Int32Array;
  readonly #heap: Float64Array;
  /** Bytes from one row of the table to the next. */
  readonly #stride: number;
  readonly #mask: number;
  #jacobian = 0;
  #jacobianTerms = 0;

  constructor(device: Device, near: Neighbourhood) {
    const { memory } = device;
    const { format } = near;
    const { bytes } = format;
    this.#device = device;
    this.#near = near;
    this.#heap = new Float64Array(memory.memory.buffer);
    this.#spread = compileSpread(device, format);
    this.#stateAddress = memory.alloc(4 * STATE.words);
    this.#state = memory.i32(this.#stateAddress, STATE.words);
    this.#inputs = memory.alloc(tableBytes(format));
    this.#runs = memory.alloc(RUN_BYTES);
    this.#outputs = memory.alloc(3 * bytes * PITCH);
    this.#stride = bytes * PITCH;
    this.#mask = format.lanes - 1;
  }

  /** ADDS the features to the row at byte address `row`. */
  forward(block: AngularBlock, row: number): void {
    this.#gather(block, "forward", row, this.#forwardChunk);
  }

  /** Collects Σ_t w_t ∂G_t/∂r_ij; the weights are the row at byte address `row`. */
  pullback(block: AngularBlock, row: number): void {
    if (this.#near.format.bytes === 4) this.#demandRange(block, row);
    this.#gather(block, "pullback", row, this.#pullbackChunk);
  }

  /** ADDS Σ_j ∂G_t/∂r_ij · tangents to the row at byte address `row`. */
  pushforward(block: AngularBlock, row: number): void {
    this.#gather(block, "pushforward", row, this.#pushforwardChunk);
  }

  /** ADDS ∂G_t/∂r_ij to rows [size, width]. */
  jacobian(block: AngularBlock, rows: Float64Array, width: number): void {
    this.#gather(block, "jacobian", 0, (_, n) => this.#jacobianChunk(block, n, rows, width));
  }

  /** Functions that no training structure reached have scales, and so weights, of any size. */
  #demandRange({ first, kernels: { pieces } }: AngularBlock, row: number): void {
    const end = pieces.reduce((sum, { count }) => sum + count, row / 8 + first);
    for (let k = row / 8 + first; k < end; k++)
      if (Math.abs(this.#heap[k]) > LARGEST_WEIGHT)
        throw new NumericalError(
          `the derivative of the energy by an angular function is ${this.#heap[k]}, beyond what f32 holds: use f64`,
        );
  }

  /** The block's triplets, LANES at a time, each time handed to `flush`, with what the pass reads. */
  #gather(block: AngularBlock, pass: Pass, row: number, flush: Flush): void {
    const near = this.#near;
    const a = block.neighbours[0];
    const b = block.neighbours[1];
    const { first, last, moving } = near;
    if (first[a] === last[a] || first[b] === last[b]) return;
    const { once, gather } = block.kernels.passes[pass];
    if (once) {
      near.hoist(once, a);
      if (a !== b) near.hoist(once, b);
    }
    const from = a === b ? -1 : first[b];
    if (pass !== "pushforward") this.#run(gather, block, first[a], last[a], from, last[b], row, flush);
    else {
      // Of two neighbours one must move; those that do come first.
      this.#run(gather, block, first[a], moving[a], from, last[b], row, flush);
      if (a !== b) this.#run(gather, block, moving[a], last[a], from, moving[b], row, flush);
    }
  }

  #run(
    gather: Gather,
    block: AngularBlock,
    j: number,
    jEnd: number,
    kBegin: number,
    kEnd: number,
    row: number,
    flush: Flush,
  ): void {
    const state = this.#state;
    const near = this.#near;
    const { cutoff, narrow } = block;
    const limit = narrow ? cutoff * cutoff : Infinity;
    state[STATE.j] = j;
    state[STATE.jEnd] = jEnd;
    state[STATE.k] = kBegin < 0 ? j + 1 : kBegin;
    state[STATE.kBegin] = kBegin;
    state[STATE.kEnd] = kEnd;
    const [at, table, runs] = [this.#stateAddress, this.#inputs, this.#runs];
    while (state[STATE.j] < jEnd) {
      const n = gather.run(near.address, near.stride, at, table, runs, limit, 2 * cutoff);
      if (n > 0) flush(block, n, row);
    }
  }

  #padded(n: number): number {
    return (n + this.#mask) & ~this.#mask;
  }

  readonly #forwardChunk: Flush = ({ first, kernels: { pieces } }, n, row) => {
    let sums = row + 8 * first;
    for (const { forward, count } of pieces) {
      forward.run(this.#padded(n), this.#inputs, this.#stride, 0, 0, sums);
      sums += 8 * count;
    }
  };

  readonly #pullbackChunk: Flush = ({ first, kernels: { pieces } }, n, row) => {
    let weights = row + 8 * first;
    for (const { pullback, count } of pieces) {
      pullback.run(this.#padded(n), this.#inputs, this.#stride, weights, this.#outputs, 0);
      this.#collect(this.#outputs);
      weights += 8 * count;
    }
  };

  readonly #pushforwardChunk: Flush = ({ first, kernels: { pieces } }, n, row) => {
    let sums = row + 8 * first;
    for (const { pushforward, count } of pieces) {
      pushforward.run(this.#padded(n), this.#inputs, this.#stride, 0, 0, sums);
      sums += 8 * count;
    }
  };

  #jacobianChunk(
    { first, kernels: { pieces } }: AngularBlock,
    n: number,
    rows: Float64Array,
    width: number,
  ): void {
    const near = this.#near;
    const stride = this.#stride;
    let feature = first;
    for (const { jacobian, count } of pieces) {
      const table = this.#reserve(count);
      jacobian.run(this.#padded(n), this.#inputs, stride, 0, table, 0);
      for (let t = 0; t < count; t++, feature++) {
        near.clearGradient();
        this.#collect(table + 3 * stride * t);
        near.addGradient(rows, feature * width);
      }
    }
  }

  /** Hands the coefficients of the triplets, at a byte address, to the two neighbours of each. */
  #collect(derivatives: number): void {
    const { points, sums } = this.#near;
    const count = this.#state[STATE.runs];
    this.#spread.run(points, sums, this.#inputs, this.#runs, count, derivatives);
  }

  #reserve(terms: number): number {
    if (terms > this.#jacobianTerms) {
      this.#jacobian = this.#device.memory.alloc(3 * this.#stride * terms);
      this.#jacobianTerms = terms;
    }
    return this.#jacobian;
  }
}
