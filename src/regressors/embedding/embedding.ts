import type { Features } from "../../descriptors/descriptor.ts";
import type { Device } from "../../device/device.ts";
import { placeTensors } from "../placement.ts";
import type { Combination, Regressor, RegressorMethod } from "../regressor.ts";
import type { CoreSwitch, Share } from "./functions.ts";
import { BLOCK, embeddingKernels, type EmbeddingKernels } from "./kernels.ts";
import { adopt, initialise } from "./start.ts";
import { embeddingOptions, type EmbeddingOptions } from "./options.ts";

/** What is known of one element. */
interface Part {
  /** Features, those that densities sum, and densities. */
  readonly K: number;
  readonly summed: number;
  readonly D: number;
  readonly kernels: EmbeddingKernels;
  /** Live: β [1], θ [summed, D]; fixed: scale [summed]. */
  readonly bias: Float64Array;
  readonly theta: Float64Array;
  readonly scale: Float64Array;
  /** Where β and θ start among the parameters. */
  readonly start: number;
}

const sharesOf = (functions: Float64Array): Share[] =>
  Array.from({ length: functions.length / 2 }, (_, p) => ({
    weight: functions[2 * p],
    exponent: functions[2 * p + 1],
  }));

const coreOf = (core: Float64Array): CoreSwitch => ({ cutoff: core[0], width: core[1] });

/** E = β + Σ_p w_p F(ρ_p; m_p), ρ_p = Σ_k θ_kp scale_k G_k; with a core repulsion c, the last feature, f(c) Σ_p … + c. */
class Embedding implements Regressor {
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  readonly starts: readonly number[];
  readonly tensors: Readonly<Record<string, Float64Array>>;
  readonly combination: Combination;
  readonly #parts: readonly Part[];
  /** Columns of BLOCK numbers: y, dy and what kernels make of them. */
  readonly #columns: Float64Array;
  readonly #inputs: number;
  readonly #outputs: number;

