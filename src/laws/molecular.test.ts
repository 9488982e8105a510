import { describe, it } from "vitest";
import { molecularDescriptors } from "../descriptors/molecular/table.ts";
import { createDevice } from "../device/device.ts";
import { molecularLaws } from "./molecular.ts";

const device = createDevice({ bytes: 2 ** 25 });

/** Methanol, bent out of every symmetry. */
const methanol = {
  numbers: Uint8Array.of(6, 8, 1, 1, 1, 1),
  positions: Float64Array.from([
    -0.046, 0.662, 0.01, -0.04, -0.755, 0.03, -1.092, 0.969, -0.02, 0.449, 1.064, 0.888, 0.421, 1.052, -0.913,
    0.85, -1.07, 0.12,
  ]),
  cell: null,
  pbc: [false, false, false] as const,
};

/** What a method is tried with beside its defaults. */
const variants: Readonly<Record<string, readonly object[]>> = {
  cartesian: [{ axes: "xy" }],
  "inverse-distances": [{ power: 3 }],
  "coulomb-matrix": [{ order: "row-norm" }, { order: "eigenvalues" }],
  "average-soap": [{ size: "small" }, { size: "small", average: "outer", compression: "mu1nu1" }],
  internal: [{ periodic: "angle" }],
  "permutation-invariant-polynomials": [{ degree: 2, groups: [[2, 3, 4]] }],
};

const subjects = Object.values(molecularDescriptors).flatMap((method) =>
  [{}, ...(variants[method.name] ?? [])].map((given) => {
    const options = method.resolve(method.options.parse(given), methanol);
    const small =
      method.name.startsWith("permutation") && Object.keys(given).length === 0 ? { degree: 2 } : {};
    const descriptor = method.build({ ...(options as object), ...small }, methanol.numbers, device);
    return {
      name: `${method.name} ${JSON.stringify(given)}`,
      subject: {
        descriptor,
        structure: methanol,
        seed: 1,
        fixed: method === molecularDescriptors["cartesian"],
      },
    };
  }),
);

describe.each(subjects)("$name", ({ subject }) => {
  it.each(Object.entries(molecularLaws))("%s", (_, holds) => holds(subject));
});
