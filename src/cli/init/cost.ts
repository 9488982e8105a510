import type { Descriptor } from "../../descriptors/descriptor.ts";
import { environments } from "../../descriptors/environments.ts";
import { symmetryFunctions } from "../../descriptors/symmetry-functions/symmetry-functions.ts";
import type { SymmetryFunctionsOptions } from "../../descriptors/symmetry-functions/options.ts";
import { isRadial } from "../../descriptors/symmetry-functions/terms.ts";
import { createDevice } from "../../device/device.ts";
import type { Proposal } from "../../fit/proposal/proposal.ts";
import { FeatureBuffer } from "../../potentials/feature-buffer.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";

/** What the kept functions cost, measured here and now on one thread. */
export interface Cost {
  /** Values and derivatives of all functions, µs per atom. */
  readonly atom: number;
  /** Of one function, µs per pair and per triplet that it sums over. */
  readonly pair: number;
  readonly triplet: number;
}

/** Atoms to measure on, and rounds of which the fastest counts. */
const ATOMS = 400;
const ROUNDS = 3;

/** Times the kept functions, and the radial ones alone. */
export function measureCost(
  { elements, options, candidates }: Proposal,
  structures: readonly Structure[],
): Cost {
  const atom = timed(options, elements, structures);
  const radialOnly = Object.entries(options.functions ?? {}).map(
    ([symbol, list]) => [symbol, list.filter((f) => isRadial(f))] as const,
  );
  const some = radialOnly.some(([, list]) => list.length > 0);
  const alone = { ...options, functions: Object.fromEntries(radialOnly) };
  const radial = some ? Math.min(atom, timed(alone, elements, structures)) : 0;
  const terms = (wanted: boolean) => meanTerms(candidates, elements, structures, wanted);
  const [pairs, triplets] = [terms(true), terms(false)];
  return {
    atom,
    pair: pairs > 0 ? radial / pairs : 0,
    triplet: triplets > 0 ? (atom - radial) / triplets : 0,
  };
}

/** Pairs or triplets that all kept functions of an atom sum over, on average over the atoms. */
function meanTerms(
  candidates: Proposal["candidates"],
  elements: readonly number[],
  structures: readonly Structure[],
  radial: boolean,
): number {
  const counts = elements.map(() => 0);
  for (const { numbers } of structures) for (const z of numbers) counts[elements.indexOf(z)]++;
  const total = counts.reduce((a, b) => a + b, 0);
  return candidates.reduce((sum, list, e) => {
    const own = list.filter((c) => c.reason === "kept" && isRadial(c.function) === radial);
    return sum + (counts[e] / total) * own.reduce((n, c) => n + c.terms, 0);
  }, 0);
}

/** µs per atom for forward and pullback, the fastest of some rounds. */
function timed(
  options: SymmetryFunctionsOptions,
  elements: readonly number[],
  structures: readonly Structure[],
) {
  const device = createDevice({ bytes: 2 ** 28 });
  const descriptor = symmetryFunctions.build(options, elements, device);
  const atoms = structures.reduce((sum, s) => sum + s.numbers.length, 0);
  const every = Math.max(1, Math.floor(atoms / ATOMS));
  const some = structures.filter((_, k) => k % every === 0);
  const work = some.map((structure) => prepare(descriptor, structure));
  const sizes = elements.map((_, e) => descriptor.size(e));
  const [G, dEdG] = [0, 1].map(() => new FeatureBuffer(device.memory, sizes));
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    for (const { env, gradient } of work) {
      descriptor.forward(env, G.reserve(env.starts));
      descriptor.pullback(env, dEdG.reserve(env.starts), gradient);
    }
    best = Math.min(best, performance.now() - began);
  }
  return (1000 * best) / some.reduce((sum, s) => sum + s.numbers.length, 0);
}

function prepare(descriptor: Descriptor, structure: Structure) {
  const { elements, cutoff } = descriptor;
  const env = environments([{ structure, neighbours: findNeighbours(structure, cutoff) }], elements, cutoff);
  return { env, gradient: new Float64Array(3 * env.neighbour.length) };
}