  constructor(
    options: EmbeddingOptions,
    sizes: readonly number[],
    tensors: Readonly<Record<string, Float64Array>>,
    device: Device,
  ) {
    const { memory } = device;
    const shapes = shapesOf(options, sizes);
    const placed = placeTensors(shapes.trainable, shapes.fixed, tensors, memory);
    this.parameters = placed.parameters;
    this.tensors = placed.tensors;
    let start = 0;
    this.#parts = sizes.map((K, e) => {
      const live = (name: string) => this.tensors[`${e}.${name}`];
      const shares = sharesOf(live("functions"));
      const core = options.core ? coreOf(live("core")) : null;
      const kernels = embeddingKernels(device, options.type, shares, core);
      const [bias, theta, scale] = [live("bias"), live("weights"), live("scale")];
      const part = { K, summed: scale.length, D: shares.length, kernels, bias, theta, scale, start };
      start += 1 + theta.length;
      return part;
    });
    this.starts = [...this.#parts.map((part) => part.start), start];
    this.decays = new Uint8Array(start).fill(1);
    for (const part of this.#parts) this.decays[part.start] = 0;
    const width = Math.max(...this.#parts.map(({ kernels }) => kernels.width));
    const address = memory.alloc(8 * BLOCK * (4 * width + 1));
    this.#columns = memory.f64(address, BLOCK * (4 * width + 1));
    this.#inputs = address;
    this.#outputs = address + 8 * BLOCK * 2 * width;
    this.combination = this.#combination();
  }

  /** y = GᵀW and what is left to do with it; W is made of θ and scale. */
  #combination(): Combination {
    const widths = this.#parts.map(({ kernels }) => kernels.width);
    const weights = this.#parts.map(({ K }, e) => new Float64Array(K * widths[e]));
    const refresh = () => this.#parts.forEach((part, e) => fillCombination(part, weights[e]));
    refresh();
    return {
      size: Math.max(...widths),
      weights,
      refresh,
      rest: {
        forward: (y, energies) => this.#rest(y, energies, null),
        pullback: (y, energies, dEdy) => this.#rest(y, energies, dEdy),
      },
    };
  }

  /** E(y) + β, and ∂E/∂y where asked for. */
  #rest(y: Features, energies: Float64Array, dEdy: Features | null): void {
    this.#sweep(
      y.counts,
      energies,
      (part, e, c, n) => {
        const width = part.kernels.width;
        const rows = y.matrices[e];
        for (let k = 0; k < n; k++)
          for (let p = 0; p < width; p++) this.#columns[p * BLOCK + k] = rows[(c + k) * width + p];
        return (slopes) => {
          if (!dEdy) return;
          const out = dEdy.matrices[e];
          for (let k = 0; k < n; k++)
            for (let p = 0; p < width; p++) out[(c + k) * width + p] = slopes[p * BLOCK + k];
        };
      },
      dEdy !== null,
    );
  }

  forward(G: Features, energies: Float64Array): void {
    this.#sweep(G.counts, energies, (part, e, c, n) => this.#fill(part, G.matrices[e], c, n, 0), false);
  }

  pullback(G: Features, energies: Float64Array, dEdG: Features): void {
    this.#sweep(
      G.counts,
      energies,
      (part, e, c, n) => {
        this.#fill(part, G.matrices[e], c, n, 0);
        return (slopes) => this.#spread(part, slopes, dEdG.matrices[e], c, n);
      },
      true,
    );
  }

  /** All rows in blocks: `load` fills the columns y and may return what to do with ∂E/∂y. */
  #sweep(
    counts: readonly number[],
    energies: Float64Array,
    load: (part: Part, e: number, c: number, n: number) => ((slopes: Float64Array) => void) | void,
    slopes: boolean,
  ): void {
    let first = 0;
    const out = (this.#outputs - this.#inputs) / 8;
    this.#parts.forEach((part, e) => {
      for (let c = 0; c < counts[e]; c += BLOCK) {
        const n = Math.min(BLOCK, counts[e] - c);
        const after = load(part, e, c, n);
        this.#pad(part.kernels.width, n);
        const kernel = slopes ? part.kernels.slope : part.kernels.value;
        kernel.run(n + (n & 1), this.#inputs, 8 * BLOCK, 0, this.#outputs, 0);
        for (let k = 0; k < n; k++) energies[first + c + k] = part.bias[0] + this.#columns[out + k];
        if (after) after(this.#columns.subarray(out + BLOCK));
      }
      first += counts[e];
    });
  }

  /** A last row twice where their number is odd: kernels work on pairs. */
  #pad(columns: number, n: number): void {
    if (n % 2 === 0) return;
    for (let p = 0; p < columns; p++) this.#columns[p * BLOCK + n] = this.#columns[p * BLOCK + n - 1];
  }

  /** ρ of rows c … c + n into the columns from `column` on, and c where there is a core. */
  #fill(
    { K, summed, D, theta, scale, kernels }: Part,
    G: Float64Array,
    c: number,
    n: number,
    column: number,
  ): void {
    const y = this.#columns;
    for (let k = 0; k < n; k++) {
      const row = (c + k) * K;
      for (let p = 0; p < D; p++) {
        let rho = 0;
        for (let t = 0, at = p; t < summed; t++, at += D) rho += theta[at] * scale[t] * G[row + t];
        y[(column + p) * BLOCK + k] = rho;
      }
      if (kernels.width > D) y[(column + D) * BLOCK + k] = G[row + K - 1];
    }
  }

  /** dE/dG_t = scale_t Σ_p θ_tp ∂E/∂ρ_p of rows c … c + n. */
  #spread(
    { K, summed, D, theta, scale, kernels }: Part,
    slopes: Float64Array,
    dEdG: Float64Array,
    c: number,
    n: number,
  ): void {
    for (let k = 0; k < n; k++) {
      const row = (c + k) * K;
      for (let t = 0; t < summed; t++) {
        let sum = 0;
        for (let p = 0; p < D; p++) sum += theta[t * D + p] * slopes[p * BLOCK + k];
        dEdG[row + t] = scale[t] * sum;
      }
      if (kernels.width > D) dEdG[row + K - 1] = slopes[D * BLOCK + k];
    }
  }

  curvature(G: Features, dG: Features, out: Features): void {
    this.#parts.forEach((part, e) => {
      for (let c = 0; c < G.counts[e]; c += BLOCK) {
        const n = Math.min(BLOCK, G.counts[e] - c);
        const changes = this.#bend(part, G.matrices[e], dG.matrices[e], c, n).subarray(
          part.kernels.width * BLOCK,
        );
        this.#spread(part, changes, out.matrices[e], c, n);
      }
    });
  }

  /** g = ∂E/∂y of rows c … c + n, then ġ, its change along dy. */
  #bend(part: Part, G: Float64Array, dG: Float64Array | null, c: number, n: number): Float64Array {
    const { width, bend } = part.kernels;
    this.#fill(part, G, c, n, 0);
    if (dG) this.#fill(part, dG, c, n, width);
    else this.#columns.fill(0, width * BLOCK, 2 * width * BLOCK);
    this.#pad(2 * width, n);
    bend.run(n + (n & 1), this.#inputs, 8 * BLOCK, 0, this.#outputs, 0);
    return this.#columns.subarray((this.#outputs - this.#inputs) / 8);
  }

  parameterGradient(G: Features, seeds: Float64Array, dG: Features | null, gradient: Float64Array): void {
    let first = 0;
    this.#parts.forEach((part, e) => {
      for (let c = 0; c < G.counts[e]; c += BLOCK) {
        const n = Math.min(BLOCK, G.counts[e] - c);
        this.#addGradient(part, G.matrices[e], dG?.matrices[e] ?? null, seeds, first, c, n, gradient);
      }
      first += G.counts[e];
    });
  }

  /** ∂/∂θ_tp = scale_t Σ_c ((s g_p + ġ_p) G_t + g_p dG_t) with g = ∂E/∂y and ġ its change along dy. */
  #addGradient(
    part: Part,
    G: Float64Array,
    dG: Float64Array | null,
    seeds: Float64Array,
    first: number,
    c: number,
    n: number,
    gradient: Float64Array,
  ): void {
    const { K, summed, D, scale, kernels, start } = part;
    const { width } = kernels;
    const g = this.#bend(part, G, dG, c, n);
    for (let k = 0; k < n; k++) {
      const row = (c + k) * K;
      const seed = seeds[first + c + k];
      gradient[start] += seed;
      for (let p = 0; p < D; p++) {
        const slope = g[p * BLOCK + k];
        const value = seed * slope + g[(width + p) * BLOCK + k];
        for (let t = 0, at = start + 1 + p; t < summed; t++, at += D)
          gradient[at] += scale[t] * (value * G[row + t] + (dG ? slope * dG[row + t] : 0));
      }
    }
  }
}

