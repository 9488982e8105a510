/**
 * Energy and forces of n2p2's potential of water (1080 atoms, one thread) in f64 and in f32: time per atom and step,
 * where it goes, and how far forces in f32 are from those in f64, relative to their root mean square.
 *
 *     node bench/hdnnp.ts [GFLOP/s of this core's dgemm] [folder of the potential, with its input.data]
 *
 * n2p2 itself (in LAMMPS, -O3 -march=native) takes 241 µs per atom and step in bulk water of 8640 atoms on a core on
 * which single-thread OpenBLAS dgemm gives 52 GFLOP/s; its time here is that, scaled by the rate that is given.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createDevice } from "../src/device/device.ts";
import type { Precision } from "../src/device/device.ts";
import { readLabelled } from "../src/io/files.node.ts";
import { readFolder } from "../src/io/n2p2/folder.node.ts";
import { readN2p2 } from "../src/io/n2p2/read.ts";
import { buildPotential } from "../src/potentials/build.ts";
import type { Composed } from "../src/potentials/compose.ts";
import type { Evaluation, Model } from "../src/potentials/potential.ts";
import { NeighbourList } from "../src/structure/neighbour-list.ts";
import type { Structure } from "../src/structure/structure.ts";
import { BOHR, HARTREE } from "../src/structure/units.ts";
import { measurePeak } from "./peak.ts";

const N2P2 = { microseconds: 241, rate: 52 };
/** Neighbour lists are kept for motion of up to half of it, Å. */
const SKIN = 0.5;
const STEPS = 12;

const given = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
const folder =
  process.argv[3] ?? fileURLToPath(new URL("../../shared/data/models/hdnnp-H2O_RPBE-D3", import.meta.url));

/** Microseconds of processor time of this process: what other programs take of the core does not count. */
const used = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

const blank = (n: number): Evaluation => ({
  energy: 0,
  forces: new Float64Array(3 * n),
  virial: new Float64Array(9),
});

/** Prints time and stages of one precision; returns energy and forces. */
function measure(model: Model, structure: Structure, precision: Precision): Evaluation {
  const n = structure.numbers.length;
  const device = createDevice({ precision });
  const potential = buildPotential(model, device);
  const composed = potential.parts.at(-1)!.potential as Composed;
  const list = new NeighbourList(potential.cutoff, SKIN);
  const spent = new Map<string, number>();
  let out = blank(n);
  let best = Infinity;
  let last = 0;
  composed.watch = (stage) => {
    const now = used();
    spent.set(stage, (spent.get(stage) ?? 0) + now - last);
    last = now;
  };
  // The first step compiles and warms up.
  for (let step = 0; step <= STEPS; step++) {
    if (step === 1) spent.clear();
    const start = (last = used());
    out = blank(n);
    potential.evaluate(structure, list.update(structure), out);
    if (step > 0) best = Math.min(best, used() - start);
  }
  const time = best / n;
  console.log(
    `${n} atoms, energy and forces in ${precision}, one thread: ${time.toFixed(1)} µs per atom and step (best of ${STEPS})`,
  );
  if (given !== undefined) {
    const theirs = (N2P2.microseconds * N2P2.rate) / given;
    console.log(
      `  ${(time / theirs).toFixed(2)} of n2p2's ${theirs.toFixed(1)} µs at ${given} GFLOP/s of dgemm`,
    );
  }
  const total = [...spent.values()].reduce((a, b) => a + b);
  for (const [stage, t] of spent)
    console.log(
      `  ${stage.padEnd(14)} ${(t / STEPS / n).toFixed(1).padStart(6)} µs ${((100 * t) / total).toFixed(0).padStart(4)} %`,
    );
  return out;
}

/** Largest and root mean square difference of force components, relative to the root mean square force. */
function compare(exact: Evaluation, found: Evaluation): void {
  const n = exact.forces.length;
  const rms = (x: Float64Array) => Math.sqrt(x.reduce((sum, y) => sum + y * y, 0) / n);
  const difference = found.forces.map((f, k) => f - exact.forces[k]);
  const scale = rms(exact.forces);
  const [largest, typical] = [Math.max(...difference.map(Math.abs)), rms(difference)];
  const energy = (3000 * (found.energy - exact.energy)) / n;
  console.log(
    `f32 against f64: force error ${(largest / scale).toExponential(1)} at most, ${(typical / scale).toExponential(1)} rms, ` +
      `of the rms force ${scale.toFixed(3)} eV/Å; energy ${energy.toExponential(1)} meV/atom`,
  );
}

async function main(): Promise<void> {
  const model = readN2p2(await readFolder(folder), { energy: HARTREE, length: BOHR });
  const units = { energy: "Hartree", length: "bohr" };
  const { structure } = (await readLabelled(`${folder}/input.data`, { units })).frames[0];
  const exact = measure(model, structure, "f64");
  const found = measure(model, structure, "f32");
  compare(exact, found);
  const { memory } = createDevice();
  const [double, single] = (["f64", "f32"] as const).map((type) => measurePeak(type, memory).toFixed(1));
  console.log(`128-bit SIMD peak of this core: ${double} GFLOP/s in f64, ${single} in f32`);
  if (given === undefined) console.log("give the rate of this core's dgemm (GFLOP/s) to compare with n2p2");
}

if (existsSync(folder)) await main();
else console.log(`skipped: ${folder} is not here`);
