import { describe, expect, it } from "vitest";
import { descriptors } from "../descriptors/table.ts";
import { createDevice } from "../device/device.ts";
import { composedTerm, crystal, ELEMENTS, molecule, otherMolecule } from "../laws/potential.fixture.ts";
import { evaluateOnce } from "../laws/potential.ts";
import { Random } from "../math/random.ts";
import { linear } from "../regressors/linear/linear.ts";
import { pairStatistics } from "../structure/statistics.ts";
import type { Structure } from "../structure/structure.ts";
import { buildTrainable } from "./build.ts";
import { compose } from "./compose.ts";
import type { Batch, Labels, Trainable } from "./potential.ts";

const device = createDevice({ bytes: 2 ** 27 });
const structures: readonly Structure[] = [molecule, crystal(true), otherMolecule, crystal(false)];

const labels = (batch: Batch): Labels => ({
  energies: new Float64Array(batch.structures),
  forces: new Float64Array(3 * batch.atoms),
  virials: new Float64Array(9 * batch.structures),
});

/** Seeds as a loss would give them, not symmetric in the virials. */
function randomSeeds(batch: Batch): Labels {
  const [random, seeds] = [new Random(6), labels(batch)];
  for (const a of [seeds.energies, seeds.forces, seeds.virials]) random.normals(a);
  return seeds;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0);

function objective(potential: Trainable, batch: Batch, seeds: Labels, out: Labels): number {
  potential.forward(batch, out);
  return dot(out.energies, seeds.energies) + dot(out.forces, seeds.forces) + dot(out.virials, seeds.virials);
}

describe.each(["acsf", "ani", "snap"])("composed, %s", (name) => {
  const potential = buildTrainable(composedTerm(name, device), ELEMENTS, device);

  it("the gradient of energies, forces and virials is exact", () => {
    const batch = potential.batch(structures, { cacheFeatures: true });
    const [seeds, out] = [randomSeeds(batch), labels(batch)];
    const gradient = new Float64Array(potential.parameters.length).fill(2);
    objective(potential, batch, seeds, out);
    potential.parameterGradient(batch, seeds, gradient);
    const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    expect(largest).toBeGreaterThan(1);
    const every = Math.ceil(gradient.length / 150);
    for (let i = 0; i < gradient.length; i += every) {
      const kept = potential.parameters[i];
      const at = (h: number) => {
        potential.parameters[i] = kept + h;
        return objective(potential, batch, seeds, out);
      };
      const numeric = (8 * (at(1e-4) - at(-1e-4)) - (at(2e-4) - at(-2e-4))) / 12e-4;
      potential.parameters[i] = kept;
      expect(Math.abs(gradient[i] - 2 - numeric) / largest, `parameter ${i}`).toBeLessThan(1e-8);
    }
  });

  it("energies alone: the same, cheaper, and forces are left as they were", () => {
    const batch = potential.batch(structures);
    const [seeds, out] = [randomSeeds(batch), labels(batch)];
    seeds.forces.fill(0);
    seeds.virials.fill(0);
    const [all, alone] = [0, 0].map(() => new Float64Array(potential.parameters.length));
    potential.forward(batch, out);
    potential.parameterGradient(batch, seeds, all);
    const energies = out.energies.slice();
    out.forces.fill(7);
    potential.forward(batch, out, { forces: false });
    potential.parameterGradient(batch, seeds, alone, { forces: false });
    expect(out.energies).toEqual(energies);
    expect(out.forces.every((x) => x === 7)).toBe(true);
    alone.forEach((g, i) => expect(g).toBeCloseTo(all[i], 9));
  });

  it("a batch equals its structures one by one, with and without kept features, in any order of use", () => {
    const kept = potential.batch(structures, { cacheFeatures: true });
    const plain = potential.batch(structures);
    expect(kept.bytes).toBeGreaterThan(plain.bytes);
    const outs = [plain, kept, plain, kept, kept].map((batch) => {
      const out = labels(batch);
      potential.forward(batch, out);
      return out;
    });
    for (const out of outs) expect(out).toEqual(outs[0]);
    let atom = 0;
    structures.forEach((structure, s) => {
      const one = evaluateOnce(potential, structure);
      expect(outs[0].energies[s]).toBeCloseTo(one.energy, 11);
      one.forces.forEach((f, k) => expect(outs[0].forces[3 * atom + k]).toBeCloseTo(f, 11));
      one.virial.forEach((w, k) => expect(outs[0].virials[9 * s + k]).toBeCloseTo(w, 11));
      atom += structure.numbers.length;
    });
  });

  it("adding another evaluation between forward and gradient changes nothing", () => {
    const batch = potential.batch(structures);
    const [seeds, out] = [randomSeeds(batch), labels(batch)];
    const [straight, between] = [0, 0].map(() => new Float64Array(potential.parameters.length));
    potential.forward(batch, out);
    potential.parameterGradient(batch, seeds, straight);
    potential.forward(batch, out);
    evaluateOnce(potential, molecule);
    potential.parameterGradient(batch, seeds, between);
    expect(between).toEqual(straight);
  });

  it("memory is used again", () => {
    const batch = potential.batch(structures);
    const [seeds, out, gradient] = [
      randomSeeds(batch),
      labels(batch),
      new Float64Array(potential.parameters.length),
    ];
    const step = () => {
      potential.forward(potential.batch(structures), out);
      potential.forward(batch, out);
      potential.parameterGradient(batch, seeds, gradient);
      evaluateOnce(potential, molecule);
    };
    step();
    const left = device.memory.left;
    for (let k = 0; k < 5; k++) step();
    expect(device.memory.left).toBe(left);
  });
});