/** W [K, y]: scale θ, and the core as it is. */
function fillCombination({ K, summed, D, theta, scale, kernels }: Part, W: Float64Array): void {
  for (let t = 0; t < summed; t++)
    for (let p = 0; p < D; p++) W[t * kernels.width + p] = scale[t] * theta[t * D + p];
  if (kernels.width > D) W[K * kernels.width - 1] = 1;
}

function shapesOf({ densities, core }: EmbeddingOptions, sizes: readonly number[]) {
  const D = densities.length;
  const summed = sizes.map((K) => K - (core ? 1 : 0));
  return {
    trainable: summed.flatMap((n, e) => [
      { name: `${e}.bias`, length: 1 },
      { name: `${e}.weights`, length: n * D },
    ]),
    fixed: summed.flatMap((n, e) => [
      { name: `${e}.scale`, length: n },
      { name: `${e}.functions`, length: 2 * D },
      ...(core ? [{ name: `${e}.core`, length: 2 }] : []),
    ]),
  };
}

/** Nonlinear functions of a few sums over all features, as in Finnis–Sinclair and nonlinear ACE. */
export const embedding: RegressorMethod<EmbeddingOptions> = {
  name: "embedding",
  summary: "Finnis–Sinclair functions of a few sums over all features (nonlinear ACE)",
  options: embeddingOptions,
  initialise,
  adopt,
  remarks: () => [
    "parameters of an embedding act on features that are much alike: training.optimiser=marquardt comes in tens of epochs " +
      "where adam and lbfgs need thousands, best from a linear model (model.start)",
  ],
  build: (options, sizes, tensors, device) => new Embedding(options, sizes, tensors, device),
};
