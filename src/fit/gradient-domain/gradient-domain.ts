import { inverseDistances } from "../../descriptors/molecular/inverse-distances.ts";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { symmetricGradientDomain } from "../../potentials/symmetric-gradient-domain.ts";
import {
  checkGroup,
  closure,
  identity,
  type Permutation,
} from "../../regressors/symmetric-gradient-domain/group.ts";
import { formulaOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import { multiplyRate } from "../gaussian-process/cost.ts";
import { secondsOf } from "../course.ts";
import type { LearnedTerm } from "../learned.ts";
import type { RowsPlan } from "../least-squares/prepare.ts";
import type { WholeInput, WholeMethod, WholeSolver, WholeStart } from "../whole/method.ts";
import { describe, type Labelled } from "./geometries.ts";
import { options, type GradientDomainOptions } from "./options.ts";
import { searchFlops } from "./lengths.ts";
import { chooseRoute, stagesOf } from "./route.ts";
import { GradientDomainSolver, searchRoom } from "./solver.ts";
import { learnSymmetries } from "./symmetries.ts";

/** Groups larger than this are refused. */
const MOST = 512;

function permutationsOf(
  { permutations: given }: GradientDomainOptions,
  numbers: Uint8Array,
  training: readonly Frame[],
): readonly Permutation[] {
  const n = numbers.length;
  if (given === "none") return [identity(n)];
  if (given === "learn")
    return learnSymmetries(
      numbers,
      training.map(({ structure }) => structure.positions),
    );
  const wrong = given.findIndex((p) => p.length !== n || p.some((j) => j >= n));
  if (wrong >= 0)
    throw invalid(
      `model.regressor.permutations[${wrong}]`,
      `the numbers 0 to ${n - 1} in some order`,
      given[wrong].join(" "),
    );
  const group = closure(given, n, MOST);
  if (!group) throw invalid("model.regressor.permutations", `generators of at most ${MOST} orders`, "more");
  checkGroup(group, numbers, "model.regressor.permutations");
  return group;
}

/** Refuses frames of other molecules, periodic ones, and frames without forces. */
function checkFrames(training: readonly Frame[]): Uint8Array {
  const { numbers } = training[0].structure;
  for (const { structure, forces, place } of training) {
    if (structure.numbers.length !== numbers.length || structure.numbers.some((z, i) => z !== numbers[i]))
      throw invalid(
        place,
        `the atoms of ${training[0].place} in their order: ${formulaOf(numbers)}; sGDML is of one molecule`,
        formulaOf(structure.numbers),
      );
    if (structure.pbc.some(Boolean))
      throw invalid(place, "a molecule without periodic images", "periodicity");
    if (!forces) throw invalid(place, "forces, which sGDML learns from", "none");
  }
  if (numbers.length < 2)
    throw invalid(training[0].place, "a molecule of two atoms or more", formulaOf(numbers));
  return numbers;
}

/** Inverse distances of all frames, [M, D]. */
function featuresOf(numbers: Uint8Array, training: readonly Frame[], device: Device) {
  const descriptor = inverseDistances.build(inverseDistances.options.parse({}), numbers, device);
  const features = new Float64Array(training.length * descriptor.size);
  for (const [j, { structure }] of training.entries())
    features.set(descriptor.forward(structure.positions), j * descriptor.size);
  return { features, descriptor };
}

function start(
  given: GradientDomainOptions,
  { training, elements, device, descriptor: see }: WholeStart,
): LearnedTerm {
  if (see.name !== inverseDistances.name)
    throw invalid(
      "model.descriptor.name",
      `${inverseDistances.name} (--descriptor ${inverseDistances.name}), which is the one of sGDML`,
      see.name,
    );
  const numbers = checkFrames(training);
  const permutations = permutationsOf(given, numbers, training);
  const { features, descriptor } = featuresOf(numbers, training, device);
  return {
    term: {
      type: symmetricGradientDomain.name,
      options: { atoms: [...numbers], permutations },
      tensors: {
        features,
        weights: new Float64Array(features.length),
        length: Float64Array.of(given.length === "auto" ? given.lengths[0] : given.length),
        constant: new Float64Array(1),
      },
    },
    sizes: elements.map(() => descriptor.size),
    labels: elements.map(() => descriptor.labels),
    record: null,
    remarks: [
      `${permutations.length} ${permutations.length === 1 ? "order of the atoms is" : "orders of the atoms are"} the same molecule${given.permutations === "learn" ? ", learned from the training frames" : ""}`,
    ],
    choices: {
      descriptor: { name: inverseDistances.name, ...inverseDistances.options.parse({}) },
      // Learned once, then a choice like any other.
      regressor: { name: NAME, ...given, permutations: permutations.map((p) => [...p]) },
    },
  };
}

async function prepare(
  given: GradientDomainOptions,
  { pool, term, train, data }: WholeInput,
): Promise<{ solver: WholeSolver; plan: RowsPlan }> {
  const { atoms, permutations } = symmetricGradientDomain.options.parse(term.options);
  const numbers = Uint8Array.from(atoms);
  const labelled = train.map((f): Labelled => {
    const { energy, forces } = data.labels(f);
    return { positions: data.structure(f).positions, forces: forces!, ...(energy !== null && { energy }) };
  });
  const searching = given.length === "auto" && given.lengths.length > 1;
  if (searching && labelled.length < 2)
    throw invalid("model.regressor.length", "a number where there is one training frame", given.length);
  const geometries = describe(numbers, labelled, pool.device);
  if (geometries.features.length !== term.tensors["features"].length)
    throw invalid("training.weights", "weights above 0, which sGDML does not tell apart", "a weight of 0");
  const route = chooseRoute(geometries, permutations.length, given, pool.threads);
  const solver = await GradientDomainSolver.create({
    pool,
    options: given,
    term,
    numbers,
    permutations,
    labelled,
    geometries,
    route,
  });
  const n = geometries.gradients.length;
  const search = searching ? searchFlops(given.lengths.length, Math.min(given.sample, n)) : 0;
  const rate = multiplyRate(pool);
  const stages = stagesOf(route, search).map(({ name, flops }) => ({ name, seconds: flops / rate }));
  return {
    solver,
    plan: {
      rows: n,
      columns: n,
      folds: 1,
      rounds: solver.steps,
      seconds: secondsOf(stages),
      stages,
      bytes: route.bytes + searchRoom(route, geometries, given),
    },
  };
}

const NAME = "symmetric-gradient-domain";

/** A molecule's forces from a few hundred geometries, exactly or by conjugate gradients. */
export const gradientDomain: WholeMethod<GradientDomainOptions> = {
  name: NAME,
  summary: "sGDML: the forces of one molecule from a few hundred geometries, its permutations learned",
  options,
  start,
  prepare,
  room: ({ memory }) => memory,
};
