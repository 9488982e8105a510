import { describe, expect, it } from "vitest";
import { Random } from "../../math/random.ts";
import type { Frame } from "../../structure/structure.ts";
import { BOHR, HARTREE } from "../../structure/units.ts";
import { examine } from "./doctor.ts";
import type { Finding } from "./finding.ts";

/** A trajectory of bonded atoms: harmonic bonds along a chain of C and H, exact forces, small steps. */
function chain(frames = 40, seed = 1): Frame[] {
  const random = new Random(seed);
  const n = 4;
  const x = Float64Array.from({ length: 3 * n }, (_, k) =>
    k % 3 === 0 ? (1.2 * k) / 3 : 0.1 * random.normal(),
  );
  return Array.from({ length: frames }, (_, f) => {
    for (let k = 0; k < x.length; k++) x[k] += 0.02 * random.normal();
    const forces = new Float64Array(3 * n);
    let energy = -2058;
    for (let i = 0; i + 1 < n; i++) {
      const d = [0, 1, 2].map((k) => x[3 * i + 3 + k] - x[3 * i + k]);
      const r = Math.hypot(...d);
      energy += 10 * (r - 1.2) ** 2;
      d.forEach((v, k) => {
        forces[3 * i + k] += (20 * (r - 1.2) * v) / r;
        forces[3 * i + 3 + k] -= (20 * (r - 1.2) * v) / r;
      });
    }
    const structure = {
      numbers: Uint8Array.of(6, 1, 6, 1),
      positions: x.slice(),
      cell: null,
      pbc: [false, false, false] as const,
    };
    return { structure, energy, forces, info: {}, arrays: {}, place: `chain.xyz:${f + 1}` };
  });
}

/** A crystal of bulk modulus 100 GPa at several volumes. */
function crystal(sign = 1): Frame[] {
  return Array.from({ length: 12 }, (_, f) => {
    const a = 4 + 0.03 * (f - 6);
    const tension = (sign * 0.6 * (a ** 3 - 64)) / 64;
    const stress = Float64Array.of(tension, 0, 0, 0, tension, 0, 0, 0, tension);
    const cell = Float64Array.of(a, 0, 0, 0, a, 0, 0, 0, a);
    const structure = {
      numbers: Uint8Array.of(14),
      positions: new Float64Array(3),
      cell,
      pbc: [true, true, true] as const,
    };
    return {
      structure,
      energy: (0.3 * (a ** 3 - 64) ** 2) / 64,
      forces: new Float64Array(3),
      stress,
      info: {},
      arrays: {},
      place: `x:${f}`,
    };
  });
}

/** Cells of a crystal with C₄₄ of 100 GPa, sheared at random, with all nine components of the stress. */
function sheared(): Frame[] {
  const random = new Random(5);
  return crystal().map((frame) => {
    const [yz, xz, xy] = [0, 1, 2].map(() => 0.05 * random.normal());
    const cell = Float64Array.of(4, 0, 0, 4 * xy, 4, 0, 4 * xz, 4 * yz, 4);
    const stress = Float64Array.of(0, xy, xz, xy, 0, yz, xz, yz, 0).map(
      (x) => 0.6 * x + 0.001 * random.normal(),
    );
    return { ...frame, structure: { ...frame.structure, cell }, stress };
  });
}

const of = (frames: Frame[], check: string): Finding => {
  const finding = examine(frames).findings.find((f) => f.check === check);
  if (!finding) throw new Error(`no finding about ${check}`);
  return finding;
};

const scaled = (x: Float64Array, f: number) => x.map((v) => f * v);

const atom = (energy: number, place: string): Frame => ({
  structure: {
    numbers: Uint8Array.of(6),
    positions: new Float64Array(3),
    cell: null,
    pbc: [false, false, false],
  },
  energy,
  info: {},
  arrays: {},
  place,
});

