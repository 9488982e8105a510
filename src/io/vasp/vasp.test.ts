import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Problem } from "../../error.ts";
import { EV_A3_IN_GPA } from "../../structure/units.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import { KeySurvey } from "../label-keys.ts";
import { applyLabels, planLabels } from "../labels.ts";
import { findFormat } from "../table.ts";
import { readOutcar } from "./outcar.ts";
import { readVasprun } from "./vasprun.ts";

// Files by hand in the layout of VASP 6, and what ASE 3.29.0 reads in them: see golden/vasp.py.
const golden = (name: string) =>
  readFileSync(new URL(`../../../test/golden/${name}`, import.meta.url), "utf8");
interface Expected {
  readonly symbols: string[];
  readonly cell: number[][];
  readonly positions: number[][];
  readonly free_energy: number;
  readonly energy_sigma_to_0: number;
  readonly forces: number[][];
  readonly stress_GPa: number[][];
}
const expected = JSON.parse(golden("vasp.json")) as Record<string, Expected[]>;

const readers = { OUTCAR: readOutcar, "vasprun.xml": readVasprun };
type Name = keyof typeof readers;

async function read(name: Name, text: string, piece = 1 << 16, skipped?: (problem: Problem) => void) {
  const bytes = new TextEncoder().encode(text);
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.slice(at, at + piece);
  };
  const frames: Frame[] = [];
  for await (const frame of readers[name](pieces(), name, skipped && { skipped })) frames.push(frame);
  return frames;
}

function labelled(frames: readonly Frame[], energy?: string): Frame[] {
  const survey = new KeySurvey();
  for (const frame of frames) survey.add(frame);
  const plan = planLabels(survey, energy === undefined ? {} : { keys: { energy } }, "x");
  return frames.map((frame) => applyLabels(frame, plan));
}

const closeTo = (own: ArrayLike<number>, theirs: readonly number[], tolerance: number) => {
  expect(own.length).toBe(theirs.length);
  theirs.forEach((x, k) => expect(Math.abs(own[k] - x)).toBeLessThan(tolerance));
};

describe.each(["OUTCAR", "vasprun.xml"] as const)("%s", (name) => {
  const text = golden(`vasp/${name}`);

  it("every ionic step as ASE reads it; the energy is the free energy, of which forces are derivatives", async () => {
    expect(findFormat(`run/${name}.gz`).name).toBe(name === "OUTCAR" ? "outcar" : "vasprun");
    const raw = await read(name, text);
    const [frames, zero] = [labelled(raw), labelled(raw, "energy_sigma_to_0")];
    expect(frames.length).toBe(2);
    expected[name].forEach((step, k) => {
      const { structure, energy, forces, stress, info } = frames[k];
      expect(Array.from(structure.numbers, symbolOf)).toEqual(step.symbols);
      closeTo(structure.cell!, step.cell.flat(), 1e-12);
      closeTo(structure.positions, step.positions.flat(), 1e-12);
      closeTo(forces!, step.forces.flat(), 1e-12);
      closeTo(
        stress!.map((x) => x * EV_A3_IN_GPA),
        step.stress_GPa.flat(),
        1e-10,
      );
      expect(energy).toBe(step.free_energy);
      expect(zero[k].energy).toBeCloseTo(step.energy_sigma_to_0, 10);
      expect([info["scf_converged"], info["ISMEAR"], info["SIGMA"]]).toEqual([true, 0, 0.05]);
    });
  });

  it("is the same however the bytes are cut", async () => {
    const whole = await read(name, text);
    for (const piece of [1, 7, 100]) expect(await read(name, text, piece)).toEqual(whole);
  });

  it("an unfinished step is an error with its line, or left out and told", async () => {
    const second =
      name === "OUTCAR" ? text.indexOf("Iteration      2(   1)") : text.lastIndexOf("<calculation>");
    const line = text.slice(0, second).split("\n").length;
    const cut = text.slice(
      0,
      text.indexOf(name === "OUTCAR" ? "FREE ENERGIE" : "</energy>\n </calc", second),
    );
    await expect(read(name, cut)).rejects.toThrow(
      new RegExp(`invalid ${name}:${line}: expected .*, got the end of`),
    );
    const left: Problem[] = [];
    const frames = await read(name, cut, 100, (problem) => left.push(problem));
    expect(frames).toEqual((await read(name, text)).slice(0, 1));
    expect(left.map(({ place }) => place)).toEqual([`${name}:${line}`]);
  });

  it("any cut is refused or leaves whole steps", async () => {
    const whole = await read(name, text);
    for (let at = 1; at < text.length; at += 97) {
      const frames = await read(name, text.slice(0, at)).catch((error: Error) => error.message);
      if (typeof frames === "string") expect(frames).toContain(name);
      else expect(frames).toEqual(whole.slice(0, frames.length));
    }
  });
});

describe("what is not in order", () => {
  it("OUTCAR: overflown numbers, no elements, steps of a force field", async () => {
    const text = golden("vasp/OUTCAR");
    const broken = text.replace("1.634783", "********");
    await expect(read("OUTCAR", broken)).rejects.toThrow(/OUTCAR:\d+: expected a position and a force, got/);
    await expect(read("OUTCAR", text.replaceAll("VRHFIN", "X"))).rejects.toThrow(
      "an element (VRHFIN) for each of 2",
    );
    const learned = text.replace("TOTAL-FORCE (eV/Angst)", "TOTAL-FORCE (eV/Angst) (ML)");
    await expect(read("OUTCAR", learned)).rejects.toThrow("an ab initio step, got one of a machine-learned");
    await expect(read("OUTCAR", "")).rejects.toThrow("an OUTCAR with an ionic step, got none");
    // Numbers of fixed width that touch each other, which ASE does not read.
    const glued = text.replaceAll("-10.123456789 10.500000000", "-10.12345678910.500000000");
    expect(glued.length).toBe(text.length - 2);
    expect(await read("OUTCAR", glued)).toEqual(await read("OUTCAR", text));
    const loose = text.replace(
      "aborting loop because EDIFF is reached",
      "aborting loop EDIFF was not reached (unconverged)",
    );
    expect((await read("OUTCAR", loose)).map(({ info }) => info["scf_converged"])).toEqual([false, true]);
  });

  it("vasprun.xml: broken markup, words for numbers, too many electronic steps", async () => {
    const text = golden("vasp/vasprun.xml");
    await expect(
      read("vasprun.xml", text.replace("</forces>", "").replace("</varray>", "</array>")),
    ).rejects.toThrow(/vasprun\.xml:\d+: expected <\/varray>, got <\/array>/);
    await expect(
      read("vasprun.xml", text.replace(/(name="forces" >\s*<v>)\s+\S+/, "$1 **** ")),
    ).rejects.toThrow("expected three numbers of forces, got ****");
    const few = await read("vasprun.xml", text.replace(/"NELM">\s+60/, '"NELM"> 2'));
    expect(few.map(({ info }) => info["scf_converged"])).toEqual([false, false]);
    await expect(read("vasprun.xml", "<!DOCTYPE x>")).rejects.toThrow(
      "vasprun.xml:1: expected elements and text",
    );
  });
});
