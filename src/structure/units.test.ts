import { expect, it } from "vitest";
import { covalentRadius, elementsOf, formulaOf, massOf, masses, numberOf, symbolOf } from "./elements.ts";
import { AMU_A2_FS2, BOHR, EV_A3_IN_GPA, HARTREE, HBAR, findUnit, kB, unit, unitsOf } from "./units.ts";

it("constants have their published values", () => {
  expect(kB).toBeCloseTo(8.617333262145e-5, 16); // CODATA: 8.617 333 262… e-5 eV/K
  expect(HBAR).toBeCloseTo(0.6582119569509, 12); // 6.582 119 569… e-16 eV s
  expect(AMU_A2_FS2).toBeCloseTo(103.642696, 5); // 1.036 426 97 e-4 eV ps²/(amu Å²)
  expect(unit("energy", "kcal/mol")).toBeCloseTo(0.0433641043, 9);
  expect(unit("energy", "kJ/mol")).toBeCloseTo(0.0103642697, 9);
  expect(unit("energy", "1/cm")).toBeCloseTo(1.239841984e-4, 12);
  expect(EV_A3_IN_GPA).toBeCloseTo(160.2176634, 10);
  expect(unit("pressure", "kbar")).toBeCloseTo(1 / 1602.176634, 14);
  expect(HARTREE / BOHR).toBeCloseTo(51.42206747, 6); // atomic unit of force, eV/Å
  expect(unit("time", "a.u.")).toBeCloseTo(0.02418884326586, 12);
  expect(unit("mass", "me")).toBeCloseTo(5.48579909e-4, 11);
});

it("knows other spellings and guesses nothing", () => {
  expect(findUnit("energy", "HARTREE")).toBe("Hartree");
  expect(findUnit("length", "Angstrom")).toBe("Å");
  expect(findUnit("pressure", "eV/A^3")).toBe("eV/Å³");
  expect(findUnit("energy", "MeV")).toBeUndefined();
  expect(findUnit("energy", "bohr")).toBeUndefined();
  expect(() => unit("energy", "furlong")).toThrow(
    `expected one of ${unitsOf("energy").join(", ")}, got furlong`,
  );
});

it("elements", () => {
  expect([numberOf("H"), numberOf("Og"), symbolOf(79)]).toEqual([1, 118, "Au"]);
  expect([massOf(1), massOf(8), massOf(92)]).toEqual([1.008, 15.999, 238.02891]);
  expect([...masses([6, 1])]).toEqual([12.011, 1.008]);
  expect([covalentRadius(6), covalentRadius(96), covalentRadius(97)]).toEqual([0.76, 1.69, undefined]);
  expect(formulaOf([8, 1, 6, 6, 1, 1, 1, 1, 1])).toBe("H6C2O");
  expect(elementsOf([8, 1, 8])).toEqual([1, 8]);
  expect(() => numberOf("Xx")).toThrow("a chemical symbol, got Xx");
  expect(() => symbolOf(119)).toThrow("1 to 118, got 119");
  for (let z = 1; z <= 118; z++) expect(numberOf(symbolOf(z))).toBe(z);
});
