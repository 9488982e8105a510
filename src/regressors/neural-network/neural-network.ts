import type { Features } from "../../descriptors/descriptor.ts";
import type { Device } from "../../device/device.ts";
import type { FeatureStatistics, Regressor, RegressorMethod } from "../regressor.ts";
import { activations, type Activation } from "./activations.ts";
import { initialise } from "./initialise.ts";
import { compileActivation, compilePair } from "./kernels.ts";
import { place, widthsOf, type Placement } from "./layout.ts";
import { arenaBytes, BLOCK, Network } from "./network.ts";
import { activationsOf, neuralNetworkOptions, type NeuralNetworkOptions } from "./options.ts";
import { scalingOf, type Scaling } from "./scaling.ts";

function build(
  options: NeuralNetworkOptions,
  sizes: readonly number[],
  tensors: Readonly<Record<string, Float64Array>>,
  device: Device,
): Regressor {
  const widths = sizes.map((size) => widthsOf(options, size));
  const placement = place(widths, tensors, device.memory);
  return new NeuralNetwork(networksOf(options, widths, placement, device), sizes, placement, device);
}

function networksOf(
  options: NeuralNetworkOptions,
  widths: readonly (readonly number[])[],
  placement: Placement,
  device: Device,
): readonly Network[] {
  const { memory } = device;
  const ones = memory.alloc(8 * BLOCK);
  memory.f64(ones, BLOCK).fill(1);
  const common = {
    device,
    kernels: activationsOf(options).map((name) => compileActivation(device, name, activations[name])),
    linearOutput: options.output === "linear",
    sum: compilePair(device, "sum"),
    product: compilePair(device, "product"),
    residual: options.residual,
    arena: memory.alloc(Math.max(...widths.map(arenaBytes))),
    ones,
  };
  let parameters = placement.parameters.byteOffset;
  return widths.map((w, e) => {
    const own = (name: string) => placement.tensors[`${e}.${name}`];
    const fixed = { mean: own("mean"), scale: own("scale"), output: own("output") };
    const network = new Network({ ...common, ...fixed, widths: w, parameters });
    parameters += 8 * network.count;
    return network;
  });
}

/** One network per element; rows of an element pass through it in blocks of fixed size, in order. */
class NeuralNetwork implements Regressor {
  readonly parameters: Float64Array;
  readonly decays: Uint8Array;
  readonly starts: readonly number[];
  readonly tensors: Readonly<Record<string, Float64Array>>;
  readonly #networks: readonly Network[];
  readonly #sizes: readonly number[];
  readonly #device: Device;
  #own: Float64Array | null = null;

  constructor(networks: readonly Network[], sizes: readonly number[], placement: Placement, device: Device) {
    this.#device = device;
    this.#networks = networks;
    this.#sizes = sizes;
    this.parameters = placement.parameters;
    this.decays = placement.decays;
    let end = 0;
    this.starts = [0, ...networks.map((network) => (end += network.count))];
    this.tensors = placement.tensors;
  }

  forward(G: Features, energies: Float64Array): void {
    let first = 0;
    this.#networks.forEach((network, e) => {
      const [count, row] = [G.counts[e], 8 * this.#sizes[e]];
      for (let c = 0; c < count; c += BLOCK)
        network.forward(Math.min(BLOCK, count - c), G.pointers[e] + c * row, energies, first + c);
      first += count;
    });
  }

  pullback(G: Features, energies: Float64Array, dEdG: Features): void {
    let first = 0;
    this.#networks.forEach((network, e) => {
      const [count, row] = [G.counts[e], 8 * this.#sizes[e]];
      for (let c = 0; c < count; c += BLOCK) {
        const n = Math.min(BLOCK, count - c);
        network.pullback(n, G.pointers[e] + c * row, energies, first + c, dEdG.pointers[e] + c * row);
      }
      first += count;
    });
  }

  curvature(G: Features, dG: Features, out: Features): void {
    this.#networks.forEach((network, e) => {
      const [count, row] = [G.counts[e], 8 * this.#sizes[e]];
      for (let c = 0; c < count; c += BLOCK) {
        const at = c * row;
        const n = Math.min(BLOCK, count - c);
        network.curvature(n, G.pointers[e] + at, dG.pointers[e] + at, out.pointers[e] + at);
      }
    });
  }

  parameterGradient(G: Features, seeds: Float64Array, dG: Features | null, gradient: Float64Array): void {
    const address = this.#gradientAddress(gradient);
    let [first, parameter] = [0, address];
    this.#networks.forEach((network, e) => {
      const [count, row] = [G.counts[e], 8 * this.#sizes[e]];
      for (let c = 0; c < count; c += BLOCK) {
        const [n, tangent] = [Math.min(BLOCK, count - c), dG === null ? 0 : dG.pointers[e] + c * row];
        network.gradient(n, G.pointers[e] + c * row, seeds, first + c, tangent, parameter);
      }
      first += count;
      parameter += 8 * network.count;
    });
    if (gradient.buffer !== this.#device.memory.memory.buffer) this.#addOwn(gradient);
  }

  /** Where to add: the caller's array where it lies in the device's memory, else an array of our own, zeroed. */
  #gradientAddress(gradient: Float64Array): number {
    const { memory } = this.#device;
    if (gradient.buffer === memory.memory.buffer) return gradient.byteOffset;
    this.#own ??= memory.f64(memory.alloc(gradient.byteLength), gradient.length);
    this.#own.fill(0);
    return this.#own.byteOffset;
  }

  #addOwn(gradient: Float64Array): void {
    const own = this.#own!;
    for (let i = 0; i < own.length; i++) gradient[i] += own[i];
  }
}

/** What a user should know before fitting: kinks of the activation, features that carry nothing. */
function remarks(
  options: NeuralNetworkOptions,
  statistics: readonly FeatureStatistics[],
  symbols: readonly string[],
): readonly string[] {
  const used = [...new Set(activationsOf(options))].map((name): Activation => activations[name]);
  const kinks = used.flatMap(({ kink }) => (kink ? [kink] : []));
  const scalings = statistics.map((s) => Array.from(s.mean, (_, t) => scalingOf(s, t)));
  const report = (kind: Scaling, what: string) => {
    const counts = scalings.map((all) => all.filter((scaling) => scaling === kind).length);
    const some = counts.flatMap((n, e) => (n > 0 ? [`${symbols[e]} ${n} of ${scalings[e].length}`] : []));
    return some.length > 0 ? [`features that ${what}: ${some.join(", ")}`] : [];
  };
  return [
    ...kinks,
    ...report("constant", "do not vary in the training data, left out"),
    ...report("bounded", "hardly vary in the training data, their scale bounded"),
  ];
}

/** J. Behler, M. Parrinello, DOI 10.1103/PhysRevLett.98.146401: E = Σ_i NN_{element(i)}(G_i). */
export const neuralNetwork: RegressorMethod<NeuralNetworkOptions> = {
  name: "neural-network",
  summary: "One feed-forward network per element, of any depth",
  options: neuralNetworkOptions,
  initialise,
  remarks,
  build,
};
