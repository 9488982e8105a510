import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import { densityDescriptor } from "../density/density.ts";
import type { DensityBlock, DensityCentre } from "../density/density.ts";
import type { DensityFunctions } from "../density/functions.ts";
import type { Polynomial } from "../density/monomials.ts";
import type { Descriptor, DescriptorMethod } from "../descriptor.ts";
import { reach } from "../reach.ts";
import { bispectrum, triples } from "./bispectrum.ts";
import type { Component } from "./bispectrum.ts";
import { options } from "./options.ts";
import type { SnapElement, SnapOptions } from "./options.ts";
import { heldElements, isReal, parameterValues, sphereFunctions } from "./sphere.ts";

/** Bispectrum of the neighbour density on the 3-sphere, Thompson 2015: DOI 10.1016/j.jcp.2014.12.018. */
export const snap: DescriptorMethod<SnapOptions> = {
  name: "snap",
  summary: "Bispectrum components of the neighbour density on the 3-sphere (SNAP, Thompson 2015)",
  options,
  resolve,
  build,
};

const plain: SnapElement = { radius: 0.5, weight: 1 };

/** Linear models of one element: 6 is the published tantalum, 8 the published tungsten. */
const SIZES = { small: 4, medium: 6, large: 8 };

function resolve({ size = "medium", ...given }: SnapOptions, statistics: PairStatistics): SnapOptions {
  const symbols = statistics.elements.map(symbolOf);
  const elements = Object.fromEntries(symbols.map((s) => [s, given.elements?.[s] ?? plain]));
  const radius = Math.max(...Object.values(elements).map((e) => e.radius));
  const cutoff = given.cutoff === "auto" ? reach(statistics).angular / (2 * radius) : given.cutoff;
  const twojmax = given.twojmax === "auto" ? SIZES[size] : given.twojmax;
  return { ...given, twojmax, elements: { ...given.elements, ...elements }, cutoff };
}

function build(given: SnapOptions, elements: readonly number[], device: Device): Descriptor {
  const { cutoff, twojmax } = given;
  if (cutoff === "auto" || twojmax === "auto")
    throw invalid("snap", "explicit cutoff and twojmax (resolve the options first)", { cutoff, twojmax });
  const symbols = elements.map(symbolOf);
  const own = symbols.map((s) => elementOf(given, s));
  const rmin0 = given.rmin0;
  const least = 2 * Math.min(...own.map((e) => e.radius)) * cutoff;
  if (rmin0 >= least) throw invalid("snap.rmin0", `less than the smallest cutoff, ${least} Å`, rmin0);
  const inner = given.innerSwitching;
  const sphere = { twojmax, rmin0, switching: given.switching, inner: inner !== undefined };
  const functions = sphereFunctions(sphere);
  const columns = functions.functions.length;
  const order = given.chem ? chemicalOrder(given, symbols) : symbols.map(() => 0);
  const blocks = (i: number): DensityBlock[] =>
    symbols.map((s, j) => {
      const [a, b] = [inner?.[symbols[i]], inner?.[s]];
      if (inner && !b) throw invalid(`snap.innerSwitching.${s}`, "sinner and dinner", "nothing");
      const rcut = cutoff * (own[i].radius + own[j].radius);
      const [sinner, dinner] = a && b ? [(a.sinner + b.sinner) / 2, (a.dinner + b.dinner) / 2] : [0, 0];
      const pair = { rcut, weight: own[j].weight, rfac0: given.rfac0, sinner, dinner };
      return {
        neighbour: j,
        functions,
        parameters: parameterValues(pair, sphere),
        first: order[j] * columns,
        cutoff: rcut,
      };
    });
  const shape = { elements, smoothness: given.switching ? 1 : -1 };
  const centre = centreMaker({ ...given, twojmax }, order, symbols, functions);
  return densityDescriptor(
    shape,
    symbols.map((_, i) => ({ ...centre(i), blocks: blocks(i) })),
    device,
  );
}

function elementOf({ elements }: SnapOptions, symbol: string): SnapElement {
  if (elements === undefined) return plain;
  const found = elements[symbol];
  if (!found) throw invalid(`snap.elements.${symbol}`, "radius and weight", "nothing");
  return found;
}

/** Place of each element's density: the order of `elements`, which a .snapcoeff file has its coefficients in. */
function chemicalOrder({ elements }: SnapOptions, symbols: readonly string[]): number[] {
  const listed = Object.keys(elements ?? {}).filter((s) => symbols.includes(s));
  return symbols.map((s, i) => (elements ? listed.indexOf(s) : i));
}

/** Everything of a centre but its blocks; centres with equal polynomials share them. */
function centreMaker(
  given: SnapOptions & { readonly twojmax: number },
  order: readonly number[],
  symbols: readonly string[],
  { functions }: DensityFunctions,
): (i: number) => Omit<DensityCentre, "blocks"> {
  const densities = given.chem ? symbols.length : 1;
  const names = given.chem
    ? symbols.toSorted((a, b) => order[symbols.indexOf(a)] - order[symbols.indexOf(b)])
    : null;
  const held = heldElements(given.twojmax);
  const nodes = nodesOf(given.twojmax, densities);
  const known = new Map<number, Polynomial>();
  return (i) => {
    // Whose density the central atom is part of.
    const self = !given.chem ? 0 : given.wselfall ? -1 : order[i];
    const components = componentsOf(given, densities, self);
    const polynomial = known.get(self) ?? bispectrum(given.twojmax, densities, components);
    known.set(self, polynomial);
    const start = new Float64Array(densities * functions.length);
    for (const [k, [re]] of nodes.entries()) {
      const { mb, ma } = held[k % held.length];
      const d = Math.floor(k / held.length);
      if (mb === ma && (self < 0 || self === d)) start[re] = 1;
    }
    return {
      start,
      nodes,
      polynomial,
      labels: components.map((c) => labelOf(c, names)),
    };
  };
}

/** Columns of the real and imaginary parts of the held elements of every density. */
function nodesOf(twojmax: number, densities: number): [number, number][] {
  const nodes: [number, number][] = [];
  let column = 0;
  for (let d = 0; d < densities; d++)
    for (const element of heldElements(twojmax)) {
      nodes.push(isReal(element) ? [column, -1] : [column, column + 1]);
      column += isReal(element) ? 1 : 2;
    }
  return nodes;
}

/** LAMMPS's order: triples of elements, then triples of angular momenta. */
function componentsOf(
  given: SnapOptions & { readonly twojmax: number },
  densities: number,
  self: number,
): Component[] {
  const list: Component[] = [];
  const all = [...Array(densities).keys()];
  for (const a of all)
    for (const b of all)
      for (const c of all)
        for (const triple of triples(given.twojmax)) {
          const order = triple[2] + 1;
          const isolated = self < 0 || [a, b, c].every((d) => d === self) ? order : 0;
          const factor = given.bnorm ? 1 / order : 1;
          const constant = given.bzero ? -isolated * factor : 0;
          list.push({ triple, densities: [a, b, c], factor, constant });
        }
  return list;
}

const labelOf = ({ triple, densities }: Component, symbols: readonly string[] | null): string => {
  const name = `B ${triple.map((j) => j / 2).join(" ")}`;
  return symbols === null ? name : `${name} ${densities.map((d) => symbols[d]).join("-")}`;
};
