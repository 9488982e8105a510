import { describe, expect, it } from "vitest";
import { ethanol } from "../../../test/ethanol.ts";
import { atomFeatures } from "../../descriptors/golden.fixture.ts";
import { ani } from "../../descriptors/ani/ani.ts";
import type { SymmetryFunction } from "../../descriptors/symmetry-functions/options.ts";
import { symmetryFunctions } from "../../descriptors/symmetry-functions/symmetry-functions.ts";
import { createDevice } from "../../device/device.ts";
import { Random } from "../../math/random.ts";
import { FeatureAccumulator } from "../features.ts";
import { reachable } from "./candidates.ts";
import { places } from "./placement.ts";
import { propose } from "./proposal.ts";
import { prune } from "./prune.ts";

const device = createDevice({ bytes: 2 ** 28 });

/** Ethanol, every atom moved a little, another way in every structure. */
const random = new Random(7, "proposal");
const molecules = Array.from({ length: 12 }, () => ({
  ...ethanol,
  positions: ethanol.positions.map((x) => x + 0.08 * (random.uniform() - 0.5)),
}));

/** What the functions of a list are of. */
const kindsOf = (list: readonly SymmetryFunction[]) =>
  new Set(list.map((f) => ("neighbours" in f ? f.neighbours?.join("-") : "neighbour" in f && f.neighbour)));

describe("a proposal", () => {
  const proposal = propose(molecules, device, { size: "small" });
  const functions = proposal.options.functions!;

  it("is the same for the same structures", () => {
    expect(propose(molecules, device, { size: "small" }).options).toEqual(proposal.options);
  });

  it("has no function of neighbours that never occur, and some of all others", () => {
    expect(kindsOf(functions["C"])).toEqual(new Set(["H", "C", "O", "H-H", "H-C", "H-O", "C-O"]));
    expect(kindsOf(functions["O"])).toEqual(new Set(["H", "C", "H-H", "H-C", "C-C"]));
    expect(proposal.candidates.flat().some(({ label }) => label.endsWith("O-O"))).toBe(false);
  });

  it("keeps the number asked for, fewer only where there are not as many", () => {
    const { candidates } = propose(molecules, device, { features: 20 });
    for (const list of candidates) {
      const kept = list.filter((c) => c.reason === "kept");
      expect(kept).toHaveLength(20);
      expect(list.some((c) => c.reason === "redundant")).toBe(true);
      expect(kept.every((c) => c.correlation <= 0.999 && c.deviation > 0 && c.terms > 0)).toBe(true);
    }
  });

  it("has the cutoff that was asked for", () => {
    const cutoff = { type: "cosine" as const, radius: 3.2 };
    const { options } = propose(molecules, device, { size: "small", cutoff });
    expect(options.cutoff).toEqual(cutoff);
    expect(symmetryFunctions.build(options, [1, 6, 8], device).cutoff).toBe(3.2);
  });

  it("does not depend on where the molecules are", () => {
    const moved = molecules.map((m) => ({ ...m, positions: m.positions.map((x) => x + 16) }));
    const centres = (of: typeof proposal) => of.candidates.flat().map((c) => c.label);
    expect(centres(propose(moved, device, { size: "small" }))).toEqual(centres(proposal));
  });

  it("of one structure, or of atoms that are always alone, still gives every element functions", () => {
    const far = { ...ethanol, numbers: Uint8Array.of(18, 18), positions: Float64Array.of(0, 0, 0, 50, 0, 0) };
    const { options, elements } = propose([ethanol, far], device, { size: "small" });
    expect(elements).toEqual([1, 6, 8, 18]);
    expect(options.functions!["Ar"]).toEqual([{ type: "G1" }]);
    expect(options.functions!["O"].length).toBeGreaterThan(20);
  });

  it("of nothing is refused", () => {
    expect(() => propose([], device)).toThrow("at least one structure");
  });
});

it("the angular functions of ani, one by one, are ani's own to rounding", () => {
  const set = { cutoff: 3.5, eta: 8, zeta: 32, shifts: [0.9, 1.55], angles: [Math.PI / 16, Math.PI / 2] };
  const radial = { cutoff: 5, eta: 16, shifts: [1] };
  const whole = ani.build(ani.options.parse({ radial, angular: set }), [1, 6, 8], device);
  const list = set.shifts.flatMap((shift) =>
    set.angles.map((angle) => ({
      type: "ANI",
      neighbours: ["C", "H"],
      eta: set.eta,
      zeta: set.zeta,
      shift,
      angle: (angle * 180) / Math.PI,
    })),
  );
  const options = symmetryFunctions.options.parse({
    cutoff: { radius: set.cutoff },
    functions: { C: list, H: list, O: list },
  });
  const own = atomFeatures(symmetryFunctions.build(options, [1, 6, 8], device), device, ethanol);
  const theirs = atomFeatures(whole, device, ethanol);
  const columns = [...whole.labels(1).entries()].filter(([, l]) => l.endsWith(" H-C")).map(([t]) => t);
  expect(columns).toHaveLength(4);
  for (const [atom, row] of own.entries())
    for (const [k, t] of columns.entries()) expect(row[k]).toBeCloseTo(theirs[atom][t], 13);
});

it("places are the middles of equal parts of the data's range", () => {
  const density = { from: 1, width: 0.02, values: new Float64Array(200) };
  const found = places(density, 4, 0.5);
  expect(found.map((p) => p.centre)).toEqual([1.5, 2.5, 3.5, 4.5]);
  expect(found.every((p) => p.sigma === 0.5)).toBe(true);
});

it("the range is that of the data, half an ångström more on either side, and ends at the cutoff", () => {
  const values = Float64Array.from({ length: 300 }, (_, b) => (b >= 100 && b < 120 ? 1 : 0));
  const inside = reachable({ from: 0, width: 0.02, values }, 6)!;
  expect([inside.from, inside.values.length]).toEqual([1.5, 20 + 50]);
  const far = reachable({ from: 0, width: 0.02, values: values.map((_, b) => b * b) }, 6)!;
  expect(far.from + far.width * far.values.length).toBeCloseTo(6, 12);
  expect(reachable({ from: 0, width: 0.02, values: new Float64Array(300) }, 6)).toBe(null);
});

describe("pruning", () => {
  /** Columns: signal, its copy at a tenth, constant, noise, all but nothing. */
  const draws = new Random(3, "prune");
  const width = 5;
  const rows = new Float64Array(200 * width);
  for (let i = 0; i < 200; i++) {
    const [x, y] = [draws.uniform(), draws.uniform()];
    rows.set([x, 0.1 * x + 4, 7, y, 1e-7 * y * x], i * width);
  }
  const sum = new FeatureAccumulator(width);
  for (let i = 0; i < 200; i++) sum.add(rows.subarray(i * width, (i + 1) * width));
  const matrix = { count: 200, width, rows };
  const verdicts = (count: number) => prune(matrix, sum.result, { count, faint: 1e-5, correlation: 0.999 });

  it("drops what is constant, faint or a weaker copy, and says of what", () => {
    const found = verdicts(5);
    expect(found.map((v) => v.reason)).toEqual(["kept", "duplicate", "dead", "kept", "faint"]);
    expect([found[1].with, found[1].correlation]).toEqual([0, expect.closeTo(1, 12)]);
    expect(found[0].with).toBe(3);
  });

  it("keeps as many as asked for, the most telling", () => {
    expect(verdicts(1).filter((v) => v.reason === "kept")).toHaveLength(1);
    expect(verdicts(1).filter((v) => v.reason === "redundant")).toHaveLength(1);
  });
});
