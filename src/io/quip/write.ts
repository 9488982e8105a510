import { invalid } from "../../error.ts";
import type { Model, Term } from "../../potentials/potential.ts";
import { numberOf, symbolOf } from "../../structure/elements.ts";

/** Version of the conventions that are written. */
const VERSION = 1769700636;
/** Numbers of a point in one element of the file. */
const SLICE = 20;

/** nu_R and nu_S of named compressions. */
const ORDERS: Readonly<Record<string, { radial: number; elements: number }>> = {
  off: { radial: 2, elements: 2 },
  mu2: { radial: 2, elements: 0 },
  mu1nu1: { radial: 2, elements: 1 },
};

type Options = Readonly<Record<string, unknown>>;

/** One gpCoordinates of the file. */
interface Coordinate {
  readonly command: string;
  readonly dimensions: number;
  readonly delta: number;
  readonly theta: readonly number[] | null;
  readonly zeta: number | null;
  /** [points][dimensions], f_c and α of each. */
  readonly points: readonly (readonly number[])[];
  readonly cutoffs: readonly number[];
  readonly alpha: readonly number[];
}

/** What the regressor holds for one part of an element. */
interface Held {
  readonly alpha: Float64Array;
  readonly points: Float64Array | null;
}

/** What a file holds. */
interface Content {
  energies: Readonly<Record<string, number>>;
  readonly coordinates: Coordinate[];
}

/** What each kind of term adds. */
const terms: Readonly<
  Record<string, (term: Term, elements: readonly number[], place: string, held: Content) => void>
> = {
  "isolated-atoms": ({ options }, _, __, held) => Object.assign(held, options),
  composed: (term, elements, place, held) => held.coordinates.push(...coordinatesOf(term, elements, place)),
};

/** The name of a GAP inside its file: letters, digits and underlines. */
export const gapLabel = (name: string): string => name.replaceAll(/\W+/g, "_").replace(/^(?=\d)/, "_");

/** The file of a GAP that QUIP reads, points inside; a model that it cannot express is an error. */
export function writeGap(model: Model, name: string): string {
  const label = gapLabel(name);
  const held: Content = { energies: {}, coordinates: [] };
  model.terms.forEach((term, k) => {
    const place = `terms[${k}]`;
    if (!Object.hasOwn(terms, term.type))
      throw invalid(
        `${place}.type`,
        "isolated-atoms or a sparse Gaussian process, as GAP files hold",
        term.type,
      );
    terms[term.type](term, model.elements, place, held);
  });
  const { coordinates, energies } = held;
  if (coordinates.length === 0) throw invalid("model", "a sparse Gaussian process", "none");
  return [
    `<${label}>`,
    `<Potential label="${label}" init_args="IP GAP label=${label}"/>`,
    `<GAP_params label="${label}" gap_version="${VERSION}">`,
    `  <GAP_data do_core="F">`,
    ...model.elements.map((z) => `    <e0 Z="${z}" value="${energies[symbolOf(z)] ?? 0}"/>`),
    "  </GAP_data>",
    `  <gpSparse label="${label}" n_coordinate="${coordinates.length}" fitted="T">`,
    ...coordinates.flatMap((c, k) => linesOf(c, `${label}${k + 1}`)),
    "  </gpSparse>",
    "</GAP_params>",
    `</${label}>`,
    "",
  ].join("\n");
}

function linesOf(
  { command, dimensions, delta, theta, zeta, points, cutoffs, alpha }: Coordinate,
  label: string,
) {
  const kind = theta ? 'covariance_type="1"' : `covariance_type="2" zeta="${zeta}"`;
  const order = Array.from({ length: dimensions }, (_, d) => d + 1).join(" ");
  return [
    `    <gpCoordinates label="${label}" dimensions="${dimensions}" signal_variance="${delta}" signal_mean="0.0" sparsified="T" n_permutations="1" ${kind} n_sparseX="${alpha.length}">`,
    ...(theta ? [`      <theta> ${theta.join(" ")} </theta>`] : []),
    `      <descriptor>${command}</descriptor>`,
    `      <permutation i="1">${theta ? order : 1} </permutation>`,
    ...points.flatMap((x, s) => {
      const head = `      <sparseX i="${s + 1}" alpha="${alpha[s]}" sparseCutoff="${cutoffs[s]}"`;
      if (x.length <= SLICE) return [`${head}> ${x.join(" ")} </sparseX>`];
      const slices = Array.from({ length: Math.ceil(x.length / SLICE) }, (_, k) => {
        const [first, last] = [k * SLICE, Math.min(x.length, (k + 1) * SLICE)];
        return `        <sparseX_slice start="${first + 1}" end="${last}"> ${x.slice(first, last).join(" ")} </sparseX_slice>`;
      });
      return [`${head} sliced="T">`, ...slices, "      </sparseX>"];
    }),
    "    </gpCoordinates>",
  ];
}

