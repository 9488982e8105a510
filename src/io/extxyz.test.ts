import { describe, expect, it } from "vitest";
import { InputError } from "../error.ts";
import type { Frame } from "../structure/structure.ts";
import { readExtxyz, writeExtxyz } from "./extxyz.ts";
import type { ByteStream } from "./format.ts";
import { gzip } from "./gzip.ts";
import { findFormat } from "./table.ts";

const encoder = new TextEncoder();

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

const read = (bytes: string | ByteStream) =>
  collect(readExtxyz(typeof bytes === "string" ? [encoder.encode(bytes)] : bytes, "water.xyz"));

const problemsOf = async (text: string) => {
  const error = await read(text).then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message.split("\n");
};

const cell = async (comment: string) => (await read(`0\n${comment}\n`))[0].structure;
const one = (properties: string, line: string) => problemsOf(`1\nProperties=${properties}\n${line}\n`);

async function* broken() {
  yield (await collect(gzip([encoder.encode("1\nx\nH 0 0 0\n")])))[0].subarray(0, 8);
  throw new RangeError("disk on fire");
}

const write = async (f: Frame) => new TextDecoder().decode((await collect(writeExtxyz([f])))[0]);

describe("reading", () => {
  it("Properties in any order, Z column, every kind, tabs, Windows line ends, Fortran exponents, byte order mark", async () => {
    const text =
      '\uFEFF2\r\nProperties=tag:I:1:forces:R:3:Z:I:1:pos:R:3:fixed:L:1:name:S:1:q:R:2 Lattice="5 0 0 0 6 0 1 0 7" energy=-1.5D+01 ok\r\n' +
      "7\t0.1 0.2 0.3 8 0 0 1.0D-1 T O1 1 2\r\n-1 1e-3 0 0 1 .5 -0.5 +2. F H1 3 4\r\n";
    const [frame] = await read(text);
    expect(frame.place).toBe("water.xyz:1");
    expect({ ...frame.info }).toEqual({ energy: -15, ok: true });
    expect(frame.structure).toEqual({
      numbers: Uint8Array.of(8, 1),
      positions: Float64Array.of(0, 0, 0.1, 0.5, -0.5, 2),
      cell: Float64Array.of(5, 0, 0, 0, 6, 0, 1, 0, 7),
      pbc: [true, true, true],
    });
    expect(frame.arrays).toEqual({
      tag: { kind: "integer", width: 1, values: Int32Array.of(7, -1) },
      forces: { kind: "real", width: 3, values: Float64Array.of(0.1, 0.2, 0.3, 1e-3, 0, 0) },
      fixed: { kind: "logical", width: 1, values: Uint8Array.of(1, 0) },
      name: { kind: "string", width: 1, values: ["O1", "H1"] },
      q: { kind: "real", width: 2, values: Float64Array.of(1, 2, 3, 4) },
    });
  });

  it("plain XYZ: further columns are kept, a number in the comment too, symbols in any case, atomic numbers", async () => {
    const [frame] = await read("3\n  -40.5\nCL 0 0 0 1 2 3\nh 0 0 1 4 5 6\n6 0 1 0 7 8 9\n\n\n");
    expect([...frame.structure.numbers]).toEqual([17, 1, 6]);
    expect(frame.structure).toMatchObject({ cell: null, pbc: [false, false, false] });
    expect(frame.info.comment).toBe(-40.5);
    expect(frame.arrays.columns).toEqual({
      kind: "real",
      width: 3,
      values: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9),
    });
  });

  it("Lattice and pbc in every style", async () => {
    const nine = Float64Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3);
    for (const lattice of [
      '"1 0 0 0 2 0 0 0 3"',
      "{1 0 0 0 2 0 0 0 3}",
      "[1,0,0,0,2,0,0,0,3]",
      "[[1,0,0],[0,2,0],[0,0,3]]",
    ])
      expect((await cell(`Lattice=${lattice}`)).cell).toEqual(nine);
    expect((await cell('Lattice="1 0 0 0 2 0 0 0 3" pbc="T F T"')).pbc).toEqual([true, false, true]);
    expect((await cell('Lattice="1 0 0 0 2 0 0 0 3" pbc=[1,1,0]')).pbc).toEqual([true, true, false]);
    expect((await cell('Lattice="0 0 0 0 0 0 0 0 0" a=1')).cell).toBeNull();
    expect((await problemsOf('0\nLattice="1 0 0 2 0 0 0 0 1"\n'))[0]).toContain(
      "water.xyz:2: expected independent periodic",
    );
    expect((await problemsOf("0\npbc=T\n"))[0]).toContain(
      "expected lattice vectors for the periodic directions, got no cell",
    );
    expect((await problemsOf('0\nLattice="1 2 3"\n'))[0]).toContain("9 numbers for Lattice, got [1,2,3]");
  });

  it("gzip in pieces; damaged, truncated or several files in one are refused", async () => {
    const text = encoder.encode("1\nenergy=1\nH 0 0 0\n");
    const packed = await collect(gzip([text]));
    const pieces = packed.flatMap((p) => [...p].map((b) => Uint8Array.of(b)));
    expect((await read(pieces)).map((f) => f.place)).toEqual(["water.xyz:1"]);
    await expect(read([...packed, ...packed])).rejects.toThrow("expected a whole gzip file");
    const whole = packed.flatMap((p) => [...p]);
    const cut = Uint8Array.from(whole.slice(0, -6));
    await expect(read([cut])).rejects.toThrow(
      "invalid water.xyz: expected a whole gzip file, got damaged or truncated",
    );
    const damaged = Uint8Array.from(whole, (b, i) => (i === whole.length - 7 ? b ^ 1 : b));
    await expect(read([damaged])).rejects.toThrow("expected a whole gzip file");
  });
});

