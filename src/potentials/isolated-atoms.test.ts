import { describe, expect, it } from "vitest";
import type { Frame } from "../structure/structure.ts";
import { isolatedAtomEnergies, isolatedAtoms } from "./isolated-atoms.ts";

const TRUE: Record<number, number> = { 1: -13.6, 6: -1029.25, 8: -2041.5 };

function frame(numbers: readonly number[], extra = 0, configType?: string): Frame {
  return {
    structure: {
      numbers: Uint8Array.from(numbers),
      positions: Float64Array.from({ length: 3 * numbers.length }, (_, k) => k),
      cell: null,
      pbc: [false, false, false],
    },
    energy: numbers.reduce((sum, z) => sum + TRUE[z], extra),
    configType,
    info: {},
    arrays: {},
    place: `frame of ${numbers.length}`,
  };
}

describe("energies of isolated atoms", () => {
  it("least squares over compositions", () => {
    const frames = [frame([1, 1, 8]), frame([6, 8, 8]), frame([6, 1, 1, 1, 1]), frame([6, 8])];
    const { options, sources, notes } = isolatedAtomEnergies(frames);
    expect(options.energies.H).toBeCloseTo(TRUE[1], 9);
    expect(options.energies.C).toBeCloseTo(TRUE[6], 9);
    expect(options.energies.O).toBeCloseTo(TRUE[8], 9);
    expect(sources).toEqual({ H: "least squares", C: "least squares", O: "least squares" });
    expect(notes).toEqual([]);
  });

  it("given first, then frames of single atoms, then least squares for the rest", () => {
    const frames = [
      frame([8], 0.25, "IsolatedAtom"),
      frame([1, 1, 8], 0.25),
      frame([1, 1, 1, 1, 6, 8], 0.25),
    ];
    const { options, sources } = isolatedAtomEnergies(frames, { C: TRUE[6] });
    expect(sources).toEqual({ C: "given", O: "isolated-atom frame", H: "least squares" });
    expect(options.energies).toEqual({ C: TRUE[6], O: TRUE[8] + 0.25, H: expect.closeTo(TRUE[1], 9) });
  });

  it("one composition cannot tell elements apart: least norm, and it is said", () => {
    const ethanol = [6, 6, 8, 1, 1, 1, 1, 1, 1];
    const { options, sources, notes } = isolatedAtomEnergies([frame(ethanol, 0.5), frame(ethanol, -0.5)]);
    const { C, H, O } = options.energies;
    expect(2 * C + 6 * H + O).toBeCloseTo(frame(ethanol).energy!, 8);
    expect(C / 2).toBeCloseTo(O, 8);
    expect(H / 6).toBeCloseTo(O, 8);
    expect(sources.C).toBe("least squares, not determined");
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/do not tell the energies of H, C, O apart/);
  });

  it("one unknown left is determined even by one composition", () => {
    const { options, sources } = isolatedAtomEnergies([frame([1, 1, 8])], { H: TRUE[1] });
    expect(options.energies.O).toBeCloseTo(TRUE[8], 9);
    expect(sources.O).toBe("least squares");
  });

  it("isolated atoms that disagree are an error with both places", () => {
    expect(() => isolatedAtomEnergies([frame([1]), frame([1], 0.1)])).toThrow(
      /frame of 1: expected the isolated H/,
    );
  });

  it("an unknown symbol or a missing element is an error", () => {
    expect(() => isolatedAtomEnergies([frame([1])], { Xx: 1 })).toThrow(/Xx/);
    expect(() => isolatedAtoms.build({ energies: { H: 0 } }, [1, 6], {}, undefined as never)).toThrow(
      /energy of C/,
    );
  });
});
