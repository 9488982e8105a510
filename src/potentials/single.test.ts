import { describe, expect, it } from "vitest";
import { ethanol } from "../../test/ethanol.ts";
import { shared } from "../../test/shared.ts";
import { acsf } from "../descriptors/acsf/acsf.ts";
import { environments } from "../descriptors/environments.ts";
import type { Precision } from "../device/device.ts";
import { createDevice } from "../device/device.ts";
import { readLabelled } from "../io/files.node.ts";
import { readFolder } from "../io/n2p2/folder.node.ts";
import { readN2p2 } from "../io/n2p2/read.ts";
import { neuralNetwork } from "../regressors/neural-network/neural-network.ts";
import { verlet } from "../run/dynamics.ts";
import { thermalVelocities } from "../run/velocities.ts";
import { elementsOf } from "../structure/elements.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { BOHR, HARTREE } from "../structure/units.ts";
import { buildPotential } from "./build.ts";
import { FeatureBuffer } from "./feature-buffer.ts";
import type { Model } from "./potential.ts";
import { evaluated } from "./evaluated.fixture.ts";

const make = (model: Model, precision: Precision) =>
  buildPotential(model, createDevice({ precision, bytes: 2 ** 27 }));

function evaluate(model: Model, precision: Precision, structure: Structure) {
  const potential = make(model, precision);
  return evaluated(potential, structure);
}

const rms = (x: Float64Array) => Math.sqrt(x.reduce((sum, y) => sum + y * y, 0) / x.length);
const largest = (x: Float64Array) => x.reduce((most, y) => Math.max(most, Math.abs(y)), 0);

/** Largest and rms error of the forces in f32, relative to the rms force. */
function forceError(model: Model, structure: Structure) {
  const [exact, found] = (["f64", "f32"] as const).map((p) => evaluate(model, p, structure));
  const scale = rms(exact.forces);
  expect(scale).toBeGreaterThan(0.1);
  const difference = exact.forces.map((f, k) => f - found.forces[k]);
  expect(largest(difference)).toBeGreaterThan(0);
  return {
    most: largest(difference) / scale,
    typical: rms(difference) / scale,
    energy: Math.abs(exact.energy - found.energy) / structure.numbers.length,
  };
}

/** Total energy less its start at each step of velocity Verlet, eV per atom. */
function wander(model: Model, precision: Precision, structure: Structure, steps: number): Float64Array {
  const velocities = thermalVelocities(structure, 300, { seed: 4 });
  const run = verlet(structure, make(model, precision), { timestep: 0.5, velocities });
  const state = run.init();
  const start = run.invariant(state);
  return Float64Array.from({ length: steps }, () => {
    run.step(state);
    return (run.invariant(state) - start) / structure.numbers.length;
  });
}

/** A network of random weights over functions of ethanol: forces of some eV/Å. */
function randomModel(): Model {
  const elements = elementsOf(ethanol.numbers);
  const angular = [1, 2, 16].flatMap((zeta) =>
    [-1, 1].map((lambda) => ({ type: "G4", eta: 0.03, zeta, lambda })),
  );
  const radial = [0.8, 1.4, 2, 3, 4].map((shift) => ({ type: "G2", eta: 2, shift }));
  const options = acsf.options.parse({ cutoff: { type: "tanh3", radius: 5 }, radial, angular });
  const device = createDevice({ bytes: 2 ** 24 });
  const descriptor = acsf.build(options, elements, device);
  const neighbours = findNeighbours(ethanol, descriptor.cutoff);
  const env = environments([{ structure: ethanol, neighbours }], elements, descriptor.cutoff);
  const sizes = elements.map((_, e) => descriptor.size(e));
  const G = new FeatureBuffer(device.memory, sizes).reserve(env.starts);
  descriptor.forward(env, G);
  const statistics = sizes.map((size, e) => {
    const mean = G.matrices[e].slice(0, size);
    return {
      count: 10,
      mean,
      deviation: mean.map((g) => 0.1 * g + 0.01),
      min: mean,
      max: mean.map((g) => g + 1),
    };
  });
  const network = neuralNetwork.options.parse({ layers: [12, 12] });
  const tensors = neuralNetwork.initialise(network, statistics, 1, 5);
  return {
    elements,
    terms: [
      {
        type: "composed",
        options: {
          descriptor: { name: "acsf", ...options },
          regressor: { name: "neural-network", ...network },
        },
        tensors,
      },
    ],
    provenance: {},
  };
}

describe("a network of ethanol in f32", () => {
  const model = randomModel();
  it("forces within 1e-5 of the rms force, energy within 1e-6 eV/atom", () => {
    const { most, typical, energy } = forceError(model, ethanol);
    expect(most).toBeLessThan(1e-5);
    expect(typical).toBeLessThan(3e-6);
    expect(energy).toBeLessThan(1e-6);
  });

  it("energy wanders along dynamics as in f64, to 3e-7 eV/atom", () => {
    const [exact, found] = (["f64", "f32"] as const).map((p) => wander(model, p, ethanol, 400));
    expect(largest(exact)).toBeGreaterThan(1e-6);
    expect(largest(exact.map((e, k) => e - found[k]))).toBeLessThan(3e-7);
  });
});

const folder = shared("models/hdnnp-H2O_RPBE-D3");

describe.skipIf(folder === undefined)("n2p2's water in f32", () => {
  it("forces within 1e-5 of the rms force; energy is conserved as in f64", { timeout: 30_000 }, async () => {
    const model = readN2p2(await readFolder(folder!), { energy: HARTREE, length: BOHR });
    const units = { energy: "Hartree", length: "bohr" };
    const { structure } = (await readLabelled(`${folder}/input.data`, { units })).frames[0];
    const { most, typical, energy } = forceError(model, structure);
    expect(most).toBeLessThan(1e-5);
    expect(typical).toBeLessThan(2e-6);
    expect(energy).toBeLessThan(1e-7);
    const [exact, found] = (["f64", "f32"] as const).map((p) => wander(model, p, structure, 8));
    expect(largest(exact)).toBeGreaterThan(1e-6);
    expect(largest(exact.map((e, k) => e - found[k]))).toBeLessThan(1e-7);
  });
});