describe("errors have file and line", () => {
  const good = "2\nProperties=species:S:1:pos:R:3\nH 0 0 0\nH 0 0 1\n";

  it("reports all of them, and yields no frame after the first", async () => {
    const bad =
      '2\nProperties=species:S:1:pos:R:3 a="\nH 0 0 0\nH 0 0 0\n2\nx\nQq 0 0 0\nH 0 0 nan\n2\nx\nH 0 zero 0\nH 0 0\n';
    expect(await problemsOf(good + bad)).toEqual([
      'invalid water.xyz:6: expected a closing ", got the end of the line after "',
      'invalid water.xyz:11: expected a chemical symbol, got "Qq"',
      'invalid water.xyz:12: expected finite coordinates, got "nan"',
      'invalid water.xyz:15: expected a number for pos, got "zero"',
      'invalid water.xyz:16: expected 4 columns (species 1, pos 3), got "H 0 0"',
    ]);
    const seen: Frame[] = [];
    const reading = async () => {
      for await (const frame of readExtxyz([encoder.encode(good + bad + good)], "water.xyz"))
        seen.push(frame);
    };
    await expect(reading()).rejects.toThrow(InputError);
    expect(seen.length).toBe(1);
  });

  it("stops looking after twenty", async () => {
    expect((await problemsOf(`30\nx\n${"Qq 0 0 0\n".repeat(30)}`)).length).toBe(20);
  });

  it("wrong atom counts, truncation, and what is no XYZ at all", async () => {
    expect(await problemsOf(good.replace("2", "1") + good)).toEqual([
      'invalid water.xyz:4: expected the number of atoms of a frame, 1 atoms after water.xyz:1, got "H 0 0 1"',
    ]);
    expect(await problemsOf(good.replace("2", "3") + good)).toEqual([
      'invalid water.xyz:5: expected 3 atom lines after water.xyz:1, got 2, then "2"',
    ]);
    expect(await problemsOf(`${good}2\nProperties=species:S:1:pos:R:3\nH 0 0 0\n`)).toEqual([
      "invalid water.xyz:5: expected a comment line and 2 atom lines, got the end of the file after 1",
    ]);
    expect((await problemsOf("<html>\n"))[0]).toContain('the number of atoms of a frame, got "<html>"');
    expect((await problemsOf("-3\nx\n"))[0]).toContain('got "-3"');
  });

  it("columns: too many, wrong kinds, properties that make no sense", async () => {
    expect((await one("species:S:1:pos:R:3", "H 0 0 0 1"))[0]).toContain(
      'water.xyz:3: expected 4 columns, got more: "1"',
    );
    expect((await one("species:S:1:pos:R:3:n:I:1", "H 0 0 0 1.5"))[0]).toContain(
      'a 32-bit integer for n, got "1.5"',
    );
    expect((await one("species:S:1:pos:R:3:l:L:1", "H 0 0 0 yes"))[0]).toContain('T or F for l, got "yes"');
    expect((await one("species:S:1:Z:I:1:pos:R:3", "H 6 0 0 0"))[0]).toContain(
      "the same element under species and Z",
    );
    expect((await one("species:S:1:pos:R", "H 0"))[0]).toContain("Properties=name:type:columns");
    expect((await one("species:S:1:pos:X:3", "H 0"))[0]).toContain("type R, I, L or S");
    expect((await one("species:S:1:q:R:1", "H 0"))[0]).toContain("one property pos:R:3");
    expect((await one("pos:R:3", "0 0 0"))[0]).toContain("a property species:S:1 or Z:I:1");
  });
});