function coordinatesOf({ options, tensors }: Term, elements: readonly number[], place: string): Coordinate[] {
  const { descriptor, regressor } = options as { descriptor: Options; regressor: Options };
  if (regressor["name"] !== "sparse-gaussian-process")
    throw invalid(`${place}.regressor`, "sparse-gaussian-process", regressor["name"]);
  const parts = (descriptor["name"] === "joined" ? descriptor["parts"] : [descriptor]) as readonly Options[];
  return elements.flatMap((z, e) => {
    const held = heldBy(tensors, e);
    return parts.flatMap((part) => {
      const { name } = part as { name: string };
      if (!Object.hasOwn(writers, name))
        throw invalid(`${place}.descriptor`, `one of ${Object.keys(writers).join(", ")}`, name);
      return writers[name]({
        part,
        regressor,
        z,
        elements,
        place: `${place}.${name}`,
        take: () => held.shift()!,
      });
    });
  });
}

/** Parts of an element in their order. */
function heldBy(tensors: Term["tensors"], e: number): Held[] {
  const list = tensors[`${e}.parts`] ?? [];
  const alpha = tensors[`${e}.coefficients`] ?? new Float64Array(0);
  let first = 0;
  return Array.from({ length: list.length / 2 }, (_, k) => ({
    points: tensors[`${e}.${k}.points`] ?? null,
    alpha: alpha.subarray(first, (first += list[2 * k + 1])),
  }));
}

interface Written {
  readonly part: Options;
  readonly regressor: Options;
  /** Of the centre. */
  readonly z: number;
  readonly elements: readonly number[];
  readonly place: string;
  /** The next part of this element that the regressor holds. */
  readonly take: () => Held;
}

/** ½(1 + cos π(r − r_c + w)/w) from r_c − w on. */
function cosine(r: number, cutoff: number, width: number): number {
  if (r >= cutoff) return 0;
  return r <= cutoff - width ? 1 : (1 + Math.cos((Math.PI * (r - cutoff + width)) / width)) / 2;
}

const demand = (place: string, found: unknown, expected: unknown): void => {
  if (found !== expected) throw invalid(place, `${String(expected)}, as QUIP has it`, found);
};

/** Cutoff and width of a kernel sum. */
function fadeOf(part: Options, place: string): { cutoff: number; width: number; words: string } {
  demand(`${place}.fade`, part["fade"], "cosine");
  const { cutoff, width } = part as { cutoff: number; width: number };
  return { cutoff, width, words: `cutoff=${cutoff} cutoff_transition_width=${width}` };
}

function pairs({ part, z, elements, place, take }: Written): Coordinate[] {
  const { cutoff, width, words } = fadeOf(part, place);
  const { points, length, delta } = part as {
    points: Readonly<Record<string, readonly number[]>>;
    length: number;
    delta: number;
  };
  return elements.slice(0, elements.indexOf(z) + 1).flatMap((y) => {
    const list = points[`${symbolOf(z)}-${symbolOf(y)}`] ?? points[`${symbolOf(y)}-${symbolOf(z)}`];
    if (!list) return [];
    return {
      command: `distance_2b ${words} Z1=${z} Z2=${y}`,
      dimensions: 1,
      delta,
      theta: [length],
      zeta: null,
      points: list.map((r) => [r]),
      cutoffs: list.map((r) => cosine(r, cutoff, width)),
      // QUIP finds every pair twice.
      alpha: Array.from(take().alpha, (a) => a / 2),
    };
  });
}

