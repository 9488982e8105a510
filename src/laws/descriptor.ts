import type { Descriptor, Features } from "../descriptors/descriptor.ts";
import { environments } from "../descriptors/environments.ts";
import type { Environments } from "../descriptors/environments.ts";
import { addForces, pairTangents } from "../descriptors/pairs.ts";
import type { Device } from "../device/device.ts";
import { Random } from "../math/random.ts";
import { repeat, strain } from "../structure/cell.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";

/** A descriptor and what it is tried on: every structure holds only its elements. */
export interface Subject {
  readonly descriptor: Descriptor;
  readonly device: Device;
  /** At least one molecule and one small skewed crystal. */
  readonly structures: readonly Structure[];
  readonly seed: number;
}

/** A law holds, or throws an Error that says by how much it does not. */
export type DescriptorLaw = (subject: Subject) => void;

/** Rounding of a sum of many terms in another order, relative to the largest feature. */
const ROUNDING = 1e-11;

/** The laws of design.md §5 for descriptors, by name. */
export const descriptorLaws: Readonly<Record<string, DescriptorLaw>> = {
  "translation changes nothing": (subject) => {
    const shift = new Random(subject.seed, "shift").normals(new Float64Array(3));
    for (const s of subject.structures) {
      const moved = { ...s, positions: s.positions.map((x, k) => x + 7 * shift[k % 3]) };
      demandEqual("translation", features(subject, s), features(subject, moved));
    }
  },

  "rotation changes nothing": (subject) => {
    const R = rotation(new Random(subject.seed, "rotation"));
    for (const s of subject.structures) {
      const turned = { ...s, positions: turn(s.positions, R), cell: s.cell && turn(s.cell, R) };
      demandEqual("rotation", features(subject, s), features(subject, turned));
    }
  },

  "exchanging atoms exchanges their features": (subject) => {
    for (const s of subject.structures) {
      const order = new Random(subject.seed, "order").shuffle(Int32Array.from(s.numbers.keys()));
      const shuffled = {
        ...s,
        numbers: Uint8Array.from(order, (i) => s.numbers[i]),
        positions: Float64Array.from(
          s.positions,
          (_, k) => s.positions[3 * order[Math.floor(k / 3)] + (k % 3)],
        ),
      };
      const G = features(subject, s);
      demandEqual(
        "permutation",
        Array.from(order, (i) => G[i]),
        features(subject, shuffled),
      );
    }
  },

  "a supercell has the features of its cell": (subject) => {
    for (const s of subject.structures.filter(({ cell, pbc }) => cell && pbc.every(Boolean))) {
      const G = features(subject, s);
      const big = features(subject, repeat(s, [2, 1, 3]));
      demandEqual(
        "supercell",
        big.map((_, i) => G[i % G.length]),
        big,
      );
    }
  },

  "an atom may lie in any cell": (subject) => {
    for (const s of subject.structures.filter(({ pbc }) => pbc.every(Boolean))) {
      const positions = s.positions.slice();
      for (let k = 0; k < 3; k++) positions[k] += 3 * s.cell![k] - 2 * s.cell![6 + k];
      demandEqual("wrapping", features(subject, s), features(subject, { ...s, positions }));
    }
  },

  "atoms beyond the cutoff are not seen": (subject) => {
    for (const s of subject.structures.filter(({ pbc }) => !pbc.some(Boolean))) {
      const apart = extent(s) + subject.descriptor.cutoff;
      const both = {
        ...s,
        numbers: Uint8Array.from([...s.numbers, ...s.numbers]),
        positions: Float64Array.from([...s.positions, ...s.positions.map((x, k) => (k % 3 ? x : x + apart))]),
      };
      const G = features(subject, s);
      demandEqual("locality", [...G, ...G], features(subject, both));
    }
  },

  "features and their derivatives are continuous at the cutoffs": (subject) => {
    for (let order = 0; order <= Math.min(2, subject.descriptor.smoothness); order++)
      demandContinuous(subject, order);
  },

  "pullback is the derivative of forward": (subject) => {
    for (const s of subject.structures) demandGradient(subject, s);
  },

  "pushforward is the transpose of pullback": (subject) => {
    for (const s of subject.structures) {
      const env = surroundings(subject.descriptor, s);
      const { w, gradient, t, dG } = derivatives(subject, env);
      const [left, size] = dots(w.matrices, dG.matrices);
      const [right] = dots([gradient], [t]);
      if (!(size > 0 && Math.abs(left - right) <= 1e-12 * size))
        throw new Error(
          `pushforward is not the transpose of pullback: ${left} and ${right}, terms of ${size}`,
        );
    }
  },

  "jacobian agrees with pullback and pushforward": (subject) => {
    for (const s of subject.structures) demandJacobian(subject, surroundings(subject.descriptor, s));
  },

  "second derivatives, where there are any, are those of pullback": (subject) => {
    for (const s of subject.structures) demandCurvature(subject, surroundings(subject.descriptor, s));
  },

  "input is left untouched": (subject) => {
    const [s] = subject.structures;
    const env = surroundings(subject.descriptor, s);
    const before = JSON.stringify([s, env]);
    const { w } = derivatives(subject, env);
    const weights = JSON.stringify(w);
    subject.descriptor.pullback(env, w, new Float64Array(3 * env.neighbour.length));
    if (JSON.stringify([s, env]) !== before || JSON.stringify(w) !== weights)
      throw new Error("a descriptor changed its input");
  },
};

