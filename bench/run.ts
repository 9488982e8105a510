/**
 * Dynamics of 14 atoms at constant energy: steps per second, and which part of a step is spent in the potential. An
 * argon cluster on Lennard-Jones, where ASE drives the same potential; a molecule on a network.
 *
 *     node bench/run.ts [seconds of each measurement]
 *
 * ASE is that of the variable SURFIT_PYTHON, or of python3 on the path.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { descriptors } from "../src/descriptors/table.ts";
import { createDevice } from "../src/device/device.ts";
import { featureStatistics } from "../src/fit/features.ts";
import { readLabelled } from "../src/io/files.node.ts";
import { buildPotential } from "../src/potentials/build.ts";
import type { Evaluation, Model, Potential } from "../src/potentials/potential.ts";
import { regressors } from "../src/regressors/table.ts";
import { langevin, verlet } from "../src/run/dynamics.ts";
import type { Dynamics } from "../src/run/dynamics.ts";
import { lbfgs, relax } from "../src/run/relax.ts";
import { thermalVelocities } from "../src/run/velocities.ts";
import { elementsOf } from "../src/structure/elements.ts";
import { NeighbourList } from "../src/structure/neighbour-list.ts";
import { pairStatistics } from "../src/structure/statistics.ts";
import type { Structure } from "../src/structure/structure.ts";

const seconds = Number(process.argv[2] ?? 2);

/** Processor time of this process, seconds: what other programs take of the core does not count. */
const used = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

interface Rates {
  /** Steps per second of processor time. */
  readonly steps: number;
  /** Of a step, spent in the potential. */
  readonly share: number;
}

/** Steps between looks at the clock. */
const ROUND = 20;

