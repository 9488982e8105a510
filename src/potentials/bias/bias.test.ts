import { describe, expect, test } from "vitest";
import { createDevice } from "../../device/device.ts";
import {
  addsToOut,
  evaluateOnce,
  forcesAreDerivatives,
  isWrapInvariant,
  partsAddUp,
  turnsWithTheStructure,
  virialIsDerivative,
} from "../../laws/potential.ts";
import { volume } from "../../structure/cell.ts";
import { nearestImage } from "../../structure/nearest-image.ts";
import { Random } from "../../math/random.ts";
import type { Structure } from "../../structure/structure.ts";
import { readBias, wall } from "./bias.ts";
import { Hills } from "./hills.ts";
import { readVariable } from "./variable.ts";

const device = createDevice({ bytes: 2 ** 24 });

const chain = (positions: readonly number[]): Structure => ({
  numbers: new Uint8Array(positions.length / 3).fill(6),
  positions: Float64Array.from(positions),
  cell: null,
  pbc: [false, false, false],
});

const bent = chain([0, 0, 0, 1.4, 0.1, 0, 1.9, 1.3, 0.2, 2.4, 1.8, 1.5]);
/** The same in a skew cell, where no two images are equally far. */
const boxed: Structure = {
  ...bent,
  cell: Float64Array.of(4.6, 0, 0, 1.5, 4.7, 0, 0.3, -0.9, 4.4),
  pbc: [true, true, true],
};
const value = (text: string, structure: Structure) => readVariable(text, device).evaluate(structure);

const ALL = [
  "distance(1,3)",
  "angle(1,2,3)",
  "dihedral(1,2,3,4)",
  "distance(1,2)-0.7*distance(3,4)",
  "coordination(1;2-4;r0=1.6)",
  "coordination(1,2;2,3,4;r0=1.4;n=6;m=10)",
  "dihedral(1,2,3,4)-dihedral(4,3,1,2)",
];

const share = (x: number, n: number, m: number) => (1 - x ** n) / (1 - x ** m);

describe("variables", () => {
  test("of a right angle and a turned bond, in closed form", () => {
    const right = chain([1, 0, 0, 0, 0, 0, 0, 2, 0, Math.cos(0.3), 2, -Math.sin(0.3)]);
    expect(value("distance(2,3)", right)).toBe(2);
    expect(value("angle(1,2,3)", right)).toBeCloseTo(Math.PI / 2, 14);
    // Looking along 2→3, from x to −z is the clockwise turn.
    expect(value("dihedral(1,2,3,4)", right)).toBeCloseTo(0.3, 14);
    expect(value("dihedral(4,3,2,1)", right)).toBeCloseTo(0.3, 14);
    expect(value("x(4)-2*y(3)", right)).toBeCloseTo(Math.cos(0.3) - 4, 14);
    // (1 − x⁶)/(1 − x¹⁰) and (1 − x⁶)/(1 − x¹²) as they are printed.
    expect(value("coordination(1;2;r0=0.8;n=6;m=10)", right)).toBeCloseTo(share(1 / 0.8, 6, 10), 13);
    expect(value("coordination(2;1,3;r0=0.8)", right)).toBeCloseTo(
      share(1 / 0.8, 6, 12) + share(2 / 0.8, 6, 12),
      13,
    );
    expect(value("coordination(1;2;r0=1)", right)).toBe(0.5);
  });

  test.each(ALL)("%s: its slope is its derivative, and it turns with the structure", (text) => {
    const bias = readBias(`umbrella(${text}; 0.31; k=3)`, device);
    forcesAreDerivatives(bias, bent);
    virialIsDerivative(bias, bent);
    turnsWithTheStructure(bias, bent);
    addsToOut(bias, bent);
    partsAddUp(bias, bent);
  });

  test.each(ALL)("%s: its curvature along a direction is a difference of its slopes", (text) => {
    const variable = readVariable(text, device);
    const random = new Random(3, "directions");
    const w = bent.positions.map(() => random.normal());
    const slope = (t: number) => {
      const gradient = new Float64Array(w.length);
      variable.evaluate({ ...bent, positions: bent.positions.map((x, k) => x + t * w[k]) });
      variable.gradient(1, gradient);
      return gradient.reduce((sum, g, k) => sum + g * w[k], 0);
    };
    const [h, by] = [1e-4, (t: number) => (slope(t) - slope(-t)) / (2 * t)];
    const expected = (4 * by(h) - by(2 * h)) / 3;
    variable.evaluate(bent);
    const found = variable.curvature(w);
    expect(Math.abs(expected)).toBeGreaterThan(0.01);
    expect(Math.abs(found - expected)).toBeLessThan(1e-8 * (1 + Math.abs(expected)));
  });

  test.each(ALL)("%s in a cell: the nearest image, wherever the atoms are listed", (text) => {
    const bias = readBias(`umbrella(${text}; 0.31; k=3)`, device);
    isWrapInvariant(bias, boxed);
    forcesAreDerivatives(bias, boxed);
    virialIsDerivative(bias, boxed);
  });

  test("what cannot be read is refused with its column", () => {
    const refused = (text: string) => () => readVariable(text, device);
    expect(refused("distance(1,0)")).toThrow(
      /column 12: expected the number of an atom, from 1 on, got "0\)"/,
    );
    expect(refused("distance(1,1)")).toThrow("2 different atoms for distance");
    expect(refused("dist(1,2)")).toThrow("a function (distance, angle");
    expect(refused("distance(1,2")).toThrow('")" after 2 atoms of distance, got the end');
    expect(refused("coordination(1;2)")).toThrow("r0=");
    expect(refused("coordination(1;2;r0=1;n=6;m=3)")).toThrow("whole exponents");
    expect(refused("2*dihedral(1,2,3,4)")).toThrow("without factors");
    expect(refused("distance(1,2) 3")).toThrow('"+", "-" or the end');
    const stray = readBias("umbrella(distance(1,9); 1; k=1)", device);
    expect(() => evaluateOnce(stray, bent)).toThrow("expected atoms 1 … 4, got atom 9");
  });
});

