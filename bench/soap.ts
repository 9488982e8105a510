/** SOAP: values and products with derivatives of the features per atom, and what of the SIMD peak that is. */
import { EnvironmentsBuilder } from "../src/descriptors/environments.ts";
import type { Environments } from "../src/descriptors/environments.ts";
import { soap } from "../src/descriptors/soap/soap.ts";
import { createDevice } from "../src/device/device.ts";
import { Random } from "../src/math/random.ts";
import { repeat } from "../src/structure/cell.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import type { Structure } from "../src/structure/structure.ts";
import { measurePeak } from "./peak.ts";

const ROUNDS = 15;
const device = createDevice({ bytes: 2 ** 30 });
const random = new Random(1, "soap");
const peak = measurePeak("f64", device.memory);
const diamond: Structure = {
  numbers: Uint8Array.of(14, 14),
  positions: Float64Array.of(0, 0, 0, 1.3575, 1.3575, 1.3575),
  cell: Float64Array.of(0, 2.715, 2.715, 2.715, 0, 2.715, 2.715, 2.715, 0),
  pbc: [true, true, true],
};

/** Rattled silicon whose atoms are called by `elements` at random. */
function crystal(elements: readonly number[]): Structure {
  const s = repeat(diamond, [5, 5, 5]);
  return {
    ...s,
    numbers: s.numbers.map((_, k) => elements[k % elements.length]),
    positions: s.positions.map((x) => x + 0.1 * random.normal()),
  };
}

/** Milliseconds of the fastest of several rounds. */
function fastest(run: () => void): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Multiplications and additions of one atom: forward, and its product with derivatives. */
function operations(nmax: number, lmax: number, S: number, neighbours: number): [number, number] {
  const L = (lmax + 1) ** 2;
  const N = S * nmax;
  const radial = 14 * nmax * (lmax + 1);
  const forward = neighbours * (radial + 5 * L + 2 * nmax * L) + 2 * N * N * L;
  // Polynomials with slopes, two products per neighbour, harmonics with three derivatives.
  const backward = neighbours * (2 * radial + 4 * nmax * L + 16 * L) + 2 * N * N * L;
  return [forward, backward];
}

function room(env: Environments, size: number) {
  const counts = env.elements.map((_, e) => env.starts[e + 1] - env.starts[e]);
  const pointers = counts.map((count) => device.memory.alloc(8 * count * size));
  return { counts, pointers, matrices: counts.map((n, e) => device.memory.f64(pointers[e], n * size)) };
}

for (const [nmax, lmax] of [
  [8, 6],
  [8, 8],
])
  for (const elements of [[14], [8, 14], [1, 8, 14], [1, 6, 8, 14]]) {
    const structure = crystal(elements);
    const [n, S] = [structure.numbers.length, elements.length];
    const d = soap.build(soap.options.parse({ cutoff: 5, nmax, lmax }), elements, device);
    const surroundings = [{ structure, neighbours: findNeighbours(structure, d.cutoff) }];
    const env = new EnvironmentsBuilder(elements, d.cutoff).build(surroundings);
    const [G, W] = [room(env, d.size(0)), room(env, d.size(0))];
    for (const matrix of W.matrices) random.normals(matrix);
    const gradient = new Float64Array(3 * env.neighbour.length);
    const pairs = Array.from({ length: n }, (_, c) => env.offsets[(c + 1) * S] - env.offsets[c * S]);
    const rows = new Float64Array(3 * Math.max(...pairs) * d.size(0));
    const times = [
      fastest(() => d.forward(env, G)),
      fastest(() => d.pullback(env, W, gradient)),
      fastest(() => {
        for (let c = 0; c < 20; c++) d.jacobian(env, c, rows);
      }),
    ];
    const neighbours = env.neighbour.length / n;
    const work = operations(nmax, lmax, S, neighbours);
    const micro = (k: number, atoms = n) => ((1000 * times[k]) / atoms).toFixed(1);
    const share = (k: number) => `${((100 * work[k] * n) / times[k] / 1e6 / peak).toFixed(0)} %`;
    console.log(
      `SOAP ${nmax}, ${lmax}, ${S} elements (${d.size(0)} features, ${neighbours.toFixed(0)} neighbours), µs per atom: ` +
        `values ${micro(0)} (${(work[0] / 1000).toFixed(0)} kflop, ${share(0)} of the SIMD peak), ` +
        `product with derivatives ${micro(1)} (${(work[1] / 1000).toFixed(0)} kflop, ${share(1)}), ` +
        `all derivatives ${micro(2, 20)}`,
    );
  }
console.log(`SIMD peak: ${peak.toFixed(1)} GFLOP/s`);
