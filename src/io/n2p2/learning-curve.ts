/** One line of a learning curve: errors in one unit of energy and one of length, NaN where nothing is known. */
export type CurveLine = Readonly<Record<CurveColumn, number>>;

/** n2p2's columns of learning-curve.out, "test" being the frames that choose the weights, and behind them our own. */
const COLUMNS = {
  epoch: "Current epoch.",
  RMSEpa_Etrain_pu: "RMSE of training energies per atom.",
  RMSEpa_Etest_pu: "RMSE of validation energies per atom.",
  RMSE_Etrain_pu: "RMSE of training energies.",
  RMSE_Etest_pu: "RMSE of validation energies.",
  MAEpa_Etrain_pu: "MAE of training energies per atom.",
  MAEpa_Etest_pu: "MAE of validation energies per atom.",
  MAE_Etrain_pu: "MAE of training energies.",
  MAE_Etest_pu: "MAE of validation energies.",
  RMSE_Ftrain_pu: "RMSE of training forces.",
  RMSE_Ftest_pu: "RMSE of validation forces.",
  MAE_Ftrain_pu: "MAE of training forces.",
  MAE_Ftest_pu: "MAE of validation forces.",
  RMSEpa_Wtrain_pu: "RMSE of training virials per atom.",
  RMSEpa_Wtest_pu: "RMSE of validation virials per atom.",
  steps: "Steps of the optimiser so far.",
  seconds: "Seconds trained.",
  rate: "Learning rate.",
  loss_energy: "Energies' part of the loss (in eV and eV/A).",
  loss_forces: "Forces' part of the loss.",
  loss_stress: "Virials' part of the loss.",
  best: "1 where these weights are the best so far.",
} as const;

export type CurveColumn = keyof typeof COLUMNS;

const NAMES = Object.keys(COLUMNS) as CurveColumn[];
const WIDTH = 16;

/** The head of a learning-curve.out in the given units, such as eV and Å: what each column is, then their names. */
export function curveHead(energy: string, length: string): string {
  const rule = "#".repeat(79);
  const columns = NAMES.map(
    (name, k) => `# ${String(k + 1).padStart(2)} ${name.padEnd(18)} ${COLUMNS[name]}`,
  );
  const names = NAMES.map((name, k) => (k === 0 ? "#    epoch" : name.padStart(WIDTH))).join(" ");
  return [
    rule,
    `# Learning curves for energies (${energy}) and forces (${energy}/${length}).`,
    rule,
    ...columns,
    rule,
    names,
    rule,
    "",
  ].join("\n");
}

/** One line of learning-curve.out, without its end. */
export const curveLine = (line: CurveLine): string =>
  NAMES.map((name, k) => numberOf(line[name]).padStart(k === 0 ? 10 : WIDTH)).join(" ");

const numberOf = (x: number): string =>
  Number.isNaN(x) ? "nan" : Number.isInteger(x) ? String(x) : x.toExponential(8);

/** Unit of a column, in powers of energy and length. */
const POWERS = (name: CurveColumn): readonly [energy: number, length: number] =>
  /_F(train|test)_pu$/.test(name) ? [1, -1] : name.endsWith("_pu") ? [1, 0] : [0, 0];

/** The text of a learning-curve.out in eV and Å in other units, one of which is so many eV and Å. */
export function convertCurve(
  text: string,
  units: { readonly energy: number; readonly length: number },
  names: { readonly energy: string; readonly length: string },
): string {
  const lines = text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const numbers = line.trim().split(/\s+/).map(Number);
      const values = NAMES.map((name, k) => {
        const [e, l] = POWERS(name);
        return [name, numbers[k] / (units.energy ** e * units.length ** l)];
      });
      return curveLine(Object.fromEntries(values) as CurveLine);
    });
  return [curveHead(names.energy, names.length).trimEnd(), ...lines, ""].join("\n");
}
