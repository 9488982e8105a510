import * as fc from "fast-check";
import { expect, it } from "vitest";
import { numberFrom, Words } from "./number.ts";

const encoder = new TextEncoder();

function read(text: string): number | undefined {
  const words = new Words();
  const bytes = encoder.encode(` ${text}\t`);
  words.set(bytes, 0, bytes.length);
  expect(words.more()).toBe(true);
  const x = words.number();
  expect(words.more()).toBe(false);
  return x;
}

it("reads decimals exactly as Number() does, on the fast path and off it", () => {
  const digits = fc.stringMatching(/^\d{0,19}$/);
  const decimal = fc
    .tuple(fc.constantFrom("", "-", "+"), digits, digits, fc.option(fc.integer({ min: -330, max: 310 })))
    .filter(([, a, b]) => a + b !== "")
    .map(([sign, a, b, e]) => `${sign}${a}.${b}${e === null ? "" : `e${e}`}`);
  const shortest = fc.double({ noNaN: true, noDefaultInfinity: true }).map(String);
  const fixed = fc.double({ min: -1000, max: 1000, noNaN: true }).map((x) => x.toFixed(8));
  fc.assert(
    fc.property(fc.oneof(decimal, shortest, fixed), (text) => {
      expect(read(text)).toBe(Number(text));
      expect(numberFrom(text)).toBe(Number(text));
    }),
    { seed: 1, numRuns: 3000 },
  );
});

it("rounds numbers exactly in the middle of two doubles, and a hair beside, to the right side", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n }),
      fc.integer({ min: 0, max: 8 }),
      (m, k) => {
        const middle = (2n * m + 1n) * 2n ** BigInt(k);
        for (const text of [`${middle}.0`, `${middle}.00001`, `${middle - 1n}.99999`, `${middle}e-3`])
          expect(read(text)).toBe(Number(text));
      },
    ),
    { seed: 2, numRuns: 500 },
  );
});

it("knows the edges of the fast path", () => {
  for (const text of [
    "9007199254740991",
    "9007199254740993",
    "9007199254740992.5",
    "1e22",
    "1e23",
    "1e-22",
    "1e-23",
    "0.1e-21",
  ])
    expect(read(text)).toBe(Number(text));
  expect(read("-0")).toBe(-0);
  expect(read("00000000000000000000000000012.5")).toBe(12.5);
});

it("reads Fortran's D and the names of what is no number", () => {
  expect([read("1.5D-3"), read("-2d+2"), read("1.23456789012345678D0")]).toEqual([
    0.0015,
    -200,
    Number("1.23456789012345678"),
  ]);
  expect([read("nan"), read("-NaN"), read("inf"), read("-Infinity")]).toEqual([
    NaN,
    NaN,
    Infinity,
    -Infinity,
  ]);
});

it("refuses everything else", () => {
  for (const text of ["", "x", "1x", "1.2.3", "--1", "1e", "e5", ".", "+", "0x10", "1,5", "1_000", "١"])
    expect(text === "" ? numberFrom(text) : read(text)).toBeUndefined();
});
