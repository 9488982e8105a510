import type { Descriptor, StructureDescriptor } from "../../descriptors/descriptor.ts";
import { environments } from "../../descriptors/environments.ts";
import { descriptors } from "../../descriptors/table.ts";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import type { Matrix } from "../../math/left-vectors.ts";
import { pick } from "../../potentials/pick.ts";
import { featureScale } from "../../regressors/neural-network/scaling.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import { FeatureAccumulator, FeatureReader } from "../features.ts";
import type { AtomRows } from "./method.ts";

/** Most memory for vectors, bytes. */
const MOST = 4 * 2 ** 30;

/** A descriptor with its automatic functions for the data that the statistics are of. */
export function automaticDescriptor(name: string, statistics: PairStatistics, device: Device): Descriptor {
  const method = pick(descriptors, name, "--descriptor");
  return method.build(method.resolve(method.options.parse({}), statistics), statistics.elements, device);
}

/** The same of structures as a whole: the descriptor of the mean over all atoms. */
export function automaticAverage(
  name: string,
  statistics: PairStatistics,
  device: Device,
): StructureDescriptor {
  const method = pick(descriptors, name, "--descriptor");
  if (!method.averaged)
    throw invalid("--descriptor", `one with an inner average (${averagedNames.join(", ")})`, name);
  return method.averaged(method.resolve(method.options.parse({}), statistics), statistics.elements, device);
}

const averagedNames = Object.values(descriptors).flatMap((method) => (method.averaged ? [method.name] : []));

/** How many vectors there will be. */
export interface VectorCounts {
  readonly frames: number;
  /** Atoms of each element of the descriptor, or null when only frames are compared. */
  readonly atoms: readonly number[] | null;
}

/**
 * Vectors of frames, [frames, S + Σ_e size(e)] for S elements: fractions n_e/n, then (1/n) Σ_{i∈e} z_i with
 * z = (G − mean)/deviation over all atoms of the element, bounded for faint features as a network's inputs are; at the
 * end the mean over frames is taken away. On request the z_i of every atom too. Structures are given one at a time; what
 * is kept is 8 bytes per number of these.
 */
export class VectorCollector {
  readonly #reader: FeatureReader;
  readonly #sums: readonly FeatureAccumulator[];
  readonly #width: number;
  readonly #means: Float64Array;
  readonly #atoms: readonly AtomRows[] | null;
  readonly #filled: number[];
  #frames = 0;

