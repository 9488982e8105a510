import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import { environments, type Environments } from "../environments.ts";
import { atomFeatures, difference } from "../golden.fixture.ts";
import { averageSoap } from "../molecular/average-soap.ts";
import { SoapAverage } from "./average.ts";
import { soapParts } from "./parts.ts";
import { soap } from "./soap.ts";

const device = createDevice({ bytes: 2 ** 27 });

interface Stored {
  readonly numbers: number[];
  readonly positions: number[][];
  readonly cell: number[][] | null;
}

/** What test/golden/soap.py had dscribe compute. */
const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../../test/golden/soap.json", import.meta.url)), "utf8"),
) as {
  molecule: Stored;
  crystal: Stored;
  cases: Record<string, { molecule: unknown; crystal: unknown; derivatives: number[][][] }>;
};

const structureOf = ({ numbers, positions, cell }: Stored): Structure => ({
  numbers: Uint8Array.from(numbers),
  positions: Float64Array.from(positions.flat()),
  cell: cell && Float64Array.from(cell.flat()),
  pbc: cell ? [true, true, true] : [false, false, false],
});

const elementWeights = { H: 0.5, C: 1.5, O: 2 };

/** Options that say what those of the script say. */
const said: Readonly<Record<string, object>> = {
  off: {},
  "inner, polynomial": { basis: "polynomial" },
  mu2: { compression: "mu2", elementWeights },
  mu1nu1: { compression: "mu1nu1" },
  crossover: { compression: "crossover" },
  poly: { weighting: { type: "poly", r0: 2.8, c: 1.3, m: 2 }, centre: 1.3 },
  pow: { weighting: { type: "pow", r0: 1.5, c: 1.1, d: 0.7, m: 3 }, centre: 0.4 },
  exp: { weighting: { type: "exp", r0: 1.2, c: 1.2, d: 0.9 }, centre: 0 },
};

const given = (name: string): object => ({
  cutoff: 3,
  nmax: 3,
  lmax: 2,
  sigma: 0.5,
  fade: { type: "hard" },
  reach: 3 + 0.5 * Math.sqrt(-2 * Math.log(1e-3)),
  convention: "dscribe",
  ...(said[name] ?? said[name.split(", ")[0]]),
});

const [molecule, crystal] = [structureOf(golden.molecule), structureOf(golden.crystal)];
const names = Object.keys(golden.cases);
const averaged = names.filter((name) => /inner|outer/.test(name));

describe("soap with dscribe's options", () => {
  it.each(names.filter((name) => !averaged.includes(name)))(
    "%s: values to 1e-9, derivatives to 1e-8, where dscribe takes differences to 1e-6",
    (name) => {
      const { molecule: values, crystal: more, derivatives } = golden.cases[name];
      const d = soap.build(soap.options.parse(given(name)), [1, 6, 8], device);
      const rows = atomFeatures(d, device, molecule);
      expect(difference(rows.slice(0, 2), (values as number[][]).slice(0, 2))).toBeLessThan(1e-9);
      expect(
        difference(atomFeatures(d, device, crystal).slice(0, 2), (more as number[][]).slice(0, 2)),
      ).toBeLessThan(1e-8);
      expect(Math.max(...derivatives.flat(2).map(Math.abs))).toBeGreaterThan(1e-2);
      const tolerance = ["off", "crossover"].includes(name) ? 1e-8 : 1e-6;
      for (const i of [0, 1]) expect(difference(slopes(d, i), derivatives[i])).toBeLessThan(tolerance);
    },
  );

  it.each(averaged)("%s: values to 1e-9, derivatives as dscribe's differences, to 1e-5", (name) => {
    const average = name.includes("inner") ? "inner" : "outer";
    const { molecule: values, crystal: more, derivatives } = golden.cases[name];
    const parts = soapParts(soap.options.parse(given(name)), [1, 6, 8], device);
    const mean = new SoapAverage(parts, average, device);
    const of = (structure: Structure) => {
      const x = new Float64Array(mean.size);
      mean.value(surroundings(structure, mean.cutoff), x);
      return [[...x]];
    };
    expect(difference(of(molecule), [values as number[]])).toBeLessThan(2e-9);
    expect(difference(of(crystal), [more as number[]])).toBeLessThan(1e-8);
    const d = averageSoap.build(
      averageSoap.options.parse({ ...given(name), average }),
      molecule.numbers,
      device,
    );
    const { rows } = d.jacobian(molecule.positions);
    const own = [0, 1, 2].map((k) =>
      Array.from({ length: d.size }, (_, t) => rows.values[t * molecule.positions.length + 3 + k]),
    );
    expect(difference(own, derivatives[0])).toBeLessThan(1e-5);
  });

  it.each(["inner", "outer"] as const)("%s: pullback is the transpose of the rows", (average) => {
    const mean = new SoapAverage(
      soapParts(soap.options.parse(given("off")), [1, 6, 8], device),
      average,
      device,
    );
    const env = surroundings(crystal, mean.cutoff);
    const W = Float64Array.from({ length: mean.size }, (_, t) => Math.sqrt(t + 1) - 4);
    const gradient = new Float64Array(3 * env.neighbour.length);
    mean.pullback(env, W, gradient);
    const expected = new Float64Array(gradient.length);
    mean.jacobian(env, (c, rows) => {
      const width = rows.length / mean.size;
      for (let t = 0; t < mean.size; t++)
        for (let k = 0; k < width; k++) expected[3 * env.offsets[3 * c] + k] += W[t] * rows[t * width + k];
    });
    const size = Math.max(...expected.map(Math.abs));
    expect(difference([[...gradient]], [[...expected]])).toBeLessThan(1e-13 * size);
  });
});

function surroundings(structure: Structure, cutoff: number): Environments {
  return environments([{ structure, neighbours: findNeighbours(structure, cutoff) }], [1, 6, 8], cutoff);
}

/** Derivatives of atom i's features by the second atom, [3, features]. */
function slopes(d: ReturnType<typeof soap.build>, i: number): number[][] {
  const env = surroundings(molecule, d.cutoff);
  const c = env.centre.indexOf(i);
  const [first, last] = [env.offsets[3 * c], env.offsets[3 * c + 3]];
  const rows = new Float64Array(3 * (last - first) * d.size(0));
  d.jacobian(env, c, rows);
  return [0, 1, 2].map((k) =>
    Array.from({ length: d.size(0) }, (_, t) => {
      let sum = 0;
      for (let p = 0; p < last - first; p++) {
        const slope = rows[(t * (last - first) + p) * 3 + k];
        if (i === 1) sum -= slope;
        if (env.neighbour[first + p] === 1) sum += slope;
      }
      return sum;
    }),
  );
}
