import { describe, expect, it } from "vitest";
import { HARTREE, BOHR } from "../structure/units.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";
import { KeySurvey } from "./label-keys.ts";
import { applyLabels, planLabels } from "./labels.ts";
import type { LabelOptions } from "./labels.ts";

const vectors = (...v: number[]): AtomArray => ({ kind: "real", width: 3, values: Float64Array.from(v) });

const frameOf = (
  info: Record<string, InfoValue>,
  arrays: Record<string, AtomArray> = {},
  cell = true,
): Frame => ({
  structure: {
    numbers: Uint8Array.of(1),
    positions: Float64Array.of(1, 2, 3),
    cell: cell ? Float64Array.of(2, 0, 0, 0, 2, 0, 0, 0, 2) : null,
    pbc: [cell, cell, cell],
  },
  info,
  arrays,
  place: "a.xyz:1",
});

function label(frames: readonly Frame[], options: LabelOptions = {}) {
  const survey = new KeySurvey();
  for (const frame of frames) survey.add(frame);
  const plan = planLabels(survey, options, "a.xyz");
  return { plan, frames: frames.map((frame) => applyLabels(frame, plan)) };
}

describe("keys", () => {
  it("finds plain and prefixed names, takes them out and keeps the rest untouched", () => {
    for (const [e, f] of [
      ["energy", "forces"],
      ["REF_energy", "REF_forces"],
      ["dft_energy", "dft_force"],
      ["DFT_Energy", "DFT_forces"],
      ["TotEnergy", "force"],
      ["energy_ref", "forces_ref"],
    ]) {
      const { frames } = label([
        frameOf({ [e]: -1, mu: 3, config_type: 300 }, { [f]: vectors(1, 2, 3), q: vectors(0, 0, 0) }),
      ]);
      expect(frames[0]).toMatchObject({
        energy: -1,
        forces: Float64Array.of(1, 2, 3),
        configType: "300",
        info: { mu: 3 },
      });
      expect(Object.keys(frames[0].arrays)).toEqual(["q"]);
      expect(Object.keys(frames[0].info)).toEqual(["mu"]);
    }
  });

  it("takes all labels from one family when several match, and says so", () => {
    const both = frameOf(
      { energy: -1, REF_energy: -2, dft_energy: -3 },
      { forces: vectors(1, 1, 1), dft_forces: vectors(3, 3, 3) },
    );
    const { plan, frames } = label([both]);
    // "dft_" and plain names have two labels each, REF_ one; dft_ stands before plain.
    expect(plan.keys).toMatchObject({ energy: "dft_energy", forces: "dft_forces" });
    expect(plan.notes).toContain('energy from "dft_energy"; there is also "energy", "REF_energy"');
    expect(frames[0].energy).toBe(-3);
    expect(label([both], { keys: { energy: "energy", forces: null } }).plan.keys).toMatchObject({
      energy: "energy",
      forces: null,
    });
  });

  it("gradients are forces with the other sign", () => {
    expect(label([frameOf({ energy: 0 }, { gradient: vectors(1, 2, -3) })]).frames[0].forces).toEqual(
      Float64Array.of(-1, -2, 3),
    );
    const given = label([frameOf({ comment: -40.5 }, { columns: vectors(1, 2, 3) })], {
      keys: { energy: "comment", gradient: "columns" },
    });
    expect(given.frames[0]).toMatchObject({ energy: -40.5, forces: Float64Array.of(-1, -2, -3) });
  });

  it("no label at all: lists the candidates with shapes and ranges", () => {
    const frames = [
      frameOf(
        {
          zpve: 0.5,
          name: "x",
          m: [
            [1, 2],
            [3, 4],
          ],
        },
        { grd: vectors(1, 2, -3) },
      ),
      frameOf({ zpve: 1.5 }),
    ];
    expect(() => label(frames)).toThrow(
      "invalid a.xyz: expected an energy or forces under a known key, or keys given (energy, forces, stress), got these: " +
        "zpve (number, 0.50000 … 1.5000, 2 frames); m (2×2 numbers, 1.0000 … 4.0000, 1 frames); grd (3 per atom, -3.0000 … 2.0000, 1 frames)",
    );
    expect(() => label(frames, { keys: { energy: "name" } })).toThrow('a key "name" that can be energy');
    expect(() => label([frameOf({})])).toThrow("no numeric data beside positions");
  });

  it("a label may be missing in some frames, which is counted, but not be nonsense", () => {
    const { plan, frames } = label([frameOf({ energy: 1 }), frameOf({})]);
    expect(frames.map((f) => f.energy)).toEqual([1, undefined]);
    expect(plan.notes).toEqual(['energy from "energy" in 1 of 2 frames']);
    expect(() => label([frameOf({ energy: 1 }), frameOf({ energy: NaN })])).toThrow(
      "invalid a.xyz:1 energy: expected a finite energy, got NaN",
    );
    expect(() => label([frameOf({ energy: 1 }), frameOf({ energy: "n/a" })])).toThrow("got n/a");
    expect(() => label([frameOf({ energy: 1 }, { forces: vectors(0, NaN, 0) })])).toThrow(
      "forces of atom 1: expected finite numbers",
    );
  });
});

