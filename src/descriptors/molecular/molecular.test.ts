import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { numberOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { shared } from "../../../test/shared.ts";
import { molecularDescriptors } from "./table.ts";

const device = createDevice({ bytes: 2 ** 26 });

function build(name: string, given: object, structure: Structure) {
  const method = molecularDescriptors[name];
  return method.build(method.resolve(method.options.parse(given), structure), structure.numbers, device);
}

/** Symbols and positions of a plain XYZ file with a free comment line. */
function readXyz(file: string): Structure {
  const [count, , ...lines] = readFileSync(file, "utf8").split("\n");
  const rows = lines.slice(0, Number(count)).map((line) => line.trim().split(/\s+/));
  return {
    numbers: Uint8Array.from(rows, ([symbol]) => numberOf(symbol)),
    positions: Float64Array.from(rows.flatMap((row) => row.slice(1, 4).map(Number))),
    cell: null,
    pbc: [false, false, false],
  };
}

const numbersOf = (line: string) => line.trim().split(/\s+/).map(Number);
const folder = "descriptors/qml_coulomb";
const reference = (name: string) => readFileSync(path(name), "utf8").trim().split("\n").map(numbersOf);
const path = (name: string) => shared(`${folder}/${name}`)!;
const molecule = (k: number) => readXyz(path(`${101 + k}`.padStart(4, "0") + ".xyz"));

describe.skipIf(shared(folder) === undefined)("Coulomb matrices as qml has them (shared qml_coulomb)", () => {
  it.each([
    ["unsorted", "coulomb_matrix_representation_unsorted.txt"],
    ["row-norm", "coulomb_matrix_representation_row-norm_sorted.txt"],
    ["eigenvalues", "eigenvalue_coulomb_matrix_representation.txt"],
  ])("%s", (order, file) => {
    reference(file).forEach((wanted, k) => {
      const structure = molecule(k);
      const found = [...build("coulomb-matrix", { order }, structure).forward(structure.positions)];
      // Smaller molecules are padded with zeros there: at the end, or where zeros come among falling eigenvalues.
      const padded = [...found, ...Array.from({ length: wanted.length - found.length }, () => 0)];
      if (order === "eigenvalues") padded.sort((a, b) => b - a);
      padded.forEach((x, t) => expect(Math.abs(x - wanted[t])).toBeLessThan(1e-7));
    });
  });
});

const chain = (turn: number): Structure => ({
  numbers: Uint8Array.of(8, 8, 8, 8),
  // Looking from atom 1 to 2, along +z: the near atom 0 at x, the far atom 3 turned by `turn`, clockwise positive.
  positions: Float64Array.from([1, 0, -0.4, 0, 0, 0, 0, 0, 1.4, Math.cos(turn), Math.sin(turn), 1.8]),
  cell: null,
  pbc: [false, false, false],
});

describe("internal coordinates", () => {
  it.each([-3.1, -2.2, -1.5, -0.3, 1e-9, 0.01, 0.8, 1.57, 2.5, 3.14])(
    "a dihedral of %f has its sign and its digits",
    (turn) => {
      // Along +z from the near to the far atom, x turns to y clockwise.
      const d = build("internal", { periodic: "angle", dihedrals: [[0, 1, 2, 3]] }, chain(turn));
      expect(d.forward(chain(turn).positions)[d.size - 1]).toBeCloseTo(turn, 14);
      const smooth = build("internal", { dihedrals: [[0, 1, 2, 3]] }, chain(turn));
      const [cosine, sine] = smooth.forward(chain(turn).positions).slice(-2);
      expect(cosine).toBeCloseTo(Math.cos(turn), 14);
      expect(sine).toBeCloseTo(Math.sin(turn), 14);
    },
  );

  it("bonds, angles and dihedrals of hydrogen peroxide are found", () => {
    const peroxide: Structure = {
      numbers: Uint8Array.of(1, 8, 8, 1),
      positions: Float64Array.of(0.84, 0.45, -0.2, 0, 0, 0, 0, 0, 1.46, -0.3, 0.9, 1.7),
      cell: null,
      pbc: [false, false, false],
    };
    const method = molecularDescriptors["internal"];
    expect(method.resolve(method.options.parse({}), peroxide)).toMatchObject({
      bonds: [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      angles: [
        [0, 1, 2],
        [1, 2, 3],
      ],
      dihedrals: [[0, 1, 2, 3]],
    });
  });

  it("refuses atoms that are not there", () => {
    expect(() => build("internal", { bonds: [[0, 4]] }, chain(1))).toThrow(/numbers of 4 atoms/);
  });
});

describe("bag of bonds", () => {
  it("does not depend on the order of like atoms, and holds what it must", () => {
    const water: Structure = {
      numbers: Uint8Array.of(8, 1, 1),
      positions: Float64Array.of(0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0),
      cell: null,
      pbc: [false, false, false],
    };
    const d = build("bag-of-bonds", {}, water);
    const x = d.forward(water.positions).slice();
    const swapped = water.positions.slice();
    swapped.set(water.positions.subarray(3, 6), 6);
    swapped.set(water.positions.subarray(6, 9), 3);
    expect(d.forward(swapped)).toEqual(x);
    const far = Math.hypot(-0.24, 0.93);
    const wanted = [0.5 * 8 ** 2.4, 0.5, 0.5, 8 / 0.96, 8 / far, 1 / Math.hypot(1.2, 0.93)];
    [...x].forEach((value, t) => expect(value).toBeCloseTo(wanted[t], 13));
  });
});
