import { descriptors } from "../descriptors/table.ts";
import type { Device } from "../device/device.ts";
import { featureStatistics } from "../fit/features.ts";
import { Random } from "../math/random.ts";
import { buildTerm } from "../potentials/build.ts";
import type { Potential, Term } from "../potentials/potential.ts";
import { zblFromStatistics } from "../potentials/zbl.ts";
import { regressors } from "../regressors/table.ts";
import { pairKey, pairStatistics } from "../structure/statistics.ts";
import type { Structure } from "../structure/structure.ts";

export const ELEMENTS = [1, 6, 8];

/** Atoms at random, at least `apart` Å from each other. */
export function scatter(count: number, extent: number, apart: number, seed: number): Structure {
  const random = new Random(seed);
  const positions: number[] = [];
  while (positions.length < 3 * count) {
    const r = [0, 1, 2].map(() => extent * random.uniform());
    const free = positions.every((_, k) => {
      if (k % 3 > 0) return true;
      return Math.hypot(...r.map((x, a) => x - positions[k + a])) > apart;
    });
    if (free) positions.push(...r);
  }
  const numbers = Uint8Array.from({ length: count }, (_, i) => ELEMENTS[i % 3]);
  return { numbers, positions: Float64Array.from(positions), cell: null, pbc: [false, false, false] };
}

export const molecule = scatter(9, 3.4, 0.95, 2);
export const otherMolecule = scatter(5, 2.6, 0.95, 3);

/** A skew cell shorter than the cutoff along the first direction, periodic along two or three directions. */
export const crystal = (third: boolean): Structure => ({
  ...scatter(7, 2.9, 1, 4),
  cell: Float64Array.of(3.4, 0.1, 0, 1.3, 4.1, 0.2, -0.7, 0.4, 4.6),
  pbc: [true, true, third],
});

export const structures = { molecule, crystal: crystal(true), slab: crystal(false) };

const NETWORK = { name: "neural-network", layers: [8, 6], activation: "tanh" };

/** The same over a linear regressor, which starts with zeros: its coefficients random. */
function linearTerm(descriptor: string, device: Device, quadratic: boolean): Term {
  const term = composedTerm(descriptor, device, {}, { name: "linear", quadratic });
  const random = new Random(9);
  const tensors = Object.entries(term.tensors).map(
    ([name, values]) => [name, random.normals(values.slice())] as const,
  );
  return { ...term, tensors: Object.fromEntries(tensors) };
}

/** A composed term with random weights, its functions chosen for the structures above. */
export function composedTerm(
  descriptor: string,
  device: Device,
  options: Record<string, unknown> = {},
  { name, ...own }: Record<string, unknown> & { readonly name: string } = NETWORK,
): Term {
  const all = Object.values(structures);
  const see = descriptors[descriptor];
  const seeOptions = see.resolve(
    see.options.parse({ size: "small", ...options }),
    pairStatistics(all, 4),
  ) as object;
  const D = see.build(seeOptions, ELEMENTS, device);
  const learn = regressors[name];
  const learnOptions = learn.options.parse(own) as object;
  const tensors = learn.initialise(learnOptions, featureStatistics(D, all, device), 1.5, 4, -0.5);
  return {
    type: "composed",
    options: {
      descriptor: { name: descriptor, ...seeOptions },
      regressor: { name, ...learnOptions },
    },
    tensors,
  };
}

const atoms: Term = {
  type: "isolated-atoms",
  options: { energies: { H: -13.6, C: -1029.2, O: -2041.8 } },
  tensors: {},
};

/** Radii large enough for the structures to feel the repulsion. */
const repulsion: Term = {
  type: "zbl",
  options: zblFromStatistics(pairStatistics(Object.values(structures), 4), 0.8, 1.9),
  tensors: {},
};

/** A Morse curve of every pair as a table. */
const tables: Term = {
  type: "pair-table",
  options: {
    pairs: Object.fromEntries(pairKeys().map((key) => [key, { cutoff: 3 }])),
  },
  tensors: Object.fromEntries(
    pairKeys().flatMap((key, p) => {
      const r = Float64Array.from({ length: 120 }, (_, k) => 0.5 + k / 47.6);
      const x = r.map((d) => Math.exp(1.3 * (1.2 + 0.1 * p - d)));
      const energy = x.map((e) => (e - 2) * e);
      const slope = x.map((e) => -2.6 * (e - 1) * e);
      return [
        [`${key}.r`, r],
        [`${key}.energy`, energy],
        [`${key}.slopes`, Float64Array.of(slope[0], slope.at(-1)!)],
      ];
    }),
  ),
};

function pairKeys(): string[] {
  return ELEMENTS.flatMap((a) => ELEMENTS.filter((b) => b >= a).map((b) => pairKey(a, b)));
}

/** Terms of every kind, by name. */
export const termsOf = (device: Device): Record<string, Term> => ({
  acsf: composedTerm("acsf", device),
  ani: composedTerm("ani", device),
  linear: linearTerm("acsf", device, false),
  quadratic: linearTerm("acsf", device, true),
  zbl: repulsion,
  "pair table": tables,
  "isolated atoms": atoms,
});

export const built = (terms: Record<string, Term>, device: Device): Record<string, Potential> =>
  Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, buildTerm(term, ELEMENTS, device)]));
