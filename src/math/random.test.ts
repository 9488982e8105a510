import { expect, it } from "vitest";
import { Random } from "./random.ts";

const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & 0xffffffffn;
const first = (...args: ConstructorParameters<typeof Random>) => new Random(...args).bits();
const firsts = new Float64Array(5);

it("is xoshiro128**: the first numbers of state 1, 2, 3, 4 worked out with integers of any size", () => {
  const random = new Random(0);
  random.restore([1, 2, 3, 4]);
  let [a, b, c, d] = [1n, 2n, 3n, 4n];
  for (let n = 0; n < 1000; n++) {
    const expected = (rotl((b * 5n) & 0xffffffffn, 7n) * 9n) & 0xffffffffn;
    const t = (b << 9n) & 0xffffffffn;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11n);
    expect(BigInt(random.bits())).toBe(expected);
  }
});

it("gives the same bits on every machine: these were written down once", () => {
  const random = new Random(42, "golden");
  expect([random.bits(), random.uniform(), random.normal(), random.integer(1000)]).toMatchInlineSnapshot(`
    [
      2054480176,
      0.2384044683476082,
      0.018219422471577873,
      856,
    ]
  `);
});

it("streams differ by seed and by key, and a restored state goes on identically", () => {
  const all = [
    first(1),
    first(2),
    first(1, "a"),
    first(1, "b"),
    first(1, "a", 1),
    first(1, "a", "1"),
    first(1, 11),
  ];
  expect(new Set(all).size).toBe(all.length);
  const random = new Random(7);
  random.normal();
  const state = random.state();
  const tail = Array.from({ length: 5 }, () => random.normal());
  const again = new Random(0);
  again.restore(JSON.parse(JSON.stringify(state)));
  expect(Array.from({ length: 5 }, () => again.normal())).toEqual(tail);
  expect(() => again.restore([0, 0, 0, 0])).toThrow("not all zero");
  expect(() => new Random(0.5)).toThrow("invalid seed");
});

it("uniform numbers have the moments of [0, 1), normal ones of the normal distribution", () => {
  const random = new Random(3);
  const n = 200_000;
  const moments = (draw: () => number) => {
    const m = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const x = draw();
      for (let p = 0; p < 4; p++) m[p] += x ** (p + 1) / n;
    }
    return m;
  };
  const u = moments(() => random.uniform());
  // Standard errors are about 0.6/√n = 1.4e-3 or less; normal ones up to √96/√n = 0.022 for the fourth moment.
  for (let p = 0; p < 4; p++) expect(Math.abs(u[p] - 1 / (p + 2))).toBeLessThan(4e-3);
  const g = moments(() => random.normal());
  expect(Math.abs(g[0])).toBeLessThan(0.01);
  expect(Math.abs(g[1] - 1)).toBeLessThan(0.015);
  expect(Math.abs(g[2])).toBeLessThan(0.04);
  expect(Math.abs(g[3] - 3)).toBeLessThan(0.1);
});

it("the tail of normal numbers has the right weight", () => {
  const random = new Random(11);
  const out = random.normals(new Float64Array(200_000));
  const beyond = (x: number) => out.filter((g) => Math.abs(g) > x).length / out.length;
  expect(Math.abs(beyond(1) - 0.3173105)).toBeLessThan(0.005);
  expect(Math.abs(beyond(2) - 0.0455003)).toBeLessThan(0.002);
  expect(Math.abs(beyond(3) - 0.0026998)).toBeLessThan(0.0006);
});

it("integers are uniform and a shuffle is a permutation that leaves no place favoured", () => {
  const random = new Random(5);
  const counts = new Float64Array(6);
  for (let i = 0; i < 60_000; i++) counts[random.integer(6)]++;
  for (const c of counts) expect(Math.abs(c - 10_000)).toBeLessThan(450);
  for (let i = 0; i < 20_000; i++) firsts[random.shuffle([0, 1, 2, 3, 4])[0]]++;
  for (const c of firsts) expect(Math.abs(c - 4000)).toBeLessThan(300);
  expect([...random.shuffle(Int32Array.from({ length: 50 }, (_, i) => i))].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 50 }, (_, i) => i),
  );
  expect(() => random.integer(0)).toThrow("invalid range");
});
