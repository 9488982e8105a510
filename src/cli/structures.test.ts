import { describe, expect, test } from "vitest";
import { formatFrame, readExtxyz } from "../io/extxyz.ts";
import { KeySurvey } from "../io/label-keys.ts";
import { applyLabels, planLabels } from "../io/labels.ts";
import type { Frame } from "../structure/structure.ts";
import { makeWay, relabel } from "./structures.ts";

/** Frames of a text, and what its labels are found to be. */
async function read(text: string): Promise<Frame[]> {
  const survey = new KeySurvey();
  const raw: Frame[] = [];
  for await (const frame of readExtxyz([new TextEncoder().encode(text)], "a.xyz")) {
    survey.add(frame);
    raw.push(frame);
  }
  const plan = planLabels(survey, {}, "a.xyz");
  return raw.map((frame) => applyLabels(frame, plan));
}

const file = (info: string, columns: string, numbers: string) =>
  `1\nLattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3${columns} ${info}\nH 0 0 0 ${numbers}\n`;
const zeros = new Float64Array(9);
const predicted = { energy: -3, forces: Float64Array.of(7, 8, 9), stress: zeros };

/** As MACE and ASE write it: the reference under REF_, a calculator's results under the plain names. */
const mace = file(
  'REF_energy=-1 REF_stress="1 1 1 0 0 0" energy=-2 stress="2 2 2 0 0 0" config_type=a',
  ":REF_forces:R:3:forces:R:3",
  "1 2 3 4 5 6",
);
const dft = file("dft_energy=-1 REF_energy=-5 Energy=4", ":dft_forces:R:3", "1 2 3");
const reference = [1, 0, 0, 0, 1, 0, 0, 0, 1];

describe("new labels beside old ones", () => {
  test("results of a calculator are replaced, the reference stays under REF_, again and again", async () => {
    const [frame] = await read(mace);
    expect(frame).toMatchObject({ energy: -1, info: { energy: -2 } });
    const once = formatFrame(relabel(frame, predicted));
    const [back] = await read(once);
    expect(back).toMatchObject({ energy: -1, forces: Float64Array.of(1, 2, 3), info: { energy: -3 } });
    expect(back.arrays["forces"].values).toEqual(Float64Array.of(7, 8, 9));
    expect(formatFrame(relabel(back, predicted))).toBe(once);
  });

  test("a stress that is not predicted does not stay beside the prediction", async () => {
    const [frame] = await read(mace);
    expect(relabel(frame, { energy: -3 }).info).toEqual({
      REF_energy: -1,
      REF_stress: reference,
    });
  });

  test("a REF_energy that was not the label is kept under another name", async () => {
    const [frame] = await read(dft);
    const out = relabel(frame, predicted);
    expect(out.info).toEqual({ REF_energy: -1, REF_energy_other: -5 });
    const [back] = await read(formatFrame(out));
    expect(back).toMatchObject({ energy: -1, info: { energy: -3, REF_energy_other: -5 } });
  });

  test("what stands where a label will be written makes way", async () => {
    const [frame] = await read(mace);
    const out = makeWay(frame);
    expect(out.info).toMatchObject({ energy_other: -2 });
    expect(Object.keys(out.arrays)).toEqual(["forces_other"]);
    expect(formatFrame(out)).toContain(" energy=-1 ");
    const [named] = await read(file("REF_energy=1 config_type=a REF_config_type=b", "", ""));
    expect(named.configType).toBe("b");
    expect(formatFrame(relabel(named, predicted))).toContain(" config_type_other=a");
  });
});
