import { describe, expect, test } from "vitest";
import { createDevice } from "../../device/device.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import type { Structure } from "../../structure/structure.ts";
import { featureStatistics, FeatureReader } from "../features.ts";
import { automaticDescriptor, VectorCollector } from "./vectors.ts";

const molecule = (numbers: number[], positions: number[]): Structure => ({
  numbers: Uint8Array.from(numbers),
  positions: Float64Array.from(positions),
  cell: null,
  pbc: [false, false, false],
});
const water = (r: number) => molecule([8, 1, 1], [0, 0, 0, r, 0, 0, -0.25 * r, 0.97 * r, 0]);
const hydrogen = (r: number) => molecule([1, 1], [0, 0, 0, 0, 0, r]);
const structures = [water(0.9), water(0.96), hydrogen(0.74), water(1.1), hydrogen(0.9)];

describe("vectors of frames", () => {
  const device = createDevice({ bytes: 2 ** 24 });
  const descriptor = automaticDescriptor("acsf", pairStatistics(structures, 6), device);
  const collect = (atoms: number[] | null) => {
    const collector = new VectorCollector(descriptor, device, { frames: structures.length, atoms });
    for (const s of structures) collector.add(s, "here");
    return collector.result();
  };
  const [h, o] = [descriptor.size(0), descriptor.size(1)];

  test("are fractions and means of scaled features, less their mean over frames", () => {
    const { means } = collect(null);
    expect(means).toMatchObject({ count: 5, width: 2 + h + o });
    for (let t = 0; t < means.width; t++) {
      let sum = 0;
      for (let f = 0; f < 5; f++) sum += means.rows[f * means.width + t];
      expect(Math.abs(sum)).toBeLessThan(1e-12);
    }
    // Fractions of H: 2/3 three times, 1 twice; mean 0.8.
    expect(means.rows[0]).toBeCloseTo(2 / 3 - 0.8, 14);
    expect(means.rows[2 * means.width]).toBeCloseTo(0.2, 14);
    // A feature of hydrogen in frame 0 less that in frame 2, from the definition.
    const statistics = featureStatistics(descriptor, structures, device)[0];
    const t = statistics.deviation.findIndex((s) => s > 0.1);
    const reader = new FeatureReader(descriptor, device);
    const z = (f: number) => {
      const { matrices, counts } = reader.read(structures[f]);
      let sum = 0;
      for (let c = 0; c < counts[0]; c++)
        sum += (matrices[0][c * h + t] - statistics.mean[t]) / statistics.deviation[t];
      return sum / structures[f].numbers.length;
    };
    const got = means.rows[2 + t] - means.rows[2 * means.width + 2 + t];
    expect(got).toBeCloseTo(z(0) - z(2), 12);
  });

  test("of atoms have mean 0 and deviation 1, less only where they are faint", () => {
    const { atoms } = collect([10, 3]);
    expect([...atoms![0].frame]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect([...atoms![1].frame]).toEqual([0, 1, 3]);
    const deviations = featureStatistics(descriptor, structures, device).map((s) => s.deviation);
    atoms!.forEach(({ rows, width }, e) => {
      const largest = Math.max(...deviations[e]);
      for (let t = 0; t < width; t++) {
        const column = rows.filter((_, k) => k % width === t);
        const mean = column.reduce((a, b) => a + b) / column.length;
        const square = column.reduce((a, b) => a + b * b, 0) / column.length;
        expect(Math.abs(mean)).toBeLessThan(1e-10);
        // Deviations below a twentieth of the largest are not blown up to 1; below 1e-10 they are 0, here 1.2e-9 scaled.
        const wanted = Math.min(1, deviations[e][t] / (0.05 * largest));
        expect(Math.abs(Math.sqrt(square) - wanted)).toBeLessThan(2e-9);
      }
    });
  });

  test("a structure that is not finite is named", () => {
    const collector = new VectorCollector(descriptor, device, { frames: 1, atoms: null });
    expect(() => collector.add(water(NaN), "a.xyz:7")).toThrow(/a\.xyz:7|finite/);
  });

  test("more than fits into memory is refused", () => {
    expect(() => new VectorCollector(descriptor, device, { frames: 1e9, atoms: null })).toThrow(
      /4 GiB \(fewer frames\)/,
    );
  });
});
