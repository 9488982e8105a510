import type { Device, Kernel } from "../../device/device.ts";
import { gradient } from "../../formula/derivative.ts";
import { add, mul, sub, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import type { Environments } from "../environments.ts";
import { rij, rik, rjkSquared } from "./angular.ts";
import { r } from "./radial.ts";
import { weightedSum } from "./term.ts";
import type { Term } from "./term.ts";

/** Terms over the neighbours of one element, or of a pair of elements where there are two. */
export interface CurvedBlock {
  readonly terms: readonly Term[];
  /** Element indices of the neighbours. */
  readonly neighbours: readonly [number] | readonly [number, number];
  /** Of the first term in the row of weights. */
  readonly first: number;
  /** Å. */
  readonly cutoff: number;
}

/** Terms of one kernel: second derivatives of many are slow to compile together. */
const LIMIT = 16;
/** Neighbours or triplets of one call; even. */
const LANES = 256;

interface Piece {
  readonly kernel: Kernel;
  /** Where its weights begin, from the block's. */
  readonly first: number;
}

const dot = variable("dot");

/** Derivatives by r_ij, r_ik and r_ij·r_ik, of which r_jk² = r_ij² + r_ik² − 2 r_ij·r_ik is a function. */
function slopes(y: Expr): readonly [Expr, Expr, Expr] {
  const [a, b, s, d] = gradient(y, [rij, rik, rjkSquared, dot]);
  const twice = mul(2, s);
  return [add(a, mul(rij, twice)), add(b, mul(rik, twice)), sub(d, twice)];
}

const weighted = (terms: readonly Term[]): Expr =>
  weightedSum(terms.map(({ factors }, t) => ({ weight: variable(`w${t}`), factors })));

/** φ′ and φ″. */
function radialOutputs(terms: readonly Term[]): Expr[] {
  const [slope] = gradient(weighted(terms), [r]);
  return [slope, gradient(slope, [r])[0]];
}

/** ψ_a, ψ_b, ψ_d, ψ_aa, ψ_ab, ψ_ad, ψ_bb, ψ_bd, ψ_dd with a = r_ij, b = r_ik, d = r_ij·r_ik. */
function angularOutputs(terms: readonly Term[]): Expr[] {
  const [a, b, d] = slopes(weighted(terms));
  const [aa, ab, ad] = slopes(a);
  const [, bb, bd] = slopes(b);
  return [a, b, d, aa, ab, ad, bb, bd, slopes(d)[2]];
}

const kinds = {
  1: { inputs: ["r"], outputs: radialOutputs },
  2: { inputs: ["rij", "rik", "rjk2", "dot"], outputs: angularOutputs },
} as const;

/** Most rows of inputs and of outputs. */
const ROWS = { inputs: 4, outputs: 9 };

/**
 * Second derivatives of Σ_t w_t G_t of one centre by the vectors to its neighbours, with kernels that are compiled when
 * they are first asked for.
 */
export class Curvature {
  readonly #device: Device;
  readonly #pieces = new Map<readonly Term[], readonly Piece[]>();
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #in: Float64Array;
  readonly #out: Float64Array;
  /** Pairs of the lanes, as numbers within the centre. */
  readonly #lanes = new Int32Array(2 * LANES);

  constructor(device: Device) {
    const { memory } = device;
    this.#device = device;
    this.#inputs = memory.alloc(8 * LANES * ROWS.inputs);
    this.#outputs = memory.alloc(8 * LANES * ROWS.outputs);
    this.#in = memory.f64(this.#inputs, LANES * ROWS.inputs);
    this.#out = memory.f64(this.#outputs, LANES * ROWS.outputs);
  }

  /** ADDS to block [3p, 3p] of the p pairs of centre c; the weights are at byte address `weights`. */
  add(block: CurvedBlock, env: Environments, c: number, weights: number, H: Float64Array): void {
    if (block.neighbours.length === 1) this.#addPairs(block, env, c, weights, H);
    else this.#addTriplets(block, env, c, weights, H);
  }

  #compiled(terms: readonly Term[], order: 1 | 2): readonly Piece[] {
    const known = this.#pieces.get(terms);
    if (known) return known;
    const { inputs, outputs } = kinds[order];
    const pieces: Piece[] = [];
    for (let first = 0; first < terms.length; first += LIMIT) {
      const some = terms.slice(first, first + LIMIT);
      const kernel = this.#device.compile({
        name: "curvature",
        precision: "f64",
        varying: inputs,
        uniform: some.map((_, t) => `w${t}`),
        elementwise: outputs(some),
      });
      pieces.push({ kernel, first });
    }
    this.#pieces.set(terms, pieces);
    return pieces;
  }

  /** Runs the kernels of a block on n lanes and calls `spread` for each lane of each piece. */
  #run(block: CurvedBlock, n: number, weights: number, spread: (lane: number) => void): void {
    if (n === 0) return;
    const order = block.neighbours.length;
    // The last lane of an odd number is repeated, and what comes of it left out.
    if (n & 1) for (let k = 0; k < ROWS.inputs; k++) this.#in[k * LANES + n] = this.#in[k * LANES + n - 1];
    for (const { kernel, first } of this.#compiled(block.terms, order)) {
      const own = weights + 8 * (block.first + first);
      kernel.run(n + (n & 1), this.#inputs, 8 * LANES, own, this.#outputs, 0);
      for (let lane = 0; lane < n; lane++) spread(lane);
    }
  }

  #addPairs(block: CurvedBlock, env: Environments, c: number, weights: number, H: Float64Array): void {
    const { offsets, elements, distances, vectors } = env;
    const S = elements.length;
    const begin = offsets[c * S];
    const width = 3 * (offsets[(c + 1) * S] - begin);
    const row = c * S + block.neighbours[0];
    const [lanes, out] = [this.#lanes, this.#out];
    const spread = (lane: number) => {
      const p = begin + lanes[lane];
      const d = distances[p];
      const along = out[LANES + lane];
      const across = out[lane] / d;
      const at = 3 * lanes[lane];
      for (let x = 0; x < 3; x++)
        for (let y = 0; y < 3; y++) {
          const u = (vectors[3 * p + x] * vectors[3 * p + y]) / (d * d);
          H[(at + x) * width + at + y] += (along - across) * u + (x === y ? across : 0);
        }
    };
    let n = 0;
    for (let p = offsets[row]; p < offsets[row + 1]; p++) {
      if (distances[p] >= block.cutoff) continue;
      this.#in[n] = distances[p];
      lanes[n++] = p - begin;
      if (n < LANES) continue;
      this.#run(block, n, weights, spread);
      n = 0;
    }
    this.#run(block, n, weights, spread);
  }

  #addTriplets(block: CurvedBlock, env: Environments, c: number, weights: number, H: Float64Array): void {
    const { offsets, elements, distances, vectors } = env;
    const S = elements.length;
    const begin = offsets[c * S];
    const width = 3 * (offsets[(c + 1) * S] - begin);
    const [a, b = a] = block.neighbours;
    const lanes = this.#lanes;
    const spread = (lane: number) => {
      const [p, q] = [begin + lanes[2 * lane], begin + lanes[2 * lane + 1]];
      spreadTriplet(this.#out, lane, env, p, q, begin, width, H);
    };
    let n = 0;
    for (let p = offsets[c * S + a]; p < offsets[c * S + a + 1]; p++) {
      if (distances[p] >= block.cutoff) continue;
      for (let q = a === b ? p + 1 : offsets[c * S + b]; q < offsets[c * S + b + 1]; q++) {
        if (distances[q] >= block.cutoff) continue;
        let [product, apart] = [0, 0];
        for (let x = 0; x < 3; x++) {
          product += vectors[3 * p + x] * vectors[3 * q + x];
          apart += (vectors[3 * q + x] - vectors[3 * p + x]) ** 2;
        }
        const geometry = [distances[p], distances[q], apart, product];
        for (let k = 0; k < 4; k++) this.#in[k * LANES + n] = geometry[k];
        lanes[2 * n] = p - begin;
        lanes[2 * n + 1] = q - begin;
        if (++n < LANES) continue;
        this.#run(block, n, weights, spread);
        n = 0;
      }
    }
    this.#run(block, n, weights, spread);
  }
}

