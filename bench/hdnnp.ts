/**
 * Energy and forces of n2p2's potential of water (1080 atoms, one thread): time per atom and step, and where it goes.
 *
 *     node bench/hdnnp.ts [GFLOP/s of this core's dgemm] [folder of the potential, with its input.data]
 *
 * n2p2 itself (in LAMMPS, -O3 -march=native) takes 241 µs per atom and step in bulk water of 8640 atoms on a core on
 * which single-thread OpenBLAS dgemm gives 52 GFLOP/s; its time here is that, scaled by the rate that is given.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createDevice } from "../src/device/device.ts";
import { readLabelled } from "../src/io/files.node.ts";
import { readFolder } from "../src/io/n2p2/folder.node.ts";
import { readN2p2 } from "../src/io/n2p2/read.ts";
import { buildPotential } from "../src/potentials/build.ts";
import type { Composed } from "../src/potentials/compose.ts";
import { NeighbourList } from "../src/structure/neighbour-list.ts";
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

async function main(): Promise<void> {
  const device = createDevice();
  const model = readN2p2(await readFolder(folder), { energy: HARTREE, length: BOHR });
  const units = { energy: "Hartree", length: "bohr" };
  const { structure } = (await readLabelled(`${folder}/input.data`, { units })).frames[0];
  const n = structure.numbers.length;
  const potential = buildPotential(model, device);
  const composed = potential.parts.at(-1)!.potential as Composed;
  const list = new NeighbourList(potential.cutoff, SKIN);
  const out = { energy: 0, forces: new Float64Array(3 * n), virial: new Float64Array(9) };
  const spent = new Map<string, number>();
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
    potential.evaluate(structure, list.update(structure), out);
    if (step > 0) best = Math.min(best, used() - start);
  }
  const peak = measurePeak("f64", device.memory);
  const time = best / n;
  console.log(
    `${n} atoms, energy and forces in f64, one thread: ${time.toFixed(1)} µs per atom and step (best of ${STEPS})`,
  );
  const total = [...spent.values()].reduce((a, b) => a + b);
  for (const [stage, t] of spent)
    console.log(
      `  ${stage.padEnd(14)} ${(t / STEPS / n).toFixed(1).padStart(6)} µs ${((100 * t) / total).toFixed(0).padStart(4)} %`,
    );
  console.log(`128-bit SIMD peak of this core: ${peak.toFixed(1)} GFLOP/s in f64`);
  if (given === undefined) {
    console.log("give the rate of this core's dgemm (GFLOP/s) to compare with n2p2");
    return;
  }
  const theirs = (N2P2.microseconds * N2P2.rate) / given;
  console.log(
    `n2p2 scaled to ${given} GFLOP/s of dgemm: ${theirs.toFixed(1)} µs; surfit takes ${(time / theirs).toFixed(2)} of it`,
  );
}

if (existsSync(folder)) await main();
else console.log(`skipped: ${folder} is not here`);
