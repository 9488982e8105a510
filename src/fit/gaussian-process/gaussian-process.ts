import { invalid } from "../../error.ts";
import { KernelFunction, type KernelOptions } from "../../kernels/function.ts";
import { GaussianProcessPotential } from "../../potentials/gaussian-process.ts";
import { moleculePoints } from "../../regressors/gaussian-process/molecules.ts";
import { GaussianProcess } from "../../regressors/gaussian-process/exact.ts";
import type { RawPoints } from "../../regressors/gaussian-process/points.ts";
import { Random } from "../../math/random.ts";
import { packedNumbers } from "../../math/triangle.ts";
import type { Frame } from "../../structure/structure.ts";
import type { PackedFrames } from "../packed.ts";
import type { LearnedTerm } from "../learned.ts";
import type { RowsPlan } from "../least-squares/prepare.ts";
import type { WholeInput, WholeMethod, WholeSolver, WholeStart } from "../whole/method.ts";
import { bytesOf, deviceBytes, secondsOf, type Work } from "./cost.ts";
import { chooseObserved, resolveMolecular } from "./choice.ts";
import { options, type ProcessOptions } from "./options.ts";
import { thinned } from "./sample.ts";
import { keepsFactor, ProcessSolver } from "./solver.ts";
import { lengthsOf, startOf, usualKernel } from "./start.ts";

const MIB = 2 ** 20;

/** Labels of observations: energies, then gradients along `coordinates` [gradients, M]. */
function labelsOf(
  frames: readonly { readonly energy?: number; readonly forces?: Float64Array }[],
  { energies, gradients, coordinates: M }: RawPoints,
  coordinates: ArrayLike<number>,
): Float64Array {
  return Float64Array.from([
    ...Array.from(energies, (i) => frames[i].energy!),
    ...Array.from(gradients, (i, g) =>
      Array.from({ length: M }, (_, c) => -frames[i].forces![coordinates[g * M + c]]),
    ).flat(),
  ]);
}

/** The observed molecules, one behind the other. */
function gather(training: readonly Frame[], energies: readonly number[], forces: readonly number[]) {
  const used = [...new Set([...energies, ...forces])].toSorted((a, b) => a - b);
  const place = new Map(used.map((f, i) => [f, i]));
  const frames = used.map((f) => training[f]);
  return {
    frames,
    positions: Float64Array.from(frames.flatMap(({ structure }) => [...structure.positions])),
    energies: Int32Array.from(energies, (f) => place.get(f)!),
    gradients: Int32Array.from(forces, (f) => place.get(f)!),
  };
}

/** M coordinates of each frame, [frames, M]: all, or drawn so that each comes up equally often. */
function chooseCoordinates(frames: number, active: Int32Array, M: number, seed: number): Int32Array {
  const random = new Random(seed, "components");
  const chosen: number[] = [];
  let rest: Int32Array = new Int32Array(0);
  for (let g = 0; g < frames; g++) {
    if (M === active.length) {
      chosen.push(...active);
      continue;
    }
    const own = new Set<number>();
    while (own.size < M) {
      if (rest.length === 0) rest = random.shuffle(active.slice());
      own.add(rest[0]);
      rest = rest.subarray(1);
    }
    chosen.push(...[...own].toSorted((a, b) => a - b));
  }
  return Int32Array.from(chosen);
}

/** What the model file will hold beside a few numbers, where that is much. */
function sizeNote(given: ProcessOptions, n: number): string[] {
  const mebibytes = (8 * packedNumbers(n)) / MIB;
  if (!keepsFactor(given, n) || mebibytes < 16) return [];
  return [
    `the model file will hold ${Math.round(mebibytes)} MiB, what standard deviations need of ${n} observations ` +
      "(model.regressor.uncertainty=false leaves them out)",
  ];
}

