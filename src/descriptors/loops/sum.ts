import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { formats } from "../../formula/formats.ts";
import type { Descriptor, Features } from "../descriptor.ts";
import type { Environments } from "../environments.ts";
import { AngularLoop, compileAngular } from "./angular.ts";
import { Curvature } from "./curvature.ts";
import type { CurvedBlock } from "./curvature.ts";
import type { AngularBlock, AngularKernels } from "./angular.ts";
import { RadialLoop, compileRadial } from "./radial.ts";
import type { RadialBlock } from "./radial.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { Scatter } from "./scatter.ts";
import type { Term, TermKernels } from "./term.ts";

/** Where the terms of a block go when they are not the next features of the row. */
export interface Target {
  /** Column of each term; several blocks may add to one. */
  readonly columns: readonly number[];
  /** What the block's terms are multiplied by. */
  readonly weight: number;
}

/** Radial terms of the neighbours of one element (index). */
export interface RadialTerms {
  readonly neighbour: number;
  readonly terms: readonly Term[];
  readonly target?: Target;
}

/** Angular terms of the pairs of neighbours of elements a ≤ b (indices). */
export interface AngularTerms {
  readonly neighbours: readonly [a: number, b: number];
  readonly terms: readonly Term[];
  /** Every term is exactly 0 where r_jk is its cutoff or more. */
  readonly narrow: boolean;
  readonly target?: Target;
}

/** The features of a centre of one element, in this order: radial, then angular; or in that of the columns named. */
export interface CentreTerms {
  readonly radial: readonly RadialTerms[];
  readonly angular: readonly AngularTerms[];
  /** One label per column, where every block has a target. */
  readonly labels?: readonly string[];
}

interface Layout {
  readonly size: number;
  readonly labels: readonly string[];
  readonly runs: readonly Run[];
  readonly scatter: Scatter | null;
  /** The same blocks as formulas. */
  readonly curved: readonly CurvedBlock[];
}

/** Blocks of one cutoff, Å: a centre's neighbours are loaded once for them. */
interface Run {
  readonly cutoff: number;
  readonly radial: readonly RadialBlock[];
  readonly angular: readonly AngularBlock[];
}

/**
 * The descriptor whose features are sums over neighbours and pairs of neighbours. `symbols` name the elements in the
 * labels. Lists of terms that are the same array are compiled once.
 */
export function sumDescriptor(
  elements: readonly number[],
  symbols: readonly string[],
  centres: readonly CentreTerms[],
  device: Device,
): Descriptor {
  const compiled: Compiled = { radial: new Map(), angular: new Map() };
  const layouts = centres.map((centre) => layOut(centre, symbols, compiled, device));
  const terms = Object.values(compiled).flatMap((known) => [...known.keys()].flat());
  if (terms.length === 0) throw invalid("descriptor", "at least one function", "none");
  const cutoff = Math.max(...terms.map((t) => t.cutoff));
  const smoothness = Math.min(...terms.map((t) => t.smoothness));
  return new SumDescriptor({ cutoff, smoothness, elements }, layouts, device);
}

interface Compiled {
  readonly radial: Map<readonly Term[], TermKernels[]>;
  readonly angular: Map<readonly Term[], AngularKernels>;
}

/** What is known of the terms, or made of them now. */
function once<Kernels>(
  known: Map<readonly Term[], Kernels>,
  terms: readonly Term[],
  compile: (terms: readonly Term[]) => Kernels,
): Kernels {
  const kernels = known.get(terms) ?? compile(terms);
  known.set(terms, kernels);
  return kernels;
}

function layOut(
  { radial, angular, labels: columns }: CentreTerms,
  symbols: readonly string[],
  compiled: Compiled,
  device: Device,
): Layout {
  const labels: string[] = [];
  const place = (terms: readonly Term[], of: string) => {
    const first = labels.length;
    for (const { label } of terms) labels.push(`${label} ${of}`);
    return { first, cutoff: Math.max(...terms.map((t) => t.cutoff)) };
  };
  const radialBlocks = radial.map(({ neighbour, terms }) => ({
    ...place(terms, symbols[neighbour]),
    neighbour,
    pieces: once(compiled.radial, terms, (t) => compileRadial(t, device)),
  }));
  const angularBlocks = angular.map(({ neighbours, terms, narrow }) => ({
    ...place(terms, neighbours.map((s) => symbols[s]).join("-")),
    neighbours,
    narrow,
    kernels: once(compiled.angular, terms, (t) => compileAngular(t, device)),
  }));
  const runs = byCutoff(radialBlocks, angularBlocks);
  const curved = [
    ...radial.map(({ terms, neighbour }, b) => curvedBlock(terms, [neighbour], radialBlocks[b])),
    ...angular.map(({ terms, neighbours }, b) => curvedBlock(terms, neighbours, angularBlocks[b])),
  ];
  if (!columns) return { size: labels.length, labels, runs, scatter: null, curved };
  const scatter = scatterOf([...radial, ...angular], device);
  return { size: columns.length, labels: columns, runs, scatter, curved };
}

const curvedBlock = (
  terms: readonly Term[],
  neighbours: CurvedBlock["neighbours"],
  { first, cutoff }: Pick<CurvedBlock, "first" | "cutoff">,
): CurvedBlock => ({ terms, neighbours, first, cutoff });

