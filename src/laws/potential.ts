import { Random } from "../math/random.ts";
import type { Evaluation, Potential } from "../potentials/potential.ts";
import { multiply, repeat, strain } from "../structure/cell.ts";
import { findNeighbours, type Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { demand, distance, size, type Finding } from "./finding.ts";

/** Everything a potential says about a structure. */
export interface Result extends Evaluation {
  readonly energies: Float64Array;
}

const zeros = (n: number): Result => ({
  energy: 0,
  energies: new Float64Array(n),
  forces: new Float64Array(3 * n),
  virial: new Float64Array(9),
});

const list = (potential: Potential, structure: Structure, skin = 0): Neighbours =>
  findNeighbours(structure, Math.max(potential.cutoff, 0.1) + skin);

/** Energy, atomic energies, forces and virial of a structure. */
export function evaluateOnce(potential: Potential, structure: Structure, skin = 0): Result {
  const out = zeros(structure.numbers.length);
  potential.evaluate(structure, list(potential, structure, skin), out);
  return out;
}

/** Differences of two results, each relative to the size of its kind (at least `floor`, eV and Å). */
function compare(a: Result, b: Result, floor = 1): Finding {
  return {
    energy: Math.abs(a.energy - b.energy) / Math.max(floor, Math.abs(a.energy)),
    energies: distance(a.energies, b.energies) / Math.max(floor, size(a.energies)),
    forces: distance(a.forces, b.forces) / Math.max(floor, size(a.forces)),
    virial: distance(a.virial, b.virial) / Math.max(floor, size(a.virial)),
  };
}

const agree = (law: string, a: Result, b: Result, tolerance: number): Finding => {
  const finding = compare(a, b);
  return demand(
    Object.values(finding).every((x) => x < tolerance),
    law,
    { ...finding, tolerance },
  );
};

/** Moving everything by the same vector changes nothing. */
export function isTranslationInvariant(
  potential: Potential,
  structure: Structure,
  tolerance = 1e-10,
): Finding {
  const shift = [1.234, -7.1, 12.9];
  const moved = { ...structure, positions: structure.positions.map((x, k) => x + shift[k % 3]) };
  return agree("translation", evaluateOnce(potential, structure), evaluateOnce(potential, moved), tolerance);
}

const unit = (v: number[]) => v.map((x) => x / Math.hypot(...v));

/** A rotation matrix from a seed: two Gram–Schmidt steps and a cross product. */
function rotation(seed: number): Float64Array {
  const r = new Random(seed).normals(new Float64Array(6));
  const a = unit([...r.subarray(0, 3)]);
  const along = a[0] * r[3] + a[1] * r[4] + a[2] * r[5];
  const b = unit(a.map((x, k) => r[3 + k] - along * x));
  const c = [0, 1, 2].map((k) => a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3]);
  return Float64Array.from([...a, ...b, ...c]);
}

const transpose = (Q: Float64Array) => Q.map((_, k) => Q[3 * (k % 3) + Math.floor(k / 3)]);

/** Row vectors v [n, 3] turned by Q: v Qᵀ. */
function turn(vectors: Float64Array, Q: Float64Array): Float64Array {
  const out = new Float64Array(vectors.length);
  for (let i = 0; i < out.length; i += 3)
    for (let k = 0; k < 3; k++)
      out[i + k] = Q[3 * k] * vectors[i] + Q[3 * k + 1] * vectors[i + 1] + Q[3 * k + 2] * vectors[i + 2];
  return out;
}

/** Turning everything turns the forces F and the virial W: F Qᵀ, Q W Qᵀ. */
export function turnsWithTheStructure(potential: Potential, structure: Structure, tolerance = 1e-9): Finding {
  const Q = rotation(5);
  const { positions, cell } = structure;
  const turned = { ...structure, positions: turn(positions, Q), cell: cell && turn(cell, Q) };
  const plain = evaluateOnce(potential, structure);
  const expected = {
    ...plain,
    forces: turn(plain.forces, Q),
    virial: multiply(multiply(Q, plain.virial), transpose(Q)),
  };
  return agree("rotation", expected, evaluateOnce(potential, turned), tolerance);
}