describe("streaming", () => {
  it("100 000 frames pass through in bounded memory, as fast as they are asked for", async () => {
    const frame = encoder.encode(
      `9\nProperties=species:S:1:pos:R:3 energy=-1\n${"C 0.12345678 1.2345678 -2.3456789\n".repeat(9)}`,
    );
    const piece = new Uint8Array(frame.length * 100);
    for (let k = 0; k < 100; k++) piece.set(frame, k * frame.length);
    let asked = 0;
    function* source() {
      for (; asked < 1000; asked++) yield piece;
    }
    let count = 0;
    let most = 0;
    for await (const f of readExtxyz(source(), "long.xyz")) {
      count++;
      // Frames that have been read from the source but not handed out yet.
      most = Math.max(most, 100 * (asked + 1) - count);
      if (count === 100_000) expect(f.place).toBe(`long.xyz:${99_999 * 11 + 1}`);
    }
    expect(count).toBe(100_000);
    expect(most).toBeLessThanOrEqual(200);
  }, 20_000);

  it("a consumer that stops early closes the source, gzip or not", async () => {
    const text = encoder.encode("1\nx\nH 0 0 0\n".repeat(50_000));
    for (const pieces of [[text.subarray(0, 60_000), text.subarray(60_000)], await collect(gzip([text]))]) {
      let closed = false;
      async function* source() {
        try {
          yield* pieces;
        } finally {
          closed = true;
        }
      }
      for await (const frame of readExtxyz(source(), "water.xyz")) if (frame.place === "water.xyz:1") break;
      expect(closed).toBe(true);
    }
  });

  it("an error of the source is passed on as it is", async () => {
    await expect(read(broken())).rejects.toThrow(new RangeError("disk on fire"));
  });
});

describe("writing", () => {
  const frame: Frame = {
    structure: {
      numbers: Uint8Array.of(1),
      positions: Float64Array.of(0.1, 1 / 3, -0),
      cell: null,
      pbc: [false, false, false],
    },
    energy: -1,
    forces: Float64Array.of(1e-20, 2, 3),
    info: { note: "a b" },
    arrays: {},
    place: "here",
  };
  it("shortest exact decimals", async () => {
    expect(await write(frame)).toBe(
      '1\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1 pbc="F F F" note="a b"\nH 0.1 0.3333333333333333 -0.0 1e-20 2 3\n',
    );
  });

  it("refuses what a reader would take for something else", async () => {
    const array = { kind: "string" as const, width: 1, values: ["two words"] };
    await expect(write({ ...frame, arrays: { name: array } })).rejects.toThrow("words without spaces");
    await expect(write({ ...frame, arrays: { "a:b": array } })).rejects.toThrow("without colon");
    await expect(write({ ...frame, arrays: { species: array } })).rejects.toThrow("another name");
    await expect(write({ ...frame, arrays: { x: { ...array, values: [] } } })).rejects.toThrow(
      "expected 1 × 1 values, got 0",
    );
    await expect(write({ ...frame, info: { energy: 2 } })).rejects.toThrow('got "energy"');
  });
});

it("the table knows a format by ending or name", () => {
  expect(findFormat("a/b.XYZ.gz").name).toBe("extxyz");
  expect(findFormat("data", "extxyz").name).toBe("extxyz");
  expect(() => findFormat("a.gro")).toThrow("a file ending in .xyz");
  expect(() => findFormat("a.xyz", "gro")).toThrow("expected one of extxyz, npz");
});
