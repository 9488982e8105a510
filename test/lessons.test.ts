import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandsOf } from "../lessons/lesson.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "surfit-lessons-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (...lines: readonly string[]) => ["Words.", "", "```sh", ...lines, "```", ""].join("\n");

describe("the text of a lesson", () => {
  test("gives its commands, and how they are shortened", () => {
    const page = text(
      'surfit a "b c" \\',
      "  --d=[e,f] # quick: --n 1",
      "surfit g # quick: skip",
      "surfit h",
    );
    expect(commandsOf(page, "page")).toEqual([
      { words: ["a", "b c", "--d=[e,f]"], quick: ["--n", "1"] },
      { words: ["g"], quick: null },
      { words: ["h"], quick: [] },
    ]);
    expect(commandsOf("```ts\nsurfit a\n```\n", "page")).toEqual([]);
  });

  test("asks for no shell", () => {
    expect(() => commandsOf(text("rm -r data"), "page")).toThrow('commands that begin with "surfit"');
    expect(() => commandsOf(text("surfit a > b"), "page")).toThrow("plain words");
  });
});

const energies = (file: string): number[] =>
  Array.from(readFileSync(file, "utf8").matchAll(/energy=(\S+)/g), ([, energy]) => Number(energy));

describe("the Claisen rearrangement, shortened", () => {
  let [status, stdout, stderr]: [number | null, string, string] = [null, "", ""];
  beforeAll(() => {
    const words = [`${root}lessons/main.ts`, "claisen", "--quick", "--output", folder];
    ({ status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" }));
  }, 300_000);

  test("runs to its end", () => {
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    expect(stdout).toContain("in all: ");
    for (const file of [
      "kernel/report.html",
      "fit/report.html",
      "path/path.html",
      "saddle/irc.html",
      "umbrella/free-energy.html",
    ])
      expect([file, existsSync(join(folder, "claisen", file))]).toEqual([file, true]);
  });

  test("the path's forces and the force constants alone give xtb's barrier, and ether and aldehyde on its sides", () => {
    const [ether, saddle, aldehyde] = energies(`${root}data/claisen-path.xyz`);
    const [top] = energies(join(folder, "claisen/saddle/saddle.xyz"));
    const minima = energies(join(folder, "claisen/saddle/minima.xyz"))
      .map((energy) => energy - top)
      .toSorted((a, b) => b - a);
    // 0.1 kcal/mol are 0.0043 eV.
    expect(Math.abs(minima[0] - (ether - saddle))).toBeLessThan(0.0043);
    expect(Math.abs(minima[1] - (aldehyde - saddle))).toBeLessThan(0.0086);
    const [, imaginary] = /imaginary mode ([\d.]+)i/.exec(stdout)!;
    expect(Math.abs(Number(imaginary) - 493.7)).toBeLessThan(15);
  });
});

describe("Müller–Brown from a hundred gradients", () => {
  test("finds three minima and two saddle points, and energies within 1 eV", () => {
    const words = [`${root}lessons/main.ts`, "mueller-brown", "--quick", "--output", folder];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    expect(off("minimum-1.xyz", -0.558224, 1.441726)).toBeLessThan(1e-2);
    expect(off("minimum-2.xyz", 0.623499, 0.028038)).toBeLessThan(1e-2);
    expect(off("minimum-3.xyz", -0.050011, 0.466694)).toBeLessThan(1e-2);
    expect(off("saddle-1/saddle.xyz", -0.822002, 0.624313)).toBeLessThan(1e-2);
    expect(off("saddle-2/saddle.xyz", 0.212487, 0.292988)).toBeLessThan(1e-2);
    const { metrics } = JSON.parse(readFileSync(join(folder, "mueller-brown", "fit", "result.json"), "utf8"));
    expect(metrics.test.all.energy.rmse).toBeLessThan(1);
    const report = readFileSync(join(folder, "mueller-brown", "fit", "report.html"), "utf8");
    expect(report).toContain("found share (%)");
  }, 300_000);
});

/** How far the atom of a file of the lesson is from x, y. */
function off(name: string, x: number, y: number): number {
  const line = readFileSync(join(folder, "mueller-brown", name), "utf8").split("\n")[2];
  const [u, v] = line.split(/\s+/).slice(1, 3).map(Number);
  return Math.hypot(u - x, v - y);
}