function start(given: ProcessOptions, input: WholeStart): LearnedTerm {
  const { training, device, elements } = input;
  const { descriptor, options: descriptorOptions } = resolveMolecular(input.descriptor, training, device);
  const { active } = descriptor;
  const M = given.components === "all" ? active.length : Math.min(given.components, active.length);
  const observed = chooseObserved(training, M, given);
  const { frames, positions, energies, gradients } = gather(training, observed.energies, observed.forces);
  const coordinates = chooseCoordinates(gradients.length, active, M, input.seed);
  const raw = moleculePoints(descriptor, positions, energies, gradients, coordinates);
  const labels = labelsOf(frames, raw, coordinates);
  const kernel: KernelOptions =
    given.kernel === "auto"
      ? usualKernel(raw, labels, lengthsOf(given, labels.length, raw.features))
      : given.kernel;
  const theta = startOf(new KernelFunction(kernel, descriptor.size, "model.regressor.kernel"));
  const { numbers } = training[0].structure;
  return {
    term: {
      type: "gaussian-process",
      options: {
        descriptor: descriptorOptions,
        kernel,
        atoms: [...numbers],
        training: { places: frames.map(({ place }) => place) },
      },
      tensors: {
        positions,
        energies: Float64Array.from(energies),
        gradients: Float64Array.from(gradients),
        coordinates: Float64Array.from(coordinates),
        hyperparameters: theta,
        weights: new Float64Array(labels.length),
      },
    },
    sizes: elements.map(() => descriptor.size),
    labels: elements.map(() => descriptor.labels),
    record: null,
    remarks: [...observed.notes, ...sizeNote(given, labels.length)],
    choices: { descriptor: descriptorOptions, regressor: { name: "gaussian-process", ...given } },
  };
}

/** Observed molecules among the training frames, by their positions: the same frames that `start` took. */
function labelsFrom(
  model: GaussianProcessPotential,
  data: PackedFrames,
  train: readonly number[],
): Float64Array {
  const { positions } = model.tensors;
  const width = 3 * model.descriptor.numbers.length;
  const frames: { energy?: number; forces?: Float64Array }[] = [];
  let at = 0;
  for (const f of train) {
    const own = data.structure(f).positions;
    if (at >= positions.length || own.some((x, k) => x !== positions[at + k])) continue;
    const { energy, forces } = data.labels(f);
    frames.push({ ...(energy !== null && { energy }), ...(forces && { forces }) });
    at += width;
  }
  if (at !== positions.length)
    throw new TypeError("observed molecules that are no training frames (this is a bug)");
  return labelsOf(frames, model.raw, model.tensors["coordinates"]);
}

async function prepare(
  given: ProcessOptions,
  { pool, term, model, train, data, seed }: WholeInput,
): Promise<{ solver: WholeSolver; plan: RowsPlan }> {
  if (!(model instanceof GaussianProcessPotential))
    throw new TypeError("not a Gaussian process (this is a bug)");
  const { raw } = model;
  const labels = labelsFrom(model, data, train);
  const kernel = (term.options as { readonly kernel: KernelOptions }).kernel;
  const thin = thinned(raw, labels, given.sample);
  const same = thin.labels.length === labels.length;
  const n = labels.length;
  const searching = given.optimise;
  const work: Work = {
    pool,
    kernel,
    raw,
    thin: thin.raw,
    labels,
    args: model.kernel.seen.length,
    coordinates: model.descriptor.active.length,
    searches: searching ? given.starts * given.steps : 0,
    certain: keepsFactor(given, n),
    held: data.frames - train.length,
  };
  const bytes = bytesOf(work);
  if (bytes > given.memory * MIB)
    throw invalid(
      "model.regressor.memory",
      `at least ${Math.ceil(bytes / MIB)} MiB for ${n} observations, or fewer of them ` +
        `(model.regressor.observations, forces, energies), or a sparse or an iterative method`,
      `${given.memory} MiB`,
    );
  const { left } = pool.device.memory;
  if (deviceBytes(work) > left)
    throw invalid(
      "model.regressor.observations",
      `fewer than ${n}: their matrices take ${Math.ceil(deviceBytes(work) / MIB)} MiB of the ${Math.floor(left / MIB)} MiB ` +
        "that are left of WebAssembly's 4 GiB; or a sparse or an iterative method",
      given.observations,
    );
  const whole = await GaussianProcess.create(pool, kernel, raw, labels, same && searching);
  const sample = same ? whole : await GaussianProcess.create(pool, kernel, thin.raw, thin.labels, searching);
  const solver = new ProcessSolver({ pool, options: given, term, model, data, labels, whole, sample, seed });
  const seconds = await secondsOf(work);
  return { solver, plan: { rows: n, columns: n, folds: 1, rounds: solver.steps, seconds, bytes } };
}

/** A surface through energies and forces of one molecule, exact and with standard deviations. */
export const gaussianProcess: WholeMethod<ProcessOptions> = {
  name: "gaussian-process",
  summary: "a surface through energies and forces of one molecule, with a standard deviation everywhere",
  options,
  start,
  prepare,
  room: ({ memory }) => memory,
};
