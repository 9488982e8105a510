import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../error.ts";
import { Random } from "../math/random.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { EnvironmentsBuilder, environments } from "./environments.ts";
import { addForces, pairTangents } from "./pairs.ts";

const elements = [1, 6, 8];

function crystal(seed: number, atoms: number): Structure {
  const random = new Random(seed, "crystal");
  const cell = Float64Array.of(4, 0.3, 0, -1, 3.6, 0.4, 0.7, 0.9, 4.4);
  return {
    numbers: Uint8Array.from({ length: atoms }, () => elements[random.integer(3)]),
    positions: random.normals(new Float64Array(3 * atoms)).map((x) => 3 * x),
    cell,
    pbc: [true, seed % 2 === 0, true],
  };
}

const listed = (structure: Structure, cutoff: number) => ({
  structure,
  neighbours: findNeighbours(structure, cutoff),
});

describe("environments", () => {
  it("hold every pair within the cutoff once, sorted by element of centre and neighbour", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.double({ min: 1, max: 4, noNaN: true }),
        (seed, cutoff) => {
          const structures = [crystal(seed, 5), crystal(seed + 1, 3)];
          const inputs = structures.map((s) => listed(s, cutoff + 0.5));
          const env = environments(inputs, elements, cutoff);
          const numbers = structures.flatMap((s) => [...s.numbers]);
          const found: string[] = [];
          for (const [e, z] of elements.entries())
            for (let c = env.starts[e]; c < env.starts[e + 1]; c++) {
              expect(numbers[env.centre[c]]).toBe(z);
              expect(env.structure[c]).toBe(env.centre[c] < 5 ? 0 : 1);
              for (const [s, zs] of elements.entries())
                for (let p = env.offsets[3 * c + s]; p < env.offsets[3 * c + s + 1]; p++) {
                  expect(numbers[env.neighbour[p]]).toBe(zs);
                  const v = [...env.vectors.subarray(3 * p, 3 * p + 3)];
                  expect(env.distances[p]).toBeCloseTo(Math.hypot(...v), 14);
                  expect(env.distances[p]).toBeLessThan(cutoff);
                  found.push([env.centre[c], env.neighbour[p], ...v.map((x) => x.toFixed(8))].join(" "));
                }
            }
          expect(found.toSorted()).toEqual(expected(inputs, cutoff).toSorted());
        },
      ),
      { seed: 1, numRuns: 30 },
    );
  });

  it("of a range hold the same rows as those of all atoms", () => {
    const inputs = [listed(crystal(3, 6), 3)];
    const builder = new EnvironmentsBuilder(elements, 3);
    const rows = (range?: readonly [number, number]) => {
      const env = builder.build(inputs, range);
      return Array.from(env.centre, (i, c): [number, string] => [
        i,
        env.vectors.slice(3 * env.offsets[3 * c], 3 * env.offsets[3 * c + 3]).join(),
      ]).toSorted(([a], [b]) => a - b);
    };
    const all = rows();
    expect([...rows([0, 2]), ...rows([2, 5]), ...rows([5, 6])]).toEqual(all);
  });

  it("name the atom whose element the model does not know", () => {
    const structure: Structure = {
      numbers: Uint8Array.of(1, 26),
      positions: Float64Array.of(0, 0, 0, 1, 0, 0),
      cell: null,
      pbc: [false, false, false],
    };
    expect(() => environments([listed(structure, 2)], elements, 2)).toThrow(InputError);
    expect(() => environments([listed(structure, 2)], elements, 2)).toThrow(
      "invalid atom 1: expected an element of the model (H, C, O), got Fe",
    );
    expect(() => environments([listed(structure, 2)], elements, 3)).toThrow(/at least 3 Å, got 2/);
  });
});

/** All pairs of the neighbour lists within the cutoff, from the definition. */
function expected(inputs: readonly ReturnType<typeof listed>[], cutoff: number): string[] {
  let base = 0;
  return inputs.flatMap(
    ({ structure: { positions, cell, numbers }, neighbours: { offsets, index, shift } }) => {
      const rows: string[] = [];
      for (let i = 0; i < numbers.length; i++)
        for (let p = offsets[i]; p < offsets[i + 1]; p++) {
          const v = [0, 1, 2].map((k) => {
            const image = [0, 1, 2].reduce((x, a) => x + shift[3 * p + a] * cell![3 * a + k], 0);
            return positions[3 * index[p] + k] + image - positions[3 * i + k];
          });
          if (Math.hypot(...v) < cutoff)
            rows.push([base + i, base + index[p], ...v.map((x) => x.toFixed(8))].join(" "));
        }
      base += numbers.length;
      return rows;
    },
  );
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((s, x, k) => s + x * b[k], 0);

describe("pairs", () => {
  it("forces and virials are the transpose of displacements and strains", () => {
    const inputs = [listed(crystal(4, 4), 4), listed(crystal(6, 3), 4)];
    const env = environments(inputs, elements, 4);
    const random = new Random(9, "pairs");
    const pairs = env.neighbour.length;
    const g = random.normals(new Float64Array(3 * pairs));
    const v = random.normals(new Float64Array(3 * env.atoms));
    const strains = random.normals(new Float64Array(18));
    const [forces, virials, t] = [3 * env.atoms, 18, 3 * pairs].map((n) => new Float64Array(n));
    addForces(env, g, forces, virials);
    pairTangents(env, v, strains, t);
    expect(-dot(forces, v) - dot(virials, strains)).toBeCloseTo(dot(g, t), 9);
    expect(Math.abs(dot(g, t))).toBeGreaterThan(1);
    pairTangents(env, v, null, t);
    expect(-dot(forces, v)).toBeCloseTo(dot(g, t), 9);
  });
});