/** The structure with its atoms in another order. */
const reorder = (structure: Structure, order: Int32Array): Structure => ({
  ...structure,
  numbers: Uint8Array.from(order, (i) => structure.numbers[i]),
  positions: Float64Array.from({ length: 3 * order.length }, (_, k) => {
    return structure.positions[3 * order[Math.floor(k / 3)] + (k % 3)];
  }),
});

/** The order in which atoms are listed changes nothing. */
export function isPermutationInvariant(
  potential: Potential,
  structure: Structure,
  tolerance = 1e-10,
): Finding {
  const order = new Random(3).shuffle(Int32Array.from(structure.numbers, (_, i) => i));
  const plain = evaluateOnce(potential, structure);
  const expected = {
    ...plain,
    energies: Float64Array.from(order, (i) => plain.energies[i]),
    forces: plain.forces.map((_, k) => plain.forces[3 * order[Math.floor(k / 3)] + (k % 3)]),
  };
  return agree("permutation", expected, evaluateOnce(potential, reorder(structure, order)), tolerance);
}

/** A supercell has as many times the energy and virial, and the same forces. */
export function isExtensiveInSupercells(potential: Potential, crystal: Structure, tolerance = 1e-9): Finding {
  const one = evaluateOnce(potential, crystal);
  const copies = crystal.pbc.map((p) => (p ? 2 : 1)) as [number, number, number];
  const count = copies[0] * copies[1] * copies[2];
  const expected = {
    energy: count * one.energy,
    energies: Float64Array.from(
      { length: count * one.energies.length },
      (_, i) => one.energies[i % one.energies.length],
    ),
    forces: Float64Array.from(
      { length: count * one.forces.length },
      (_, k) => one.forces[k % one.forces.length],
    ),
    virial: one.virial.map((x) => count * x),
  };
  return agree("supercell", expected, evaluateOnce(potential, repeat(crystal, copies)), tolerance);
}

/** Moving atoms by lattice vectors changes nothing. */
export function isWrapInvariant(potential: Potential, crystal: Structure, tolerance = 1e-10): Finding {
  const random = new Random(8);
  const positions = crystal.positions.slice();
  for (let i = 0; i < positions.length; i += 3)
    for (let a = 0; a < 3; a++) {
      const n = crystal.pbc[a] ? random.integer(5) - 2 : 0;
      for (let k = 0; k < 3; k++) positions[i + k] += n * crystal.cell![3 * a + k];
    }
  const moved = { ...crystal, positions };
  return agree("wrapping", evaluateOnce(potential, crystal), evaluateOnce(potential, moved), tolerance);
}

/** Two molecules out of each other's reach: E(A ∪ B) = E(A) + E(B), each with its own forces. */
export function isSizeExtensive(
  potential: Potential,
  A: Structure,
  B: Structure,
  tolerance = 1e-10,
): Finding {
  const extent = [A, B].reduce((most, s) => Math.max(most, size(s.positions)), 0);
  const away = B.positions.map((x, k) => x + (k % 3 === 0 ? 2 * extent + potential.cutoff + 1 : 0));
  const both: Structure = {
    numbers: Uint8Array.of(...A.numbers, ...B.numbers),
    positions: Float64Array.of(...A.positions, ...away),
    cell: null,
    pbc: [false, false, false],
  };
  const [a, b] = [evaluateOnce(potential, A), evaluateOnce(potential, B)];
  const expected = {
    energy: a.energy + b.energy,
    energies: Float64Array.of(...a.energies, ...b.energies),
    forces: Float64Array.of(...a.forces, ...b.forces),
    virial: a.virial.map((x, k) => x + b.virial[k]),
  };
  return agree("size extensivity", expected, evaluateOnce(potential, both), tolerance);
}

/** dE/dx of a function of one number by central differences of fourth order. */
const slope = (E: (x: number) => number, h: number): number =>
  (8 * (E(h) - E(-h)) - (E(2 * h) - E(-2 * h))) / (12 * h);

/**
 * F = −dE/dr for every coordinate (at most `most` of them, evenly spread), by central differences with a step of
 * 1e-5 Å, relative to the largest force, which must not be small.
 */