test("nearest images equal the shortest of many, in very skew cells too", () => {
  const random = new Random(1, "cells");
  let tried = 0;
  while (tried < 20) {
    const cell = Float64Array.from({ length: 9 }, () => 4 * random.normal());
    if (volume(cell) < 8) continue;
    tried++;
    const v = Float64Array.from({ length: 3 }, () => 6 * random.normal());
    let best = Infinity;
    const reach = Array.from({ length: 41 }, (_, k) => k - 20);
    for (const a of reach)
      for (const b of reach)
        for (const c of reach) {
          const w = [0, 1, 2].map((k) => v[k] + a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);
          best = Math.min(best, w[0] ** 2 + w[1] ** 2 + w[2] ** 2);
        }
    nearestImage({ cell, pbc: [true, true, true] })(v, 0);
    expect(v[0] ** 2 + v[1] ** 2 + v[2] ** 2).toBeLessThan(best + 1e-9);
  }
});

describe("biases", () => {
  test("an umbrella takes the shorter way round a dihedral", () => {
    const bias = readBias("umbrella(dihedral(1,2,3,4); 175deg; k=2)", device);
    expect(bias.energyAt((-175 * Math.PI) / 180)).toBeCloseTo(((10 * Math.PI) / 180) ** 2, 12);
  });

  test("a wall acts on its side only", () => {
    const distance = readVariable("distance(1,2)", device);
    expect(wall(distance, "above", 2, 3).energyAt(1.9)).toBe(0);
    expect(wall(distance, "above", 2, 3).energyAt(2.2)).toBeCloseTo(0.06, 14);
    expect(readBias("wall(distance(1,2); below=2; k=3)", device).energyAt(1.8)).toBeCloseTo(0.06, 14);
    expect(() => readBias("wall(dihedral(1,2,3,4); below=2; k=3)", device)).toThrow("without period");
    forcesAreDerivatives(readBias("wall(distance(1,2); below=2; k=3)", device), bent);
  });

  test("refusals name the column", () => {
    expect(() => readBias("umbrella(distance(1,2); 1.5)", device)).toThrow('column 28: expected ";" and k=');
    expect(() => readBias("umbrella(distance(1,2); 1.5; k=-1)", device)).toThrow("a force constant above 0");
    expect(() => readBias("spring(1)", device)).toThrow('a bias ("umbrella(');
  });

  test("hills: the sum as it is printed, and its derivatives", () => {
    const variables = ["distance(1,2)", "dihedral(1,2,3,4)"].map((text) => readVariable(text, device));
    const hills = new Hills(variables, [0.2, 0.5], device);
    expect(evaluateOnce(hills, bent).energy).toBe(0);
    const list = [
      [1.3, 1.2, 0.1],
      [1.5, 3.1, 0.2],
      [1.45, -3.1, 0.3],
    ];
    for (const [a, b, w] of list) hills.add([a, b], w);
    const [s, t] = hills.valuesOf(bent);
    const turn = 2 * Math.PI;
    const expected = list.reduce((V, [a, b, w]) => {
      const away = t - b - turn * Math.round((t - b) / turn);
      return V + w * Math.exp(-0.5 * (((s - a) / 0.2) ** 2 + (away / 0.5) ** 2));
    }, 0);
    expect(evaluateOnce(hills, bent).energy).toBeCloseTo(expected, 14);
    forcesAreDerivatives(hills, bent);
    virialIsDerivative(hills, bent);
  });
});
