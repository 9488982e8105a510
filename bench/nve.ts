/**
 * Energy conservation of a model: velocity Verlet from a relaxed structure at several time steps, the rms and the drift
 * of the total energy, and the exponent of the rms against Δt (2 for an exact surface).
 * node bench/nve.ts model.surfit structure.xyz [temperature K] [picoseconds] [longest Δt fs]
 */
import { createDevice } from "../src/device/device.ts";
import { readModel } from "../src/io/model.ts";
import { readBytes, readFrames } from "../src/io/files.node.ts";
import { buildPotential } from "../src/potentials/build.ts";
import { verlet } from "../src/run/dynamics.ts";
import { drift, regress } from "../src/run/observe.ts";
import { lbfgs, relax } from "../src/run/relax.ts";
import { thermalVelocities } from "../src/run/velocities.ts";

const [modelFile, structureFile, T = "300", ps = "10", longest = "1"] = process.argv.slice(2);
if (structureFile === undefined) {
  process.stderr.write(
    "node bench/nve.ts model.surfit structure.xyz [temperature] [picoseconds] [longest Δt]\n",
  );
  process.exit(2);
}

const parts: Uint8Array[] = [];
for await (const part of readBytes(modelFile)) parts.push(part);
const potential = buildPotential(readModel(Buffer.concat(parts), modelFile), createDevice());
const first = await readFrames(structureFile).next();
if (first.done) throw new Error(`${structureFile}: no frame`);
const start = first.value.structure;
const { structure } = relax(lbfgs(start, potential), start, { fmax: 0.01, steps: 1000 });
const n = structure.numbers.length;
// Half of the kinetic energy goes into the vibrations.
const velocities = thermalVelocities(structure, 2 * Number(T), { seed: 1 });

const rms: number[] = [];
const steps = [8, 4, 2, 1].map((part) => Number(longest) / part);
process.stdout.write(
  `${n} atoms, about ${T} K, ${ps} ps\n   Δt fs   rms meV/atom   drift meV/atom/ps   steps/s\n`,
);
for (const timestep of steps) {
  const run = verlet(structure, potential, { timestep, velocities });
  const state = run.init();
  const [times, invariants]: [number[], number[]] = [[], []];
  const began = performance.now();
  const count = Math.round((1000 * Number(ps)) / timestep);
  for (let k = 0; k < count; k++) {
    run.step(state);
    times.push(state.step * timestep);
    invariants.push(run.invariant(state));
  }
  const perSecond = (1000 * count) / (performance.now() - began);
  const mean = invariants.reduce((sum, x) => sum + x / count, 0);
  rms.push(Math.sqrt(invariants.reduce((sum, x) => sum + (x - mean) ** 2 / count, 0)));
  const { slope, error } = drift(times, invariants, n);
  process.stdout.write(
    `${timestep.toFixed(3).padStart(8)}   ${((1000 * rms.at(-1)!) / n).toExponential(3).padStart(12)}   ` +
      `${slope.toExponential(2).padStart(9)} ± ${error.toExponential(1)}   ${perSecond.toFixed(0).padStart(7)}\n`,
  );
}
const { slope, error } = regress(steps.map(Math.log), rms.map(Math.log));
process.stdout.write(`rms ∝ Δt^p with p = ${slope.toFixed(3)} ± ${error.toFixed(3)}\n`);
