import { describe, expect, it } from "vitest";
import { descriptors } from "../descriptors/table.ts";
import { createDevice } from "../device/device.ts";
import { composedTerm, ELEMENTS, molecule } from "../laws/potential.fixture.ts";
import { EnvironmentSet } from "../potentials/extrapolation/environment-set.ts";
import { shaken, trainingFrames } from "../laws/extrapolation.fixture.ts";
import type { ComposedOptions } from "../potentials/composed.ts";
import { featureStatistics, FeatureReader } from "./features.ts";
import { rememberTraining } from "./record.ts";

const device = createDevice({ bytes: 2 ** 27 });
const { name, ...options } = (composedTerm("acsf", device).options as ComposedOptions).descriptor;
const descriptor = descriptors[name].build(descriptors[name].options.parse(options), ELEMENTS, device);
const frames = Array.from({ length: 200 }, (_, k) => ({
  ...trainingFrames[0],
  structure: shaken(molecule, 0.05, 100 + k),
  place: `many.xyz:${k}`,
}));

describe("what is remembered of the training frames", () => {
  const { statistics, record } = rememberTraining(descriptor, frames, device, 1);

  it("has the statistics of all features", () => {
    expect(statistics).toEqual(
      featureStatistics(
        descriptor,
        frames.map(({ structure }) => structure),
        device,
      ),
    );
    expect(record.elements.map(({ min }) => min)).toEqual(statistics.map(({ min }) => min));
  });

  it("is bounded, and every environment is one of the frame that is named", () => {
    const reader = new FeatureReader(descriptor, device);
    for (const [e, { environments, frames: from }] of record.elements.entries()) {
      const size = descriptor.size(e);
      // 600 environments of each element, of which 256 are kept.
      expect([from.length, environments.length]).toEqual([256, 256 * size]);
      for (const k of [0, 100, 255]) {
        const frame = frames.find(({ place }) => place === record.places[from[k]])!;
        const { matrices, counts } = reader.read(frame.structure);
        const rows = Array.from({ length: counts[e] }, (_, c) => matrices[e].slice(c * size, (c + 1) * size));
        expect(rows).toContainEqual(environments.slice(k * size, (k + 1) * size));
      }
    }
  });

  it("covers the rest: no training environment is farther from it than its members are from each other", () => {
    const reader = new FeatureReader(descriptor, device);
    const sets = record.elements.map((element) => EnvironmentSet.of(element));
    let largest = 0;
    for (const { structure } of frames) {
      const { matrices, counts } = reader.read(structure);
      matrices.forEach((matrix, e) => {
        const size = descriptor.size(e);
        for (let c = 0; c < counts[e]; c++) {
          const { distance } = sets[e].nearest(matrix.subarray(c * size, (c + 1) * size));
          largest = Math.max(largest, distance / record.elements[e].spacing);
        }
      });
    }
    expect(largest).toBeGreaterThan(0.3);
    expect(largest).toBeLessThanOrEqual(1);
  });

  it("is the same each time, and the same environment is kept once", () => {
    expect(rememberTraining(descriptor, frames, device, 1).record).toEqual(record);
    const thrice = [frames[0], frames[0], frames[0]];
    const { record: one } = rememberTraining(descriptor, thrice, device, 1);
    expect(one.places).toEqual(["many.xyz:0"]);
    expect(one.elements.map((element) => element.frames.length)).toEqual([3, 3, 3]);
  });

  it("an element without atoms in the training set has an empty record", () => {
    const some = { ...frames[0].structure, numbers: new Uint8Array(9).fill(6) };
    const { record: carbon } = rememberTraining(descriptor, [{ ...frames[0], structure: some }], device, 1);
    expect(carbon.elements.map(({ count }) => count)).toEqual([0, 9, 0]);
    expect([...carbon.elements[0].min, ...carbon.elements[0].max].every((x) => x === 0)).toBe(true);
  });
});
