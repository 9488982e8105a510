import { molecularDescriptors } from "../descriptors/molecular/table.ts";
import { descriptors } from "../descriptors/table.ts";
import type { Device } from "../device/device.ts";
import { buildTrainable } from "../potentials/build.ts";
import { invalid } from "../error.ts";
import { composed } from "../potentials/composed.ts";
import { pick } from "../potentials/pick.ts";
import type { TrainingRecord } from "../potentials/extrapolation/record.ts";
import type { Labels, Model, Term } from "../potentials/potential.ts";
import { regressors } from "../regressors/table.ts";
import { symbolOf } from "../structure/elements.ts";
import type { PairStatistics } from "../structure/statistics.ts";
import type { Frame } from "../structure/structure.ts";
import type { ModelOptions } from "./options.ts";
import { rememberTraining } from "./record.ts";
import { choosers } from "./proposal/choosers.ts";
import { chooseRows } from "./selection/rows.ts";
import { wholeMethods } from "./whole/table.ts";

/** Distances looked at to choose cutoffs and functions, Å. */
export const LOOK = 6;

/** The term to train, with its starting numbers. */
export interface LearnedTerm {
  readonly term: Term;
  /** Features of each element. */
  readonly sizes: readonly number[];
  readonly labels: readonly (readonly string[])[];
  /** What the model will remember of the training structures; null where its term does that by itself. */
  readonly record: TrainingRecord | null;
  /** What the methods want the user to know. */
  readonly remarks: readonly string[];
  /** Descriptor and regressor with nothing left to choose, where the options of the term do not tell them. */
  readonly choices?: Pick<ModelOptions, "descriptor" | "regressor">;
}

/** Frames whose labels set the scale of the output. */
const SAMPLE = 64;

/**
 * Resolves the descriptor on the data's distances, measures its features on the training structures, and starts
 * the regressor: scaled so that its first forces have the spread of the data's, shifted to their mean energy.
 */
export function learnedTerm(
  options: ModelOptions,
  training: readonly Frame[],
  elements: readonly number[],
  statistics: PairStatistics,
  device: Device,
  seed: number,
  start?: Model,
): LearnedTerm {
  if (start) return continued(options, start, training, elements, device, seed);
  const { name, ...given } = options.descriptor;
  const see = descriptorOfAtoms(name, options.regressor.name);
  const structures = training.map((f) => f.structure);
  const choose = Object.hasOwn(choosers, name) ? choosers[name] : undefined;
  const chosen = choose?.(given, structures, statistics, device) ?? given;
  const resolved = see.resolve(see.options.parse(chosen), statistics);
  const descriptor = see.build(resolved, elements, device);
  const { name: learnName, ...learnGiven } = options.regressor;
  const learn = pick(regressors, learnName, "model.regressor.name");
  const remembered = rememberTraining(descriptor, training, device, seed, learn.linear ?? false);
  const { statistics: features, record, samples } = remembered;
  const learnOptions = learn.options.parse(learnGiven) as object;
  const surveyed = samples.map((rows, e) => ({
    rows,
    count: rows.length / Math.max(1, descriptor.size(e)),
    parts: descriptor.parts?.(e) ?? [{ name, size: descriptor.size(e) }],
  }));
  const represented = learn.represent?.(learnOptions, surveyed, chooseRows(seed), seed);
  const make = (scale: number, shift: number): Term => ({
    type: "composed",
    options: {
      descriptor: { name, ...(resolved as object) },
      regressor: { name: learnName, ...learnOptions },
    },
    tensors: { ...represented, ...learn.initialise(learnOptions, features, scale, seed, shift) },
  });
  const { scale, shift } = outputScale(make(1, 0), training, elements, device);
  return {
    term: make(scale, shift),
    sizes: elements.map((_, e) => descriptor.size(e)),
    labels: elements.map((_, e) => descriptor.labels(e)),
    record,
    remarks: learn.remarks?.(learnOptions, features, elements.map(symbolOf)) ?? [],
  };
}