const surroundings = (d: Descriptor, structure: Structure): Environments =>
  environments([{ structure, neighbours: findNeighbours(structure, d.cutoff) }], d.elements, d.cutoff);

/** Room for the features of the surroundings in the device's memory, filled with `value`. */
function allocate({ descriptor, device }: Subject, env: Environments, value: () => number): Features {
  const counts = env.elements.map((_, e) => env.starts[e + 1] - env.starts[e]);
  const sizes = counts.map((count, e) => count * descriptor.size(e));
  const pointers = sizes.map((size) => device.memory.alloc(8 * size));
  const matrices = sizes.map((size, e) => device.memory.f64(pointers[e], size).map(value));
  for (const [e, size] of sizes.entries()) device.memory.f64(pointers[e], size).set(matrices[e]);
  return { counts, pointers, matrices: sizes.map((size, e) => device.memory.f64(pointers[e], size)) };
}

/** G of every atom, in the order of the atoms. */
function features(subject: Subject, structure: Structure): Float64Array[] {
  const env = surroundings(subject.descriptor, structure);
  const G = allocate(subject, env, () => NaN);
  subject.descriptor.forward(env, G);
  return byAtom(subject.descriptor, env, G);
}

function byAtom(d: Descriptor, env: Environments, G: Features): Float64Array[] {
  const rows: Float64Array[] = [];
  for (const e of env.elements.keys())
    for (let c = env.starts[e]; c < env.starts[e + 1]; c++) {
      const row = c - env.starts[e];
      rows[env.centre[c]] = G.matrices[e].slice(row * d.size(e), (row + 1) * d.size(e));
    }
  return rows;
}

function demandEqual(law: string, a: readonly Float64Array[], b: readonly Float64Array[]): void {
  let largest = 0;
  let worst = 0;
  for (const [i, row] of a.entries())
    for (const [t, x] of row.entries()) {
      largest = Math.max(largest, Math.abs(x));
      worst = Math.max(worst, Math.abs(x - b[i][t]) || 0, Number.isNaN(x - b[i][t]) ? Infinity : 0);
    }
  if (a.length !== b.length || !(largest > 1e-3))
    throw new Error(`${law}: nothing to compare, features up to ${largest}`);
  if (!(worst <= ROUNDING * largest))
    throw new Error(`${law} changes features of up to ${largest} by ${worst}`);
}

/** Random weights w and pair tangents t, with the pullback of the one and the pushforward of the other. */
function derivatives(subject: Subject, env: Environments) {
  const random = new Random(subject.seed, "weights");
  const w = allocate(subject, env, () => random.normal());
  const t = random.normals(new Float64Array(3 * env.neighbour.length));
  const gradient = new Float64Array(t.length);
  subject.descriptor.pullback(env, w, gradient);
  const dG = allocate(subject, env, () => NaN);
  subject.descriptor.pushforward(env, t, dG);
  return { w, t, gradient, dG };
}

/** Σ a b, and the size of its terms √(Σ a² b²)·√n as a scale for its rounding. */
function dots(a: readonly Float64Array[], b: readonly Float64Array[]): [number, number] {
  let [sum, size] = [0, 0];
  for (const [k, row] of a.entries())
    for (const [i, x] of row.entries()) {
      sum += x * b[k][i];
      size += Math.abs(x * b[k][i]);
    }
  return [sum, size];
}

