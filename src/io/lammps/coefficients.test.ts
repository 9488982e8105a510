import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { digits, readCoefficients, writeCoefficients } from "./coefficients.ts";
import { readParameters, toSnap, writeParameters } from "./parameters.ts";

const COEFFICIENTS = `# by hand

2 3
W 0.5 1 # tungsten
 1.5
 -2d-3  # B[1]
 0
Be 0.41 0.95
1
2
3
`;

const read = (change: (text: string) => string) => () => readCoefficients(change(COEFFICIENTS), "x");

describe("coefficients", () => {
  it("reads elements in their order, comments left out", () => {
    expect(readCoefficients(COEFFICIENTS, "x")).toEqual([
      { symbol: "W", radius: 0.5, weight: 1, coefficients: Float64Array.of(1.5, -0.002, 0) },
      { symbol: "Be", radius: 0.41, weight: 0.95, coefficients: Float64Array.of(1, 2, 3) },
    ]);
  });

  it("says what is wrong", () => {
    expect(read(() => "")).toThrow("invalid x: expected the number of elements and of coefficients");
    expect(read((t) => t.replace("2 3", "2 4"))).toThrow("x: expected 11 lines with content");
    expect(read((t) => t.replace("Be 0", "Bee 0"))).toThrow("invalid x:8: expected an element, its radius");
    expect(read((t) => t.replace("1.5", "1.5 2"))).toThrow(
      "invalid x:5: expected one coefficient, got 1.5 2",
    );
    expect(read((t) => t.replace("Be", "W"))).toThrow("x: expected each element once, got W twice");
  });

  it("what is written reads back to the same bits", () => {
    const values = Float64Array.of(1 / 3, -0, 5e-324, 1e300, -12345678.123456789, 4, 1e21);
    const element = { symbol: "Ta", radius: 0.5, weight: 1, coefficients: values };
    const [back] = readCoefficients(writeCoefficients([element], "test", ["B[0]"]), "x");
    values.forEach((x, k) => expect(Object.is(back.coefficients[k], x)).toBe(true));
    expect(digits(4)).toBe("4.0");
    expect(digits(1e21)).toBe("1e+21");
  });
});

const bad = () => readParameters("twojmax 6 7\nbzeroflag 2\nrcut 5\ndiagonalstyle 2\n", "p");

describe("parameters", () => {
  it("reads flags, numbers and lists, with LAMMPS's defaults", () => {
    const text =
      "rcutfac 4.5\ntwojmax 6 # 2J\nchemflag 1\nswitchinnerflag 1\nsinner 1.1 1.2\ndinner 0.2 0.3\n";
    const parameters = readParameters(`${text}chunksize 2000\ndiagonalstyle 3\n`, "p");
    const elements = readCoefficients(COEFFICIENTS, "x");
    const snap = toSnap(parameters, elements, "p");
    expect(snap).toEqual({
      twojmax: 6,
      cutoff: 4.5,
      rfac0: 0.99363,
      rmin0: 0,
      elements: { W: { radius: 0.5, weight: 1 }, Be: { radius: 0.41, weight: 0.95 } },
      switching: true,
      innerSwitching: { W: { sinner: 1.1, dinner: 0.2 }, Be: { sinner: 1.2, dinner: 0.3 } },
      bzero: true,
      bnorm: false,
      chem: true,
      wselfall: false,
    });
    const again = readParameters(writeParameters(snap, false, ["W", "Be"], "test"), "p");
    expect(again).toEqual(parameters);
  });

  it("says what is wrong, all at once", () => {
    expect(bad).toThrow("invalid p:1 twojmax: expected a number, got 6 7");
    expect(bad).toThrow("invalid p:2 bzeroflag: expected 0 or 1, got 2");
    expect(bad).toThrow("invalid p:3: expected one of rcutfac, twojmax");
    expect(bad).toThrow("invalid p:4 diagonalstyle: expected 3");
    expect(bad).toThrow("invalid p rcutfac: expected a number, got nothing");
    const inner = readParameters("rcutfac 4\ntwojmax 2\nswitchinnerflag 1\nsinner 1\n", "p");
    expect(() => toSnap(inner, readCoefficients(COEFFICIENTS, "x"), "p")).toThrow(
      "p dinner: expected 2 numbers",
    );
  });
});

const FILES = [
  "models/snap-Ta06A/Ta06A",
  "models/snap-W_2940_2017_2/W_2940_2017_2",
  "models/snap-WBe_Wood_PRB2019_onW/WBe_Wood_PRB2019",
  "models/qsnap-Mo-zuo2020/Mo_Zuo_JPCA2020.quadratic",
  "models/snap-Li-zuo2020/Li_Zuo_JPCA2020",
  "datasets/fitsnap_Ta/quadratic_20May21_Standard/Ta_pot",
].map((name) => [name, shared(`${name}.snapcoeff`), shared(`${name}.snapparam`)] as const);

describe.skipIf(FILES.some(([, file]) => !file))("published files", () => {
  it.each(FILES)("%s", (_, coefficients, parameters) => {
    const elements = readCoefficients(readFileSync(coefficients!, "utf8"), "c");
    const { twojmax, quadraticflag } = readParameters(readFileSync(parameters!, "utf8"), "p");
    const K = { 6: 30, 8: 55 }[twojmax]!;
    const count = 1 + K + (quadraticflag ? (K * (K + 1)) / 2 : 0);
    for (const element of elements) expect(element.coefficients.length).toBe(count);
    expect(readCoefficients(writeCoefficients(elements, "again"), "c")).toEqual(elements);
  });
});
