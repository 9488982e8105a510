/** Force constants from second derivatives of the formulas beside those from differences of forces; see docs/vibrations.md. */
import { pairStatistics } from "../src/structure/statistics.ts";
import { descriptors } from "../src/descriptors/table.ts";
import { createDevice } from "../src/device/device.ts";
import { featureStatistics } from "../src/fit/features.ts";
import { Random } from "../src/math/random.ts";
import { buildTerm } from "../src/potentials/build.ts";
import type { Potential } from "../src/potentials/potential.ts";
import { regressors } from "../src/regressors/table.ts";
import { exactHessian, hessian } from "../src/run/hessian.ts";
import { repeat } from "../src/structure/cell.ts";
import { elementsOf } from "../src/structure/elements.ts";
import type { Structure } from "../src/structure/structure.ts";
import { ethanol } from "../test/ethanol.ts";
import { fastest } from "./fastest.ts";

const device = createDevice();
const random = new Random(1, "bench");

/** Diamond, a = 5.43 Å. */
const silicon: Structure = {
  numbers: new Uint8Array(8).fill(14),
  positions: Float64Array.of(
    ...[0, 0, 0, 0, 2, 2, 2, 0, 2, 2, 2, 0, 1, 1, 1, 1, 3, 3, 3, 1, 3, 3, 3, 1].map((x) => (x * 5.43) / 4),
  ),
  cell: Float64Array.of(5.43, 0, 0, 0, 5.43, 0, 0, 0, 5.43),
  pbc: [true, true, true],
};
const rattled = (s: Structure): Structure => ({
  ...s,
  positions: s.positions.map((x) => x + 0.05 * random.normal()),
});
const crystal = rattled(repeat(silicon, [2, 2, 2]));

/** A model with the descriptor's defaults and random coefficients or weights. */
function model(descriptor: string, regressor: string, structure: Structure, given: object = {}): Potential {
  const elements = elementsOf(structure.numbers);
  const see = descriptors[descriptor];
  const seeOptions = see.resolve(see.options.parse(given), pairStatistics([structure], 6)) as object;
  const D = see.build(seeOptions, elements, device);
  const learn = regressors[regressor];
  const learnOptions = learn.options.parse({}) as object;
  const start = learn.initialise(learnOptions, featureStatistics(D, [structure], device), 1, 4, 0);
  const isLinear = regressor === "linear";
  const tensors = isLinear
    ? Object.fromEntries(Object.entries(start).map(([name, x]) => [name, random.normals(x.slice())]))
    : start;
  const options = {
    descriptor: { name: descriptor, ...seeOptions },
    regressor: { name: regressor, ...learnOptions },
  };
  return buildTerm({ type: "composed", options, tensors }, elements, device);
}

const subjects: readonly (readonly [string, Potential, Structure])[] = [
  ["network over ani, ethanol", model("ani", "neural-network", ethanol), ethanol],
  ["network over acsf, silicon 64", model("acsf", "neural-network", crystal), crystal],
  [
    "Stillinger–Weber, silicon 64",
    buildTerm({ type: "stillinger-weber", options: {}, tensors: {} }, [14], device),
    crystal,
  ],
  ["linear SNAP 2J = 8, silicon 64", model("snap", "linear", crystal, { twojmax: 8 }), crystal],
  ["linear ACE, silicon 64", model("ace", "linear", crystal), crystal],
];

const columns = ["first", "exact", "differences", "ratio", "largest deviation"];
console.log(`${"one thread, ms".padEnd(34)}${columns.map((c) => c.padStart(13)).join("")}`);
for (const [name, potential, structure] of subjects) {
  const begin = performance.now();
  const H = exactHessian(structure, potential)!;
  const first = performance.now() - begin;
  const exact = fastest(() => exactHessian(structure, potential), 3);
  const differences = fastest(() => hessian(structure, potential), 3);
  // A pair that crosses the cutoff of SNAP, whose second derivatives jump there, spoils wider differences by a hundredth.
  const fine = hessian(structure, potential, { step: 1e-4, order: 4 });
  const most = fine.reduce((m, h) => Math.max(m, Math.abs(h)), 0);
  const off = fine.reduce((m, h, k) => Math.max(m, Math.abs(h - H[k])), 0) / most;
  const row = [first, exact, differences].map((ms) => ms.toFixed(1).padStart(13)).join("");
  console.log(
    `${name.padEnd(34)}${row}${(differences / exact).toFixed(2).padStart(13)}${off.toExponential(1).padStart(19)}`,
  );
}