export function forcesAreDerivatives(
  potential: Potential,
  structure: Structure,
  { tolerance = 1e-6, step = 1e-5, most = 24, least = 1e-3 } = {},
): Finding {
  const { forces } = evaluateOnce(potential, structure);
  const every = Math.max(1, Math.floor(forces.length / most));
  let error = 0;
  for (let k = 0; k < forces.length; k += every) {
    const E = (h: number) => {
      const positions = structure.positions.slice();
      positions[k] += h;
      return evaluateOnce(potential, { ...structure, positions }).energy;
    };
    error = Math.max(error, Math.abs(forces[k] + slope(E, step)));
  }
  const finding = { relative: error / size(forces), largest: size(forces), tolerance };
  return demand(finding.largest > least && finding.relative < tolerance, "F = −dE/dr", finding);
}

/**
 * ∂²E/∂x∂x = −dF/dx, where the potential gives force constants: rows of at most `most` coordinates by differences of
 * order four with a step of `step` Å, relative to the largest, which must be at least `least` eV/Å².
 */
export function forceConstantsAreDerivatives(
  potential: Potential,
  structure: Structure,
  { tolerance = 1e-6, step = 1e-4, most = 24, least = 1e-3 } = {},
): Finding {
  const n = structure.positions.length;
  const H = new Float64Array(n * n);
  potential.curvature!(structure, list(potential, structure), H);
  const every = Math.max(1, Math.floor(n / most));
  let error = 0;
  for (let a = 0; a < n; a += every) {
    const F = (h: number) => {
      const positions = structure.positions.slice();
      positions[a] += h;
      return evaluateOnce(potential, { ...structure, positions }).forces;
    };
    const [p, m, pp, mm] = [step, -step, 2 * step, -2 * step].map(F);
    for (let b = 0; b < n; b++) {
      const row = -((2 / 3) * (p[b] - m[b]) - (pp[b] - mm[b]) / 12) / step;
      error = Math.max(error, Math.abs(H[a * n + b] - row), Math.abs(H[a * n + b] - H[b * n + a]));
    }
  }
  const finding = { relative: error / size(H), largest: size(H), tolerance };
  return demand(finding.largest > least && finding.relative < tolerance, "∂²E/∂x∂x = −dF/dx", finding);
}

/** W = −dE/dε for the six strains, by central differences, relative to the largest component, which must not be small. */
export function virialIsDerivative(
  potential: Potential,
  structure: Structure,
  { tolerance = 1e-6, step = 1e-5, least = 1e-3 } = {},
): Finding {
  const { virial } = evaluateOnce(potential, structure);
  let error = 0;
  for (const k of [0, 4, 8, 1, 2, 5]) {
    const mirror = 3 * (k % 3) + Math.floor(k / 3);
    const E = (h: number) => {
      const epsilon = new Float64Array(9);
      epsilon[k] += h / 2;
      epsilon[mirror] += h / 2;
      return evaluateOnce(potential, strain(structure, epsilon)).energy;
    };
    const expected = -slope(E, step);
    error = Math.max(error, Math.abs(virial[k] - expected), Math.abs(virial[mirror] - expected));
  }
  const finding = { relative: error / size(virial), largest: size(virial), tolerance };
  return demand(finding.largest > least && finding.relative < tolerance, "W = −dE/dε", finding);
}

/**
 * Atom `moving` crosses the radius `cutoff` around atom `fixed`. The second difference D(δ) of energy and forces
 * around the crossing falls as δ^p; the energy has `smoothness` continuous derivatives, so p ≥ min(2, smoothness)
 * for the forces and one more for the energy. The potential must act: D must not vanish.
 */
