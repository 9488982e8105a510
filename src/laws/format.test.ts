import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formats } from "../io/table.ts";
import type { AtomArray, Frame, InfoValue } from "../structure/structure.ts";
import { refusesTruncation, roundTrip, stable } from "./format.ts";

const real = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -50, max: 50, noNaN: true }),
  fc.integer({ min: -9, max: 9 }),
);
const anyReal = fc.oneof(real, fc.constantFrom(NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308));

// Names the format itself uses; everything else must survive, however odd.
const OWN = /^(lattice|properties|pbc|energy|forces|stress|config_type)$/i;
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom(
    "",
    " ",
    "T",
    "12",
    "1 2 3",
    "a=b",
    '"',
    "\\",
    "\\n",
    "a\nb",
    "_JSON [1]",
    "nan",
    "1D-3",
    "[1,2]",
    "{",
    "x'y",
    "Å",
    "\u2028",
    "12345678901234567890",
  ),
);
const key = fc.oneof(
  text,
  fc.constantFrom("REF_energy", "my key", "<R2>", "__proto__", "constructor", 'a"b', "e=f"),
);
const infoKey = key.filter((k) => k !== "" && !OWN.test(k));
const arrayName = key.filter(
  (k) =>
    k !== "" &&
    !k.includes(":") &&
    !OWN.test(k) &&
    !/^(species|symbols?|elements?|Z|numbers|atomic_numbers|pos(itions?)?)$/.test(k),
);

const scalar: fc.Arbitrary<InfoValue> = fc.oneof(anyReal, fc.boolean(), text);
const infoValue: fc.Arbitrary<InfoValue> = fc.oneof(
  scalar,
  fc.array(anyReal, { maxLength: 4 }),
  fc.array(fc.boolean(), { maxLength: 4 }),
  fc.array(text, { maxLength: 3 }),
  fc.array(fc.array(anyReal, { minLength: 2, maxLength: 2 }), { maxLength: 3 }),
  fc.array(scalar, { maxLength: 3 }),
);

const word = fc.stringMatching(/^[!-~]{1,6}$/);
const atomArray = (n: number): fc.Arbitrary<AtomArray> =>
  fc.integer({ min: 1, max: 3 }).chain((width) => {
    const of = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: n * width, maxLength: n * width });
    return fc.oneof(
      of(anyReal).map((v): AtomArray => ({ kind: "real", width, values: Float64Array.from(v) })),
      of(fc.integer()).map((v): AtomArray => ({ kind: "integer", width, values: Int32Array.from(v) })),
      of(fc.boolean()).map((v): AtomArray => ({
        kind: "logical",
        width,
        values: Uint8Array.from(v, Number),
      })),
      of(word).map((values): AtomArray => ({ kind: "string", width, values })),
    );
  });

// Diagonally dominant, so never without volume; a filter would retry for ever on fast-check's favourite zeros.
const within = (min: number, max: number, n: number) =>
  fc.array(fc.double({ min, max, noNaN: true }), { minLength: n, maxLength: n });
const cell = fc
  .tuple(within(3, 9, 3), within(-1.4, 1.4, 6))
  .map(([[a, b, c], s]) => Float64Array.of(a, s[0], s[1], s[2], b, s[3], s[4], s[5], c));

const reals = (n: number) => fc.array(real, { minLength: n, maxLength: n }).map((v) => Float64Array.from(v));
const symmetric = reals(6).map(([a, b, c, d, e, f]) => Float64Array.of(a, f, e, f, b, d, e, d, c));
const maybe = <T>(item: fc.Arbitrary<T>) => fc.option(item, { nil: undefined });

const frameOf = (n: number): fc.Arbitrary<Frame> =>
  fc
    .record({
      numbers: fc.array(fc.integer({ min: 1, max: 118 }), { minLength: n, maxLength: n }),
      positions: reals(3 * n),
      cell: fc.option(cell),
      flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
      energy: maybe(real),
      forces: maybe(reals(3 * n)),
      stress: maybe(symmetric),
      configType: maybe(text),
      info: fc.dictionary(infoKey, infoValue, { maxKeys: 5 }),
      arrays: fc.dictionary(arrayName, atomArray(n), { maxKeys: 3 }),
    })
    .map(({ numbers, positions, cell, flags, energy, forces, stress, configType, info, arrays }): Frame => ({
      structure: {
        numbers: Uint8Array.from(numbers),
        positions,
        cell,
        pbc: cell ? flags : [false, false, false],
      },
      ...(energy !== undefined && { energy }),
      ...(forces && { forces }),
      ...(stress && { stress }),
      ...(configType !== undefined && { configType }),
      info,
      arrays,
      place: "law",
    }));

const anyFrames = fc.array(fc.oneof(...[0, 1, 2, 5].map(frameOf)), { minLength: 1, maxLength: 3 });
const options = { seed: 7, numRuns: 100 };

describe.each(formats.filter((f) => f.read && f.write))("laws of $name", (format) => {
  const frames = anyFrames
    .map((list) => list.filter((frame) => format.fits?.(frame) ?? true))
    // Turning the largest numbers there are overflows.
    .map((list) =>
      list.filter((frame) => (format.adapt?.(frame) ?? frame).structure.positions.every(Number.isFinite)),
    )
    .map((list) => (format.single ? list.slice(0, 1) : list))
    .filter((list) => list.length > 0);

  it("write → read is the identity to the bit, however the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(frames, (f) => roundTrip(format, f)),
      options,
    );
  });

  it("what was read is written as it was", async () => {
    await fc.assert(
      fc.asyncProperty(frames, (f) => stable(format, f)),
      { ...options, numRuns: 50 },
    );
  });

  it("a truncated last frame is refused", async () => {
    await fc.assert(
      fc.asyncProperty(frames, (f) => refusesTruncation(format, f)),
      { ...options, numRuns: 50 },
    );
  });
});

it("the laws can fail: a format that loses a digit, a frame or the end is caught", async () => {
  const [good] = formats;
  const frame: Frame = {
    structure: {
      numbers: Uint8Array.of(1),
      positions: Float64Array.of(1 / 3, 0, 0),
      cell: null,
      pbc: [false, false, false],
    },
    energy: 1,
    info: {},
    arrays: {},
    place: "law",
  };
  const rounded = {
    ...good,
    async *write(list: AsyncIterable<Frame> | Iterable<Frame>) {
      for await (const piece of good.write!(list))
        yield new TextEncoder().encode(
          new TextDecoder().decode(piece).replace("0.3333333333333333", "0.333"),
        );
    },
  };
  await expect(roundTrip(rounded, [frame])).rejects.toThrow("frame 0.positions.0");
  const forgetful = {
    ...good,
    async *read(bytes: Parameters<NonNullable<typeof good.read>>[0], file: string) {
      try {
        yield* good.read!(bytes, file);
      } catch {
        return;
      }
    },
  };
  await expect(refusesTruncation(forgetful, [frame])).rejects.toThrow("expected an InputError");
});
