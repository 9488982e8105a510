import { invalid } from "../../error.ts";
import { architectureOf, atomEnergiesOf } from "./read.ts";
import type { FileUnits } from "./read.ts";
import { Settings } from "./settings.ts";

/** What a fit is told by an input.nn: options of a fit, all but the data, and what of the file it cannot follow. */
export interface N2p2Training {
  readonly options: Readonly<Record<"model" | "split" | "training", Readonly<Record<string, unknown>>>> & {
    readonly seed: number;
  };
  /** One sentence for each keyword that has no counterpart, with its place. */
  readonly notes: readonly string[];
}

/** What the data are like on which the options depend. */
export interface N2p2Data {
  /** Atoms of a structure in the mean. */
  readonly atoms: number;
  readonly structures: number;
}

/** Keywords of the potential itself, which `architectureOf` and `atomEnergiesOf` read. */
const MODEL = [
  "number_of_elements",
  "elements",
  "atom_energy",
  "cutoff_type",
  "global_hidden_layers_short",
  "global_nodes_short",
  "global_activation_short",
  "symfunction_short",
  "global_symfunction_short",
  "element_symfunction_short",
  "nnp_type",
  "nnp_gen",
];

const SCALING = "features are scaled by surfit: centred, by their spread";
const START = "the starting weights are surfit's own";
const WRITING = "surfit writes its own files: learning-curve.out, predicted-*.xyz.gz, train.log";
const UNITS = "surfit settles mean and unit of its output itself";
const THREADS = "the result does not depend on the number of threads, which --threads sets";

/** Why a keyword is not followed. */
const PASSED: Readonly<Record<string, string>> = {
  scale_symmetry_functions: SCALING,
  scale_symmetry_functions_sigma: SCALING,
  center_symmetry_functions: SCALING,
  scale_min_short: SCALING,
  scale_max_short: SCALING,
  normalize_nodes: "the weights of nodes are not divided by their number",
  normalize_data_set: UNITS,
  mean_energy: UNITS,
  conv_energy: UNITS,
  weights_min: START,
  weights_max: START,
  nguyen_widrow_weights_short: START,
  precondition_weights: START,
  use_old_weights_short: "fits start anew; surfit fit --resume goes on with one of surfit's own",
  parallel_mode: THREADS,
  jacobian_mode: "every observation has a row of its own, as with jacobian_mode 2",
  memorize_symfunc_results: "training.cache says how much memory features may take",
  main_error_metric: WRITING,
  write_trainpoints: WRITING,
  write_trainforces: WRITING,
  write_weights_epoch: WRITING,
  write_neuronstats: WRITING,
  write_trainlog: WRITING,
  task_batch_size_force: "with each energy come as many forces as short_force_fraction says",
  repeated_energy_update: "energies and forces of a structure are one update together",
};

/** Reads keywords, remembers which were read, and collects notes. */
class Reading {
  readonly notes: string[] = [];
  readonly #settings: Settings;
  readonly #read = new Set(MODEL);
  readonly #reasons = new Map(Object.entries(PASSED));

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  has(key: string): boolean {
    this.#read.add(key);
    return this.#settings.has(key);
  }

  /** First number behind a keyword, or what n2p2's recommended input.nn has for it. */
  number(key: string, otherwise: number): number {
    this.#read.add(key);
    return this.#settings.numbers(key, 1, [otherwise])[0];
  }

  /** One of several meanings by number. */
  choice<T>(key: string, otherwise: number, meanings: readonly T[]): T {
    const k = this.number(key, otherwise);
    if (k in meanings) return meanings[k];
    throw invalid(this.placeOf(key), `${key} 0 … ${meanings.length - 1}`, String(k));
  }

  /** How many numbers stand behind a keyword. */
  count(key: string): number {
    return this.#settings.find(key)?.words.length ?? 0;
  }

  placeOf(key: string): string {
    return this.#settings.find(key)?.place ?? "input.nn";
  }

  note(key: string, text: string): void {
    this.notes.push(`${this.placeOf(key)} ${key}: ${text}`);
  }

