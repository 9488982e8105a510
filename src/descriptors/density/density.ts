import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import type { Descriptor, Features } from "../descriptor.ts";
import type { Environments } from "../environments.ts";
import { AtomBlock } from "./block.ts";
import { DensityCurvature } from "./curvature.ts";
import { DensityKernels } from "./functions.ts";
import type { DensityFunctions } from "./functions.ts";
import { combinations, combine } from "./monomials.ts";
import type { Polynomial } from "./monomials.ts";
import { LANES } from "./lanes.ts";
import { Slopes } from "./slopes.ts";
import { ProductTable } from "./table.ts";

/** What the neighbours of one element add to the density: columns first, first + 1, … of A. */
export interface DensityBlock {
  /** Element index of the neighbours. */
  readonly neighbour: number;
  readonly functions: DensityFunctions;
  /** Values of the functions' parameters, in their order. */
  readonly parameters: readonly number[];
  readonly first: number;
  /** Å. */
  readonly cutoff: number;
}

/** A_v = start_v + Σ_j φ_v(r_ij) around a centre of one element, and the polynomial in it. */
export interface DensityCentre {
  /** A without neighbours; its length is the number of columns. */
  readonly start: Float64Array;
  readonly blocks: readonly DensityBlock[];
  /** X_k of the polynomial is A[re] + i A[im]; im is −1 where X_k is real. */
  readonly nodes: readonly (readonly [re: number, im: number])[];
  readonly polynomial: Polynomial;
  readonly labels: readonly string[];
}

/** Where a density's neighbours end, and how smoothly. */
export interface DensityShape {
  /** Atomic numbers, ascending. */
  readonly elements: readonly number[];
  readonly smoothness: number;
}

/** The descriptor whose features are polynomials in sums over neighbours, one centre per element. */
export function densityDescriptor(
  { elements, smoothness }: DensityShape,
  centres: readonly DensityCentre[],
  device: Device,
): Descriptor {
  const cutoff = Math.max(0, ...centres.flatMap(({ blocks }) => blocks.map((b) => b.cutoff)));
  if (!(cutoff > 0)) throw invalid("descriptor", "at least one function", "none");
  const known = new Map<DensityFunctions, DensityKernels>();
  const kernels = (functions: DensityFunctions): DensityKernels => {
    const made = known.get(functions) ?? new DensityKernels(functions, device);
    known.set(functions, made);
    return made;
  };
  const layers = centres.map((centre) => new Layer(centre, kernels, device));
  return new DensityDescriptor({ elements, smoothness, cutoff }, layers, device);
}

/** A block ready to run: its parameters lie at `uniform`, and behind them a weight per function for the pullback. */
export interface CompiledBlock extends DensityBlock {
  readonly kernels: DensityKernels;
  readonly uniform: number;
  readonly weights: Float64Array;
}

/** What is compiled for one centre element; combinations of its features share it. */
export class Layer {
  readonly centre: DensityCentre;
  readonly blocks: readonly CompiledBlock[];
  /** Columns of the parts of each node; im −1 where it is real. */
  readonly re: Int32Array;
  readonly im: Int32Array;
  readonly #device: Device;
  readonly #slopes = new WeakMap<ProductTable, Slopes>();
  #table: ProductTable | null = null;

  constructor(centre: DensityCentre, kernels: (f: DensityFunctions) => DensityKernels, device: Device) {
    this.centre = centre;
    this.#device = device;
    this.re = Int32Array.from(centre.nodes, ([re]) => re);
    this.im = Int32Array.from(centre.nodes, ([, im]) => im);
    this.blocks = centre.blocks.map((block) => {
      const [given, count] = [block.parameters.length, block.functions.functions.length];
      const uniform = device.memory.alloc(8 * (given + count));
      device.memory.f64(uniform, given).set(block.parameters);
      const weights = device.memory.f64(uniform + 8 * given, count);
      return { ...block, kernels: kernels(block.functions), uniform, weights };
    });
  }

  get columns(): number {
    return this.centre.start.length;
  }

  /** Where derivatives of the features of a table are put together. */
  slopes(table: ProductTable): Slopes {
    let slopes = this.#slopes.get(table);
    if (!slopes) this.#slopes.set(table, (slopes = new Slopes(this.centre, table, this.#device)));
    return slopes;
  }

  /** The table of all features, made when first used: prediction may only need combinations. */
  get table(): ProductTable {
    return (this.#table ??= new ProductTable(this.centre.polynomial, this.#device));
  }
}

/** The table that a centre element's features come from. */
interface Source {
  readonly layer: Layer;
  readonly table: () => ProductTable;
  readonly size: number;
  readonly labels: readonly string[];
}

/** Bytes of A that are kept from forward to pullback. */
const KEPT = 2 ** 24;

class DensityDescriptor implements Descriptor {
  readonly cutoff: number;
  readonly smoothness: number;
  readonly elements: readonly number[];
  readonly #layers: readonly Layer[];
  readonly #device: Device;
  readonly #block: AtomBlock;
  readonly #sources: readonly Source[];
  /** Tables are brought up to date before they are used. */
  readonly #refresh: (() => void) | null;
  /** A of every centre, or its derivative where there is one feature, as `forward` left it for this environment. */
  #kept: Environments | null = null;
  #rows = 0;
  #room = 0;
  #curvature: DensityCurvature | null = null;

  constructor(
    shape: Pick<Descriptor, "cutoff" | "smoothness" | "elements">,
    layers: readonly Layer[],
    device: Device,
    sources: readonly Source[] = layers.map(ofLayer),
    refresh: (() => void) | null = null,
  ) {
    this.cutoff = shape.cutoff;
    this.smoothness = shape.smoothness;
    this.elements = shape.elements;
    this.#layers = layers;
    this.#device = device;
    this.#sources = sources;
    this.#refresh = refresh;
    this.#block = new AtomBlock(device);
  }

