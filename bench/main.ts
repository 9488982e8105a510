/** Runs the benches one after another, each in a process of its own: node bench/main.ts [name …] */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const benches: Readonly<Record<string, string>> = {
  gemm: "matrix product against the 128-bit SIMD peak",
  formula: "elementary functions and kernels",
  neighbours: "neighbour lists and extended XYZ",
  descriptors: "symmetry functions and atomic environment vectors",
  pool: "fork and join of the threads",
  hdnnp: "energy and forces of n2p2's potential of water",
  extrapolation: "grading atoms beside evaluating them",
  linear: "SNAP and ACE beside LAMMPS: the same cell, model and core in turn",
  "least-squares": "least squares: rows, QR, normal equations and solutions against the SIMD peak",
  kernel: "Gaussian processes: factorisation, Müller–Brown, the price of predictions",
  soap: "SOAP by number of elements, and beside dscribe and QUIP",
  gap: "Gaussian approximation potentials: the price of a prediction by stages",
  sgdml: "sGDML: the price of a prediction, and of the equations of a fit",
  fit: "training: frames per second on one thread and on all",
  minimise: "force calls of relaxations and paths beside ASE's on the same surfaces",
  run: "dynamics of 14 atoms: steps per second beside ASE, and the share of the potential",
  hessian: "force constants from second derivatives beside differences of forces",
  evaluate: "energy and forces of silicon, 100 to 100 000 atoms, one thread and all",
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length) {
  process.stderr.write(`no bench ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}\n`);
  process.exit(2);
}

for (const name of asked.length ? asked : Object.keys(benches)) {
  process.stdout.write(`\n── ${name}: ${benches[name]}\n\n`);
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