function scatterOf(blocks: readonly (RadialTerms | AngularTerms)[], { memory }: Device): Scatter {
  const targets = blocks.map(({ target, terms }) => {
    if (target?.columns.length === terms.length) return target;
    throw new TypeError("terms without a column (this is a bug, please report it)");
  });
  const weights = targets.flatMap(({ columns, weight }) => columns.map(() => weight));
  return new Scatter(
    targets.flatMap(({ columns }) => columns),
    weights,
    memory,
  );
}

function byCutoff(radial: readonly RadialBlock[], angular: readonly AngularBlock[]): Run[] {
  const cutoffs = new Set([...radial, ...angular].map((block) => block.cutoff));
  return [...cutoffs]
    .toSorted((a, b) => a - b)
    .map((cutoff) => ({
      cutoff,
      radial: radial.filter((block) => block.cutoff === cutoff),
      angular: angular.filter((block) => block.cutoff === cutoff),
    }));
}

class SumDescriptor implements Descriptor {
  readonly cutoff: number;
  readonly smoothness: number;
  readonly elements: readonly number[];
  readonly #layouts: readonly Layout[];
  readonly #near: Neighbourhood;
  readonly #radial: RadialLoop;
  readonly #angular: AngularLoop;
  readonly #device: Device;
  #curvature: Curvature | null = null;

  constructor(
    { cutoff, smoothness, elements }: Pick<Descriptor, "cutoff" | "smoothness" | "elements">,
    layouts: readonly Layout[],
    device: Device,
  ) {
    this.cutoff = cutoff;
    this.smoothness = smoothness;
    this.elements = elements;
    this.#layouts = layouts;
    this.#device = device;
    this.#near = new Neighbourhood(device.memory, formats[device.precision], elements.length);
    this.#radial = new RadialLoop(device, this.#near);
    this.#angular = new AngularLoop(device, this.#near);
  }

  size(e: number): number {
    return this.#layouts[e].size;
  }

  labels(e: number): readonly string[] {
    return this.#layouts[e].labels;
  }

  forward(env: Environments, G: Features): void {
    for (const [e, { size, runs, scatter }] of this.#layouts.entries()) {
      let row = clear(G, e, env, size);
      for (let c = env.starts[e]; c < env.starts[e + 1]; c++, row += 8 * size) {
        scatter?.clear();
        const sums = scatter?.address ?? row;
        for (const { cutoff, radial, angular } of runs) {
          this.#near.load(env, c, cutoff);
          for (const block of radial) this.#radial.forward(block, sums);
          for (const block of angular) this.#angular.forward(block, sums);
        }
        scatter?.add(row);
      }
    }
  }

  pullback(env: Environments, dEdG: Features, gradient: Float64Array): void {
    for (const [e, { size, runs, scatter }] of this.#layouts.entries()) {
      let row = dEdG.pointers[e];
      for (let c = env.starts[e]; c < env.starts[e + 1]; c++, row += 8 * size) {
        scatter?.gather(row);
        const weights = scatter?.address ?? row;
        for (const { cutoff, radial, angular } of runs) {
          this.#near.load(env, c, cutoff);
          this.#near.clearGradient();
          for (const block of radial) this.#radial.pullback(block, weights);
          for (const block of angular) this.#angular.pullback(block, weights);
          this.#near.addGradient(gradient);
        }
      }
    }
  }

  pushforward(env: Environments, tangents: Float64Array, dG: Features): void {
    for (const [e, { size, runs, scatter }] of this.#layouts.entries()) {
      let row = clear(dG, e, env, size);
      for (let c = env.starts[e]; c < env.starts[e + 1]; c++, row += 8 * size) {
        scatter?.clear();
        const sums = scatter?.address ?? row;
        for (const { cutoff, radial, angular } of runs) {
          if (!this.#near.loadMoving(env, c, cutoff, tangents)) continue;
          for (const block of radial) this.#radial.pushforward(block, sums);
          for (const block of angular) this.#angular.pushforward(block, sums);
        }
        scatter?.add(row);
      }
    }
  }

  jacobian(env: Environments, c: number, rows: Float64Array): void {
    const S = this.elements.length;
    let e = 0;
    while (env.starts[e + 1] <= c) e++;
    const { size, runs, scatter } = this.#layouts[e];
    const width = 3 * (env.offsets[(c + 1) * S] - env.offsets[c * S]);
    rows.fill(0, 0, size * width);
    const own = scatter?.jacobianRows(width) ?? rows;
    for (const { cutoff, radial, angular } of runs) {
      this.#near.load(env, c, cutoff);
      for (const block of radial) this.#radial.jacobian(block, own, width);
      for (const block of angular) this.#angular.jacobian(block, own, width);
    }
    scatter?.addJacobian(own, rows, width);
  }

  curvature(env: Environments, c: number, dEdG: Features, block: Float64Array): void {
    this.#curvature ??= new Curvature(this.#device);
    let e = 0;
    while (env.starts[e + 1] <= c) e++;
    const { size, curved, scatter } = this.#layouts[e];
    const row = dEdG.pointers[e] + 8 * size * (c - env.starts[e]);
    scatter?.gather(row);
    for (const one of curved) this.#curvature.add(one, env, c, scatter?.address ?? row, block);
  }
}

/** Zeroes the rows of element e; returns the byte address of the first. */
function clear(G: Features, e: number, env: Environments, size: number): number {
  G.matrices[e].fill(0, 0, size * (env.starts[e + 1] - env.starts[e]));
  return G.pointers[e];
}
