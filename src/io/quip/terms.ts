import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import { CommandLine } from "./command.ts";
import { pointsOf, type GapCoordinate } from "./gap.ts";

/** What terms of a model are made of: coordinates of one `descriptor` and `regressor` become one term. */
export interface GapPart {
  /** Elements that occur in it. */
  readonly elements: readonly number[];
  /** Element whose atoms it belongs to. */
  readonly centre: number;
  /** Without points. */
  readonly descriptor: Readonly<Record<string, unknown>>;
  readonly regressor: Readonly<Record<string, unknown>>;
  /** Points that are options of the descriptor, by what they are points of. */
  readonly named?: Readonly<Record<string, readonly unknown[]>>;
  /** Of parts of one centre: where this one stands. */
  readonly order: number;
  /** Points that the regressor holds, [points, features]. */
  readonly points?: Float64Array;
  readonly features: number;
  readonly alpha: readonly number[];
}

/** Å over which a term fades where its command line says nothing. */
const WIDTH = 0.5;

type Files = Readonly<Record<string, string>>;

function demandGaussian(c: GapCoordinate, dimensions: number, line: CommandLine): void {
  if (c.covariance !== "1" || c.dimensions !== dimensions || c.theta.length !== dimensions)
    throw invalid(
      `${line.place}: covariance_type`,
      `1 (ard_se) of ${dimensions} dimension${dimensions > 1 ? "s" : ""}`,
      c.covariance,
    );
}

/** QUIP finds every pair from both of its atoms, and every triplet with its neighbours in both orders. */
const twice = ({ alpha }: GapCoordinate): number[] => alpha.map((a) => 2 * a);

const kernelSums = { name: "sparse-gaussian-process" };

function distance2b(c: GapCoordinate, files: Files, line: CommandLine): GapPart {
  demandGaussian(c, 1, line);
  const pair = [line.element("Z1"), line.element("Z2")];
  const descriptor = {
    name: "distance-2b",
    fade: "cosine",
    cutoff: line.number("cutoff"),
    width: line.number("cutoff_transition_width", WIDTH),
    length: c.theta[0],
    // The attribute is called signal_variance and holds δ.
    delta: c.delta,
  };
  const points = pointsOf(c, files, line.place);
  if (points.some((x) => !(x > 0)))
    throw invalid(`${line.place}: sparseX`, "positive distances", Math.min(...points));
  return {
    elements: pair,
    // Every pair belongs to the heavier of its two, in the order of the lighter one.
    centre: Math.max(...pair),
    order: Math.min(...pair),
    descriptor,
    regressor: kernelSums,
    named: { [pair.map(symbolOf).join("-")]: [...points] },
    features: points.length,
    alpha: twice(c),
  };
}

/** r_ij, r_ik, r_jk of q = (r_ij + r_ik, (r_ij − r_ik)², r_jk). */
const triangleOf = (q: Float64Array): number[] => {
  const difference = Math.sqrt(Math.max(0, q[1]));
  return [(q[0] + difference) / 2, (q[0] - difference) / 2, q[2]];
};

function angle3b(c: GapCoordinate, files: Files, line: CommandLine): GapPart {
  demandGaussian(c, 3, line);
  const centre = line.element("Z");
  const [a, b] = [line.element("Z1"), line.element("Z2")].sort((x, y) => x - y);
  const descriptor = {
    name: "angle-3b",
    fade: "cosine",
    cutoff: line.number("cutoff"),
    width: line.number("cutoff_transition_width", WIDTH),
    lengths: [...c.theta],
    delta: c.delta,
  };
  const q = pointsOf(c, files, line.place);
  const triangles = c.alpha.map((_, s) => triangleOf(q.subarray(3 * s, 3 * s + 3)));
  return {
    elements: [...new Set([centre, a, b])],
    centre,
    order: 1000 * a + b,
    descriptor,
    regressor: kernelSums,
    named: { [`${symbolOf(centre)}:${symbolOf(a)}-${symbolOf(b)}`]: triangles },
    features: triangles.length,
    alpha: twice(c),
  };
}

