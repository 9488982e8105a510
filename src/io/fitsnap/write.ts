import type { Model } from "../../potentials/potential.ts";
import { isExpansion } from "../../potentials/expansion.ts";
import { isolatedAtoms } from "../../potentials/isolated-atoms.ts";
import { componentsOf, linearSnap } from "../../potentials/linear-snap.ts";
import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import { writeYace } from "../ace/write.ts";
import { writeCoefficients } from "../lammps/coefficients.ts";
import { writeParameters } from "../lammps/parameters.ts";

/**
 * What FitSNAP writes of a model: of SNAP two files, of ACE `name.yace` with the energies of isolated atoms, without
 * other terms.
 */
export function fitsnapFiles(model: Model, name: string, title: string): Record<string, string> {
  if (!model.terms.some(isExpansion)) return snapFiles(model, name, title);
  const terms = model.terms.filter((term) => isExpansion(term) || term.type === isolatedAtoms.name);
  return { [`${name}.yace`]: writeYace({ ...model, terms }) };
}

/**
 * `name.snapcoeff` and `name.snapparam` of the SNAP term of a model as FitSNAP writes them: coefficients as they were
 * fitted, without the energies of isolated atoms (ESHIFT) and other terms.
 */
function snapFiles({ elements, terms }: Model, name: string, title: string): Record<string, string> {
  const [found] = terms.flatMap((term) => linearSnap(term, elements.length) ?? []);
  if (!found)
    throw invalid(
      "model",
      "a term of snap with linear",
      terms.map((term) => term.type),
    );
  const { options, quadratic, coefficients } = found;
  const symbols = elements.map(symbolOf);
  const blocks = symbols.map((symbol, e) => {
    const { radius = 0.5, weight = 1 } = options.elements?.[symbol] ?? {};
    return { symbol, radius, weight, coefficients: coefficients[e] };
  });
  const names = namesOf(componentsOf(found), options.chem ? elements.length : 1, quadratic);
  return {
    [`${name}.snapcoeff`]: writeCoefficients(blocks, title, names),
    [`${name}.snapparam`]: writeParameters(options, quadratic, symbols, title),
  };
}

/** "B[0]", "B[1, 0, 0, 0]" … and of products "B[56, [1, 0, 0, 0], [2, 1, 0, 1]]". */
function namesOf(own: readonly (readonly number[])[], densities: number, quadratic: boolean): string[] {
  const linear = Array.from({ length: densities ** 3 * own.length }, (_, t) =>
    [t + 1, ...own[t % own.length]].join(", "),
  );
  const names = ["B[0]", ...linear.map((label) => `B[${label}]`)];
  if (!quadratic) return names;
  const products = linear.flatMap((a, t) => linear.slice(t).map((b) => `[${a}], [${b}]`));
  return [...names, ...products.map((label, k) => `B[${linear.length + k}, ${label}]`)];
}
