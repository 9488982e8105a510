import type { Device, Kernel } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { gradient } from "../../formula/derivative.ts";
import { div, powi, square, sub, variable } from "../../formula/expression.ts";
import type { Potential } from "../../potentials/potential.ts";
import { superimposed, unwrapped } from "../../structure/alignment.ts";
import type { Structure } from "../../structure/structure.ts";
import { band } from "./band.ts";

/** Positions of all images of a path, [images][n, 3], ends included. */
export type Path = Float64Array[];

/** The last structure laid over the first: nearest images in a crystal, turned and moved onto it as a molecule. */
export function laidOver(first: Structure, last: Structure): Float64Array {
  checkEnds(first, last);
  if (first.pbc.some(Boolean)) return unwrapped(last, first.positions);
  return superimposed(last.positions, first.positions);
}

/** Whether both have the same cell, or none. */
function sameCell(a: Float64Array | null, b: Float64Array | null): boolean {
  return a === b || (a !== null && b !== null && a.every((x, i) => Math.abs(x - b[i]) < 1e-8));
}

function checkEnds(first: Structure, last: Structure): void {
  if (first.numbers.length !== last.numbers.length || first.numbers.some((z, i) => z !== last.numbers[i]))
    throw invalid("the last structure", "the same atoms in the same order as the first", "other atoms");
  if (!sameCell(first.cell, last.cell))
    throw invalid("the last structure", "the cell of the first", "another cell");
}

/** Images on the straight line between two sets of positions. */
export function straight(first: Float64Array, last: Float64Array, images: number): Path {
  return Array.from({ length: images }, (_, k) => {
    const t = k / (images - 1);
    return first.map((x, i) => x + t * (last[i] - x));
  });
}

/** S(d) = (d₀ − d)²/d⁴ and dS/dd of many pairs at once. */
function compilePairs(device: Device): Kernel {
  const [d, target] = [variable("d"), variable("target")];
  const S = div(square(sub(target, d)), powi(d, 4));
  return device.compile({
    name: "idpp",
    varying: ["d", "target"],
    uniform: [],
    elementwise: [S, gradient(S, [d])[0]],
  });
}

/** Σ_{i<j} (d⁰_ij − d_ij)²/d_ij⁴ with targets d⁰ for each pair, [n (n − 1)/2]. */
function pairTargets(targets: Float64Array, kernel: Kernel, device: Device): Potential {
  const pairs = targets.length;
  const lanes = pairs + (pairs & 1);
  const buffer = device.memory.alloc(8 * 4 * lanes);
  const table = device.memory.f64(buffer, 4 * lanes);
  return {
    cutoff: 0,
    elements: null,
    evaluate({ positions }, _, out) {
      const n = positions.length / 3;
      const each = (see: (p: number, i: number, j: number) => void) => {
        for (let i = 0, p = 0; i < n; i++) for (let j = i + 1; j < n; j++) see(p++, 3 * i, 3 * j);
      };
      table.fill(1);
      each((p, i, j) => {
        table[p] = Math.hypot(
          positions[j] - positions[i],
          positions[j + 1] - positions[i + 1],
          positions[j + 2] - positions[i + 2],
        );
        table[lanes + p] = targets[p];
      });
      kernel.run(lanes, buffer, 8 * lanes, 0, buffer + 16 * lanes, 0);
      each((p, i, j) => {
        out.energy += table[2 * lanes + p];
        for (let a = 0; a < 3; a++) {
          const f = (table[3 * lanes + p] * (positions[j + a] - positions[i + a])) / table[p];
          out.forces[i + a] += f;
          out.forces[j + a] -= f;
        }
      });
    },
  };
}

/** Distances of all pairs i < j, nearest images not considered, [n (n − 1)/2]. */
function distances(positions: Float64Array): Float64Array {
  const found: number[] = [];
  for (let i = 0; i < positions.length; i += 3)
    for (let j = i + 3; j < positions.length; j += 3)
      found.push(
        Math.hypot(
          positions[j] - positions[i],
          positions[j + 1] - positions[i + 1],
          positions[j + 2] - positions[i + 2],
        ),
      );
  return Float64Array.from(found);
}

/**
 * A path on which the distances of all pairs change as evenly as they can, so that no atoms run through each other:
 * the image dependent pair potential, relaxed as a band (S. Smidstrup, A. Pedersen, K. Stokbro, H. Jónsson, J. Chem.
 * Phys. 140, 214106 (2014), DOI 10.1063/1.4878664). In a crystal the pairs are those of the atoms as they are listed.
 */
export function evenDistances(
  structure: Structure,
  path: Path,
  device: Device,
  { steps = 200, fixed = [] }: { readonly steps?: number; readonly fixed?: readonly number[] } = {},
): Path {
  const [from, to] = [distances(path[0]), distances(path[path.length - 1])];
  const kernel = compilePairs(device);
  const potentials = path.map((_, k) => {
    const t = k / (path.length - 1);
    return pairTargets(
      from.map((d, p) => d + t * (to[p] - d)),
      kernel,
      device,
    );
  });
  // Here an energy has no unit; the springs are as soft as the pairs.
  const simulation = band(structure, path, (k) => potentials[k], {
    spring: 0.1,
    climb: false,
    method: "fire",
    fixed,
  });
  const state = simulation.init();
  while (state.step < steps && state.maxForce > 1e-3) simulation.step(state);
  return state.images.map(({ positions }) => positions.slice());
}
