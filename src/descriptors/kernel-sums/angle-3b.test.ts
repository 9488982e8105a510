import { expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { descriptorLaws } from "../../laws/descriptor.ts";
import { atomFeatures } from "../golden.fixture.ts";
import { angle3b } from "./angle-3b.ts";

it("more points than one loop holds: each feature is the kernel of a triangle with its point", () => {
  const points = Array.from({ length: 53 }, (_, k) => [
    1.1 + 0.02 * k,
    1.2 + ((7 * k) % 53) * 0.03,
    1.7 + 0.01 * k,
  ]);
  const device = createDevice({ bytes: 2 ** 26 });
  const options = angle3b.options.parse({
    cutoff: 3,
    lengths: [1, 0.8, 0.9],
    points: { "Si:Si-Si": points },
    delta: 0.6,
  });
  const descriptor = angle3b.build(options, [14], device);
  const { covariance } = descriptor.parts!(0)[0];
  expect(descriptor.labels(0)).toHaveLength(53);
  for (const s of [0, 23, 24, 47, 48, 52]) {
    const [a, b, c] = points[s];
    // One at the origin, one on x, one in the plane, so that the distances are those of the point.
    const x = (a * a + b * b - c * c) / (2 * a);
    const structure = {
      numbers: Uint8Array.of(14, 14, 14),
      positions: Float64Array.of(0, 0, 0, a, 0, 0, x, Math.sqrt(b * b - x * x), 0),
      cell: null,
      pbc: [false, false, false] as const,
    };
    const [G] = atomFeatures(descriptor, device, structure);
    G.forEach((g, t) => expect(g).toBeCloseTo(covariance![s * 53 + t], 12));
    if (s === 24)
      for (const law of [
        "pullback is the derivative of forward",
        "jacobian agrees with pullback and pushforward",
      ])
        descriptorLaws[law]({ descriptor, device, structures: [structure], seed: 1 });
  }
});
