import { describe, expect, it } from "vitest";
import type { AcsfOptions } from "../descriptors/acsf/options.ts";
import { acsf } from "../descriptors/acsf/acsf.ts";
import { cutoffNames } from "../descriptors/cutoffs.ts";
import type { Descriptor } from "../descriptors/descriptor.ts";
import { symmetryFunctions } from "../descriptors/symmetry-functions/symmetry-functions.ts";
import { descriptors } from "../descriptors/table.ts";
import { createDevice } from "../device/device.ts";
import { pairStatistics } from "../structure/statistics.ts";
import type { Structure } from "../structure/structure.ts";
import { ethanol } from "../../test/ethanol.ts";
import { descriptorLaws } from "./descriptor.ts";

const device = createDevice({ bytes: 2 ** 28 });

/** Ethanol and a small skewed cell of the same elements: no symmetry anywhere. */
const structures: Structure[] = [
  ethanol,
  {
    numbers: Uint8Array.of(8, 1, 6, 1),
    positions: Float64Array.of(0.1, 0.2, 0.1, 1, 0.6, 0.2, 1.3, 1.9, 1.1, -4.2, 2.4, 7.3),
    cell: Float64Array.of(3.1, 0.2, 0, 1.3, 3.4, -0.3, -0.9, 0.8, 3.3),
    pbc: [true, true, true],
  },
];
const elements = [1, 6, 8];
const statistics = pairStatistics(structures, 6);

/** Every function and cutoff of acsf, with cutoffs of its own. */
const everything = (type: (typeof cutoffNames)[number]): AcsfOptions =>
  acsf.options.parse({
    cutoff: { type, radius: 4.2 },
    radial: [
      { type: "G1" },
      { type: "G2", eta: 2, shift: 1.1 },
      { type: "G3", kappa: 1.7, cutoff: { type, radius: 3.1 } },
    ],
    angular: [
      { type: "G4", eta: 0.05, zeta: 1, lambda: 1 },
      { type: "G4", eta: 0.1, zeta: 2.5, lambda: -1, shift: 0.3 },
      { type: "G5", eta: 0.2, zeta: 4, lambda: -1, cutoff: { type, radius: 3.35 } },
      { type: "G5", eta: 0.5, zeta: 1, lambda: 1, shift: 1.2 },
    ],
  });

/** Every kind of symmetry function, on one centre element each, weighted and not. */
const bump = { shape: "poly2", from: -3.9, to: 3.9, angles: [20, 110] };
const listed = () =>
  symmetryFunctions.options.parse({
    cutoff: { type: "poly2", radius: 4.2, inner: 0.2 },
    functions: {
      H: [
        { type: "C5", neighbours: ["H", "C"], ...bump, angles: [-160, 160] },
        { type: "G2", neighbour: "C", eta: 2, shift: 1.1 },
        { type: "G5", eta: 0.2, zeta: 4, lambda: -1 },
        { type: "C2", from: 0.5, to: 4, shape: "poly3", asymmetric: true },
        { type: "C4", ...bump, from: 0.2 },
        { type: "G1", neighbour: "H" },
        { type: "G2", eta: 0.1 },
      ],
      C: [
        { type: "C4", neighbours: ["H", "H"], ...bump, angles: [60, 180], asymmetric: true },
        { type: "C5", ...bump, angles: [100, 260], shape: "poly4" },
        { type: "G4", eta: 0.05, zeta: 1.5, lambda: 0.7, cutoff: { type: "exponential", radius: 3.6 } },
        { type: "G4", neighbours: ["O", "C"], eta: 0.05, zeta: 2, lambda: 1, shift: 0.4 },
      ],
      O: [
        { type: "G3", kappa: 1.7 },
        { type: "C2", neighbour: "H", from: -4.2, to: 4.2, shape: "exponential" },
        { type: "C4", neighbours: ["C", "H"], ...bump, angles: [-90, 90] },
      ],
    },
  });

const subjects: [string, () => Descriptor][] = [
  ...Object.values(descriptors).map((method): [string, () => Descriptor] => [
    `${method.name}, small automatic set`,
    () => method.build(method.resolve(method.options.parse({ size: "small" }), statistics), elements, device),
  ]),
  ["symmetry-functions, every function", () => symmetryFunctions.build(listed(), elements, device)],
  ...cutoffNames.map((type): [string, () => Descriptor] => [
    `acsf, every function, cutoff ${type}`,
    () => acsf.build(everything(type), elements, device),
  ]),
];

describe.each(subjects)("laws of descriptors: %s", (_, build) => {
  const subject = { descriptor: build(), device, structures, seed: 5 };
  it.each(Object.keys(descriptorLaws))("%s", (law) => {
    expect(() => descriptorLaws[law](subject)).not.toThrow();
  });
});

describe("laws of descriptors can fail", () => {
  const good = acsf.build(everything("cosine"), elements, device);
  const broken = (wrong: Partial<Descriptor>): Descriptor => ({
    cutoff: good.cutoff,
    smoothness: good.smoothness,
    elements,
    size: (e) => good.size(e),
    labels: (e) => good.labels(e),
    forward: (env, G) => good.forward(env, G),
    pullback: (env, w, gradient) => good.pullback(env, w, gradient),
    pushforward: (env, t, dG) => good.pushforward(env, t, dG),
    jacobian: (env, c, rows) => good.jacobian(env, c, rows),
    ...wrong,
  });
  const refuse = (law: string, wrong: Partial<Descriptor>, message: RegExp) =>
    expect(() => descriptorLaws[law]({ descriptor: broken(wrong), device, structures, seed: 5 })).toThrow(
      message,
    );

  it("a cosine cutoff has no continuous second derivative", () => {
    refuse(
      "features and their derivatives are continuous at the cutoffs",
      { smoothness: 2 },
      /derivative 2 .* jumps/,
    );
  });

  it("features that follow the frame of reference are not invariant", () => {
    const wrong: Partial<Descriptor> = {
      forward(env, G) {
        good.forward(env, G);
        G.matrices[0][0] += env.vectors[0];
      },
    };
    refuse("rotation changes nothing", wrong, /rotation changes features/);
  });

  it("a pullback that is off by three parts in a million is caught", () => {
    const wrong: Partial<Descriptor> = {
      pullback(env, w, gradient) {
        good.pullback(env, w, gradient);
        for (let p = 0; p < gradient.length; p++) gradient[p] *= 1 + 3e-6;
      },
    };
    refuse("pullback is the derivative of forward", wrong, /force off by/);
    refuse("pushforward is the transpose of pullback", wrong, /not the transpose/);
    refuse("jacobian agrees with pullback and pushforward", wrong, /jacobian instead of pullback/);
  });

  it("second derivatives that are off by three parts in a million are caught", () => {
    const wrong: Partial<Descriptor> = {
      curvature(env, c, w, block) {
        good.curvature!(env, c, w, block);
        for (let k = 0; k < block.length; k++) block[k] *= 1 + 3e-6;
      },
    };
    refuse(
      "second derivatives, where there are any, are those of pullback",
      wrong,
      /second derivatives are off by 0\.00000[23]/,
    );
  });

  it("a descriptor that is always zero proves nothing", () => {
    const wrong: Partial<Descriptor> = { forward: (_, G) => G.matrices.forEach((m) => m.fill(0)) };
    refuse("translation changes nothing", wrong, /nothing to compare/);
  });

  it("a change of the input is caught", () => {
    const wrong: Partial<Descriptor> = { pullback: (env) => (env.vectors[0] += 1e-3) };
    refuse("input is left untouched", wrong, /changed its input/);
  });
});
