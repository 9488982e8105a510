import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { descriptorLaws } from "../../laws/descriptor.ts";
import { Random } from "../../math/random.ts";
import { acsf } from "../acsf/acsf.ts";
import { atomFeatures } from "../golden.fixture.ts";

const device = createDevice({ bytes: 2 ** 26 });

/** A dense ball of atoms, so that one centre has thousands of triplets: several kernel calls, the last one odd. */
const random = new Random(3, "ball");
const points = Array.from({ length: 125 }, (_, i) => [i % 5, Math.floor(i / 5) % 5, Math.floor(i / 25)]);
const ball = {
  numbers: new Uint8Array(125).fill(18),
  positions: Float64Array.from(points.flat(), (x) => 1.1 * x + 0.1 * random.normal()),
  cell: null,
  pbc: [false, false, false] as const,
};
const build = (type: "G4" | "G5") =>
  acsf.build(
    acsf.options.parse({
      cutoff: { type: "cosine", radius: 3.7 },
      radial: [{ type: "G3", kappa: 1.3 }],
      angular: [{ type, eta: 0.05, zeta: 3, lambda: -1 }],
    }),
    [18],
    device,
  );

const fc = (r: number) => (r < 3.7 ? 0.5 * (Math.cos((Math.PI * r) / 3.7) + 1) : 0);

const x = (a: number) => ball.positions.subarray(3 * a, 3 * a + 3);
const distance = (a: number, b: number) => Math.hypot(...x(a).map((u, k) => u - x(b)[k]));

/** The function written out over all pairs j < k. */
function direct(i: number, narrow: boolean): number {
  let sum = 0;
  for (let j = 0; j < 125; j++)
    for (let k = j + 1; k < 125; k++) {
      if (j === i || k === i) continue;
      const [a, b, c] = [distance(i, j), distance(i, k), distance(j, k)];
      const cos = (a * a + b * b - c * c) / (2 * a * b);
      const reach = narrow ? Math.exp(-0.05 * c * c) * fc(c) : 1;
      sum += 0.25 * (1 - cos) ** 3 * Math.exp(-0.05 * (a * a + b * b)) * fc(a) * fc(b) * reach;
    }
  return sum;
}

describe.each(["G4", "G5"] as const)("angular loop over thousands of triplets, %s", (type) => {
  it("sums what the formula says", () => {
    const G = atomFeatures(build(type), device, ball);
    for (const i of [0, 31, 62]) expect(G[i][1] / direct(i, type === "G4")).toBeCloseTo(1, 12);
    expect(G[62][1]).toBeGreaterThan(1);
  });

  it.each(["pullback is the derivative of forward", "pushforward is the transpose of pullback"])(
    "%s",
    (law) => {
      const subject = { descriptor: build(type), device, structures: [ball], seed: 7 };
      expect(() => descriptorLaws[law](subject)).not.toThrow();
    },
  );
});

it("a descriptor without functions is refused", () => {
  const options = acsf.options.parse({ cutoff: { radius: 4 }, radial: [], angular: [] });
  expect(() => acsf.build(options, [18], device)).toThrow(
    "invalid descriptor: expected at least one function, got none",
  );
});
