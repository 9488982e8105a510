import { expect, it } from "vitest";
import { BOHR, HARTREE } from "../../structure/units.ts";
import { convertCurve, curveHead, curveLine } from "./learning-curve.ts";
import type { CurveLine } from "./learning-curve.ts";

const names = (text: string) => /^# +(epoch .*)$/m.exec(text)![1].trim().split(/\s+/);
const rows = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.trim().split(/\s+/));

it("has n2p2's columns first, and converts energies and forces, nothing else", () => {
  const head = curveHead("eV", "Angstrom");
  expect(names(head).slice(0, 13)).toEqual([
    "epoch",
    "RMSEpa_Etrain_pu",
    "RMSEpa_Etest_pu",
    "RMSE_Etrain_pu",
    "RMSE_Etest_pu",
    "MAEpa_Etrain_pu",
    "MAEpa_Etest_pu",
    "MAE_Etrain_pu",
    "MAE_Etest_pu",
    "RMSE_Ftrain_pu",
    "RMSE_Ftest_pu",
    "MAE_Ftrain_pu",
    "MAE_Ftest_pu",
  ]);
  const values = Object.fromEntries(names(head).map((name) => [name, 0.25])) as CurveLine;
  const text = `${head}${curveLine({ ...values, epoch: 7, RMSE_Ftest_pu: NaN })}\n`;
  const converted = convertCurve(
    text,
    { energy: HARTREE, length: BOHR },
    { energy: "Hartree", length: "bohr" },
  );
  expect(converted).toContain("energies (Hartree) and forces (Hartree/bohr)");
  expect(names(converted)).toEqual(names(head));
  const [row] = rows(converted);
  const of = (name: string) => Number(row[names(head).indexOf(name)]);
  expect(of("epoch")).toBe(7);
  expect(of("RMSEpa_Etrain_pu")).toBeCloseTo(0.25 / HARTREE, 9);
  expect(of("MAE_Ftrain_pu")).toBeCloseTo((0.25 / HARTREE) * BOHR, 9);
  expect(of("RMSE_Ftest_pu")).toBeNaN();
  expect([of("seconds"), of("rate"), of("best")]).toEqual([0.25, 0.25, 0.25]);
});
