import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FitOptions } from "../../fit/options.ts";
import type { Report } from "../../fit/trainer.ts";
import { duration, show } from "../table.ts";

const milli = (x: number | null): number => (x === null ? NaN : 1000 * x);

/** RMSE of the training forces over the epoch, meV/Å, from the loss; NaN where the loss is not their mean square. */
export function trainingForces({ loss }: Report, { weights }: FitOptions["training"]): number {
  const plain = weights.forces > 0 && weights.huber === null && Object.keys(weights.configType).length === 0;
  return plain && weights.key === null ? 1000 * Math.sqrt(loss.forces / weights.forces) : NaN;
}

/** One greppable line per report. */
export function reportLine(report: Report, training: FitOptions["training"]): string {
  const { epoch, epochs, rate, loss, validation, best, seconds, left } = report;
  const total = loss.energy + loss.forces + loss.stress;
  const parts = [
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${total.toExponential(3)}`,
    `train RMSE F ${show(trainingForces(report, training))} meV/Å`,
  ];
  if (validation) {
    if (validation.energy !== null) parts.push(`valid RMSE E ${show(milli(validation.energy))} meV/atom`);
    if (validation.forces !== null) parts.push(`F ${show(milli(validation.forces))} meV/Å`);
    if (validation.stress !== null) parts.push(`W ${show(milli(validation.stress))} meV/atom`);
  }
  parts.push(`rate ${rate.toExponential(2)}`, `time ${duration(seconds)}`);
  if (left !== null) parts.push(`left ${duration(left)}`);
  return parts.join("  ") + (best ? "  best" : "");
}

const COLUMNS =
  "# epoch steps seconds rate loss_energy loss_forces loss_stress train_rmse_forces_meV/A " +
  "valid_rmse_energy_meV/atom valid_rmse_forces_meV/A valid_rmse_virial_meV/atom best";

function curveLine(report: Report, training: FitOptions["training"]): string {
  const { epoch, steps, seconds, rate, loss, validation, best } = report;
  const numbers = [
    epoch,
    steps,
    Number(seconds.toFixed(3)),
    rate,
    loss.energy,
    loss.forces,
    loss.stress,
    trainingForces(report, training),
    milli(validation?.energy ?? null),
    milli(validation?.forces ?? null),
    milli(validation?.stress ?? null),
    Number(best),
  ];
  return numbers.map((x) => (Number.isNaN(x) ? "nan" : String(x))).join(" ");
}

/** The text files that grow while a fit runs: train.log, metrics.jsonl, lcurve.out. */
export interface RunLog {
  line(text: string): void;
  report(report: Report): void;
}

const lines = (text: readonly string[]): string => text.map((line) => `${line}\n`).join("");

/** Starts the files, or goes on with them after the reports that a checkpoint knows of. */
export function startLog(
  folder: string,
  training: FitOptions["training"],
  history: readonly Report[] | undefined,
): RunLog {
  const path = (name: string) => join(folder, name);
  writeFileSync(path("lcurve.out"), lines([COLUMNS, ...(history ?? []).map((r) => curveLine(r, training))]));
  writeFileSync(path("metrics.jsonl"), lines((history ?? []).map((r) => JSON.stringify(r))));
  if (!history) writeFileSync(path("train.log"), "");
  return {
    line: (text) => appendFileSync(path("train.log"), `${text}\n`),
    report(report) {
      appendFileSync(path("train.log"), `${reportLine(report, training)}\n`);
      appendFileSync(path("lcurve.out"), `${curveLine(report, training)}\n`);
      appendFileSync(path("metrics.jsonl"), `${JSON.stringify(report)}\n`);
    },
  };
}
