import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../src/math/random.ts";
import { workplace } from "./command.ts";

const { folder, surfit } = workplace("search");

const search = (...args: readonly string[]) => surfit("search", ...args);

/** Argon pairs whose energy is a parabola of the distance: anything learns it, better or worse. */
const random = new Random(1, "search");
beforeAll(() => {
  const frames = Array.from({ length: 30 }, () => {
    const r = 3 + random.uniform();
    const slope = -0.2 * (r - 3.5);
    return `2\nProperties=species:S:1:pos:R:3:forces:R:3 energy=${0.1 * (r - 3.5) ** 2 - 2} pbc="F F F"\nAr 0 0 0 ${-slope} 0 0\nAr ${r} 0 0 ${slope} 0 0\n`;
  });
  writeFileSync(join(folder, "ar.xyz"), frames.join(""));
});

const vary = ["--vary", "training.rate=1e-4..1e-1:log", "-o", "s"];
const fit = ["--", "ar.xyz", "--epochs", "3", "--set", "model.isolatedAtoms={Ar: -1}", "--threads", "1"];
const trials = () => readFileSync(join(folder, "s/trials.jsonl"), "utf8").trimEnd().split("\n");

interface Result {
  readonly best: { readonly trial: number; readonly objective: number };
  readonly trials: readonly { readonly objective: number; readonly values: Record<string, number> }[];
}

describe("surfit search", () => {
  test("finds what no trial beats, keeps its model, and goes on after a kill with the same trials", () => {
    const one = search(...vary, "--trials", "5", "--json", ...fit);
    expect([one.code, one.stderr]).toEqual([0, expect.stringContaining("trial 0: 1.000")]);
    const result = JSON.parse(one.stdout) as Result;
    expect(result.trials).toHaveLength(5);
    expect(result.best.objective).toBe(Math.min(...result.trials.map((t) => t.objective)));
    expect(result.best.objective).toBeLessThan(1);
    for (const { values } of result.trials) expect(values["training.rate"]).toBeLessThanOrEqual(0.1);
    const best = `s/trial-${String(result.best.trial).padStart(4, "0")}`;
    expect(readFileSync(join(folder, best, "model.surfit")).length).toBeGreaterThan(1000);

    // A kill in the middle of a line: three whole trials and a piece of the fourth.
    const before = trials();
    writeFileSync(join(folder, "s/trials.jsonl"), `${before.slice(0, 3).join("\n")}\n`);
    appendFileSync(join(folder, "s/trials.jsonl"), before[3].slice(0, 20));
    const two = search(...vary, "--trials", "5", "--resume", "--json", ...fit);
    expect(two.code).toBe(0);
    const values = (r: Result) => r.trials.map((t) => [t.values, t.objective]);
    expect(values(JSON.parse(two.stdout) as Result)).toEqual(values(result));
    expect(trials().slice(0, 3)).toEqual(before.slice(0, 3));
  }, 60_000);

  test("says what is wrong before anything runs", () => {
    expect(search("ar.xyz").stderr).toContain("invalid --vary");
    expect(search("ar.xyz", "--vary", "a=2..1").stderr).toContain("the lower first");
    expect(search("ar.xyz", "--vary", "a=0..1:log").stderr).toContain("above 0");
    expect(search("--vary", "a=0..1", "--", "ar.xyz", "--json").stderr).toContain("no --json");
    const other = search("--vary", "training.clip=1..10", "-o", "s", "--resume", ...fit);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("when the search began")]);
    const there = search(...vary, ...fit);
    expect([there.code, there.stderr]).toEqual([1, expect.stringContaining("--force")]);
  });

  test("an option that does not exist is the fit's own message, with nothing run", () => {
    const { code, stderr } = search("--vary", "training.rat=0.1..1", "-o", "t", ...fit);
    expect(code).toBe(1);
    expect(stderr).toContain("training.rat");
  });
});