describe("units", () => {
  it("converts energy, length, force and stress", () => {
    const info = { energy: 1, stress: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
    const [f] = label([frameOf(info, { forces: vectors(1, 0, 0) })], {
      units: { energy: "Hartree", length: "bohr" },
    }).frames;
    expect(f.energy).toBe(HARTREE);
    expect(f.forces![0]).toBeCloseTo(HARTREE / BOHR, 10);
    expect(f.stress![0]).toBeCloseTo(HARTREE / BOHR ** 3, 8);
    expect(f.structure.positions[2]).toBe(3 * BOHR);
    expect(f.structure.cell![0]).toBe(2 * BOHR);
    const [g] = label([frameOf(info, { forces: vectors(1, 0, 0) })], {
      units: { force: "kcal/mol/Å", stress: "GPa" },
    }).frames;
    expect(g.forces![0]).toBeCloseTo(0.0433641, 6);
    expect(g.stress![0]).toBeCloseTo(1 / 160.2176634, 12);
    expect(() => label([frameOf(info)], { units: { energy: "furlong" } })).toThrow(
      "invalid units.energy: expected one of eV",
    );
  });

  it("uses what the file declares and refuses contradictions", () => {
    const info = { energy: 1, energy_unit: "kcal/mol" };
    // A frame in eV must not go on saying kcal/mol.
    expect(label([frameOf(info)]).frames[0].info).toEqual({});
    expect(label([frameOf(info)]).plan).toMatchObject({
      assumed: true,
      units: { energy: "kcal/mol", length: "Å" },
    });
    expect(label([frameOf({ ...info, length_unit: "nm" })]).plan.assumed).toBe(false);
    expect(label([frameOf(info)]).frames[0].energy).toBeCloseTo(0.0433641, 6);
    expect(label([frameOf(info)], { units: { energy: "KCAL/MOL" } }).frames[0].energy).toBeCloseTo(
      0.0433641,
      6,
    );
    expect(() => label([frameOf(info)], { units: { energy: "eV" } })).toThrow(
      "invalid units.energy: expected kcal/mol, which the file declares under energy_unit, got eV",
    );
    expect(() => label([frameOf({ energy: 1, energy_unit: "erg" })])).toThrow("a.xyz energy_unit");
    expect(() => label([frameOf({ energy: 1, units: "real" })])).toThrow("got real");
    expect(() => label([frameOf(info), frameOf({ ...info, energy_unit: "eV" })])).toThrow(
      "one unit for all frames",
    );
  });
});

const stressOf = (info: Record<string, InfoValue>, options?: LabelOptions) => [
  ...label([frameOf({ energy: 0, ...info })], options).frames[0].stress!,
];

describe("stress and virial", () => {
  const sigma = [1, 6, 5, 6, 2, 4, 5, 4, 3];
  const virial = sigma.map((x) => -8 * x);
  const wrong = sigma.map((x) => x + 100);

  it("the family's own virial goes before the stress of a calculator", () => {
    const mace = frameOf(
      { REF_energy: -2, REF_virial: virial, energy: -1, stress: wrong },
      { REF_forces: vectors(1, 2, 3), forces: vectors(0, 0, 0) },
    );
    const { plan, frames } = label([mace]);
    expect(plan.keys).toMatchObject({ energy: "REF_energy", stress: null, virial: "REF_virial" });
    expect([...frames[0].stress!]).toEqual(sigma);
    expect(plan.notes).toContain('virial from "REF_virial"; there is also "stress"');
  });

  it("a calculator's stress does not join a reference that has none, a stress on its own does", () => {
    const reference = [{ REF_energy: -2 }, { REF_forces: vectors(1, 2, 3) }] as const;
    const foreign = frameOf(
      { ...reference[0], energy: -1, stress: wrong },
      { ...reference[1], forces: vectors(0, 0, 0) },
    );
    const { plan, frames } = label([foreign]);
    expect(plan.keys).toMatchObject({ energy: "REF_energy", forces: "REF_forces", stress: null });
    expect(frames[0].stress).toBeUndefined();
    expect(plan.notes.join()).toContain('stress not taken: "stress" goes with an energy or forces that');
    const own = label([frameOf({ ...reference[0], stress: sigma }, reference[1])]);
    expect([...own.frames[0].stress!]).toEqual(sigma);
  });

  it("the family's own gradient goes before the forces of a calculator", () => {
    const frame = frameOf({ REF_energy: -2 }, { REF_gradient: vectors(1, 2, 3), forces: vectors(9, 9, 9) });
    expect(label([frame]).frames[0].forces).toEqual(Float64Array.of(-1, -2, -3));
  });

  it("frames with a stress and frames with a virial all keep theirs, and are counted", () => {
    const mixed = [
      frameOf({ energy: 0, stress: sigma }),
      frameOf({ energy: 0, virial }),
      frameOf({ energy: 0, stress: sigma, virial: wrong }),
    ];
    const { plan, frames } = label(mixed);
    expect(frames.map((f) => [...f.stress!])).toEqual([sigma, sigma, sigma]);
    expect(plan.notes).toEqual(
      expect.arrayContaining([
        'stress from "stress" in 2 of 3 frames',
        'virial from "virial" in 2 of 3 frames',
      ]),
    );
  });

  it("a virial named as stress and a gradient named as forces are refused, with the way out", () => {
    const frame = frameOf({ energy: 0, virial, grad_stress: 1 }, { gradient: vectors(1, 2, 3) });
    expect(() => label([frame], { keys: { stress: "virial" } })).toThrow("--virial-key, data.virial");
    expect(() => label([frame], { keys: { forces: "gradient" } })).toThrow("--gradient-key, data.gradient");
    expect([...label([frame], { keys: { virial: "virial" } }).frames[0].stress!]).toEqual(sigma);
  });
  it("nine numbers, nested or not, or six in Voigt order xx yy zz yz xz xy", () => {
    expect(stressOf({ stress: sigma })).toEqual(sigma);
    expect(stressOf({ stress: [sigma.slice(0, 3), sigma.slice(3, 6), sigma.slice(6)] })).toEqual(sigma);
    expect(stressOf({ REF_stress: [1, 2, 3, 4, 5, 6] })).toEqual(sigma);
    expect(() => stressOf({ stress: [1, 2, 0, 0, 0, 0, 0, 0, 0] })).toThrow("a symmetric matrix");
    expect(() => stressOf({ stress: [1, 2, 3, 4, 5, NaN] })).toThrow("nine finite numbers, or six");
  });

  it("both signs of stress, both conventions of the virial; V = 8 Å³", () => {
    expect(stressOf({ stress: sigma }, { stressSign: "pressure" })).toEqual(sigma.map((x) => -x));
    const declared = { stress: sigma, stress_sign: "pressure" };
    expect(stressOf(declared)).toEqual(sigma.map((x) => -x));
    expect(() => stressOf(declared, { stressSign: "tension" })).toThrow(
      "invalid stressSign: expected pressure, which the file declares under stress_sign, got tension",
    );
    expect(() => stressOf({ stress: sigma, stress_sign: "up" })).toThrow("expected tension or pressure");
    expect(stressOf({ virial: sigma.map((x) => -8 * x) })).toEqual(sigma);
    expect(stressOf({ virial: sigma.map((x) => 8 * x) }, { virialSign: "Vσ" })).toEqual(sigma);
    expect(stressOf({ stress: sigma, virial: sigma })).toEqual(sigma);
    expect(() => label([frameOf({ energy: 0, virial: sigma }, {}, false)])).toThrow(
      "a cell to turn virial to stress",
    );
  });
});
