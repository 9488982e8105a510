/** Time of the descriptors' operations per atom, and per pair·term and triplet·term; see docs/descriptors. */
import type { Descriptor } from "../src/descriptors/descriptor.ts";
import { EnvironmentsBuilder } from "../src/descriptors/environments.ts";
import type { Environments } from "../src/descriptors/environments.ts";
import { addForces } from "../src/descriptors/pairs.ts";
import { reach } from "../src/descriptors/reach.ts";
import { descriptors } from "../src/descriptors/table.ts";
import { createDevice } from "../src/device/device.ts";
import { Random } from "../src/math/random.ts";
import { repeat } from "../src/structure/cell.ts";
import { elementsOf } from "../src/structure/elements.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import { pairStatistics } from "../src/structure/statistics.ts";
import type { Structure } from "../src/structure/structure.ts";
import { ethanol } from "../test/ethanol.ts";
import { fastest } from "./fastest.ts";

const device = createDevice();
const random = new Random(1, "bench");

const rattled = (s: Structure): Structure => ({
  ...s,
  positions: s.positions.map((x) => x + 0.05 * random.normal()),
});

/** Diamond, a = 5.43 Å. */
const silicon: Structure = {
  numbers: new Uint8Array(8).fill(14),
  positions: Float64Array.of(
    ...[0, 0, 0, 0, 2, 2, 2, 0, 2, 2, 2, 0, 1, 1, 1, 1, 3, 3, 3, 1, 3, 3, 3, 1].map((x) => (x * 5.43) / 4),
  ),
  cell: Float64Array.of(5.43, 0, 0, 0, 5.43, 0, 0, 0, 5.43),
  pbc: [true, true, true],
};

const systems: [string, Structure[]][] = [
  ["ethanol × 50", Array.from({ length: 50 }, () => rattled(ethanol))],
  ["silicon 216", [rattled(repeat(silicon, [3, 3, 3]))]],
];

/** Pairs, and triplets within the angular cutoff, times the functions of their elements; NaN for functions of more atoms. */
function work(d: Descriptor, env: Environments, angular: number): number {
  const S = env.elements.length;
  let terms = 0;
  for (const e of env.elements.keys())
    for (let c = env.starts[e]; c < env.starts[e + 1]; c++) {
      const near = env.elements.map((_, s) => env.offsets[c * S + s + 1] - env.offsets[c * S + s]);
      const close = env.elements.map((_, s) => {
        const row = env.distances.subarray(env.offsets[c * S + s], env.offsets[c * S + s + 1]);
        return row.filter((r) => r < angular).length;
      });
      for (const label of d.labels(e)) {
        const of = label.split(" ").at(-1)!.split("-");
        const [a, b] = of.map((symbol) => d.elements.findIndex((z) => symbols.get(z) === symbol));
        if (of.length === 1) terms += near[a];
        else terms += a === b ? (close[a] * (close[a] - 1)) / 2 : close[a] * close[b];
      }
    }
  return terms;
}
const symbols = new Map([
  [1, "H"],
  [6, "C"],
  [8, "O"],
  [14, "Si"],
]);

function features(d: Descriptor, env: Environments) {
  const counts = env.elements.map((_, e) => env.starts[e + 1] - env.starts[e]);
  const pointers = counts.map((count, e) => device.memory.alloc(8 * count * d.size(e)));
  const matrices = counts.map((count, e) => device.memory.f64(pointers[e], count * d.size(e)));
  for (const m of matrices) random.normals(m);
  return { counts, pointers, matrices };
}

const columns = [
  "system",
  "method",
  "features",
  "µs/atom: build",
  "forward",
  "pullback",
  "pushforward",
  "forces",
  "ns/term: fwd",
  "pull",
  "push",
];
console.log(columns.join("\t"));
for (const [name, structures] of systems)
  for (const method of Object.values(descriptors))
    for (const size of ["small", "medium"]) {
      const elements = elementsOf(structures[0].numbers);
      const statistics = pairStatistics(structures, 6);
      const options = method.resolve(method.options.parse({ size }), statistics);
      const d = method.build(options, elements, device);
      const inputs = structures.map((structure) => ({
        structure,
        neighbours: findNeighbours(structure, d.cutoff + 0.5),
      }));
      const builder = new EnvironmentsBuilder(elements, d.cutoff);
      const env = builder.build(inputs);
      const G = features(d, env);
      const w = features(d, env);
      const t = random.normals(new Float64Array(3 * env.neighbour.length));
      const gradient = new Float64Array(t.length);
      const [forces, virials] = [new Float64Array(3 * env.atoms), new Float64Array(9 * structures.length)];
      const times = [
        () => void builder.build(inputs),
        () => d.forward(env, G),
        () => d.pullback(env, w, gradient),
        () => d.pushforward(env, t, G),
        () => addForces(env, gradient, forces, virials),
      ].map((run) => fastest(run, 25));
      const terms = work(d, env, reach(statistics).angular);
      const perAtom = times.map((ms) => ((1e3 * ms) / env.atoms).toFixed(2));
      const perTerm = times
        .slice(1, 4)
        .map((ms) => (Number.isNaN(terms) ? "–" : ((1e6 * ms) / terms).toFixed(2)));
      console.log([name, `${method.name} ${size}`, d.size(0), ...perAtom, ...perTerm].join("\t"));
    }
