import type { Model, Term } from "../../potentials/potential.ts";
import { symbolOf } from "../../structure/elements.ts";
import { parseGap } from "./gap.ts";
import { partOf, type GapPart } from "./terms.ts";

/**
 * The model of a GAP file of QUIP; `files` holds the files of points that it names. Terms distance_2b and angle_3b with
 * the squared-exponential kernel, soap with the dot product; others are errors that name them.
 */
export function readGap(text: string, file: string, files: Readonly<Record<string, string>>): Model {
  const { e0, coordinates } = parseGap(text, file);
  const parts = coordinates.map((c) => partOf(c, files, file));
  const elements = [...new Set(parts.flatMap((part) => part.elements))].sort((a, b) => a - b);
  const energies = Object.fromEntries(elements.map((z) => [symbolOf(z), e0.get(z) ?? 0]));
  return {
    elements,
    terms: [
      { type: "isolated-atoms", options: { energies }, tensors: {} },
      ...grouped(parts).map((group) => termOf(group, elements)),
    ],
    provenance: { source: `${file}, GAP of QUIP` },
  };
}

/** Parts of equal options together; of those whose points the regressor holds, one for each centre. */
function grouped(parts: readonly GapPart[]): GapPart[][] {
  const groups: { key: string; parts: GapPart[] }[] = [];
  for (const part of parts) {
    const key = JSON.stringify([part.descriptor, part.regressor]);
    const fits = (group: readonly GapPart[]) =>
      !group.some((other) => other.centre === part.centre && (part.points || other.order === part.order));
    const group = groups.find((g) => g.key === key && fits(g.parts));
    if (group) group.parts.push(part);
    else groups.push({ key, parts: [part] });
  }
  return groups.map((group) => group.parts);
}

/** Parts of one shape in one descriptor, in the order that it has them in. */
function termOf(parts: readonly GapPart[], elements: readonly number[]): Term {
  const tensors: Record<string, Float64Array> = {};
  elements.forEach((z, e) => {
    const own = parts.filter(({ centre }) => centre === z).sort((a, b) => a.order - b.order);
    own.forEach(({ points }, k) => points && (tensors[`${e}.${k}.points`] = points));
    tensors[`${e}.parts`] = Float64Array.from(own.flatMap(({ features, alpha }) => [features, alpha.length]));
    tensors[`${e}.coefficients`] = Float64Array.from(own.flatMap(({ alpha }) => alpha));
  });
  const named = parts.flatMap((part) => Object.entries(part.named ?? {}));
  const points = named.length > 0 ? { points: Object.fromEntries(named) } : {};
  const [{ descriptor, regressor }] = parts;
  return { type: "composed", options: { descriptor: { ...descriptor, ...points }, regressor }, tensors };
}
