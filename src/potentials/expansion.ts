import { productsOf, type Product } from "../descriptors/ace/basis.ts";
import { bondsOf, type Bond } from "../descriptors/ace/bonds.ts";
import { ace } from "../descriptors/ace/ace.ts";
import { invalid } from "../error.ts";
import { embedding } from "../regressors/embedding/embedding.ts";
import type { EmbeddingOptions } from "../regressors/embedding/options.ts";
import { linear } from "../regressors/linear/linear.ts";
import { symbolOf } from "../structure/elements.ts";
import { composed } from "./composed.ts";
import { isolatedAtoms } from "./isolated-atoms.ts";
import type { Model, Term } from "./potential.ts";

/** One element of an atomic cluster expansion, E = energy + Σ_p w_p F(ρ_p; m_p) (+ core repulsion). */
export interface ExpandedElement {
  /** Of an atom without neighbours, eV. */
  readonly energy: number;
  readonly products: readonly Product[];
  /** Of each density: one number per invariant, product after product. */
  readonly weights: readonly Float64Array[];
  /** w₁, m₁, w₂, m₂, … */
  readonly functions: readonly number[];
  /** What the core repulsion is multiplied by. */
  readonly core: number;
  /** Repulsion that switches the rest off, and over which range; eV. */
  readonly coreCutoff: number;
  readonly coreWidth: number;
}

/** A model that is isolated atoms and one atomic cluster expansion, in full. */
export interface Expansion {
  readonly elements: readonly number[];
  readonly type: EmbeddingOptions["type"];
  /** By centre and neighbour. */
  readonly bonds: readonly (readonly Bond[])[];
  readonly parts: readonly ExpandedElement[];
}

/** Whether a term is an atomic cluster expansion. */
export const isExpansion = ({ type, options }: Term): boolean =>
  type === composed.name && composed.options.parse(options).descriptor.name === ace.name;

type Part = Omit<ExpandedElement, "products">;
/** Element index and whether the last feature is a core repulsion → its numbers. */
type Learned = (e: number, core: boolean) => Part;

/** The parts of such a model, for files of other programs; what is more than that is an error. */
export function expansionOf({ elements, terms }: Model): Expansion {
  const energies = elements.map(() => 0);
  let found: Omit<Expansion, "elements"> | undefined;
  for (const [k, { type, options, tensors }] of terms.entries()) {
    if (type === isolatedAtoms.name) {
      const given = isolatedAtoms.options.parse(options).energies;
      for (const [e, z] of elements.entries()) energies[e] += given[symbolOf(z)];
    } else if (type === composed.name && !found) {
      const { descriptor, regressor } = composed.options.parse(options);
      found = expand(descriptor, regressor, tensors, elements);
    } else
      throw invalid(
        `terms[${k}]`,
        "isolated atoms and one atomic cluster expansion (ace; a fit adds no zbl with --set model.zbl=false)",
        type,
      );
  }
  if (!found) throw invalid("terms", "an atomic cluster expansion (ace)", "none");
  const parts = found.parts.map((part, e) => ({ ...part, energy: part.energy + energies[e] }));
  return { ...found, elements, parts };
}

function expand(
  { name, ...seen }: Readonly<Record<string, unknown>>,
  { name: learned, ...given }: Readonly<Record<string, unknown>>,
  tensors: Readonly<Record<string, Float64Array>>,
  elements: readonly number[],
): Omit<Expansion, "elements"> {
  if (name !== ace.name) throw invalid("descriptor", ace.name, name);
  const options = ace.options.parse(seen);
  const bonds = bondsOf(options, elements);
  const core = bonds.flat().some((bond) => bond.core !== null && bond.core.strength > 0);
  const read = readers[String(learned)];
  if (!read) throw invalid("regressor", Object.keys(readers).join(" or "), learned);
  const { type, part } = read(given, tensors);
  const parts = elements.map((_, e) => ({ ...part(e, core), products: productsOf(options, elements, e) }));
  return { type, bonds, parts };
}

type Reader = (
  options: Readonly<Record<string, unknown>>,
  tensors: Readonly<Record<string, Float64Array>>,
) => { readonly type: EmbeddingOptions["type"]; readonly part: Learned };

const readers: Readonly<Record<string, Reader>> = {
  [linear.name]: (options, tensors) => {
    if (linear.options.parse(options).quadratic)
      throw invalid("regressor.quadratic", "false: an expansion is linear in its features", true);
    return { type: "FinnisSinclairShiftedScaled", part: (e, core) => linearPart(tensors, e, core) };
  },
  [embedding.name]: (given, tensors) => {
    const options = embedding.options.parse(given);
    return {
      type: options.type,
      part: (e, core) => {
        if (core && !options.core)
          throw invalid("regressor.core", "true, since the descriptor has a core repulsion", false);
        return embeddedPart(options, tensors, e);
      },
    };
  },
};

const off = { coreCutoff: 1e5, coreWidth: 250 };

function linearPart(tensors: Readonly<Record<string, Float64Array>>, e: number, core: boolean): Part {
  const all = tensors[`${e}.coefficients`];
  const last = all.length - (core ? 1 : 0);
  return {
    energy: all[0],
    weights: [all.slice(1, last)],
    functions: [1, 1],
    core: core ? all[last] : 1,
    ...off,
  };
}

function embeddedPart(
  options: EmbeddingOptions,
  tensors: Readonly<Record<string, Float64Array>>,
  e: number,
): Part {
  const own = (name: string) => tensors[`${e}.${name}`];
  const [theta, scale, functions] = [own("weights"), own("scale"), own("functions")];
  const D = functions.length / 2;
  const [coreCutoff, coreWidth] = options.core ? own("core") : [off.coreCutoff, off.coreWidth];
  return {
    energy: own("bias")[0],
    weights: Array.from({ length: D }, (_, p) => scale.map((s, k) => s * theta[k * D + p])),
    functions: [...functions],
    core: 1,
    coreCutoff,
    coreWidth,
  };
}