/**
 * With u = r_ij, v = r_ik: ψ_uu = ψ_aa ûû + ψ_a/a (1 − ûû) + ψ_ad (ûv + vû) + ψ_dd vv, ψ_vv alike, and
 * ψ_uv = ψ_ab ûv̂ + ψ_ad ûu + ψ_bd v v̂ + ψ_dd vu + ψ_d.
 */
function spreadTriplet(
  out: Float64Array,
  lane: number,
  { distances, vectors }: Environments,
  p: number,
  q: number,
  begin: number,
  width: number,
  H: Float64Array,
): void {
  const [fa, fb, fd, aa, ab, ad, bb, bd, dd] = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((k) => out[k * LANES + lane]);
  const [da, db] = [distances[p], distances[q]];
  const [P, Q] = [3 * (p - begin), 3 * (q - begin)];
  for (let x = 0; x < 3; x++) {
    const [ux, vx] = [vectors[3 * p + x], vectors[3 * q + x]];
    for (let y = 0; y < 3; y++) {
      const [uy, vy] = [vectors[3 * p + y], vectors[3 * q + y]];
      const same = x === y ? 1 : 0;
      const uu = (ux * uy) / (da * da);
      const vv = (vx * vy) / (db * db);
      H[(P + x) * width + P + y] +=
        aa * uu + (fa / da) * (same - uu) + (ad / da) * (ux * vy + vx * uy) + dd * vx * vy;
      H[(Q + x) * width + Q + y] +=
        bb * vv + (fb / db) * (same - vv) + (bd / db) * (vx * uy + ux * vy) + dd * ux * uy;
      const uv =
        (ab / (da * db)) * ux * vy + (ad / da) * ux * uy + (bd / db) * vx * vy + dd * vx * uy + fd * same;
      H[(P + x) * width + Q + y] += uv;
      H[(Q + y) * width + P + x] += uv;
    }
  }
}