export function crossesCutoffSmoothly(
  potential: Potential,
  structure: Structure,
  { fixed = 0, moving = 1, cutoff = potential.cutoff, smoothness = 2, delta = 0.02 } = {},
): Finding {
  const { positions } = structure;
  const axis = [0, 1, 2].map((k) => positions[3 * moving + k] - positions[3 * fixed + k]);
  const length = Math.hypot(...axis);
  const at = (r: number) => {
    const moved = positions.slice();
    for (let k = 0; k < 3; k++) moved[3 * moving + k] = positions[3 * fixed + k] + (r / length) * axis[k];
    return evaluateOnce(potential, { ...structure, positions: moved });
  };
  const middle = at(cutoff);
  const second = (d: number) => {
    const [a, b] = [at(cutoff - d), at(cutoff + d)];
    return {
      energy: Math.abs(a.energy - 2 * middle.energy + b.energy),
      forces: distance(
        a.forces.map((x, k) => x + b.forces[k]),
        middle.forces.map((x) => 2 * x),
      ),
    };
  };
  const [wide, near] = [second(2 * delta), second(delta)];
  const finding = {
    energyExponent: Math.log2(wide.energy / near.energy),
    forceExponent: Math.log2(wide.forces / near.forces),
    forceChange: wide.forces,
    smoothness,
  };
  const holds =
    finding.forceExponent > Math.min(2, smoothness) - 0.35 &&
    finding.energyExponent > Math.min(2, smoothness + 1) - 0.35 &&
    wide.forces > 1e-10;
  return demand(holds, "smooth at the cutoff", finding);
}

const filling = (k: number) => 1 + k / 8;
const withoutFilling = (a: Float64Array) => a.map((x, k) => x - filling(k));

/** What is in `out` is added to, not overwritten. */
export function addsToOut(potential: Potential, structure: Structure): Finding {
  const plain = evaluateOnce(potential, structure);
  const out = zeros(structure.numbers.length);
  for (const a of [out.energies, out.forces, out.virial]) a.forEach((_, k) => (a[k] = filling(k)));
  out.energy = 3;
  potential.evaluate(structure, list(potential, structure), out);
  const taken = {
    energy: out.energy - 3,
    energies: withoutFilling(out.energies),
    forces: withoutFilling(out.forces),
    virial: withoutFilling(out.virial),
  };
  return agree("adds to out", plain, taken, 1e-10);
}

/** Structure and neighbours are left as they were. */
export function leavesInputAlone(potential: Potential, structure: Structure): Finding {
  const neighbours = list(potential, structure);
  const look = () => {
    const { numbers, positions, cell, pbc } = structure;
    const { offsets, index, shift } = neighbours;
    return [numbers, positions, cell ?? [], pbc, offsets, index, shift].map((a) =>
      Array.from(a as ArrayLike<number>),
    );
  };
  const before = JSON.stringify(look());
  potential.evaluate(structure, neighbours, zeros(structure.numbers.length));
  return demand(JSON.stringify(look()) === before, "input untouched", { atoms: structure.numbers.length });
}

/** The energies of parts of the atoms, with their forces and virials, add up to the whole. */
export function partsAddUp(potential: Potential, structure: Structure, tolerance = 1e-10): Finding {
  const n = structure.numbers.length;
  const cuts = [0, Math.floor(n / 3), Math.floor(n / 2), n];
  const [neighbours, out] = [list(potential, structure), zeros(n)];
  for (let p = 0; p + 1 < cuts.length; p++)
    potential.evaluate(structure, neighbours, out, [cuts[p], cuts[p + 1]]);
  return agree("parts add up", evaluateOnce(potential, structure), out, tolerance);
}

/** Neighbours farther away than the cutoff may be listed and change nothing. */
export function ignoresFarNeighbours(potential: Potential, structure: Structure, tolerance = 1e-10): Finding {
  const far = evaluateOnce(potential, structure, 1.5);
  return agree("skin", evaluateOnce(potential, structure), far, tolerance);
}

const bits = (r: Result) =>
  new BigUint64Array(Float64Array.of(r.energy, ...r.energies, ...r.forces, ...r.virial).buffer);

/** Two potentials, as before saving and after loading, give the same bits; so does the same one twice. */
export function givesSameBits(potential: Potential, other: Potential, structure: Structure): Finding {
  const [a, b] = [bits(evaluateOnce(potential, structure)), bits(evaluateOnce(other, structure))];
  const different = a.reduce((count, x, k) => count + (x === b[k] ? 0 : 1), 0);
  return demand(different === 0, "same bits", { different, of: a.length });
}
