import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { workplace } from "./command.ts";

const { folder, surfit } = workplace("gp");

describe("surfit fit with a Gaussian process", () => {
  let summary: {
    metrics: Record<string, { all: { forces: { rmse: number; mean?: number } } }>;
    solved: { shares: { set: string; what: string; after: number[] }[] };
    grades: { largest: Record<string, number>; worst: { nearest: string } }[];
  };
  beforeAll(() => {
    const lines = gunzipSync(readFileSync(new URL("../data/ethanol.xyz.gz", import.meta.url)))
      .toString()
      .split("\n");
    // 160 frames of ethanol, 11 lines each.
    writeFileSync(join(folder, "ethanol.xyz"), `${lines.slice(0, 160 * 11).join("\n")}\n`);
    const { code, stdout, stderr } = surfit(
      "fit",
      "ethanol.xyz",
      "--descriptor",
      "inverse-distances",
      "-o",
      "run",
      "--json",
      "--set",
      "model.regressor.name=gaussian-process",
      "--set",
      "model.regressor.observations=900",
      "--set",
      "model.regressor.starts=1",
      "--set",
      "model.regressor.steps=6",
      "--set",
      "model.regressor.components=6",
      "--set",
      "model.regressor.sample=300",
      "--set",
      "split.validation=20",
      "--set",
      "split.test=20",
    );
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    summary = JSON.parse(stdout) as typeof summary;
  }, 60_000);

  it("learns forces, and says how sure it is", () => {
    expect(summary.metrics["test"].all.forces.rmse).toBeLessThan(0.5);
    const shares = summary.solved.shares.filter(({ set }) => set === "validation");
    expect(shares.map(({ what }) => what)).toEqual(["energies", "forces"]);
    for (const { after } of shares) expect(after[0]).toBeCloseTo(0.68, 1);
    expect(readFileSync(join(folder, "run", "report.html"), "utf8")).toContain("Standard deviations");
  });

  it("grades held-out frames, and tells which training frames are nearest", () => {
    expect(summary.grades).toHaveLength(20);
    const split = JSON.parse(readFileSync(join(folder, "run", "split.json"), "utf8")) as {
      train: number[];
    };
    const places = split.train.map((f) => `ethanol.xyz:${11 * f + 1}`);
    for (const { largest, worst } of summary.grades) {
      expect(Object.keys(largest)).toEqual(["range", "distance", "deviation"]);
      expect(places).toContain(worst.nearest);
    }
    expect(readFileSync(join(folder, "run", "report.html"), "utf8")).toContain("Extrapolation, test set");
  });

  it("a walk stops where the standard deviation is too large", () => {
    const words = ["--grade", "deviation", "--stop-on-extrapolation", "1e-9", "-o", "relaxed.xyz"];
    const { code, stderr } = surfit("relax", "run/model.surfit", "run/predicted-test.xyz.gz", ...words);
    expect([code, stderr]).toEqual([4, expect.any(String)]);
  });

  it("predict gives standard deviations of energies and forces", () => {
    const { code, stdout } = surfit("predict", "run/model.surfit", "run/predicted-test.xyz.gz", "--json");
    expect(code).toBe(0);
    const answers = JSON.parse(stdout) as { deviation: number; forceDeviations: Record<string, number> }[];
    for (const { deviation, forceDeviations } of answers) {
      expect(deviation).toBeGreaterThan(0);
      expect(Object.values(forceDeviations).length).toBe(27);
    }
  });

  it("test tells shares of errors within them", () => {
    const { code, stdout } = surfit("test", "run/model.surfit", "ethanol.xyz", "--units", "eV,Å", "--json");
    expect(code).toBe(0);
    const { within } = JSON.parse(stdout) as { within: { what: string; count: number; shares: number[] }[] };
    expect(within.map(({ what, count }) => [what, count])).toEqual([
      ["energies", 160],
      ["components of forces", 160 * 27],
    ]);
    for (const { shares } of within) expect(shares[2]).toBeGreaterThan(0.9);
  });

  it("md writes them into the trajectory", () => {
    const { code, stderr } = surfit(
      "md",
      "run/model.surfit",
      "run/predicted-test.xyz.gz",
      "--time",
      "0.002",
      "--every",
      "2",
      "--deviations",
      "-o",
      "md",
    );
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    const text = readFileSync(join(folder, "md", "trajectory.xyz"), "utf8");
    expect(text).toMatch(/energy_deviation=[0-9.e-]+/);
    expect(text).toContain("force_deviation:R:1");
  });

  it.each([
    ["deviation", "1e-6"],
    ["distance", "1e-6"],
  ])("md stops by the grade %s, and says why", (grade, limit) => {
    const start = "run/predicted-test.xyz.gz";
    const words = ["--grade", grade, "--stop-on-extrapolation", limit, "--json", "-o", `stop-${grade}`];
    const { code, stdout } = surfit("md", "run/model.surfit", start, "--time", "0.01", ...words);
    expect(code).toBe(4);
    const { extrapolation } = JSON.parse(stdout) as {
      extrapolation: {
        largest: number;
        stopped: { grades: Record<string, number>; feature: string; nearest: string };
      };
    };
    const { grades, feature, nearest } = extrapolation.stopped;
    expect(Object.keys(grades)).toEqual(["range", "distance", "deviation"]);
    expect(grades[grade]).toBe(extrapolation.largest);
    expect(feature).toMatch(/^1\/r/);
    expect(nearest).toMatch(/^ethanol\.xyz:\d+$/);
    const frame = readFileSync(join(folder, `stop-${grade}`, "extrapolation.xyz"), "utf8");
    expect(frame).toContain("deviation_grade:R:1");
  });

  it("refuses more observations than memory holds, and names other ways", () => {
    const { code, stderr } = surfit(
      "fit",
      "ethanol.xyz",
      "--descriptor",
      "inverse-distances",
      "--dry-run",
      "--set",
      "model.regressor.name=gaussian-process",
      "--set",
      "model.regressor.observations=100000",
      "--set",
      "model.regressor.memory=20",
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /model\.regressor\.memory: expected at least \d+ MiB .* a sparse or an iterative method/,
    );
  });
});
