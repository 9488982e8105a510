import { describe, expect, it } from "vitest";
import { descriptors } from "../descriptors/table.ts";
import { createDevice } from "../device/device.ts";
import { ELEMENTS, structures } from "../laws/potential.fixture.ts";
import { Random } from "../math/random.ts";
import { linear } from "../regressors/linear/linear.ts";
import { pairStatistics } from "../structure/statistics.ts";
import { compose } from "./compose.ts";

const device = createDevice({ bytes: 2 ** 26 });

describe.each(["acsf", "ani", "snap"])("rows of a design matrix, %s", (name) => {
  const see = descriptors[name];
  const options = see.resolve(
    see.options.parse({ size: "small" }),
    pairStatistics(Object.values(structures), 4),
  );
  const descriptor = see.build(options, ELEMENTS, device);
  const sizes = ELEMENTS.map((_, e) => descriptor.size(e));

  it.each([false, true])("times parameters are the predictions; quadratic: %s", (quadratic) => {
    const statistics = sizes.map((size) => {
      const zero = new Float64Array(size);
      return { count: 1, mean: zero, deviation: zero, min: zero, max: zero };
    });
    const model = compose(
      descriptor,
      linear.build(
        { quadratic, bias: true },
        sizes,
        linear.initialise({ quadratic, bias: true }, statistics, 1, 1),
        device,
      ),
      device,
    );
    const theta = new Random(1).normals(model.parameters);
    const stride = theta.length + 1;
    for (const structure of Object.values(structures)) {
      const n = structure.numbers.length;
      const rows = new Float64Array((7 + 3 * n) * stride).fill(NaN);
      model.design!.fill(structure, rows, stride);
      const products = Array.from({ length: 7 + 3 * n }, (_, r) =>
        theta.reduce((sum, x, k) => sum + x * rows[r * stride + k], 0),
      );
      const out = {
        energies: new Float64Array(1),
        forces: new Float64Array(3 * n),
        virials: new Float64Array(9),
      };
      model.forward(model.batch([structure]), out);
      const W = [0, 4, 8, 5, 2, 1].map((k) => out.virials[k]);
      const expected = [...out.energies, ...out.forces, ...W];
      const scale = Math.max(...expected.map(Math.abs));
      expect(scale).toBeGreaterThan(1);
      expected.forEach((x, r) => expect(Math.abs(products[r] - x)).toBeLessThan(1e-12 * scale));
    }
  });
});
