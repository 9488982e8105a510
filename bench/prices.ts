/** Prices of predictions: microseconds per atom, and what of the binding limit, the SIMD peak or the caches, is reached. */
import { descriptors } from "../src/descriptors/table.ts";
import { molecularDescriptors } from "../src/descriptors/molecular/table.ts";
import { createDevice, type Device } from "../src/device/device.ts";
import { featureStatistics } from "../src/fit/features.ts";
import { Random } from "../src/math/random.ts";
import { packedNumbers, rowAt } from "../src/math/triangle.ts";
import { buildTerm } from "../src/potentials/build.ts";
import { compose } from "../src/potentials/compose.ts";
import type { Potential, Uncertain } from "../src/potentials/potential.ts";
import { sparseGaussianProcess } from "../src/regressors/sparse-gaussian-process/sparse-gaussian-process.ts";
import { closure } from "../src/regressors/symmetric-gradient-domain/group.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import { pairStatistics } from "../src/structure/statistics.ts";
import type { Structure } from "../src/structure/structure.ts";
import { ethanol } from "../test/ethanol.ts";
import { countingDevice } from "./counting-device.ts";
import { fastest } from "./fastest.ts";
import { measureBandwidth, measurePeak } from "./peak.ts";
import { shakenSilicon } from "./silicon.ts";

const device = createDevice({ bytes: 2 ** 31 });
const peak = measurePeak("f64", device.memory);

/** Prints what a call costs, and the share of the binding limit; operations and bytes are those of loops and products. */
function price(name: string, atoms: number, make: (device: Device) => () => void): void {
  const counting = countingDevice(device);
  const counted = make(counting);
  counted();
  Object.assign(counting.flops, { kernels: 0, products: 0, bytes: 0 });
  counted();
  const { kernels, products, bytes } = counting.flops;
  const ms = fastest(make(device), 5, 300);
  const bandwidth = measureBandwidth(Math.max(bytes, 4096), device.memory);
  const limits = [
    ["SIMD peak", (kernels + products) / peak / 1e6],
    [`${bandwidth.toFixed(0)} GB/s`, bytes / bandwidth / 1e6],
  ] as const;
  const [limit, least] = limits[0][1] > limits[1][1] ? limits[0] : limits[1];
  const micro = (1000 * ms) / atoms;
  console.log(
    `${name.padEnd(62)} ${micro.toFixed(micro < 10 ? 2 : 0).padStart(7)} µs per atom, ` +
      `${((100 * least) / ms).toFixed(0).padStart(3)} % of the bound (${limit})`,
  );
}

const evaluation = (potential: Potential, structure: Structure): (() => void) => {
  const neighbours = findNeighbours(structure, Math.max(0.1, potential.cutoff));
  const out = {
    energy: 0,
    forces: new Float64Array(structure.positions.length),
    virial: new Float64Array(9),
  };
  return () => potential.evaluate(structure, neighbours, out);
};

/** Exact Gaussian processes of ethanol: energies of 300 molecules, forces of 100 of them. */
const random = new Random(3, "prices");
const N = 300;
const positions = Float64Array.from(
  { length: 27 * N },
  (_, k) => ethanol.positions[k % 27] + 0.05 * random.normal(),
);
for (const [name, method] of Object.entries(molecularDescriptors)) {
  const options = method.resolve(method.options.parse({}), ethanol);
  const { size, active } = method.build(options, ethanol.numbers, device);
  const gradients = Float64Array.from({ length: 100 }, (_, k) => 3 * k);
  const n = N + gradients.length * active.length;
  const factor = new Float64Array(packedNumbers(n));
  for (let i = 0; i < n; i++) factor[rowAt({ address: 0, n, stride: 0 }, i) / 8 + i] = 30;
  const term = {
    type: "gaussian-process",
    options: {
      descriptor: { name, ...(options as object) },
      kernel: { product: [{ name: "constant" }, { name: "matern-5/2" }] },
      atoms: [...ethanol.numbers],
    },
    tensors: {
      positions,
      energies: Float64Array.from({ length: N }, (_, i) => i),
      gradients,
      hyperparameters: Float64Array.of(1, 3),
      weights: random.normals(new Float64Array(n)),
      factor,
    },
  };
  const build = (own: Device) => buildTerm(term, [1, 6, 8], own) as Uncertain;
  price(`GP, ${name} (${size} features, ${n} observations)`, 9, (own) => evaluation(build(own), ethanol));
  if (name !== "inverse-distances") continue;
  price("  standard deviation of the energy", 9, (own) => {
    const potential = build(own);
    return () => potential.deviation(ethanol);
  });
  price("  standard deviations of energy and forces", 9, (own) => {
    const potential = build(own);
    return () => potential.deviations!(ethanol);
  });
}

