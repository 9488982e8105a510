import { invalid } from "../../error.ts";
import type { Model, Term } from "../../potentials/potential.ts";
import { symbolOf } from "../../structure/elements.ts";
import { parseGap, type GapCoordinate } from "./gap.ts";

/** Å over which distance_2b fades where its command line says nothing. */
const WIDTH = 0.5;

/** A two-body term: what its pair is, what the kernel is, α by point. */
interface Pair {
  readonly numbers: readonly [number, number];
  readonly shape: { cutoff: number; width: number; length: number; delta: number };
  readonly points: readonly number[];
  readonly alpha: readonly number[];
}

/**
 * The model of a GAP file of QUIP; `files` holds the files of points that it names. Two-body terms (distance_2b) with
 * the squared-exponential kernel; others are errors that name them.
 */
export function readGap(text: string, file: string, files: Readonly<Record<string, string>>): Model {
  const { e0, coordinates } = parseGap(text, file);
  const pairs = coordinates.map((c) => pairOf(c, files, `${file}:${c.line}`));
  const elements = [...new Set(pairs.flatMap(({ numbers }) => numbers))].sort((a, b) => a - b);
  const energies = Object.fromEntries(elements.map((z) => [symbolOf(z), e0.get(z) ?? 0]));
  const groups = Map.groupBy(pairs, ({ shape }) => JSON.stringify(shape));
  return {
    elements,
    terms: [
      { type: "isolated-atoms", options: { energies }, tensors: {} },
      ...[...groups.values()].map((group) => termOf(group, elements)),
    ],
    provenance: { source: `${file}, GAP of QUIP` },
  };
}

function pairOf(c: GapCoordinate, files: Readonly<Record<string, string>>, place: string): Pair {
  if (c.descriptor !== "distance_2b")
    throw invalid(`${place}: descriptor`, "distance_2b, the only one that is read", c.descriptor);
  if (c.covariance !== "1" || c.dimensions !== 1 || c.theta.length !== 1)
    throw invalid(`${place}: covariance_type`, "1 (ard_se) of one dimension", c.covariance);
  const { options } = c;
  const number = (key: string, fallback?: number): number => {
    const value = options[key] === undefined ? fallback : Number(options[key]);
    if (value !== undefined && Number.isFinite(value)) return value;
    throw invalid(`${place}: ${key}`, "a number", options[key] ?? "nothing");
  };
  const points = (files[c.pointsFile] ?? missing(c.pointsFile, place)).trim().split(/\s+/).map(Number);
  if (points.length !== c.alpha.length || points.some((x) => !(x > 0)))
    throw invalid(c.pointsFile, `${c.alpha.length} distances`, `${points.length} words`);
  return {
    numbers: [number("Z1"), number("Z2")],
    shape: {
      cutoff: number("cutoff"),
      width: number("cutoff_transition_width", WIDTH),
      length: c.theta[0],
      // The attribute is called signal_variance and holds δ.
      delta: c.delta,
    },
    points,
    // QUIP finds every pair from both of its atoms.
    alpha: c.alpha.map((a) => 2 * a),
  };
}

function missing(name: string, place: string): never {
  throw invalid(`${place}: sparseX_filename`, "a file beside it", name);
}

/** Terms of one shape in one descriptor; α of every pair at the heavier of its elements, as distance-2b has it. */
function termOf(pairs: readonly Pair[], elements: readonly number[]): Term {
  const points: Record<string, number[]> = {};
  const tensors: Record<string, Float64Array> = {};
  elements.forEach((z, e) => {
    const own = elements
      .slice(0, e + 1)
      .flatMap((y) => pairs.filter(({ numbers: [a, b] }) => (a === z && b === y) || (a === y && b === z)));
    for (const { numbers, points: list } of own) points[numbers.map(symbolOf).join("-")] = [...list];
    tensors[`${e}.parts`] = Float64Array.from(own.flatMap(({ alpha }) => [alpha.length, alpha.length]));
    tensors[`${e}.coefficients`] = Float64Array.from(own.flatMap(({ alpha }) => alpha));
  });
  return {
    type: "composed",
    options: {
      descriptor: { name: "distance-2b", fade: "cosine", ...pairs[0].shape, points },
      regressor: { name: "sparse-gaussian-process" },
    },
    tensors,
  };
}
