import { EV_A3_IN_GPA } from "../structure/units.ts";

/** A reference whose spread is below this part of its size, or of 1, is rounding noise about a constant. */
const CONSTANT = 1e-8;

/** Running sums of the errors of one quantity: constant memory however many frames pass. */
export class ErrorSums {
  count = 0;
  #square = 0;
  #absolute = 0;
  #max = 0;
  #place = "";
  #mean = 0;
  #scatter = 0;

  /** One number: what was predicted, what the data say, and where. */
  add(predicted: number, reference: number, place: string): void {
    const e = predicted - reference;
    const a = Math.abs(e);
    this.count++;
    this.#square += e * e;
    this.#absolute += a;
    if (a > this.#max || Number.isNaN(a)) {
      this.#max = a;
      this.#place = place;
    }
    const d = reference - this.#mean;
    this.#mean += d / this.count;
    this.#scatter += d * (reference - this.#mean);
  }

  /** What the sums say; undefined when nothing was added. */
  get errors(): Errors | undefined {
    if (this.count === 0) return undefined;
    const rmse = Math.sqrt(this.#square / this.count);
    const mean = Math.sqrt(this.#scatter / this.count);
    return {
      count: this.count,
      rmse,
      mae: this.#absolute / this.count,
      max: this.#max,
      maxPlace: this.#place,
      meanRmse: mean,
      relative: mean > CONSTANT * Math.max(1, Math.abs(this.#mean)) ? (100 * rmse) / mean : null,
    };
  }
}

/** Errors of one quantity over one set. */
export interface Errors {
  readonly count: number;
  readonly rmse: number;
  readonly mae: number;
  readonly max: number;
  /** The frame with the largest error. */
  readonly maxPlace: string;
  /** RMSE of always predicting this set's mean: its standard deviation. What a fit must beat. */
  readonly meanRmse: number;
  /** 100·rmse/meanRmse, %; null when the reference does not vary. */
  readonly relative: number | null;
}

/** The quantities that are judged. */
export type Quantity = "energy" | "energyPerAtom" | "forces" | "stress";

/** Unit and the factor from internal units that tables use. */
export const QUANTITIES: Readonly<Record<Quantity, { title: string; unit: string; factor: number }>> = {
  energy: { title: "energy", unit: "meV", factor: 1000 },
  energyPerAtom: { title: "energy per atom", unit: "meV/atom", factor: 1000 },
  forces: { title: "force component", unit: "meV/Å", factor: 1000 },
  stress: { title: "stress component", unit: "GPa", factor: EV_A3_IN_GPA },
};

/** Errors of a set, whole and in parts. */
export interface SetMetrics {
  readonly frames: number;
  readonly all: Partial<Record<Quantity, Errors>>;
  /** Force errors by chemical element (atomic number). */
  readonly byElement: Readonly<Record<number, Errors>>;
  readonly byConfigType: Readonly<Record<string, Partial<Record<Quantity, Errors>>>>;
}

/** One frame's truth and prediction. */
export interface Comparison {
  readonly numbers: Uint8Array;
  readonly place: string;
  readonly configType?: string;
  /** eV; what known terms (isolated atoms) contribute, so that `meanRmse` is not the spread of compositions. */
  readonly baseline: number;
  readonly energy?: readonly [predicted: number, reference: number];
  /** [n, 3], eV/Å. */
  readonly forces?: readonly [predicted: Float64Array, reference: Float64Array];
  /** [3, 3], eV/Å³. */
  readonly stress?: readonly [predicted: Float64Array, reference: Float64Array];
}

type Sums = Record<Quantity, ErrorSums>;

const newSums = (): Sums => ({
  energy: new ErrorSums(),
  energyPerAtom: new ErrorSums(),
  forces: new ErrorSums(),
  stress: new ErrorSums(),
});

const QUANTITY_NAMES = Object.keys(QUANTITIES) as Quantity[];
/** Upper triangle of a row-major 3×3: a symmetric tensor's own numbers. */
const UPPER = [0, 1, 2, 4, 5, 8];

function result(sums: Sums): Partial<Record<Quantity, Errors>> {
  const named = QUANTITY_NAMES.map((name) => [name, sums[name].errors] as const);
  return Object.fromEntries(named.filter(([, errors]) => errors !== undefined));
}

/** Collects errors frame by frame. */
export class Metrics {
  #frames = 0;
  #all = newSums();
  #elements = new Map<number, ErrorSums>();
  #types = new Map<string, Sums>();

  /** Adds one frame. */
  add(c: Comparison): void {
    this.#frames++;
    this.#addTo(this.#all, c);
    if (c.configType !== undefined) {
      const sums = this.#types.get(c.configType) ?? newSums();
      this.#types.set(c.configType, sums);
      this.#addTo(sums, c);
    }
    if (c.forces) this.#addElements(c, ...c.forces);
  }

  #addTo(sums: Sums, { numbers, place, baseline, energy, forces, stress }: Comparison): void {
    const n = numbers.length;
    if (energy) {
      const [e, ref] = energy.map((x) => x - baseline);
      sums.energy.add(e, ref, place);
      sums.energyPerAtom.add(e / n, ref / n, place);
    }
    if (forces) for (let k = 0; k < 3 * n; k++) sums.forces.add(forces[0][k], forces[1][k], place);
    if (stress) for (const k of UPPER) sums.stress.add(stress[0][k], stress[1][k], place);
  }

  #addElements(c: Comparison, predicted: Float64Array, reference: Float64Array): void {
    for (let i = 0; i < c.numbers.length; i++) {
      const sums = this.#elements.get(c.numbers[i]) ?? new ErrorSums();
      this.#elements.set(c.numbers[i], sums);
      for (let k = 3 * i; k < 3 * i + 3; k++) sums.add(predicted[k], reference[k], c.place);
    }
  }

  /** The table's numbers. */
  get result(): SetMetrics {
    const elements = [...this.#elements].sort((a, b) => a[0] - b[0]);
    const types = [...this.#types].sort((a, b) => (a[0] < b[0] ? -1 : 1));
    return {
      frames: this.#frames,
      all: result(this.#all),
      byElement: Object.fromEntries(elements.map(([z, sums]) => [z, sums.errors!])),
      byConfigType: Object.fromEntries(types.map(([name, sums]) => [name, result(sums)])),
    };
  }
}
