import { describe, expect, it } from "vitest";
import { fitSchema } from "../../fit/options.ts";
import { BOHR, HARTREE } from "../../structure/units.ts";
import { readTraining } from "./training.ts";

const POTENTIAL = [
  "number_of_elements 1",
  "elements Ne",
  "cutoff_type 2",
  "global_hidden_layers_short 1",
  "global_nodes_short 3",
  "global_activation_short t l",
  "symfunction_short Ne 2 Ne 0.1 0.0 6.0",
];

/** Keywords of n2p2's recommended input.nn beyond the potential, each with two values. */
const KEYWORDS: readonly (readonly [key: string, first: string, second: string])[] = [
  ["use_short_forces", "", "absent"],
  ["random_seed", "1234567", "2"],
  ["epochs", "10", "20"],
  ["normalize_data_set", "force", "ref"],
  ["updater_type", "1", "0"],
  ["parallel_mode", "0", "1"],
  ["jacobian_mode", "1", "2"],
  ["update_strategy", "0", "1"],
  ["selection_mode", "2", "0"],
  ["task_batch_size_energy", "1", "4"],
  ["task_batch_size_force", "1", "4"],
  ["memorize_symfunc_results", "", "absent"],
  ["test_fraction", "0.1", "0.2"],
  ["force_weight", "10.0", "1.0"],
  ["short_energy_fraction", "1.0", "0.5"],
  ["short_force_fraction", "0.1", "0.3"],
  ["short_energy_error_threshold", "0.0", "0.5"],
  ["short_force_error_threshold", "1.0", "0.5"],
  ["rmse_threshold_trials", "3", "5"],
  ["repeated_energy_update", "", "absent"],
  ["use_old_weights_short", "", "absent"],
  ["weights_min", "-1.0", "-2.0"],
  ["weights_max", "1.0", "2.0"],
  ["precondition_weights", "", "absent"],
  ["nguyen_widrow_weights_short", "", "absent"],
  ["main_error_metric", "RMSEpa", "MAE"],
  ["write_trainpoints", "1", "2"],
  ["write_trainforces", "1", "2"],
  ["write_weights_epoch", "1", "2"],
  ["write_neuronstats", "1", "2"],
  ["write_trainlog", "", "absent"],
  ["gradient_type", "1", "0"],
  ["gradient_eta", "1.0E-5", "1.0E-4"],
  ["gradient_adam_eta", "1.0E-3", "1.0E-2"],
  ["gradient_adam_beta1", "0.9", "0.8"],
  ["gradient_adam_beta2", "0.999", "0.99"],
  ["gradient_adam_epsilon", "1.0E-8", "1.0E-7"],
  ["kalman_type", "0", "1"],
  ["kalman_epsilon", "1.0E-2", "1.0E-3"],
  ["kalman_q0", "0.01", "0.02"],
  ["kalman_qtau", "2.3", "1"],
  ["kalman_qmin", "1.0E-6", "1.0E-5"],
  ["kalman_eta", "0.01", "0.1"],
  ["kalman_etatau", "2.4", "1"],
  ["kalman_etamax", "1.0", "2.0"],
  ["kalman_lambda_short", "0.96", "0.98"],
  ["kalman_nue_short", "0.9995", "0.999"],
  ["scale_symmetry_functions_sigma", "", "absent"],
  ["scale_min_short", "0.0", "-1.0"],
  ["conv_length", "2.0", "3.0"],
  ["fitting_unit", "eV", "Ha"],
];

const units = { energy: HARTREE, length: BOHR };
const data = { atoms: 2, structures: 50 };

/** What becomes of the keywords with their first values, but for some. */
function read(changes: Readonly<Record<string, string>> = {}) {
  const lines = KEYWORDS.flatMap(([key, first]) => {
    const value = changes[key] ?? first;
    return value === "absent" ? [] : [`${key} ${value}`];
  });
  return readTraining([...POTENTIAL, ...lines].join("\n"), units, data);
}

describe("input.nn", () => {
  it("has no keyword of training that is dropped in silence, whatever the updater", () => {
    const bases: Record<string, string>[] = [
      { updater_type: "1", kalman_type: "0" },
      { updater_type: "1", kalman_type: "1" },
      { updater_type: "0", gradient_type: "1" },
      { updater_type: "0", gradient_type: "0" },
    ];
    for (const base of bases) {
      const { options, notes } = read(base);
      for (const [key, , second] of KEYWORDS) {
        if (key in base) continue;
        const changed = JSON.stringify(read({ ...base, [key]: second }).options) !== JSON.stringify(options);
        const told = notes.some((note) => new RegExp(`(^|\\W)${key}(\\W|$)`).test(note));
        expect([key, base, changed || told]).toEqual([key, base, true]);
      }
    }
  });

  it("becomes options that a fit takes", () => {
    const { options } = read();
    const parsed = fitSchema.parse({ data: "input.data", ...options });
    expect(parsed.training).toMatchObject({
      optimiser: "kalman",
      epochs: 10,
      batch: 1,
      kalman: {
        type: "standard",
        blocks: "combined",
        forces: 1,
        epsilon: 0.01,
        q0: 0.01,
        qtau: 2.3,
        qmin: 1e-6,
        eta: 0.01,
        etatau: 2.4,
        etamax: 1,
        forceThreshold: 1,
        trials: 3,
      },
    });
    expect(parsed.split).toMatchObject({ validation: 0.1, test: 0 });
    expect(parsed.seed).toBe(1234567);
    expect(parsed.model.regressor).toEqual({
      name: "neural-network",
      layers: [3],
      activation: ["tanh"],
      output: "linear",
    });
    // 3 n² β² f (bohr/c)² with n = 2, β = 10, f = 0.1, c = 2
    expect(parsed.training.weights.forces).toBeCloseTo(3 * 4 * 100 * 0.1 * (BOHR / 2) ** 2, 12);
    const fading = fitSchema.parse({ data: "input.data", ...read({ kalman_type: "1" }).options });
    expect(fading.training.kalman).toMatchObject({ type: "fading", lambda: 0.96, nu: 0.9995 });
    const descent = fitSchema.parse({ data: "input.data", ...read({ updater_type: "0" }).options });
    expect(descent.training).toMatchObject({ optimiser: "adam", rate: 1e-3, schedule: "constant" });
    const all = fitSchema.parse({ data: "a", ...read({ task_batch_size_energy: "0" }).options });
    expect(all.training.batch).toBe(50);
  });

  it("says which keyword has a value that n2p2 does not know", () => {
    expect(() => read({ kalman_type: "2" })).toThrow(
      /invalid input.nn:\d+: expected kalman_type 0 … 1, got 2/,
    );
    expect(() => read({ epochs: "many" })).toThrow(
      /invalid input.nn:\d+: expected epochs and 1 numbers, got many/,
    );
  });
});
