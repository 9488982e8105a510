import { describe, expect, it } from "vitest";
import type { Frame } from "../../structure/structure.ts";
import { BOHR, HARTREE } from "../../structure/units.ts";
import { KeySurvey } from "../label-keys.ts";
import { applyLabels, planLabels } from "../labels.ts";
import { readInputData, writeInputData } from "./input-data.ts";

const bytes = (text: string) => [new TextEncoder().encode(text)];

async function read(text: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readInputData(bytes(text), "input.data")) frames.push(frame);
  return frames;
}

async function write(frames: readonly Frame[]): Promise<string> {
  let text = "";
  for await (const piece of writeInputData(frames)) text += new TextDecoder().decode(piece);
  return text;
}

function label(frames: readonly Frame[], units?: { energy: string; length: string }): Frame[] {
  const survey = new KeySurvey();
  for (const frame of frames) survey.add(frame);
  const plan = planLabels(survey, { unitsRequired: true, ...(units && { units }) }, "input.data");
  return frames.map((frame) => applyLabels(frame, plan));
}

const sample = `begin
comment first of two
comment energy=-3 is no label here
lattice 10.0 0.0 0.0
lattice 0.0 11.0 0.0
lattice 0.0 0.0 12.0
atom 0.5 0.25 1.0 O -0.8 0.0 0.1 0.2 0.3
atom 1.5 0.25 1.0 H 0.4 0.0 -0.1 -0.2 -0.3
energy -17.5
charge -0.4
end
begin
atom 0 0 0 H 0 0 0 0 0
energy -0.5
charge 0
end
`;

describe("input.data", () => {
  it("reads structures, energies, forces, charges and comments", async () => {
    const [a, b] = label(await read(sample), { energy: "Hartree", length: "bohr" });
    expect([...a.structure.numbers]).toEqual([8, 1]);
    expect(a.structure.pbc).toEqual([true, true, true]);
    expect(a.structure.cell![4]).toBe(11 * BOHR);
    expect(a.structure.positions[1]).toBe(0.25 * BOHR);
    expect(a.energy).toBe(-17.5 * HARTREE);
    expect(a.forces![5]).toBeCloseTo((-0.3 * HARTREE) / BOHR, 12);
    expect(a.arrays.charges.values).toEqual(Float64Array.of(-0.8, 0.4));
    expect(a.info).toEqual({ comment: "first of two\nenergy=-3 is no label here", charge: -0.4 });
    expect(b.structure.pbc).toEqual([false, false, false]);
    expect(b.structure.cell).toBeNull();
    expect(b.place).toBe("input.data:12");
  });

  it("takes no units for granted, but believes those that a comment declares", async () => {
    const frames = await read(sample);
    expect(() => label(frames)).toThrow("expected an energy unit given by you");
    const declared = await read(
      sample.replaceAll("begin", "begin\ncomment energy_unit=Hartree length_unit=bohr"),
    );
    expect(label(declared)[0].energy).toBe(-17.5 * HARTREE);
    expect(label(declared)[0].info.comment).toBe("first of two\nenergy=-3 is no label here");
  });

  it("writes in the units asked for and says which", async () => {
    const frames = label(await read(sample), { energy: "Hartree", length: "bohr" });
    const units = { energy_unit: "kcal/mol", length_unit: "nm" };
    const text = await write(frames.map((f) => ({ ...f, info: { ...f.info, ...units } })));
    expect(text).toContain("comment energy_unit=kcal/mol length_unit=nm");
    const [back] = label(await read(text));
    expect(back.energy).toBeCloseTo(-17.5 * HARTREE, 9);
    expect(back.forces![0]).toBeCloseTo((0.1 * HARTREE) / BOHR, 11);
    expect(back.arrays).toEqual(frames[0].arrays);
    expect(back.info).toEqual(frames[0].info);
  });

  it.each([
    ["no end", sample.slice(0, -4), 'input.data:15: expected "end" of the structure that begins in line 12'],
    [
      "two lattice lines",
      sample.replace(/lattice.*\n/, ""),
      "input.data:10: expected three lattice lines or none, got 2",
    ],
    ["an element unknown", sample.replace(" H ", " Xx "), "input.data:8: expected atom x y z element"],
    ["a word for a number", sample.replace("-17.5", "low"), "input.data:9: expected a number, got low"],
    ["forces of some", sample.replace(" -0.1 -0.2 -0.3", ""), "expected forces of all atoms or of none"],
    ["another keyword", sample.replace("charge", "spin"), 'got "spin"'],
    ["extxyz", "2\nProperties=species:S:1:pos:R:3\n", 'input.data:1: expected "begin"'],
  ])("refuses %s", async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  it("refuses to write what n2p2 has no place for", async () => {
    const [frame] = label(await read(sample), { energy: "eV", length: "Å" });
    const slab: Frame = { ...frame, structure: { ...frame.structure, pbc: [true, true, false] } };
    await expect(write([slab])).rejects.toThrow("periodic in all three directions or in none");
    const { energy: _, forces: __, ...bare } = frame;
    await expect(write([bare])).rejects.toThrow("an energy or forces");
  });
});