  constructor(descriptor: Descriptor, device: Device, counts: VectorCounts) {
    this.#reader = new FeatureReader(descriptor, device);
    const { sizes } = this.#reader;
    this.#sums = sizes.map((size) => new FeatureAccumulator(size));
    this.#filled = sizes.map(() => 0);
    this.#width = sizes.reduce((sum, size) => sum + size, sizes.length);
    const inAtoms = counts.atoms?.reduce((sum, n, e) => sum + n * sizes[e], 0) ?? 0;
    demandRoom(8 * (counts.frames * this.#width + inAtoms));
    this.#means = new Float64Array(counts.frames * this.#width);
    this.#atoms =
      counts.atoms?.map((n, e) => ({
        width: sizes[e],
        rows: new Float64Array(n * sizes[e]),
        frame: new Int32Array(n),
      })) ?? null;
  }

  /** The next frame; `place` names it in errors. */
  add(structure: Structure, place: string): void {
    const { sizes } = this.#reader;
    const { matrices, counts } = this.#reader.read(structure);
    const row = this.#means.subarray(this.#frames * this.#width, (this.#frames + 1) * this.#width);
    let at = sizes.length;
    matrices.forEach((matrix, e) => {
      row[e] = counts[e];
      for (let c = 0; c < counts[e]; c++) {
        const G = matrix.subarray(c * sizes[e], (c + 1) * sizes[e]);
        this.#sums[e].add(G);
        for (let t = 0; t < G.length; t++) row[at + t] += G[t];
      }
      const atoms = this.#atoms?.[e];
      if (atoms) {
        atoms.rows.set(matrix.subarray(0, counts[e] * sizes[e]), this.#filled[e] * sizes[e]);
        atoms.frame.fill(this.#frames, this.#filled[e], (this.#filled[e] += counts[e]));
      }
      at += sizes[e];
    });
    demandFinite(row, place);
    this.#frames++;
  }

  /** The vectors, scaled in place: the collector is of no use afterwards. */
  result(): { means: Matrix; atoms?: readonly AtomRows[] } {
    const scales = this.#sums.map(({ result }) => ({ mean: result.mean, factor: featureScale(result) }));
    const [count, width] = [this.#frames, this.#width];
    const means = { count, width, rows: this.#means.subarray(0, count * width) };
    for (let f = 0; f < count; f++) scaleMean(means.rows.subarray(f * width, (f + 1) * width), scales);
    centre(means);
    this.#atoms?.forEach(({ rows, width: size }, e) => {
      const { mean, factor } = scales[e];
      for (let k = 0; k < rows.length; k++) rows[k] = (rows[k] - mean[k % size]) * factor[k % size];
    });
    return { means, ...(this.#atoms && { atoms: this.#atoms }) };
  }
}

/** Vectors of frames, [frames, size]: features of structures, each less its mean and scaled as an input of a network. */
export class StructureCollector {
  readonly #descriptor: StructureDescriptor;
  readonly #sum: FeatureAccumulator;
  readonly #rows: Float64Array;
  #frames = 0;

  constructor(descriptor: StructureDescriptor, frames: number) {
    this.#descriptor = descriptor;
    this.#sum = new FeatureAccumulator(descriptor.size);
    demandRoom(8 * frames * descriptor.size);
    this.#rows = new Float64Array(frames * descriptor.size);
  }

  /** The next frame; `place` names it in errors. */
  add(structure: Structure, place: string): void {
    const { size, cutoff, elements } = this.#descriptor;
    const neighbours = findNeighbours(structure, cutoff);
    const row = this.#rows.subarray(this.#frames * size, ++this.#frames * size);
    this.#descriptor.value(environments([{ structure, neighbours }], elements, cutoff), row);
    demandFinite(row, place);
    this.#sum.add(row);
  }

  /** The vectors, scaled in place: the collector is of no use afterwards. */
  result(): { means: Matrix } {
    const { result } = this.#sum;
    const factor = featureScale(result);
    const { size: width } = this.#descriptor;
    const rows = this.#rows.subarray(0, this.#frames * width);
    for (let k = 0; k < rows.length; k++) rows[k] = (rows[k] - result.mean[k % width]) * factor[k % width];
    return { means: { count: this.#frames, width, rows } };
  }
}

function demandRoom(bytes: number): void {
  if (bytes > MOST)
    throw invalid("data", `vectors of at most ${MOST / 2 ** 30} GiB (fewer frames)`, `${bytes} bytes`);
}

function demandFinite(row: Float64Array, place: string): void {
  if (!row.every(Number.isFinite))
    throw invalid(place, "a structure with finite features", "NaN or Infinity");
}

/** Mean of each feature of an element, and the factor by which a network would scale it. */
interface Scale {
  readonly mean: Float64Array;
  readonly factor: Float64Array;
}

/** Numbers of atoms and sums of features → fractions and mean scaled features. */
function scaleMean(row: Float64Array, scales: readonly Scale[]): void {
  const S = scales.length;
  const n = row.subarray(0, S).reduce((sum, x) => sum + x, 0);
  let at = S;
  scales.forEach(({ mean, factor }, e) => {
    for (let t = 0; t < mean.length; t++) row[at + t] = ((row[at + t] - row[e] * mean[t]) * factor[t]) / n;
    at += mean.length;
    row[e] /= n;
  });
}

function centre({ count, width, rows }: Matrix): void {
  const mean = new Float64Array(width);
  for (let k = 0; k < rows.length; k++) mean[k % width] += rows[k] / count;
  for (let k = 0; k < rows.length; k++) rows[k] -= mean[k % width];
}