/** Runs for a while; the potential is timed at every call, which adds less than 0.1 µs to a step; medians of rounds. */
function measure(potential: Potential, start: (timed: Potential) => Dynamics): Rates {
  let inside = 0;
  const { cutoff, elements } = potential;
  const timed: Potential = {
    cutoff,
    elements,
    evaluate(structure, neighbours, out) {
      const before = performance.now();
      potential.evaluate(structure, neighbours, out);
      inside += performance.now() - before;
    },
  };
  const run = start(timed);
  const state = run.init();
  const shares: number[] = [];
  const go = (milliseconds: number): number => {
    const [began, before] = [performance.now(), used()];
    shares.length = 0;
    while (performance.now() - began < milliseconds) {
      inside = 0;
      const from = performance.now();
      for (let k = 0; k < ROUND; k++) run.step(state);
      shares.push(inside / (performance.now() - from));
    }
    return (ROUND * shares.length) / (used() - before);
  };
  go(500 * seconds); // until the engine has compiled everything
  const steps = go(1000 * seconds);
  return { steps, share: median(shares) };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** A network with untrained weights over functions that are made for the molecule. */
function networkModel(structure: Structure): Model {
  const elements = elementsOf(structure.numbers);
  const see = descriptors["acsf"];
  const seeing = see.resolve(see.options.parse({}), pairStatistics([structure], 6)) as object;
  const learn = regressors["neural-network"];
  const learning = learn.options.parse({}) as object;
  const device = createDevice();
  const statistics = featureStatistics(see.build(seeing, elements, device), [structure], device);
  const options = {
    descriptor: { name: "acsf", ...seeing },
    regressor: { name: "neural-network", ...learning },
  };
  return {
    elements,
    provenance: {},
    terms: [{ type: "composed", options, tensors: learn.initialise(learning, statistics, 1, 1) }],
  };
}

/** 14 argon atoms: a piece of a crystal, relaxed. */
function argon(potential: Potential): Structure {
  const positions = Array.from({ length: 14 }, (_, i) => [i % 3, Math.floor(i / 3) % 3, Math.floor(i / 9)])
    .flat()
    .map((x) => 3.8 * x);
  const structure: Structure = {
    numbers: new Uint8Array(14).fill(18),
    positions: Float64Array.from(positions),
    cell: null,
    pbc: [false, false, false],
  };
  return relax(lbfgs(structure, potential), structure, { fmax: 1e-4, steps: 500 }).structure;
}

const ASE = `
import json, sys, time
import numpy as np
from ase import Atoms, units
from ase.calculators.lj import LennardJones
from ase.md.verlet import VelocityVerlet
given = json.load(sys.stdin)
atoms = Atoms(numbers=given["numbers"], positions=np.reshape(given["positions"], (-1, 3)))
atoms.set_velocities(np.reshape(given["velocities"], (-1, 3)) / units.fs)
atoms.calc = LennardJones(epsilon=0.0104, sigma=3.4, rc=8.5)
energy = float(atoms.get_potential_energy())
run = VelocityVerlet(atoms, given["timestep"] * units.fs)
run.run(20)
start, until, steps = time.process_time(), time.time() + given["seconds"], 0
while time.time() < until:
    run.run(20)
    steps += 20
print(json.dumps({"energy": energy, "steps": steps / (time.process_time() - start)}))
`;

/** Energy at the start, and steps per second of processor time; null where there is no ASE. */
function withAse(structure: Structure, velocities: Float64Array, timestep: number) {
  const python = process.env["SURFIT_PYTHON"] ?? "python3";
  if (spawnSync(python, ["-c", "import ase"]).status !== 0) return null;
  const { numbers, positions } = structure;
  const input = JSON.stringify({
    numbers: [...numbers],
    positions: [...positions],
    velocities: [...velocities],
    timestep,
    seconds,
  });
  const { status, stdout, stderr } = spawnSync(python, ["-c", ASE], { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`ASE: ${stderr.slice(-600)}`);
  return JSON.parse(stdout) as { energy: number; steps: number };
}

const print = (name: string, { steps, share }: Rates) =>
  process.stdout.write(
    `${name.padEnd(44)} ${steps.toFixed(0).padStart(8)} steps/s   ${(100 * share).toFixed(1).padStart(5)} % in the potential\n`,
  );

const lj: Model = {
  elements: [18],
  provenance: {},
  terms: [
    {
      type: "lennard-jones",
      options: { cutoff: 8.5, ending: "shifted", pairs: { "Ar-Ar": { epsilon: 0.0104, sigma: 3.4 } } },
      tensors: {},
    },
  ],
};
const pairs = buildPotential(lj, createDevice());
const cluster = argon(pairs);
const cold = thermalVelocities(cluster, 20, { seed: 1 });
const ours = measure(pairs, (timed) => verlet(cluster, timed, { timestep: 2, velocities: cold }));
print("14 argon atoms, Lennard-Jones, NVE", ours);
const ase = withAse(cluster, cold, 2);
if (ase === null) process.stdout.write("ASE: absent (no python3 with ase; SURFIT_PYTHON names one)\n");
else {
  const out: Evaluation = { energy: 0, forces: new Float64Array(42), virial: new Float64Array(9) };
  pairs.evaluate(cluster, new NeighbourList(pairs.cutoff, 0).update(cluster), out);
  if (Math.abs(out.energy - ase.energy) > 1e-9) throw new Error(`ASE has ${ase.energy} eV, we ${out.energy}`);
  process.stdout.write(
    `${"the same driven by ASE".padEnd(44)} ${ase.steps.toFixed(0).padStart(8)} steps/s   ${(ours.steps / ase.steps).toFixed(0)} × slower\n`,
  );
}

const file = fileURLToPath(new URL("../data/claisen.xyz.gz", import.meta.url));
const { structure: molecule } = (await readLabelled(file)).frames[0];
const model = networkModel(molecule);
const network = buildPotential(model, createDevice());
const warm = thermalVelocities(molecule, 100, { seed: 1 });
const timestep = 0.1; // the weights are not trained: the molecule is to stay where it is
print(
  "C5H8O, network over symmetry functions, NVE",
  measure(network, (timed) => verlet(molecule, timed, { timestep, velocities: warm })),
);
print(
  "the same, Langevin",
  measure(network, (timed) =>
    langevin(molecule, timed, { timestep, velocities: warm, temperature: 100, friction: 0.01, seed: 1 }),
  ),
);
