import { expect, test } from "vitest";
import { Metrics } from "../../fit/metrics.ts";
import type { Comparison } from "../../fit/metrics.ts";
import { Random } from "../../math/random.ts";
import type { Frame } from "../../structure/structure.ts";
import { parityFigure } from "./figures.ts";
import { renderReport } from "./report.ts";
import type { ReportData } from "./report.ts";

function judged(n: number) {
  const random = new Random(1);
  const metrics = new Metrics();
  const frames: Frame[] = [];
  const comparisons: Comparison[] = [];
  for (let k = 0; k < n; k++) {
    const positions = Float64Array.of(0, 0, 0, 1.2 + 0.1 * random.normal(), 0, 0);
    const numbers = Uint8Array.of(6, 8);
    const cell = Float64Array.of(9, 0, 0, 0, 9, 0, 0, 0, 9);
    const structure = { numbers, positions, cell, pbc: [true, true, true] as const };
    const reference = random.normals(new Float64Array(6));
    const comparison: Comparison = {
      numbers,
      place: `<b>.xyz:${k}`,
      configType: k % 2 ? "hot & cold" : "cold",
      baseline: -100,
      energy: [-100 + random.normal(), -100 + random.normal()],
      forces: [reference.map((f) => f + 0.01 * random.normal()), reference],
      stress: [new Float64Array(9).fill(0.01), new Float64Array(9).fill(0.02)],
    };
    frames.push({ structure, info: {}, arrays: {}, place: comparison.place });
    comparisons.push(comparison);
    metrics.add(comparison);
  }
  return { frames, comparisons, metrics: metrics.result };
}

test("the page shows every part, escapes what it shows, asks nothing of the network, and stays small", () => {
  const { frames, comparisons, metrics } = judged(3000);
  const points = [1, 2, 3].map((epoch) => ({ epoch, value: 1 / epoch }));
  const data: ReportData = {
    title: "a <title>",
    subtitle: "",
    tiles: [["frames", "3000"]],
    judgement: { train: metrics, test: metrics },
    judged: [
      { set: "train", frames, comparisons },
      { set: "test", frames, comparisons },
    ],
    curves: [{ quantity: "force RMSE", unit: "meV/Å", sets: [{ set: "train", points }] }],
    facts: [{ title: "Elements", head: ["element"], rows: [["C"]] }],
    notes: ["one note"],
    configuration: "seed: 1 # <tag>",
    provenance: { seed: 1 },
  };
  const page = renderReport(data);
  for (const part of [
    "Errors",
    "Learning",
    "Predictions",
    "Elements",
    "Notes on the data",
    "Configuration",
    "Provenance",
  ])
    expect(page).toContain(`<h2>${part}</h2>`);
  // One curve; parity and histogram of energy, forces and stress; error against distance.
  expect(page.match(/<figure>/g)).toHaveLength(8);
  expect(page).toContain("a &lt;title&gt;");
  expect(page).not.toMatch(/<b>\.xyz|<tag>|<script|<link|src=|url\(|@import|NaN/);
  expect(page).toContain("points are drawn, among them the worst");
  expect(page.length).toBeLessThan(2e6);
});

test("a subsample keeps the worst point", () => {
  const n = 50_000;
  const reference = Float64Array.from({ length: n }, (_, i) => Math.sin(i));
  const predicted = reference.slice();
  predicted[12_345] += 10;
  const { svg, shown, total } = parityFigure([{ set: "test", reference, predicted }], "force", "eV/Å");
  expect(total).toBe(n);
  expect(shown).toBeLessThan(5000);
  // The outlier is the one dot near the top of the frame.
  const heights = [...svg.matchAll(/<circle [^>]*cy="([\d.]+)"/g)]
    .map((m) => Number(m[1]))
    .sort((a, b) => a - b);
  expect(heights).toHaveLength(shown);
  expect(heights[1] - heights[0]).toBeGreaterThan(150);
});
