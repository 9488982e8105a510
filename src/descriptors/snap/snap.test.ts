import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { createDevice } from "../../device/device.ts";
import { descriptorLaws } from "../../laws/descriptor.ts";
import { numberOf } from "../../structure/elements.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Descriptor } from "../descriptor.ts";
import { environments } from "../environments.ts";
import { atomFeatures, readStructure, type StoredStructure } from "../golden.fixture.ts";
import { snap } from "./snap.ts";
import type { SnapOptions } from "./options.ts";

const device = createDevice({ bytes: 2 ** 28 });

/** The arguments of LAMMPS's compute sna/atom for elements in the order of its types. */
function optionsOf(args: string, symbols: readonly string[]): SnapOptions {
  const words = args.split(/\s+/).map((w) => (Number.isNaN(Number(w)) ? w : Number(w)));
  const S = symbols.length;
  const [rcutfac, rfac0, twojmax] = words as number[];
  const number = (key: string, k = 0) => {
    const at = words.indexOf(key);
    return at < 0 ? undefined : (words[at + 1 + k] as number);
  };
  const flag = (key: string, fallback: boolean) => (number(key) ?? Number(fallback)) === 1;
  const table = <T>(of: (e: number) => T) => Object.fromEntries(symbols.map((s, e) => [s, of(e)]));
  const inner = flag("switchinnerflag", false)
    ? { innerSwitching: table((e) => ({ sinner: number("sinner", e), dinner: number("dinner", e) })) }
    : {};
  return snap.options.parse({
    twojmax,
    cutoff: rcutfac,
    rfac0,
    rmin0: number("rmin0") ?? 0,
    elements: table((e) => ({ radius: words[3 + e], weight: words[3 + S + e] })),
    switching: flag("switchflag", true),
    bzero: flag("bzeroflag", true),
    bnorm: flag("bnormflag", false),
    wselfall: flag("wselfallflag", false),
    chem: words.includes("chem"),
    ...inner,
  });
}

/** Largest difference relative to the largest number of the same row. */
const relative = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number =>
  Math.max(
    ...a.map((row, i) => {
      const scale = Math.max(...b[i].map(Math.abs));
      return Math.max(...row.map((x, k) => Math.abs(x - b[i][k]) / scale));
    }),
  );

const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/snap.json", import.meta.url), "utf8"),
) as {
  readonly cell: number[][];
  readonly symbols: string[];
  readonly positions: number[][];
  readonly cases: readonly { name: string; style: string; arguments: string; rows: number[][] }[];
};
const structure = readStructure({
  symbols: golden.symbols,
  positions_A: golden.positions,
  cell_A: golden.cell,
  pbc: true,
});
const elements = [4, 74];
const build = (args: string) => snap.build(optionsOf(args, ["W", "Be"]), elements, device);

describe("LAMMPS's own numbers", () => {
  const values = golden.cases.filter(({ style }) => style === "sna/atom");
  it.each(values.map((c) => [c.name, c] as const))("%s", (_, { arguments: args, rows }) => {
    const found = atomFeatures(build(args), device, structure);
    expect(found.map((row) => row.length)).toEqual(rows.map((row) => row.length));
    expect(relative(found, rows)).toBeLessThan(1e-12);
  });

  const slopes = golden.cases.filter(({ style }) => style === "snad/atom");
  it.each(slopes.map((c) => [c.name, c] as const))("%s", (_, { arguments: args, rows }) => {
    expect(relative(atomDerivatives(build(args), structure), rows)).toBeLessThan(1e-12);
  });
});

