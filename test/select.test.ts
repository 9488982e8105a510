import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../src/math/random.ts";
import { workplace } from "./command.ts";

const { folder, surfit } = workplace("select");
const read = (name: string) => readFileSync(join(folder, name), "utf8");

const select = (...args: readonly string[]) => surfit("select", ...args);

function json(...args: readonly string[]) {
  const { code, stdout, stderr } = select(...args, "--json");
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Frame k: an argon trimer that grows with k, energy 0.03 (k − 4)² eV below −1, keys of its own, even frames "a". */
const random = new Random(1, "select");
const trimers = Array.from({ length: 10 }, (_, k) => {
  const r = 3.5 + 0.1 * k;
  const atoms = [`0 0 0`, `${r} 0 0`, `0 ${r + 0.01 * random.uniform()} 0`];
  const info = `dft_energy=${-1 + 0.03 * (k - 4) ** 2} note="number ${k}" config_type=${k % 2 ? "b" : "a"}`;
  return `3\nProperties=species:S:1:pos:R:3:tag:I:1 ${info} pbc="F F F"\n${atoms.map((a, i) => `Ar ${a} ${i}\n`).join("")}`;
});

beforeAll(() => {
  writeFileSync(join(folder, "data.xyz"), trimers.join(""));
  writeFileSync(join(folder, "bare.xyz"), trimers.map((t) => t.replace(/dft_energy=\S+ /, "")).join(""));
});

describe("surfit select", () => {
  test("chosen and other frames, each in its order, keep every key; nothing is lost", () => {
    const result = json("data.xyz", "-o", "far.xyz", "--rest", "rest.xyz", "--count", "4");
    const indices = result["indices"] as number[];
    expect(result).toMatchObject({ read: 10, method: "farthest" });
    expect(indices).toHaveLength(4);
    const order = result["order"] as number[];
    const scores = order.map((f) => Number((result["scores"] as unknown[])[indices.indexOf(f)]));
    // Infinity of the first is a string in JSON; from then on the distances fall.
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(scores[0]).toBe(Infinity);
    expect(scores[3]).toBeGreaterThan(0);
    expect(indices).toEqual(indices.toSorted((a, b) => a - b));
    const notes = (name: string) => [...read(name).matchAll(/note="number (\d)"/g)].map((m) => Number(m[1]));
    expect(notes("far.xyz")).toEqual(indices);
    expect([...notes("far.xyz"), ...notes("rest.xyz")].sort((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(read("far.xyz").match(/dft_energy=/g)).toHaveLength(4);
    expect(read("far.xyz")).toContain(":tag:I:1");
    const again = json("data.xyz", "-o", "far2.xyz", "--count", "4");
    expect(read("far2.xyz")).toBe(read("far.xyz"));
    expect(again["scores"]).toEqual(result["scores"]);
  });

  test("frames compared by the mean of their atoms", () => {
    const inner = json(
      "data.xyz",
      "-o",
      "inner.xyz",
      "--count",
      "3",
      "--descriptor",
      "soap",
      "--average",
      "inner",
    );
    // The trimers grow: the two ends are farthest from the middle and from each other.
    expect(new Set(inner["indices"] as number[])).toEqual(new Set([0, 9, (inner["order"] as number[])[0]]));
    const wrong = select("data.xyz", "-o", "x.xyz", "--count", "3", "--average", "inner");
    expect(wrong.stderr).toContain("--descriptor: expected one with an inner average (soap), got ani");
    expect(wrong.code).toBe(1);
    const atoms = select("data.xyz", "-o", "x.xyz", "--count", "3", "--by", "atoms", "--average", "inner");
    expect(atoms.stderr).toContain("--by atoms: expected --average outer");
  });

  test("the energy window is exact, alone and before another method", () => {
    // Above the lowest, per atom: 0.01 (k − 4)².
    const all = json("data.xyz", "-o", "low.xyz", "--method", "energy-window", "--window", "0.05");
    expect(all["indices"]).toEqual([2, 3, 4, 5, 6]);
    const scores = all["scores"] as number[];
    [0.04, 0.01, 0, 0.01, 0.04].forEach((x, k) => expect(scores[k]).toBeCloseTo(x, 12));
    expect(all["configTypes"]).toEqual([
      { type: "a", frames: 5, chosen: 3 },
      { type: "b", frames: 5, chosen: 2 },
    ]);
    const far = ["--method", "farthest", "--window", "0.05", "--count", "2", "--start", "6", "--by", "atoms"];
    expect(json("data.xyz", "-o", "near.xyz", ...far)["indices"]).toEqual([2, 6]);
  });

  test.each(["stride", "cur", "maxvol"])("%s, without any labels", (method) => {
    const result = json("bare.xyz", "-o", `${method}.xyz`, "--method", method, "--count", "3");
    expect(result["indices"]).toHaveLength(3);
    expect(read(`${method}.xyz`).match(/note=/g)).toHaveLength(3);
  });

  test("what cannot be is refused before anything is written", () => {
    const refused = (...args: string[]) => {
      const { code, stderr } = select(...args, "-o", "never.xyz");
      expect(code).toBe(1);
      expect(() => read("never.xyz")).toThrow();
      return stderr;
    };
    expect(refused("data.xyz", "--count", "11")).toContain("--count: expected at most 10");
    expect(refused("data.xyz", "--count", "9", "--window", "0.05")).toContain("at most 5");
    expect(refused("data.xyz")).toContain("--count: expected how many");
    expect(refused("data.xyz", "--method", "energy-window", "--count", "3")).toContain("--window");
    expect(refused("bare.xyz", "--window", "1", "--energy-key", "none")).toContain("none");
    expect(refused("data.xyz", "--count", "3", "--seed", "1")).toContain(
      "--seed: expected a method that uses it (cur)",
    );
    expect(refused("data.xyz", "--count", "3", "--start", "10")).toContain(
      "--start: expected a frame number 0 … 9",
    );
    expect(refused("data.xyz", "--count", "3", "--rest", "never.xyz")).toContain("another file");
    writeFileSync(join(folder, "mixed.xyz"), trimers[0] + trimers[1].replace(/dft_energy=\S+ /, ""));
    expect(refused("mixed.xyz", "--window", "1")).toContain("none in 1 of 2, first mixed.xyz:6");
    expect(select("data.xyz", "-o", "far.xyz", "--count", "2").stderr).toContain("--force");
    expect(select("data.xyz", "-o", "x.xyz", "--method", "fastest").code).toBe(2);
  });

  test("the help has examples and every method", () => {
    const { stdout } = select("--help");
    expect(stdout).toContain("$ surfit select data.xyz -o chosen.xyz --count 200");
    for (const method of ["stride", "farthest", "cur", "maxvol", "energy-window"])
      expect(stdout).toMatch(new RegExp(`^  ${method} +`, "m"));
  });
});
