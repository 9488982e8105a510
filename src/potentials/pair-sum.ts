import { EnvironmentsBuilder, type Environments, type Range } from "../descriptors/environments.ts";
import { addForces } from "../descriptors/pairs.ts";
import type { Device } from "../device/device.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { ChunkedEvaluation, demandElements } from "./chunks.ts";
import type { Evaluation, Potential } from "./potential.ts";

/**
 * Writes energies (eV) and slopes dE/dr (eV/Å) of a pair of element indices a, b at the n distances that lie at the
 * byte address `buffer`: r, E and dE/dr, [capacity] each, one after another. Distances are padded to an even number.
 */
export type Curve = (a: number, b: number, n: number, buffer: number, capacity: number) => void;

/** The same with dE/dr in the place of E, and d²E/dr² in that of dE/dr. */
export type Bend = Curve;

/** E = ½ Σ_i Σ_j E_ab(r_ij) over the pairs of atoms closer than a cutoff of their elements a, b. */
export class PairSum implements Potential {
  readonly cutoff: number;
  readonly elements: readonly number[];
  readonly #outer: Float64Array;
  readonly #curve: Curve;
  readonly #bend: Bend;
  readonly #device: Device;
  readonly #builder: EnvironmentsBuilder;
  readonly #chunks: ChunkedEvaluation;
  /** Room for r, E and dE/dr of #capacity pairs, and which pairs they are. */
  #buffer = 0;
  #capacity = 0;
  #which = new Int32Array(0);
  #gradient = new Float64Array(0);

  /** `outer`: cutoffs by pair of element indices, [S, S], Å. */
  constructor(elements: readonly number[], outer: Float64Array, curve: Curve, bend: Bend, device: Device) {
    this.elements = elements;
    this.#outer = outer;
    this.#curve = curve;
    this.#bend = bend;
    this.#device = device;
    this.#chunks = new ChunkedEvaluation(elements);
    this.cutoff = outer.reduce((x, y) => Math.max(x, y), 0);
    this.#builder = new EnvironmentsBuilder(elements, this.cutoff);
  }

  evaluate(structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void {
    this.#chunks.run(structure, neighbours, out, range, this.#part);
  }

  readonly #part = (structure: Structure, neighbours: Neighbours, out: Evaluation, range?: Range): void => {
    const env = this.#builder.build([{ structure, neighbours }], range);
    const S = env.elements.length;
    this.#reserve(env.neighbour.length);
    const gradients = this.#gradient.subarray(0, env.vectors.length).fill(0);
    let touched = 0;
    for (let a = 0; a < S; a++)
      for (let b = 0; b < S; b++) {
        const n = this.#gather(env, a, b);
        if (n > 0) this.#addPairs(env, n, a, b, gradients, out);
        touched += n;
      }
    if (touched > 0) addForces(env, gradients, out.forces, out.virial);
  };

  curvature(structure: Structure, neighbours: Neighbours, H: Float64Array): void {
    demandElements(structure, this.elements);
    const env = this.#builder.build([{ structure, neighbours }]);
    const S = env.elements.length;
    this.#reserve(env.neighbour.length);
    for (let a = 0; a < S; a++)
      for (let b = 0; b < S; b++) {
        const n = this.#gather(env, a, b);
        if (n === 0) continue;
        this.#bend(a, b, n, this.#buffer, this.#capacity);
        this.#addConstants(env, n, H);
      }
  }

  /** Half of E″ r̂r̂ + E′/r (1 − r̂r̂) from each side of every pair. */
  #addConstants({ vectors, neighbour }: Environments, n: number, H: Float64Array): void {
    const [size, capacity, which] = [Math.sqrt(H.length), this.#capacity, this.#which];
    const room = this.#device.memory.f64(this.#buffer, 3 * capacity);
    for (let k = 0; k < n; k++) {
      const [p, i] = [which[2 * k], which[2 * k + 1]];
      const [r, slope, bend] = [room[k], room[capacity + k], room[2 * capacity + k]];
      const j = neighbour[p];
      for (let x = 0; x < 3; x++)
        for (let y = 0; y < 3; y++) {
          const u = (vectors[3 * p + x] * vectors[3 * p + y]) / (r * r);
          const h = (bend * u + (slope / r) * ((x === y ? 1 : 0) - u)) / 2;
          H[(3 * i + x) * size + 3 * i + y] += h;
          H[(3 * j + x) * size + 3 * j + y] += h;
          H[(3 * i + x) * size + 3 * j + y] -= h;
          H[(3 * j + x) * size + 3 * i + y] -= h;
        }
    }
  }

  /** Distances below the outer radius between centres of element a and neighbours of element b; how many. */
  #gather({ starts, offsets, distances, elements, centre }: Environments, a: number, b: number): number {
    const [S, outer] = [elements.length, this.#outer[a * elements.length + b]];
    const r = this.#device.memory.f64(this.#buffer, this.#capacity);
    let n = 0;
    for (let c = starts[a]; c < starts[a + 1]; c++)
      for (let p = offsets[c * S + b]; p < offsets[c * S + b + 1]; p++) {
        if (distances[p] >= outer) continue;
        r[n] = distances[p];
        this.#which[2 * n] = p;
        this.#which[2 * n + 1] = centre[c];
        n++;
      }
    if (n & 1) r[n] = outer;
    return n;
  }

  /** Every pair is listed from both sides, so each side carries half of the energy. */
  #addPairs(
    { vectors }: Environments,
    n: number,
    a: number,
    b: number,
    gradients: Float64Array,
    out: Evaluation,
  ): void {
    this.#curve(a, b, n, this.#buffer, this.#capacity);
    const room = this.#device.memory.f64(this.#buffer, 3 * this.#capacity);
    const which = this.#which;
    for (let k = 0; k < n; k++) {
      const [p, i] = [which[2 * k], which[2 * k + 1]];
      const [r, E, dEdr] = [room[k], room[this.#capacity + k], room[2 * this.#capacity + k]];
      out.energy += E / 2;
      if (out.energies) out.energies[i] += E / 2;
      const factor = dEdr / (2 * r);
      for (let x = 3 * p; x < 3 * p + 3; x++) gradients[x] = factor * vectors[x];
    }
  }

  #reserve(pairs: number): void {
    if (this.#capacity > pairs) return;
    this.#capacity = 2 * Math.ceil(0.75 * pairs + 8);
    this.#buffer = this.#device.memory.alloc(3 * 8 * this.#capacity);
    this.#which = new Int32Array(2 * this.#capacity);
    this.#gradient = new Float64Array(3 * this.#capacity);
  }
}
