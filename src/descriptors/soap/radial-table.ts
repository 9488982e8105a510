import type { Memory } from "../../device/memory.ts";
import type { RadialIntegrals } from "./bases.ts";

/** Of the polynomials: with intervals of a seventh of σ they are within 10⁻¹² of the largest value. */
export const DEGREE = 7;
const NODES = DEGREE + 1;
const INTERVAL = 1 / 7;

/** Functions of r as polynomials of t = −1 … 1 in each of many equal intervals of 0 … reach, in device memory. */
export interface RadialTable {
  /** Byte address of [intervals, ⌈functions/2⌉, NODES, 2], highest power first. */
  readonly address: number;
  readonly functions: number;
  readonly intervals: number;
  /** Å. */
  readonly reach: number;
}

/** Bytes of the polynomials of one interval. */
export const recordOf = (functions: number): number => 16 * NODES * Math.ceil(functions / 2);

/**
 * The table of f(r), smooth over lengths of `sigma`: interpolation at the nodes of Chebyshev (DOI 10.1137/1.9781611975949,
 * ch. 2). Neighbouring polynomials meet to rounding.
 */
export function radialTable(
  f: RadialIntegrals,
  functions: number,
  reach: number,
  sigma: number,
  memory: Memory,
): RadialTable {
  const intervals = Math.ceil(reach / (INTERVAL * sigma));
  const record = recordOf(functions) / 8;
  const address = memory.alloc(8 * record * intervals);
  const table = memory.f64(address, record * intervals);
  const nodes = Array.from({ length: NODES }, (_, i) => Math.cos((Math.PI * (i + 0.5)) / NODES));
  const powers = powersOfNodes(nodes);
  for (let k = 0; k < intervals; k++) {
    const samples = nodes.map((t) => f(((k + (t + 1) / 2) * reach) / intervals));
    for (let v = 0; v < functions; v++)
      for (let d = 0; d < NODES; d++) {
        let sum = 0;
        for (let i = 0; i < NODES; i++) sum += powers[d][i] * samples[i][v];
        table[k * record + (Math.floor(v / 2) * NODES + DEGREE - d) * 2 + (v % 2)] = sum;
      }
  }
  return { address, functions, intervals, reach };
}

/** M[d][i]: the polynomial with values y_i at the nodes is Σ_d t^d Σ_i M[d][i] y_i. */
function powersOfNodes(nodes: readonly number[]): number[][] {
  const M = nodes.map(() => nodes.map(() => 0));
  nodes.forEach((x, i) => {
    // Lagrange's polynomial of node i, multiplied out factor by factor.
    let p = [1];
    nodes.forEach((other, j) => {
      if (j === i) return;
      const scale = 1 / (x - other);
      const next = Array.from({ length: p.length + 1 }, () => 0);
      p.forEach((c, d) => {
        next[d] -= c * other * scale;
        next[d + 1] += c * scale;
      });
      p = next;
    });
    p.forEach((c, d) => (M[d][i] = c));
  });
  return M;
}
