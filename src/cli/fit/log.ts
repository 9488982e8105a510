import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "../../fit/trainer.ts";
import { curveHead, curveLine } from "../../io/n2p2/learning-curve.ts";
import { duration, show } from "../table.ts";

const milli = (x: number | null): number => (x === null ? NaN : 1000 * x);

/** Where a fit stands. */
export const courseOf = ({ stage, detail, epoch, epochs }: Report): string =>
  stage === null ? `epoch ${epoch} of ${epochs}` : `${stage}${detail === undefined ? "" : `, ${detail}`}`;

/** One greppable line per report. */
export function reportLine({
  epoch,
  epochs,
  rate,
  loss,
  train,
  validation,
  best,
  seconds,
  left,
}: Report): string {
  const total = loss.energy + loss.forces + loss.stress;
  const parts = [
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${total.toExponential(3)}`,
  ];
  if (train?.forces) parts.push(`train RMSE F ${show(milli(train.forces.rmse))} meV/Å`);
  else if (train?.energyPerAtom) parts.push(`train RMSE E ${show(milli(train.energyPerAtom.rmse))} meV/atom`);
  if (validation) {
    if (validation.energy !== null) parts.push(`valid RMSE E ${show(milli(validation.energy))} meV/atom`);
    if (validation.forces !== null) parts.push(`F ${show(milli(validation.forces))} meV/Å`);
    if (validation.stress !== null) parts.push(`W ${show(milli(validation.stress))} meV/atom`);
  }
  parts.push(`rate ${rate.toExponential(2)}`, `time ${duration(seconds)}`);
  if (left !== null) parts.push(`left ${duration(left)}`);
  return parts.join("  ") + (best ? "  best" : "");
}

/** The report as a line of learning-curve.out. */
function lineOf({ epoch, steps, seconds, rate, loss, train, validation, best }: Report): string {
  const [a, b] = [train, validation?.errors];
  return curveLine({
    epoch,
    RMSEpa_Etrain_pu: a?.energyPerAtom?.rmse ?? NaN,
    RMSEpa_Etest_pu: b?.energyPerAtom?.rmse ?? NaN,
    RMSE_Etrain_pu: a?.energy?.rmse ?? NaN,
    RMSE_Etest_pu: b?.energy?.rmse ?? NaN,
    MAEpa_Etrain_pu: a?.energyPerAtom?.mae ?? NaN,
    MAEpa_Etest_pu: b?.energyPerAtom?.mae ?? NaN,
    MAE_Etrain_pu: a?.energy?.mae ?? NaN,
    MAE_Etest_pu: b?.energy?.mae ?? NaN,
    RMSE_Ftrain_pu: a?.forces?.rmse ?? NaN,
    RMSE_Ftest_pu: b?.forces?.rmse ?? NaN,
    MAE_Ftrain_pu: a?.forces?.mae ?? NaN,
    MAE_Ftest_pu: b?.forces?.mae ?? NaN,
    RMSEpa_Wtrain_pu: a?.virialPerAtom?.rmse ?? NaN,
    RMSEpa_Wtest_pu: b?.virialPerAtom?.rmse ?? NaN,
    steps,
    seconds,
    rate,
    loss_energy: loss.energy,
    loss_forces: loss.forces,
    loss_stress: loss.stress,
    best: Number(best),
  });
}

/** n2p2's name of the learning curve. */
export const CURVE = "learning-curve.out";

/** The text files that grow while a fit runs: train.log, metrics.jsonl, learning-curve.out. */
export interface RunLog {
  line(text: string): void;
  report(report: Report): void;
}

const lines = (text: readonly string[]): string => text.map((line) => `${line}\n`).join("");

/** Starts the files, or goes on with them after the reports that a checkpoint knows of. */
export function startLog(folder: string, history: readonly Report[] | undefined): RunLog {
  const path = (name: string) => join(folder, name);
  const before = history ?? [];
  writeFileSync(path(CURVE), curveHead("eV", "Angstrom") + lines(before.map(lineOf)));
  writeFileSync(path("metrics.jsonl"), lines(before.map((r) => JSON.stringify(r))));
  if (!history) writeFileSync(path("train.log"), "");
  return {
    line: (text) => appendFileSync(path("train.log"), `${text}\n`),
    report(report) {
      appendFileSync(path("train.log"), `${reportLine(report)}\n`);
      appendFileSync(path(CURVE), `${lineOf(report)}\n`);
      appendFileSync(path("metrics.jsonl"), `${JSON.stringify(report)}\n`);
    },
  };
}
