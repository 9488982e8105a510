import type { Device, Kernel } from "../../device/device.ts";
import { NumericalError } from "../../error.ts";
import { gradient, tangent } from "../../formula/derivative.ts";
import { div, mul, sqrt, square, sub, add, neg, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import type { Precision } from "../../formula/formats.ts";
import {
  compileGather,
  compileSpread,
  compressions,
  LANES,
  ROWS,
  RUN_BYTES,
  STATE,
  tableBytes,
} from "./triplets.ts";
import type { Gather, Spread } from "./triplets.ts";
import { hoist } from "./hoist.ts";
import type { Hoisted } from "./hoist.ts";
import { ROW } from "./neighbourhood.ts";
import type { Neighbourhood, Reals } from "./neighbourhood.ts";
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

type Pass = "forward" | "pullback" | "pushforward";

/** Kernels of a block. */
export interface AngularKernels {
  readonly pieces: readonly TermKernels[];
  readonly passes: Readonly<Record<Pass, Inputs>>;
}

/** What a pass's kernels read of each neighbour. */
interface Inputs {
  /** elementwise: functions of r (pushforward: and d_r) that are computed once per neighbour, into the rows ROW.hoisted … */
  readonly once: Kernel | null;
  /** Rows of the neighbourhood that the table of triplets copies. */
  readonly copied: readonly number[];
}

/** Compiles the terms of one block. */
export function compileAngular(terms: readonly Term[], device: Device): AngularKernels {
  const taken = hoist(terms, rij, rik, r);
  const { functions } = taken;
  const { precision } = device;
  const slopes = slopesOf(functions);
  const stored = slopes.filter((slope) => slope !== null);
  const dr = variable("d_r");
  const along = functions.map((f) => tangent(f, new Map([[r, dr]])));
  const passes = {
    forward: once(device, ["r"], functions),
    pullback: once(device, ["r"], [...functions, ...stored]),
    pushforward: once(device, ["r", "d_r"], [...functions, ...along]),
  };
  const tangents = { ...passes.pushforward, copied: [ROW.dr, ...passes.pushforward.copied] };
  const pieces = compilePieces(geometry(taken, slopes, precision), terms, taken.terms, device);
  return { pieces, passes: { ...passes, pushforward: tangents } };
}

/** The derivatives of functions of r; null where it is −f². */
const slopesOf = (functions: readonly Expr[]): readonly (Expr | null)[] =>
  functions.map((f) => (f === div(1, r) ? null : gradient(f, [r])[0]));

function once(device: Device, varying: readonly string[], elementwise: readonly Expr[]): Inputs {
  const copied = elementwise.map((_, m) => ROW.hoisted + m);
  if (elementwise.length === 0) return { once: null, copied };
  const { precision } = device;
  return { once: device.compile({ name: "hoisted", precision, varying, uniform: [], elementwise }), copied };
}

const both = (names: readonly string[]): string[] => ["j", "k"].flatMap((side) => names.map((n) => n + side));

/**
 * With a_j = ∂/∂r_ij/r_ij + 2 ∂/∂r_jk², a_k alike and c = ∂/∂(r_ij·r_ik) − 2 ∂/∂r_jk² the gradient of ψ by the vector
 * r_ij is a_j r_ij + c r_ik, and that by r_ik is a_k r_ik + c r_ij.
 */
function geometry(
  { functions, names, reciprocals }: Hoisted<Term>,
  slopes: readonly (Expr | null)[],
  precision: Precision,
): Geometry {
  const values = functions.map((_, m) => `f${m}`);
  const stored = slopes.flatMap((slope, m) => (slope === null ? [] : [`s${m}`]));
  const slope = (m: number, side: string) =>
    slopes[m] === null ? neg(square(variable(`f${m}${side}`))) : variable(`s${m}${side}`);
  const tangents = both(["d_r", ...values, ...values.map((v) => `d_${v}`)]);
  return {
    name: "angular",
    precision,
    variables: VARIABLES,
    inner: [...VARIABLES, ...names],
    inputs: {
      forward: [...VARIABLES, ...names],
      pullback: [...VARIABLES, ...both([...values, ...stored])],
      pushforward: [...VARIABLES, ...tangents.map((v) => v.replace(/^d_r(.)$/, "d_ri$1")), "d_rjk2", "d_dot"],
    },
    coefficients: ([dj, dk, djk, ddot, ...rest]) => {
      const side = (d: Expr, name: string, own: readonly Expr[], reciprocal: Expr) => {
        const total = own.reduce((sum, df, m) => add(sum, mul(df, slope(m, name))), d);
        return add(mul(total, reciprocal), mul(2, djk));
      };
      const count = rest.length / 2;
      const [uj, uk] = count > 0 || functions.length === 0 ? reciprocals : [div(1, rij), div(1, rik)];
      return [
        side(dj, "j", rest.slice(0, count), uj),
        side(dk, "k", rest.slice(count), uk),
        sub(ddot, mul(2, djk)),
      ];
    },
  };
}

/** Weights of features that f32 sums may have: products with slopes stay finite. */
const LARGEST_WEIGHT = 1e30;

const NOTHING: readonly number[] = [];

/** What is done with n triplets of a block, padding not counted; `row` is the byte address of features or weights. */
type Flush = (block: AngularBlock, n: number, row: number) => void;

/** G_t = Σ_{j<k} ψ_t(r_ij, r_ik, r_jk), of the centre whose neighbours within the cutoff are loaded. */
export class AngularLoop {
  readonly #near: Neighbourhood;
  readonly #device: Device;
  /** By what they copy. */
  readonly #gatherers = new Map<readonly number[], Gather>();
  readonly #byRows = new Map<string, Gather>();
  readonly #spread: Spread;
  /** Byte addresses: patterns of compression, state of the gather, the table of triplets, its runs, the derivatives. */
  readonly #patterns: number;
  readonly #stateAddress: number;
  readonly #inputs: number;
  readonly #runs: number;
  readonly #outputs: number;
  readonly #state: Int32Array;
  readonly #heap: Float64Array;
  readonly #table: Reals;
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
    this.#patterns = compressions(memory, format);
    this.#stateAddress = memory.alloc(4 * STATE.words);
    this.#state = memory.i32(this.#stateAddress, STATE.words);
    this.#inputs = memory.alloc(tableBytes(format));
    this.#runs = memory.alloc(RUN_BYTES);
    this.#outputs = memory.alloc(3 * bytes * LANES);
    this.#table =
      bytes === 8 ? memory.f64(this.#inputs, ROWS * LANES) : memory.f32(this.#inputs, ROWS * LANES);
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
    this.#gather(block, null, 0, (_, n) => this.#jacobianChunk(block, n, rows, width));
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

  /** The block's triplets, LANES at a time, each time handed to `flush`, with what the pass reads; null: distances only. */
  #gather(block: AngularBlock, pass: Pass | null, row: number, flush: Flush): void {
    const near = this.#near;
    const [a, b] = block.neighbours;
    const moving = pass === "pushforward";
    const [beginB, endA, endB] = [near.first[b], near.last[a], near.last[b]];
    if (near.first[a] === endA || beginB === endB) return;
    const inputs = pass && block.kernels.passes[pass];
    if (inputs?.once) for (const s of a === b ? [a] : [a, b]) near.hoist(inputs.once, s);
    const gather = this.#gatherer(inputs?.copied ?? NOTHING, moving);
    const part = (j: number, jEnd: number, kBegin: number, kEnd: number) =>
      this.#run(gather, block, j, jEnd, a === b ? -1 : kBegin, kEnd, row, flush);
    if (!moving) part(near.first[a], endA, beginB, endB);
    else {
      // Of two neighbours one must move; those that do come first.
      part(near.first[a], near.moving[a], beginB, endB);
      if (a !== b) part(near.moving[a], endA, beginB, near.moving[b]);
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
    const { address, stride, format } = this.#near;
    const limit = block.narrow ? block.cutoff * block.cutoff : Infinity;
    state[STATE.j] = j;
    state[STATE.jEnd] = jEnd;
    state[STATE.k] = kBegin < 0 ? j + 1 : kBegin;
    state[STATE.kBegin] = kBegin;
    state[STATE.kEnd] = kEnd;
    while (state[STATE.j] < jEnd) {
      const n = gather.run(address, stride, this.#stateAddress, this.#inputs, this.#runs, limit);
      if (n === 0) continue;
      if (n % format.lanes !== 0) this.#pad(n, block.cutoff);
      flush(block, n, row);
    }
  }

  #gatherer(copied: readonly number[], tangents: boolean): Gather {
    const known = this.#gatherers.get(copied);
    if (known) return known;
    const key = JSON.stringify([copied, tangents]);
    let gather = this.#byRows.get(key);
    if (!gather) {
      gather = compileGather(this.#device, this.#near.format, { copied, tangents }, this.#patterns);
      this.#byRows.set(key, gather);
    }
    this.#gatherers.set(copied, gather);
    return gather;
  }

  /** Lanes beyond every cutoff: their terms and derivatives are exactly 0. */
  #pad(n: number, cutoff: number): void {
    const table = this.#table;
    const far = 2 * cutoff;
    for (let i = n; i < this.#padded(n); i++) {
      table[i] = far;
      table[LANES + i] = far;
      table[2 * LANES + i] = far * far;
      // The product, and what was copied: functions, cutoffs among them, slopes, tangents.
      for (let row = 3; row < ROWS; row++) table[row * LANES + i] = 0;
    }
  }

  #padded(n: number): number {
    const { lanes } = this.#near.format;
    return (n + lanes - 1) & -lanes;
  }

  readonly #forwardChunk: Flush = ({ first, kernels: { pieces } }, n, row) => {
    let sums = row + 8 * first;
    for (const { forward, count } of pieces) {
      forward.run(this.#padded(n), this.#inputs, this.#near.format.bytes * LANES, 0, 0, sums);
      sums += 8 * count;
    }
  };

  readonly #pullbackChunk: Flush = ({ first, kernels: { pieces } }, n, row) => {
    let weights = row + 8 * first;
    for (const { pullback, count } of pieces) {
      const stride = this.#near.format.bytes * LANES;
      pullback.run(this.#padded(n), this.#inputs, stride, weights, this.#outputs, 0);
      this.#collect(this.#outputs);
      weights += 8 * count;
    }
  };

  readonly #pushforwardChunk: Flush = ({ first, kernels: { pieces } }, n, row) => {
    let sums = row + 8 * first;
    for (const { pushforward, count } of pieces) {
      pushforward.run(this.#padded(n), this.#inputs, this.#near.format.bytes * LANES, 0, 0, sums);
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
    const stride = near.format.bytes * LANES;
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
      this.#jacobian = this.#device.memory.alloc(3 * this.#near.format.bytes * LANES * terms);
      this.#jacobianTerms = terms;
    }
    return this.#jacobian;
  }
}