function triplets({ part, z, elements, place, take }: Written): Coordinate[] {
  const { cutoff, width, words } = fadeOf(part, place);
  const { points, lengths, delta } = part as {
    points: Readonly<Record<string, readonly (readonly number[])[]>>;
    lengths: readonly number[];
    delta: number;
  };
  return elements.flatMap((a, k) =>
    elements.slice(k).flatMap((b) => {
      const list = points[`${symbolOf(z)}:${symbolOf(a)}-${symbolOf(b)}`];
      if (!list || list.length === 0) return [];
      return {
        command: `angle_3b ${words} Z=${z} Z1=${a} Z2=${b}`,
        dimensions: 3,
        delta,
        theta: lengths,
        zeta: null,
        points: list.map(([p, q, r]) => [p + q, (p - q) ** 2, r]),
        cutoffs: list.map(([p, q]) => cosine(p, cutoff, width) * cosine(q, cutoff, width)),
        alpha: Array.from(take().alpha, (x) => x / 2),
      };
    }),
  );
}

function environments({ part, regressor, z, elements, place, take }: Written): Coordinate[] {
  const { points, alpha } = take() ?? { points: null, alpha: new Float64Array(0) };
  if (alpha.length === 0 || points === null) return [];
  const { zeta, sigma0, normalise, delta } = kernelOf(regressor, place);
  const size = points.length / alpha.length;
  return [
    {
      command: `${soapCommand(part, z, elements, place)} normalise=${normalise ? "T" : "F"} covariance_sigma0=${sigma0}`,
      dimensions: size + 1,
      delta,
      theta: null,
      zeta,
      points: Array.from(alpha, (_, s) => [...points.subarray(s * size, (s + 1) * size), sigma0]),
      cutoffs: Array.from(alpha, () => 1),
      alpha: [...alpha],
    },
  ];
}

function kernelOf({ kernel, normalise = true, delta = 1 }: Options, place: string) {
  const { name, zeta = 1, offset = 0, length = 1 } = kernel as Options;
  demand(`${place}: kernel`, name, "dot-product");
  demand(`${place}: kernel.length`, length, 1);
  return { zeta: zeta as number, sigma0: Math.sqrt(offset as number), normalise, delta: delta as number };
}

function soapCommand(part: Options, z: number, elements: readonly number[], place: string): string {
  const of = (key: string) => part[key] as number;
  demand(`${place}.basis`, part["basis"], "equispaced");
  demand(`${place}.convention`, part["convention"], "quip");
  demand(`${place}.reach`, part["reach"] ?? part["cutoff"], part["cutoff"]);
  demand(`${place}.elementWeights`, part["elementWeights"], undefined);
  const { type, width } = part["fade"] as { type: string; width: number };
  demand(`${place}.fade.type`, type, "cosine");
  const orders = ordersOf(part["compression"], place);
  const seen = (part["neighbours"] as readonly string[] | undefined)?.map(numberOf) ?? elements;
  // With one species QUIP has the centre in its density.
  if (seen.length === 1) demand(`${place}.everywhere`, part["everywhere"] || seen[0] === z, true);
  return [
    `soap cutoff=${of("cutoff")} cutoff_transition_width=${width} n_max=${of("nmax")} l_max=${of("lmax")}`,
    `atom_sigma=${of("sigma")} central_weight=${of("centre")}`,
    `central_reference_all_species=${part["everywhere"] ? "T" : "F"} nu_R=${orders.radial} nu_S=${orders.elements}`,
    ...weightWords(part["weighting"] as Options | undefined, `${place}.weighting`),
    `n_Z=1 Z=${z} n_species=${seen.length} species_Z={${seen.join(" ")}}`,
  ].join(" ");
}

function ordersOf(compression: unknown, place: string): { radial: number; elements: number } {
  if (typeof compression !== "string") return compression as { radial: number; elements: number };
  if (Object.hasOwn(ORDERS, compression)) return ORDERS[compression];
  throw invalid(
    `${place}.compression`,
    `one of ${Object.keys(ORDERS).join(", ")} or orders, as QUIP has them`,
    compression,
  );
}

function weightWords(weighting: Options | undefined, place: string): string[] {
  if (!weighting) return [];
  const { type, r0, c, m, d } = weighting;
  demand(`${place}.type`, type, "pow");
  demand(`${place}.c`, c, d);
  return [`cutoff_dexp=${String(m)} cutoff_scale=${String(r0)} cutoff_rate=${String(c)}`];
}

/** How each descriptor is written. */
const writers: Readonly<Record<string, (written: Written) => Coordinate[]>> = {
  "distance-2b": pairs,
  "angle-3b": triplets,
  soap: environments,
};