  /** Why keywords that begin like this are of no meaning here. */
  pass(prefix: string, reason: string): void {
    for (const { key } of this.#settings.lines)
      if (key.startsWith(prefix) && !this.#read.has(key)) this.#reasons.set(key, reason);
  }

  /** Notes what nobody has asked for, keywords of one reason together. */
  end(): readonly string[] {
    const left = this.#settings.lines.filter(({ key }) => !this.#read.has(key));
    const by = Map.groupBy(left, ({ key }) => this.#reasons.get(key) ?? "not known to surfit");
    for (const [reason, lines] of by) {
      const names = lines.map(({ key, place }) => `${key} (${place})`).join(", ");
      this.notes.push(`not followed: ${names}: ${reason}`);
    }
    return this.notes;
  }
}

/**
 * Options of a fit from the keywords of an input.nn, as n2p2 documents them
 * (https://compphysvienna.github.io/n2p2/topics/keywords.html and its recommended input.nn).
 */
export function readTraining(text: string, units: FileUnits, data: N2p2Data): N2p2Training {
  const settings = new Settings(text, "input.nn");
  const reading = new Reading(settings);
  const { elements, network, descriptor } = architectureOf(settings, units);
  const energies = atomEnergiesOf(settings, elements, units);
  if (!energies) reading.notes.push("input.nn: no atom_energy: energies of isolated atoms are fitted");
  const forces = reading.has("use_short_forces");
  const batch = reading.number("task_batch_size_energy", 1);
  const training = {
    epochs: reading.number("epochs", 10),
    patience: null,
    batch: batch === 0 ? data.structures : batch,
    weights: weightsOf(reading, units, data, forces),
    ...(reading.choice("updater_type", 1, [false, true])
      ? kalmanOf(reading, data, forces)
      : descentOf(reading)),
  };
  const isolatedAtoms = energies ?? "fit";
  return {
    options: {
      model: { descriptor, regressor: { name: "neural-network", ...network }, isolatedAtoms, zbl: false },
      split: { validation: reading.number("test_fraction", 0), test: 0 },
      training,
      seed: reading.number("random_seed", 1),
    },
    notes: reading.end().map((note) => note.replaceAll(/\s+/g, " ")),
  };
}

/**
 * λ of the loss. n2p2's updates count squared errors of an energy per atom once, of a force component β² times
 * (β: force_weight) and in a part f of all of them, in its normalised lengths: for n atoms
 * a (ΔE/n)² + β² f Σ ΔF²/c², c: conv_length, a: short_energy_fraction. n times it is our loss with λ_E = a and
 * λ_F = 3 n² β² f/c² (lengths in Å).
 */
function weightsOf(reading: Reading, { length }: FileUnits, { atoms }: N2p2Data, forces: boolean) {
  const share = reading.number("short_energy_fraction", 1);
  const part = reading.number("short_force_fraction", 1);
  const beta = reading.number("force_weight", 1);
  const conv = reading.number("conv_length", 1);
  const weight = forces ? 3 * atoms ** 2 * beta ** 2 * part * (length / conv) ** 2 : 0;
  if (forces && !reading.has("conv_length"))
    reading.notes.push(
      "input.nn: no conv_length: force_weight is taken in the units of the file; n2p2's are normalised where it is told to",
    );
  return { energy: share, energyEnd: share, forces: weight, stress: 0 };
}

/** Options of the extended Kalman filter. */
function kalmanOf(reading: Reading, { atoms }: N2p2Data, forces: boolean) {
  const perFrame = reading.number("short_force_fraction", 1) / reading.number("short_energy_fraction", 1);
  const type = reading.choice("kalman_type", 0, ["standard", "fading"]);
  const mode = reading.choice("selection_mode", 0, [0, 1, 2]);
  if (mode === 1) reading.note("selection_mode", "1 (sorted by error) is not there: candidates are random");
  if (reading.count("selection_mode") > 1)
    reading.note("selection_mode", "the first mode holds for all epochs");
  const [energyThreshold, forceThreshold, trials] = [
    reading.number("short_energy_error_threshold", 0),
    reading.number("short_force_error_threshold", 0),
    reading.number("rmse_threshold_trials", 1),
  ];
  const chosen =
    mode === 2
      ? { energyThreshold, forceThreshold, trials }
      : { energyThreshold: 0, forceThreshold: 0, trials: 1 };
  const kalman = {
    type,
    blocks: reading.choice("update_strategy", 0, ["combined", "element"]),
    forces: forces ? Math.max(1, Math.min(3 * Math.round(atoms), Math.round(perFrame * 3 * atoms))) : 0,
    stress: 0,
    epsilon: reading.number("kalman_epsilon", 0.01),
    q0: reading.number("kalman_q0", 0.01),
    // oxlint-disable-next-line oxc/approx-constant -- the value of n2p2's recommended input.nn
    qtau: reading.number("kalman_qtau", 2.302),
    qmin: reading.number("kalman_qmin", 1e-6),
    ...(type === "standard"
      ? {
          eta: reading.number("kalman_eta", 0.01),
          // oxlint-disable-next-line oxc/approx-constant -- as above
          etatau: reading.number("kalman_etatau", 2.302),
          etamax: reading.number("kalman_etamax", 1),
        }
      : {
          lambda: reading.number("kalman_lambda_short", 0.96),
          nu: reading.number("kalman_nue_short", 0.9995),
        }),
    ...chosen,
  };
  reading.pass("gradient_", "not used with updater_type 1, as in n2p2");
  reading.pass("kalman_", `of no meaning with kalman_type ${type === "standard" ? 0 : 1}, as in n2p2`);
  return { optimiser: "kalman", kalman };
}

/** Options of gradient descent. */
function descentOf(reading: Reading) {
  const adam = reading.choice("gradient_type", 1, [false, true]);
  if (!adam) reading.note("gradient_type", "0 (fixed steps) is not there: Adam is used");
  const options = {
    optimiser: "adam",
    rate: reading.number("gradient_adam_eta", 1e-3),
    schedule: "constant",
    warmUp: 0,
    average: 0,
    clip: null,
    adam: {
      beta1: reading.number("gradient_adam_beta1", 0.9),
      beta2: reading.number("gradient_adam_beta2", 0.999),
      epsilon: reading.number("gradient_adam_epsilon", 1e-8),
      weightDecay: 0,
    },
  };
  reading.pass("gradient_eta", "of no meaning but with gradient_type 0, as in n2p2");
  reading.pass("kalman_", "not used with updater_type 0, as in n2p2");
  for (const key of [
    "update_strategy",
    "selection_mode",
    "task_batch_size_force",
    "short_",
    "rmse_threshold",
  ])
    reading.pass(key, "of no meaning where every structure is seen once in an epoch");
  return options;
}
