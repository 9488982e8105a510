/** Neighbour lists of silicon, 64 to 97 336 atoms: time per pair and the exponent of time against atoms; reading speed. */
import { readExtxyz, writeExtxyz } from "../src/io/extxyz.ts";
import { repeat } from "../src/structure/cell.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import type { Structure } from "../src/structure/structure.ts";
import { fastest } from "./fastest.ts";

const a = 5.43;
const fcc = [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0];
const silicon: Structure = {
  numbers: new Uint8Array(8).fill(14),
  positions: Float64Array.from([...fcc, ...fcc.map((x) => x + 0.25)], (x) => x * a),
  cell: Float64Array.of(a, 0, 0, 0, a, 0, 0, 0, a),
  pbc: [true, true, true],
};

const print = (line: string) => process.stdout.write(`${line}\n`);

const points: [atoms: number, ms: number][] = [];
print("    atoms      pairs        ms   ns/pair   (cutoff 6 Å)");
for (const m of [2, 4, 8, 16, 23]) {
  const s = repeat(silicon, [m, m, m]);
  let pairs = 0;
  const best = fastest(() => (pairs = findNeighbours(s, 6).index.length), 5);
  points.push([s.numbers.length, best]);
  const cells = [String(s.numbers.length), String(pairs), best.toFixed(2), ((best * 1e6) / pairs).toFixed(0)];
  print(cells.map((c, k) => c.padStart(k === 0 ? 9 : 10)).join(" "));
}
const [[n0, t0], [n1, t1]] = [points[1], points.at(-1)!];
print(`exponent from ${n0} to ${n1} atoms: ${(Math.log(t1 / t0) / Math.log(n1 / n0)).toFixed(3)}`);

const frame = {
  structure: repeat(silicon, [2, 2, 2]),
  energy: -1,
  forces: new Float64Array(192).map(Math.sin),
  info: {},
  arrays: {},
  place: "",
};
const pieces: Uint8Array[] = [];
let start = performance.now();
for await (const piece of writeExtxyz(Array.from({ length: 2000 }, () => frame))) pieces.push(piece);
const bytes = pieces.reduce((sum, p) => sum + p.length, 0);
print(
  `\nextxyz written: ${(bytes / 1e3 / (performance.now() - start)).toFixed(0)} MB/s (shortest exact decimals)`,
);
start = performance.now();
let frames = 0;
for await (const read of readExtxyz(pieces, "bench")) frames += read.structure.numbers.length / 64;
print(`extxyz read:    ${(bytes / 1e3 / (performance.now() - start)).toFixed(0)} MB/s, ${frames} frames`);
