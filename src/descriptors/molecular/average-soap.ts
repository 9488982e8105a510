import type { output } from "zod";
import { elementsOf } from "../../structure/elements.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import { enum as oneOf } from "../../zod.ts";
import { environments, type Environments } from "../environments.ts";
import { SoapAverage } from "../soap/average.ts";
import { options as soapOptions } from "../soap/options.ts";
import { soapParts } from "../soap/parts.ts";
import { resolve as resolveSoap } from "../soap/soap.ts";
import { allCoordinates } from "./coordinates.ts";
import type { MolecularDescriptor, MolecularMethod, SparseRows } from "./descriptor.ts";
import { roomFor } from "./sorted.ts";

const options = soapOptions.extend({
  average: oneOf(["inner", "outer"])
    .default("inner")
    .meta({ help: "inner: of the coefficients before their products; outer: of the atoms' features" }),
});

type AverageOptions = output<typeof options>;

/** Distances up to here decide what auto is, Å. */
const LOOK = 8;

/** Power spectrum of a molecule as a whole; see SoapAverage. */
export const averageSoap: MolecularMethod<AverageOptions> = {
  name: "average-soap",
  summary: "SOAP averaged over the atoms of a molecule, before or after the products",
  options,
  resolve: ({ average, ...given }, structure) => ({
    ...resolveSoap(given, pairStatistics([structure], LOOK)),
    average,
  }),
  build: ({ average, ...given }, numbers, device) => {
    const parts = soapParts(given, elementsOf(numbers), device);
    return new AveragedMolecule(numbers, new SoapAverage(parts, average, device));
  },
};

class AveragedMolecule implements MolecularDescriptor {
  readonly numbers: Uint8Array;
  readonly size: number;
  readonly labels: readonly string[];
  readonly active: Int32Array;
  readonly #average: SoapAverage;
  readonly #features: Float64Array;
  readonly #rows: SparseRows;

  constructor(numbers: Uint8Array, average: SoapAverage) {
    const n3 = 3 * numbers.length;
    this.numbers = numbers;
    this.size = average.size;
    this.labels = average.labels;
    this.active = allCoordinates(numbers.length);
    this.#average = average;
    this.#features = new Float64Array(this.size);
    this.#rows = roomFor(this.size, this.size * n3);
    for (let t = 0; t < this.size; t++) {
      this.#rows.starts[t + 1] = (t + 1) * n3;
      this.#rows.columns.set(this.active, t * n3);
    }
  }

  #surroundings(positions: Float64Array): Environments {
    const structure = { numbers: this.numbers, positions, cell: null, pbc: [false, false, false] as const };
    const { cutoff, elements } = this.#average;
    return environments([{ structure, neighbours: findNeighbours(structure, cutoff) }], elements, cutoff);
  }

  forward(positions: Float64Array): Float64Array {
    this.#average.value(this.#surroundings(positions), this.#features);
    return this.#features;
  }

  jacobian(positions: Float64Array): { readonly features: Float64Array; readonly rows: SparseRows } {
    const env = this.#surroundings(positions);
    this.#average.value(env, this.#features);
    const { values } = this.#rows;
    values.fill(0);
    const [n3, S] = [positions.length, env.elements.length];
    this.#average.jacobian(env, (c, rows) => {
      const [first, last] = [env.offsets[c * S], env.offsets[(c + 1) * S]];
      const own = 3 * env.centre[c];
      for (let t = 0, at = 0; t < this.size; t++)
        for (let p = first; p < last; p++)
          for (let k = 0; k < 3; k++, at++) {
            values[t * n3 + 3 * env.neighbour[p] + k] += rows[at];
            values[t * n3 + own + k] -= rows[at];
          }
    });
    return { features: this.#features, rows: this.#rows };
  }
}