  size(e: number): number {
    return this.#sources[e].size;
  }

  labels(e: number): readonly string[] {
    return this.#sources[e].labels;
  }

  fold(weights: readonly Float64Array[], D: number): Descriptor {
    return folded(this, this.#layers, weights, D, this.#device);
  }

  forward(env: Environments, G: Features): void {
    this.#refresh?.();
    this.#kept = this.#reserve(env) ? env : null;
    this.#eachBlock(env, (source, table, first, lanes, row) => {
      const { layer, size } = source;
      const block = this.#block;
      block.collect(layer, env, first, lanes);
      block.load(layer, table);
      if (size === 1) block.gradient(table);
      else block.value(table);
      block.storeFeatures(G.matrices[row.e], row.index, lanes, size);
      if (this.#kept === null) return;
      if (size === 1) block.unload(layer);
      block.keep(layer, lanes, this.#rows + row.offset);
    });
  }

  pullback(env: Environments, dEdG: Features, gradient: Float64Array): void {
    const kept = this.#kept === env;
    if (!kept) this.#refresh?.();
    this.#eachBlock(env, (source, table, first, lanes, row) => {
      const { layer, size } = source;
      const block = this.#block;
      if (kept) block.restore(layer, lanes, this.#rows + row.offset);
      else block.collect(layer, env, first, lanes);
      block.loadWeights(dEdG.matrices[row.e], row.index, lanes, size);
      if (size > 1 || !kept) {
        block.load(layer, table);
        block.adjoint(table);
        block.unload(layer);
      } else block.scale(layer, lanes);
      block.pullback(layer, env, first, lanes, gradient);
    });
  }

  pushforward(env: Environments, tangents: Float64Array, dG: Features): void {
    this.#refresh?.();
    this.#eachBlock(env, ({ layer, size }, table, first, lanes, row) => {
      const block = this.#block;
      block.collect(layer, env, first, lanes);
      block.load(layer, table);
      block.collectTangents(layer, env, first, lanes, tangents);
      block.tangent(layer, table);
      block.storeFeatures(dG.matrices[row.e], row.index, lanes, size);
    });
  }

  jacobian(env: Environments, c: number, rows: Float64Array): void {
    this.#refresh?.();
    let e = 0;
    while (env.starts[e + 1] <= c) e++;
    const { layer, table } = this.#sources[e];
    this.#block.jacobian(layer, table(), env, c, rows);
  }

  curvature(env: Environments, c: number, dEdG: Features, block: Float64Array): void {
    this.#curvature ??= new DensityCurvature(this.#device);
    let e = 0;
    while (env.starts[e + 1] <= c) e++;
    const { layer, size } = this.#sources[e];
    const at = size * (c - env.starts[e]);
    this.#curvature.add(layer, env, c, dEdG.matrices[e].subarray(at, at + size), block);
  }

  /** Visits LANES centres of one element at a time. */
  #eachBlock(
    env: Environments,
    visit: (
      source: Source,
      table: ProductTable,
      first: number,
      lanes: number,
      row: { readonly e: number; readonly index: number; readonly offset: number },
    ) => void,
  ): void {
    let offset = 0;
    for (const [e, source] of this.#sources.entries()) {
      const [begin, end] = [env.starts[e], env.starts[e + 1]];
      if (begin === end) continue;
      const table = source.table();
      for (let c = begin; c < end; c += LANES) {
        const lanes = Math.min(LANES, end - c);
        visit(source, table, c, lanes, { e, index: c - begin, offset });
        offset += 8 * source.layer.columns * lanes;
      }
    }
  }

  /** Room for A of every centre, where that is not too much. */
  #reserve(env: Environments): boolean {
    const numbers = this.#sources.reduce(
      (n, { layer }, e) => n + layer.columns * (env.starts[e + 1] - env.starts[e]),
      0,
    );
    if (8 * numbers > KEPT) return false;
    if (numbers <= this.#room) return true;
    // Device memory is never freed: doubling bounds the waste by the final size.
    this.#room = Math.min(KEPT / 8, 2 ** Math.ceil(Math.log2(numbers)));
    this.#rows = this.#device.memory.alloc(8 * this.#room);
    return true;
  }
}

const ofLayer = (layer: Layer): Source => ({
  layer,
  table: () => layer.table,
  size: layer.centre.polynomial.features,
  labels: layer.centre.labels,
});

/** The descriptor of D combinations of each element's features; weights [features, D] are live. */
function folded(
  shape: Pick<Descriptor, "cutoff" | "smoothness" | "elements">,
  layers: readonly Layer[],
  weights: readonly Float64Array[],
  D: number,
  device: Device,
): Descriptor {
  const seen = weights.map((w) => new Float64Array(w.length).fill(NaN));
  const tables = layers.map(({ centre }) => new ProductTable(combinations(centre.polynomial, D), device));
  const refresh = () => {
    for (const [e, { centre }] of layers.entries()) {
      if (weights[e].every((w, k) => w === seen[e][k])) continue;
      seen[e].set(weights[e]);
      combine(centre.polynomial, weights[e], tables[e].polynomial);
      tables[e].refresh();
    }
  };
  const labels = Array.from({ length: D }, (_, d) => `combination ${d + 1}`);
  const sources = layers.map((layer, e) => ({ layer, table: () => tables[e], size: D, labels }));
  return new DensityDescriptor(shape, layers, device, sources, refresh);
}