/** rate/(rate + (r/scale)^dexp) */
function weightingOf(line: CommandLine): object | undefined {
  const [dexp, scale, rate] = [
    line.number("cutoff_dexp", 0),
    line.number("cutoff_scale", 1),
    line.number("cutoff_rate", 1),
  ];
  return dexp > 0 ? { type: "pow", r0: scale, m: dexp, c: rate, d: rate } : undefined;
}

/** Species as neighbours, in the order of the features. */
function speciesOf(line: CommandLine): number[] {
  const count = line.number("n_species", 1);
  const species = line.numbers("species_Z") ?? [];
  if (species.length !== count || species.some((z) => !(z > 0)))
    throw invalid(`${line.place}: species_Z`, `${count} atomic numbers`, species.join(" ") || "nothing");
  return species;
}

function soap(c: GapCoordinate, files: Files, line: CommandLine): GapPart {
  if (c.covariance !== "2" || !Number.isInteger(c.zeta))
    throw invalid(
      `${line.place}: covariance_type`,
      "2 (dot_product) with a whole ζ",
      `${c.covariance}, ζ ${c.zeta}`,
    );
  line.demand("n_Z", line.number("n_Z", 1), 1);
  const [centre, species] = [line.element("Z"), speciesOf(line)];
  for (const key of ["R_mix", "Z_mix", "sym_mix", "diagonal_radial", "average"])
    line.demand(key, line.flag(key, false), false);
  line.demand("basis_error_exponent", line.number("basis_error_exponent", 10), 10);
  line.demand("radial_basis", line.word("radial_basis", "EQUISPACED_GAUSS"), "EQUISPACED_GAUSS");
  line.demand("coupling", line.flag("coupling", true), true);
  line.number("K", 0);
  const weighting = weightingOf(line);
  const descriptor = {
    name: "soap",
    basis: "equispaced",
    convention: "quip",
    cutoff: line.number("cutoff"),
    fade: { type: "cosine", width: line.number("cutoff_transition_width", WIDTH) },
    nmax: line.number("n_max"),
    lmax: line.number("l_max"),
    sigma: line.number("atom_sigma"),
    centre: line.number("central_weight", 1),
    // With one species QUIP adds the centre to it, whatever it is.
    everywhere: line.flag("central_reference_all_species", false) || species.length === 1,
    neighbours: species.map(symbolOf),
    compression: { radial: line.number("nu_R", 2), elements: line.number("nu_S", 2) },
    ...(weighting ? { weighting } : {}),
  };
  const sigma0 = line.number("covariance_sigma0", 0);
  const regressor = {
    name: "sparse-gaussian-process",
    kernel: { name: "dot-product", zeta: c.zeta, offset: sigma0 * sigma0 },
    normalise: line.flag("normalise", line.flag("normalize", true)),
    delta: c.delta,
  };
  // The last number is σ₀, which the kernel adds.
  const features = c.dimensions - 1;
  const given = pointsOf(c, files, line.place);
  return {
    elements: [...new Set([centre, ...species])],
    centre,
    order: 0,
    descriptor,
    regressor,
    points: Float64Array.from({ length: features * c.alpha.length }, (_, t) => {
      const [s, k] = [Math.floor(t / features), t % features];
      return given[s * c.dimensions + k];
    }),
    features,
    alpha: c.alpha,
  };
}

/** Every descriptor of GAP that is read, by its name there. */
const readers: Readonly<Record<string, (c: GapCoordinate, files: Files, line: CommandLine) => GapPart>> = {
  distance_2b: distance2b,
  angle_3b: angle3b,
  soap,
};

/** One coordinate of a GAP as part of a model. */
export function partOf(c: GapCoordinate, files: Files, file: string): GapPart {
  const line = new CommandLine(c, file);
  if (!Object.hasOwn(readers, c.descriptor))
    throw invalid(
      `${line.place}: descriptor`,
      `one that is read: ${Object.keys(readers).join(", ")}`,
      c.descriptor,
    );
  if (c.mean !== 0) throw invalid(`${line.place}: signal_mean`, "0", c.mean);
  const part = readers[c.descriptor](c, files, line);
  line.finish();
  return part;
}