describe.each(["snap", "ace"])("composed, %s with a linear regressor", (name) => {
  const see = descriptors[name];
  const options = see.resolve(see.options.parse({ size: "small" }), pairStatistics(structures, 4));
  const descriptor = see.build(options, ELEMENTS, device);
  const sizes = ELEMENTS.map((_, e) => descriptor.size(e));
  const tensors = Object.fromEntries(
    sizes.map((size, e) => [`${e}.coefficients`, new Random(e).normals(new Float64Array(size + 1))]),
  );
  const regressor = linear.build(linear.options.parse({}), sizes, tensors, device);
  const potential = compose(descriptor, regressor, device);

  it.each(["at first", "with changed parameters"])("predicts what it is trained as, %s", (when) => {
    if (when !== "at first") new Random(9).normals(potential.parameters);
    let passes = 0;
    const forward = descriptor.forward.bind(descriptor);
    descriptor.forward = (env, G) => {
      passes++;
      forward(env, G);
    };
    for (const structure of structures) {
      const batch = potential.batch([structure]);
      const out = labels(batch);
      potential.forward(batch, out);
      const seen = passes;
      const one = evaluateOnce(potential, structure);
      // One combination of the features, not all of them.
      expect(passes).toBe(seen);
      const scale = Math.max(1, Math.abs(out.energies[0]), ...out.forces.map(Math.abs));
      expect(Math.abs(one.energy - out.energies[0])).toBeLessThan(1e-12 * scale);
      one.forces.forEach((f, k) => expect(Math.abs(f - out.forces[k])).toBeLessThan(1e-12 * scale));
      one.virial.forEach((w, k) => expect(Math.abs(w - out.virials[k])).toBeLessThan(1e-11 * scale));
    }
  });
});

it("an element that the model does not know is an error with its place", () => {
  const potential = buildTrainable(composedTerm("acsf", device), ELEMENTS, device);
  const strange = { ...molecule, numbers: molecule.numbers.with(4, 14) };
  expect(() => evaluateOnce(potential, strange)).toThrow(
    /atom 4: expected an element of the model \(H, C, O\), got Si/,
  );
});

it("a batch of another potential is refused", () => {
  const potential = buildTrainable(composedTerm("acsf", device), ELEMENTS, device);
  const foreign = { structures: 1, atoms: 1, bytes: 0 };
  expect(() => potential.forward(foreign, labels(foreign))).toThrow(/another potential/);
});