/** Forces and virial of E = Σ w·G by pullback against central differences of forward. */
function demandGradient(subject: Subject, structure: Structure): void {
  const env = surroundings(subject.descriptor, structure);
  const { w, gradient } = derivatives(subject, env);
  const forces = new Float64Array(structure.positions.length);
  const virial = new Float64Array(9);
  addForces(env, gradient, forces, virial);
  const G = allocate(subject, env, () => NaN);
  const energy = (s: Structure) => {
    const moved = surroundings(subject.descriptor, s);
    subject.descriptor.forward(moved, G);
    return dots(w.matrices, G.matrices)[0];
  };
  const h = 1e-5;
  const slope = (displaced: (step: number) => Structure) =>
    (energy(displaced(h)) - energy(displaced(-h))) / (2 * h);
  const random = new Random(subject.seed, "coordinates");
  const chosen = Array.from({ length: 6 }, () => random.integer(forces.length));
  const byForce = chosen.map((k): [number, number] => [
    -forces[k],
    slope((step) => ({
      ...structure,
      positions: structure.positions.map((x, i) => (i === k ? x + step : x)),
    })),
  ]);
  const byStrain = [0, 4, 5, 1].map((k): [number, number] => [
    -virial[k],
    slope((step) =>
      strain(
        structure,
        new Float64Array(9).map((_, i) => (i === k ? step : 0)),
      ),
    ),
  ]);
  demandClose("force", byForce, 1e-6);
  demandClose("virial", byStrain, 1e-6);
}

/** Pairs that must agree to `tolerance` of the largest, and must not be about zero. */
function demandClose(what: string, pairs: readonly (readonly [number, number])[], tolerance: number): void {
  const largest = Math.max(...pairs.map(([a]) => Math.abs(a)));
  const worst = Math.max(...pairs.map(([a, b]) => Math.abs(a - b)));
  if (!(largest > 1e-2)) throw new Error(`${what}: nothing to compare, values up to ${largest}`);
  if (!(worst <= tolerance * largest)) throw new Error(`${what} off by ${worst}, values up to ${largest}`);
}

function demandJacobian(subject: Subject, env: Environments): void {
  const { descriptor: d } = subject;
  const S = env.elements.length;
  const { w, t, gradient, dG } = derivatives(subject, env);
  for (const e of env.elements.keys())
    for (let c = env.starts[e]; c < env.starts[e + 1]; c++) {
      const [size, row] = [d.size(e), c - env.starts[e]];
      const [begin, end] = [3 * env.offsets[c * S], 3 * env.offsets[(c + 1) * S]];
      const rows = new Float64Array(size * (end - begin)).fill(NaN);
      d.jacobian(env, c, rows);
      const pulled = gradient.subarray(begin, end).map((_, p) => {
        let sum = 0;
        for (let f = 0; f < size; f++) sum += w.matrices[e][row * size + f] * rows[f * (end - begin) + p];
        return sum;
      });
      const pushed = dG.matrices[e].slice(row * size, (row + 1) * size).map((_, f) => {
        const one = rows.subarray(f * (end - begin), (f + 1) * (end - begin));
        return dots([one], [t.subarray(begin, end)])[0];
      });
      demandEqual("jacobian instead of pullback", [gradient.slice(begin, end)], [pulled]);
      demandEqual(
        "jacobian instead of pushforward",
        [dG.matrices[e].slice(row * size, (row + 1) * size)],
        [pushed],
      );
    }
}

/** Step of differences of gradients, Å, and how well they agree with second derivatives. */
const STEP = 1e-4;
const CURVED = 1e-6;

/** (Σ_t w_t ∂²G_t/∂r∂r) t beside differences of Σ_t w_t ∂G_t/∂r along t. */
function demandCurvature(subject: Subject, env: Environments): void {
  const d = subject.descriptor;
  if (!d.curvature) return;
  const random = new Random(subject.seed, "curvature");
  const w = allocate(subject, env, () => random.normal());
  const t = random.normals(new Float64Array(env.vectors.length));
  const along = (h: number) => {
    const vectors = env.vectors.map((x, k) => x + h * t[k]);
    const distances = env.distances.map((_, p) => Math.hypot(...vectors.subarray(3 * p, 3 * p + 3)));
    const gradient = new Float64Array(vectors.length);
    d.pullback({ ...env, vectors, distances }, w, gradient);
    return gradient;
  };
  const [p, m, pp, mm] = [STEP, -STEP, 2 * STEP, -2 * STEP].map(along);
  const expected = p.map((x, k) => ((2 / 3) * (x - m[k]) - (pp[k] - mm[k]) / 12) / STEP);
  const found = new Float64Array(expected.length);
  const S = env.elements.length;
  for (let c = 0; c < env.count; c++) {
    const [begin, end] = [3 * env.offsets[c * S], 3 * env.offsets[(c + 1) * S]];
    const width = end - begin;
    const block = new Float64Array(width * width);
    d.curvature(env, c, w, block);
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++) found[begin + i] += block[i * width + j] * t[begin + j];
  }
  const scale = Math.max(...expected.map(Math.abs));
  const error = found.reduce((most, x, k) => Math.max(most, Math.abs(x - expected[k])), 0);
  if (!(scale > 0 && error < CURVED * scale))
    throw new Error(`second derivatives are off by ${error / scale} of the largest change of a gradient`);
}

