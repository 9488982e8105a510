import { describe, expect, it } from "vitest";
import { BOHR, HARTREE } from "../structure/units.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";
import { shared } from "../../test/shared.ts";
import type { BaselineKeys } from "./baseline.ts";
import { readLabelled } from "./files.node.ts";
import { KeySurvey } from "./label-keys.ts";
import { applyLabels, planLabels } from "./labels.ts";

const vectors = (...v: number[]): AtomArray => ({ kind: "real", width: 3, values: Float64Array.from(v) });

const frameOf = (info: Record<string, InfoValue>, arrays: Record<string, AtomArray>): Frame => ({
  structure: {
    numbers: Uint8Array.of(1),
    positions: Float64Array.of(1, 2, 3),
    cell: null,
    pbc: [false, false, false],
  },
  info: { name: "a", ...info },
  arrays: { q: vectors(7, 7, 7), ...arrays },
  place: "a.xyz:1",
});

function label(frames: readonly Frame[], baseline: BaselineKeys) {
  const survey = new KeySurvey();
  for (const frame of frames) survey.add(frame);
  const plan = planLabels(survey, { baseline, units: { energy: "Hartree", force: "Hartree/bohr" } }, "a.xyz");
  return { plan, frames: frames.map((frame) => applyLabels(frame, plan)) };
}

const both = frameOf({ energy: -1, cheap: -0.75 }, { forces: vectors(1, 2, 3), slope: vectors(1, 1, 1) });

describe("a baseline", () => {
  it("is taken away in the units of the file, forces from gradients too, and kept apart", () => {
    const { plan, frames } = label([both], { energy: "cheap", gradient: "slope" });
    const [{ energy, forces, info, arrays }] = frames;
    expect(energy).toBeCloseTo(-0.25 * HARTREE, 12);
    expect([...forces!].map((x) => (x * BOHR) / HARTREE)).toEqual(
      [2, 3, 4].map((x) => expect.closeTo(x, 12)),
    );
    expect(info).toEqual({ name: "a", baseline_energy: -0.75 * HARTREE });
    expect(Object.keys(arrays)).toEqual(["q", "baseline_forces"]);
    expect(arrays.baseline_forces.values[0]).toBeCloseTo(-HARTREE / BOHR, 12);
    expect(plan.notes).toContain('"energy" less "cheap" is learned');
  });

  it("leaves out a label only when told so", () => {
    expect(() => label([both], { energy: "cheap" })).toThrow(
      "invalid a.xyz baseline forces: expected a key (forces or gradient), or null to learn without forces, got neither",
    );
    const { plan, frames } = label([both], { energy: "cheap", forces: null });
    expect(frames[0].forces).toBeUndefined();
    expect(frames[0].energy).toBeCloseTo(-0.25 * HARTREE, 12);
    expect(plan.notes).toContain('"forces" left out: it has no baseline');
    expect(() => label([both], { energy: null, forces: null })).toThrow(
      "an energy or forces with a baseline",
    );
  });

  it("refuses keys that are not there, are the label's own, or have no label, all at once", () => {
    expect(() => label([both], { energy: "cheapest", forces: "forces", stress: "cheap" })).toThrow(
      /"cheapest"; there are.*\n?.*another key than the label's own[^]*a label that it is taken away from/,
    );
  });

  it("refuses a frame that has the label and no baseline", () => {
    const bare = frameOf({ energy: -1 }, { forces: vectors(1, 2, 3), slope: vectors(1, 1, 1) });
    expect(() => label([both, bare], { energy: "cheap", gradient: "slope" })).toThrow(
      "invalid a.xyz:1: expected the baseline's energy beside the label, got none",
    );
  });
});

const folder = shared("datasets/mlp_tutorial/Claisen_Rearrangement");
describe.skipIf(!folder)("reference data of the Claisen rearrangement", () => {
  it("differ by what NumPy says of the files: 3.7352 kcal/mol and 9.3226 kcal/mol/Å", async () => {
    const KCAL = 4184 / 6.02214076e23 / 1.602176634e-19;
    const { frames } = await readLabelled(folder!, {
      units: { energy: "Hartree", length: "Å", force: "Hartree/bohr" },
      baseline: { energy: "energy_sqm", gradient: "qm_grad_sqm" },
    });
    expect(frames).toHaveLength(2100);
    expect([...frames[0].structure.numbers]).toEqual([8, 6, 6, 6, 6, 6, 1, 1, 1, 1, 1, 1, 1, 1]);
    const spread = (x: readonly number[]) => {
      const mean = x.reduce((a, b) => a + b, 0) / x.length;
      return Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length) / KCAL;
    };
    expect(spread(frames.map(({ energy }) => energy!)) / 3.735237340571537).toBeCloseTo(1, 6);
    expect(spread(frames.flatMap(({ forces }) => [...forces!])) / 9.322559020303608).toBeCloseTo(1, 5);
  });
});