describe("doctor", () => {
  it("finds nothing wrong with good data, and tabulates it", () => {
    const { verdict, findings, elements, shortest, labelled, compositions } = examine(chain());
    expect(findings.filter((f) => f.severity !== "ok")).toEqual([]);
    expect(verdict).toBe("ok");
    expect(elements.map((e) => e.symbol)).toEqual(["H", "C"]);
    expect(elements[0].forceRms).toBeGreaterThan(0);
    expect(Object.keys(shortest).toSorted()).toEqual(["C-C", "H-C", "H-H"]);
    expect(shortest["H-C"].distance).toBeLessThan(1.3);
    expect(labelled).toEqual({ energy: 40, forces: 40, stress: 0 });
    expect(compositions[0]).toMatchObject({ formula: "H2C2", frames: 40 });
  });

  it.each<[string, (f: Frame) => Frame, string]>([
    ["Hartree", (f: Frame) => ({ ...f, energy: f.energy! / HARTREE }), "energies in Hartree, forces in eV/Å"],
    ["gradients", (f: Frame) => ({ ...f, forces: scaled(f.forces!, -1) }), "wrong sign"],
    ["bohr", (f: Frame) => ({ ...f, forces: scaled(f.forces!, BOHR) }), "forces per bohr, positions in Å"],
    ["kcal", (f: Frame) => ({ ...f, forces: scaled(f.forces!, 1 / 0.0433641153) }), "forces in kcal/mol/Å"],
  ])("tells from neighbouring frames that units do not fit: %s", (_, spoil, words) => {
    const finding = of(chain().map(spoil), "energy–force consistency");
    expect(finding.severity).toBe("error");
    expect(finding.cure).toContain(words);
  });

  it("says when frames are no trajectory, and when labels are shuffled", () => {
    const apart = Array.from({ length: 10 }, (_, k) => chain(1, 10 * k)[0]);
    expect(of(apart, "energy–force consistency").severity).toBe("note");
    const frames = chain();
    const shuffled = frames.map((f, k) => ({ ...f, energy: frames[(7 * k) % 40].energy }));
    expect(of(shuffled, "energy–force consistency").severity).toBe("warn");
  });

  it("knows all-electron energies in Hartree, and positions in bohr", () => {
    expect(of(chain(), "energy unit").message).toContain("in eV");
    const hartree = of(
      chain().map((f) => ({ ...f, energy: f.energy! / HARTREE })),
      "energy unit",
    );
    expect(hartree).toMatchObject({
      severity: "error",
      cure: "read them with --units Hartree,Å (data.units)",
    });
    const bohr = chain().map((f) => ({
      ...f,
      structure: { ...f.structure, positions: scaled(f.structure.positions, 1 / BOHR) },
    }));
    expect(of(bohr, "distances").cure).toContain("bohr");
  });

  it("sees net forces, torques, and overlapping atoms, with the frame", () => {
    const frames = chain();
    const pushed = frames[7].forces!.map((x, k) => (k === 0 ? x + 1 : x));
    frames[7] = { ...frames[7], forces: pushed };
    expect(of(frames, "net force")).toMatchObject({ severity: "note", places: ["chain.xyz:8"] });
    expect(of(frames, "torque").places).toContain("chain.xyz:8");
    const close = frames[3].structure.positions.slice();
    close.set(
      close.subarray(0, 3).map((x) => x + 0.1),
      3,
    );
    frames[3] = { ...frames[3], structure: { ...frames[3].structure, positions: close } };
    expect(of(frames, "distances")).toMatchObject({ severity: "warn", places: ["chain.xyz:4"] });
  });

  it("names outliers, copies, and copies that contradict each other", () => {
    const frames = chain();
    frames[11] = { ...frames[11], energy: frames[11].energy! + 50 };
    expect(of(frames, "outliers in energy per atom")).toMatchObject({
      severity: "warn",
      places: ["chain.xyz:12"],
    });
    const copy = { ...frames[2], place: "copy:1" };
    expect(of([...frames, copy], "duplicates")).toMatchObject({
      severity: "note",
      places: ["chain.xyz:3 = copy:1"],
    });
    expect(of([...frames, { ...copy, energy: 0 }], "duplicates").severity).toBe("warn");
  });

  it("judges the sign of the stress from volumes", () => {
    expect(of(crystal(), "stress sign").severity).toBe("ok");
    expect(of(crystal(-1), "stress sign").severity).toBe("error");
    expect(
      of(
        crystal().map((f) => ({ ...f, stress: scaled(f.stress!, 160.2) })),
        "stress sign",
      ).cure,
    ).toContain("GPa");
  });

  it("tells when components of the stress are exchanged", () => {
    expect(of(sheared(), "shear stress").severity).toBe("ok");
    const exchanged = sheared().map((frame) => {
      const [xx, xy, xz, , yy, yz, , , zz] = frame.stress!;
      return { ...frame, stress: Float64Array.of(xx, xy, yz, xy, yy, xz, yz, xz, zz) };
    });
    const found = of(exchanged, "shear stress");
    expect(found).toMatchObject({ severity: "error", cure: expect.stringContaining("VASP") });
    expect(found.message).toContain(
      "the stress called yz follows the angle xz (1), the stress called xz follows",
    );
    // Without shear there is nothing to say.
    expect(examine(crystal()).findings.some(({ check }) => check === "shear stress")).toBe(false);
  });

  it("reports isolated atoms that contradict each other", () => {
    const frames = [...chain(), atom(-1000, "a:1"), atom(-1001, "a:2")];
    expect(of(frames, "isolated atoms")).toMatchObject({ severity: "error", places: ["a:2"] });
  });

  it("counts frames that hold no numbers or no labels", () => {
    const frames = chain(12);
    const broken = { ...frames[0], energy: NaN };
    expect(of([broken, ...frames.slice(1)], "numbers")).toMatchObject({
      severity: "error",
      places: ["chain.xyz:1"],
    });
    const bare = frames.map((f) => ({ ...f, energy: undefined, forces: undefined }));
    expect(of(bare, "labels").severity).toBe("error");
  });
});

it("isolated atoms alone are told without an energy that nothing gives", () => {
  const structure = { ...chain(1)[0].structure, numbers: Uint8Array.of(18), positions: new Float64Array(3) };
  const alone = { structure, info: {}, arrays: {} };
  const { elements } = examine(
    [1, 2, 3].map((energy) => ({ ...alone, energy: -energy, place: `${energy}` })),
  );
  expect(elements).toMatchObject([{ symbol: "Ar", atoms: 3, energy: null, source: null }]);
});