/**
 * The derivative of the given order along a path on which one atom leaves another's and then a third's reach:
 * where it is continuous, its largest change between neighbouring points falls with their distance; a jump stays.
 */
function demandContinuous(subject: Subject, order: number): void {
  const changes = [256, 1024].map((points) => largestChanges(subject, order, points));
  const scale = Math.max(...changes[0]);
  if (!(scale > 0)) throw new Error(`derivative ${order} does not change along the path: nothing to see`);
  for (const [t, coarse] of changes[0].entries()) {
    if (coarse < 1e-6 * scale) continue;
    if (changes[1][t] > 0.6 * coarse)
      throw new Error(
        `derivative ${order} of feature ${t} jumps: ${coarse}, then ${changes[1][t]} with 4 × the points`,
      );
  }
}

/** Largest change of each feature's derivative between neighbouring points of the path. */
function largestChanges(subject: Subject, order: number, points: number): number[] {
  const { cutoff } = subject.descriptor;
  let [from, to] = [0.45 * cutoff, 1.05 * cutoff];
  from += 0.123 / points;
  to += 0.123 / points;
  let last: readonly number[] = [];
  const most: number[] = [];
  for (let k = 0; k <= points; k++) {
    const now = alongPath(subject, from + ((to - from) * k) / points, order);
    for (const [t, x] of now.entries()) most[t] = Math.max(most[t] ?? 0, k === 0 ? 0 : Math.abs(x - last[t]));
    last = now;
  }
  return most;
}

/** All features, or their first or second derivative by the place x of the moving atom. */
function alongPath(subject: Subject, x: number, order: number): number[] {
  const { descriptor: d } = subject;
  if (order === 2) {
    const h = 1e-5;
    const [a, b] = [alongPath(subject, x - h, 1), alongPath(subject, x + h, 1)];
    return b.map((value, t) => (value - a[t]) / (2 * h));
  }
  const structure: Structure = {
    numbers: Uint8Array.from([0, 1, 2], (k) => d.elements[k % d.elements.length]),
    positions: Float64Array.of(0, 0, 0, -0.3 * d.cutoff, 0.1 * d.cutoff, 0, x, 0, 0),
    cell: null,
    pbc: [false, false, false],
  };
  // Beyond the cutoff the derivative of a feature is 0, whether the pair is listed or not.
  const env = surroundings(d, structure);
  const G = allocateOnce(subject, env);
  if (order === 0) d.forward(env, G);
  else {
    const t = new Float64Array(3 * env.neighbour.length);
    pairTangents(env, Float64Array.of(0, 0, 0, 0, 0, 0, 1, 0, 0), null, t);
    d.pushforward(env, t, G);
  }
  return byAtom(d, env, G).flatMap((row) => [...row]);
}

/** The path asks for thousands of features of the same three atoms: one allocation serves them all. */
const pathFeatures = new WeakMap<Subject, Features>();
function allocateOnce(subject: Subject, env: Environments): Features {
  const known = pathFeatures.get(subject) ?? allocate(subject, env, () => NaN);
  pathFeatures.set(subject, known);
  return known;
}

/** A random rotation, [3, 3], from a unit quaternion. */
function rotation(random: Random): Float64Array {
  const q = random.normals(new Float64Array(4));
  const norm = Math.sqrt(q.reduce((s, x) => s + x * x, 0));
  const [a, b, c, d] = q.map((x) => x / norm);
  return Float64Array.of(
    1 - 2 * (c * c + d * d),
    2 * (b * c - a * d),
    2 * (b * d + a * c),
    2 * (b * c + a * d),
    1 - 2 * (b * b + d * d),
    2 * (c * d - a * b),
    2 * (b * d - a * c),
    2 * (c * d + a * b),
    1 - 2 * (b * b + c * c),
  );
}

const turn = (vectors: Float64Array, R: Float64Array): Float64Array =>
  vectors.map((_, i) => {
    const [row, v] = [3 * (i % 3), i - (i % 3)];
    return R[row] * vectors[v] + R[row + 1] * vectors[v + 1] + R[row + 2] * vectors[v + 2];
  });

/** Length of the structure along x, Å. */
function extent({ positions }: Structure): number {
  const x = positions.filter((_, k) => k % 3 === 0);
  return Math.max(...x) - Math.min(...x);
}