/** sGDML of ethanol and of a ring of six CH, which has 12 orders of its atoms. */
const angle = (k: number) => (k * Math.PI) / 3;
const benzene: Structure = {
  ...ethanol,
  numbers: Uint8Array.from({ length: 12 }, (_, k) => (k < 6 ? 6 : 1)),
  positions: Float64Array.from(
    Array.from({ length: 12 }, (_, k) => {
      const r = k < 6 ? 1.39 : 2.48;
      return [r * Math.cos(angle(k)), r * Math.sin(angle(k)), 0.02 * random.normal()];
    }).flat(),
  ),
};
const turned = [1, 2, 3, 4, 5, 0].flatMap((k) => [k]).concat([7, 8, 9, 10, 11, 6]);
const mirrored = [0, 5, 4, 3, 2, 1, 6, 11, 10, 9, 8, 7];
const inverse = (x: Float64Array): number[] => {
  const out: number[] = [];
  for (let i = 0; i < x.length / 3; i++)
    for (let j = i + 1; j < x.length / 3; j++)
      out.push(1 / Math.hypot(...[0, 1, 2].map((c) => x[3 * i + c] - x[3 * j + c])));
  return out;
};
for (const [name, molecule, generators] of [
  [
    "ethanol",
    ethanol,
    [
      [0, 1, 2, 4, 5, 3, 6, 7, 8],
      [0, 1, 2, 4, 3, 5, 7, 6, 8],
    ],
  ],
  ["benzene", benzene, [turned, mirrored]],
] as const)
  for (const M of [150, 1000]) {
    const atoms = molecule.numbers.length;
    const permutations = closure(
      generators.map((g) => [...g]),
      atoms,
      12,
    )!;
    const features = Float64Array.from(
      Array.from({ length: M }, () =>
        inverse(molecule.positions.map((x) => x + 0.05 * random.normal())),
      ).flat(),
    );
    const tensors = {
      features,
      weights: random.normals(new Float64Array(features.length)),
      length: Float64Array.of(14),
      constant: new Float64Array(1),
    };
    const term = {
      type: "symmetric-gradient-domain",
      options: { atoms: [...molecule.numbers], permutations },
      tensors,
    };
    const elements = [...new Set(molecule.numbers)].toSorted((a, b) => a - b);
    price(`sGDML, ${name}, ${M} geometries, ${permutations.length} orders`, atoms, (own) =>
      evaluation(buildTerm(term, elements, own), molecule),
    );
  }

/** Gaussian approximation potentials of silicon. */
const silicon = shakenSilicon(4, 0.1, random);
const statistics = pairStatistics([silicon], 6);
const GAPS = {
  "2-body": [{ name: "distance-2b", cutoff: 5 }],
  "3-body": [{ name: "angle-3b", cutoff: 4, size: "small" }],
  "SOAP 8, 6": [{ name: "soap", cutoff: 5, nmax: 8, lmax: 6 }],
};
for (const [name, parts] of Object.entries(GAPS)) {
  const method = descriptors["joined"];
  const resolved = method.resolve(method.options.parse({ parts }), statistics);
  const count = 1000;
  const make = (own: Device, certain: boolean) => {
    const descriptor = method.build(resolved, [14], own);
    const size = descriptor.size(0);
    const [known] = featureStatistics(descriptor, [silicon], device);
    const rows = Float64Array.from(
      { length: count * size },
      (_, k) => known.mean[k % size] * (1 + 0.1 * random.normal()),
    );
    const options = sparseGaussianProcess.options.parse({ count });
    const tensors = sparseGaussianProcess.represent!(
      options,
      [{ rows, count, parts: descriptor.parts!(0) }],
      () => Array.from({ length: count }, (_, k) => k),
      1,
    );
    random.normals(tensors["0.coefficients"]);
    const regressor = sparseGaussianProcess.build(options, [size], tensors, own);
    const P = regressor.parameters.length;
    const posterior = new Float64Array((P * (P + 1)) / 2).fill(1e-3);
    const nothing = { environments: new Float64Array(0), frames: new Float64Array(0), spacing: 0, more: {} };
    const record = { places: [], elements: [{ ...known, ...nothing }], posterior };
    return compose(descriptor, regressor, own, certain ? record : null);
  };
  const atoms = silicon.numbers.length;
  price(`GAP, ${name}`, atoms, (own) => evaluation(make(own, false), silicon));
  price("  standard deviation of the energy", atoms, (own) => {
    const potential = make(own, true);
    return () => potential.deviation(silicon);
  });
}