/** A descriptor of single atoms; one of whole molecules goes with other regressors. */
function descriptorOfAtoms(name: string, regressor: string) {
  if (!Object.hasOwn(molecularDescriptors, name)) return pick(descriptors, name, "model.descriptor.name");
  const those = Object.keys(wholeMethods).join(" or ");
  throw invalid(
    "model.regressor.name",
    `${those}, as ${name} describes whole molecules (--set model.regressor.name=…)`,
    regressor,
  );
}

/** The descriptor of an earlier fit, and the regressor that goes on from its numbers. */
function continued(
  options: ModelOptions,
  start: Model,
  training: readonly Frame[],
  elements: readonly number[],
  device: Device,
  seed: number,
): LearnedTerm {
  const found = start.terms.find(({ type }) => type === composed.name);
  if (!found || start.elements.join() !== elements.join())
    throw invalid(
      "model.start",
      "a model learned for the elements of the data",
      start.elements.map(symbolOf),
    );
  const from = composed.options.parse(found.options);
  const { name, ...see } = from.descriptor;
  if (options.descriptor.name !== name)
    throw invalid(
      "model.descriptor.name",
      `${name}, as the model to start from has`,
      options.descriptor.name,
    );
  const method = pick(descriptors, name, "model.descriptor.name");
  const descriptor = method.build(method.options.parse(see), elements, device);
  const { name: learnName, ...given } = options.regressor;
  const learn = pick(regressors, learnName, "model.regressor.name");
  const linear = learn.linear ?? false;
  const { statistics: features, record } = rememberTraining(descriptor, training, device, seed, linear);
  const own = learn.options.parse(given) as object;
  const { name: fromName, ...fromOptions } = from.regressor;
  const earlier = { name: fromName, options: fromOptions, tensors: found.tensors };
  const same = fromName === learnName && JSON.stringify(fromOptions) === JSON.stringify(own);
  const tensors = same ? found.tensors : learn.adopt?.(own, earlier, features, seed);
  if (!tensors) throw invalid("model.start", `a model that ${learnName} can go on from`, from.regressor);
  return {
    term: {
      type: composed.name,
      options: { descriptor: from.descriptor, regressor: { name: learnName, ...own } },
      tensors,
    },
    sizes: elements.map((_, e) => descriptor.size(e)),
    labels: elements.map((_, e) => descriptor.labels(e)),
    record,
    remarks: learn.remarks?.(own, features, elements.map(symbolOf)) ?? [],
  };
}

const spread = (x: readonly number[]): number => {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  return Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length);
};

/**
 * The output is linear in its scale and shift, so both follow from one look at a model that starts with 1 and 0:
 * scale = spread of the labels over the spread of its predictions, of force components, or of energies per atom
 * where there are no forces; shift = what then is missing to the mean energy per atom.
 */
function outputScale(term: Term, frames: readonly Frame[], elements: readonly number[], device: Device) {
  const model = buildTrainable(term, elements, device);
  const every = Math.max(1, Math.floor(frames.length / SAMPLE));
  const forces: [number[], number[]] = [[], []];
  const energies: [number[], number[]] = [[], []];
  for (let f = 0; f < frames.length; f += every) {
    const { structure, ...labels } = frames[f];
    const n = structure.numbers.length;
    const out: Labels = {
      energies: new Float64Array(1),
      forces: new Float64Array(3 * n),
      virials: new Float64Array(9),
    };
    model.forward(model.batch([structure]), out);
    if (labels.forces) {
      for (const f of labels.forces) forces[0].push(f);
      for (const f of out.forces) forces[1].push(f);
    }
    if (labels.energy !== undefined) {
      energies[0].push(labels.energy / n);
      energies[1].push(out.energies[0] / n);
    }
  }
  const [truth, guess] = forces[0].length > 0 ? forces : energies;
  const scale = spread(guess) > 0 && spread(truth) > 0 ? spread(truth) / spread(guess) : 1;
  const shift =
    energies[0].reduce((s, e, k) => s + e - scale * energies[1][k], 0) / Math.max(1, energies[0].length);
  return { scale, shift };
}
