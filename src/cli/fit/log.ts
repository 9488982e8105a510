import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PreparedFit } from "../../fit/prepare.ts";
import type { Report } from "../../fit/trainer.ts";
import { duration, show } from "../table.ts";

const milli = (x: number | null): number => (x === null ? NaN : 1000 * x);

/**
 * λ_F where the forces' part of the loss is λ_F times the mean square of the training forces' errors: squared, not
 * Huber's, every frame with forces and of weight 1. NaN elsewhere: the loss then says nothing about their RMSE.
 */
export function forceWeight({ split, dataset, resolved }: PreparedFit): number {
  const { forces, huber, configType, key } = resolved.training.weights;
  const plain = forces > 0 && huber === null && key === null && Object.keys(configType).length === 0;
  return plain && split.train.every((f) => dataset.frames[f].forces) ? forces : NaN;
}

/** RMSE of the training forces over the epoch, meV/Å; NaN where the weight is (see `forceWeight`). */
export const trainingForces = ({ loss }: Report, weight: number): number =>
  1000 * Math.sqrt(loss.forces / weight);

/** One greppable line per report. */
export function reportLine(report: Report, weight: number): string {
  const { epoch, epochs, rate, loss, validation, best, seconds, left } = report;
  const total = loss.energy + loss.forces + loss.stress;
  const parts = [
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${total.toExponential(3)}`,
  ];
  if (!Number.isNaN(weight)) parts.push(`train RMSE F ${show(trainingForces(report, weight))} meV/Å`);
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

function curveLine(report: Report, weight: number): string {
  const { epoch, steps, seconds, rate, loss, validation, best } = report;
  const numbers = [
    epoch,
    steps,
    Number(seconds.toFixed(3)),
    rate,
    loss.energy,
    loss.forces,
    loss.stress,
    trainingForces(report, weight),
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

/** Starts the files (`weight` as from `forceWeight`), or goes on with them after the reports that a checkpoint knows of. */
export function startLog(folder: string, weight: number, history: readonly Report[] | undefined): RunLog {
  const path = (name: string) => join(folder, name);
  writeFileSync(path("lcurve.out"), lines([COLUMNS, ...(history ?? []).map((r) => curveLine(r, weight))]));
  writeFileSync(path("metrics.jsonl"), lines((history ?? []).map((r) => JSON.stringify(r))));
  if (!history) writeFileSync(path("train.log"), "");
  return {
    line: (text) => appendFileSync(path("train.log"), `${text}\n`),
    report(report) {
      appendFileSync(path("train.log"), `${reportLine(report, weight)}\n`);
      appendFileSync(path("lcurve.out"), `${curveLine(report, weight)}\n`);
      appendFileSync(path("metrics.jsonl"), `${JSON.stringify(report)}\n`);
    },
  };
}