/** −Σ ∂B/∂r_i over the centres of each LAMMPS type, for every atom i: [types, 3, components]. */
function atomDerivatives(d: Descriptor, { numbers, ...rest }: Structure): number[][] {
  const neighbours = findNeighbours({ numbers, ...rest }, d.cutoff);
  const env = environments([{ structure: { numbers, ...rest }, neighbours }], d.elements, d.cutoff);
  const K = d.size(0);
  const rows = Array.from(numbers, () => Array.from({ length: 2 * 3 * K }, () => 0));
  for (let c = 0; c < env.count; c++) {
    const [first, last] = [env.offsets[c * 2], env.offsets[(c + 1) * 2]];
    const jacobian = new Float64Array(3 * K * (last - first));
    d.jacobian(env, c, jacobian);
    // LAMMPS's first type is W, our second element.
    const type = numbers[env.centre[c]] === 74 ? 0 : 1;
    for (let t = 0; t < K; t++)
      for (let p = first; p < last; p++)
        for (let k = 0; k < 3; k++) {
          const slope = jacobian[t * 3 * (last - first) + 3 * (p - first) + k];
          const column = (3 * type + k) * K + t;
          rows[env.centre[c]][column] += slope;
          rows[env.neighbour[p]][column] -= slope;
        }
  }
  return rows;
}

describe("laws, multi-element", () => {
  const molecule: Structure = { ...structure, cell: null, pbc: [false, false, false] };
  const subjects = {
    chem: "4.8 0.99363 3 0.5 0.417932 1.0 0.959049 chem 2 0 1 bnormflag 1",
    "inner switching": "4.8 0.99363 4 0.5 0.4 1 0.9 switchinnerflag 1 sinner 2.1 1.7 dinner 0.5 0.6",
    "2J = 7": "4.8 0.99363 7 0.5 0.4 1 0.9",
  };
  describe.each(Object.entries(subjects))("%s", (_, args) => {
    const subject = { descriptor: build(args), device, structures: [structure, molecule], seed: 3 };
    it.each(Object.keys(descriptorLaws))("%s", (law) => {
      expect(() => descriptorLaws[law](subject)).not.toThrow();
    });
  });
});

describe("options", () => {
  it("auto takes the cutoff from the data, every element with radius 0.5 and weight 1", () => {
    const found = snap.resolve(snap.options.parse({ size: "small" }), pairStatistics([structure], 6));
    expect(found).toMatchObject({
      twojmax: 4,
      elements: { Be: { radius: 0.5, weight: 1 }, W: { radius: 0.5, weight: 1 } },
    });
    expect(found.cutoff).toBeGreaterThan(3);
    expect(snap.build(found, elements, device).cutoff).toBe(found.cutoff);
  });

  it("refuses what is left out", () => {
    const given = optionsOf("4.8 0.99363 2 0.5 1", ["W"]);
    expect(() => snap.build(given, elements, device)).toThrow("snap.elements.Be");
    const inner = { ...given, elements: undefined, innerSwitching: { W: { sinner: 1, dinner: 0.2 } } };
    expect(() => snap.build(inner, elements, device)).toThrow("snap.innerSwitching.Be");
    expect(() => snap.build({ ...given, rmin0: 5 }, [74], device)).toThrow("snap.rmin0");
    expect(() => snap.build(snap.options.parse({}), [74], device)).toThrow("resolve the options first");
  });
});

const file = shared("descriptors/snap_bispectrum.json");
describe.skipIf(file === undefined)("shared LAMMPS components", () => {
  interface Case extends StoredStructure {
    readonly name: string;
    readonly compute_sna_atom_args: string;
    readonly bispectrum_first_atoms: readonly (readonly number[])[];
  }
  const { cases } = file
    ? (JSON.parse(readFileSync(file, "utf8")) as { cases: Case[] })
    : { cases: [] as Case[] };
  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const [symbol] = c.symbols;
    const d = snap.build(optionsOf(c.compute_sna_atom_args, [symbol]), [numberOf(symbol)], device);
    const found = atomFeatures(d, device, readStructure(c));
    c.bispectrum_first_atoms.forEach((row, i) =>
      found[i].forEach((x, k) => expect(Math.abs(x - row[k])).toBeLessThan(1e-10)),
    );
  });
});
