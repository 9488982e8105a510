/**
 * Least squares: assembling the rows of a design matrix, their QR, normal equations and what solves them, on one thread
 * beside the SIMD peak; times are of the processor, the best of a few.
 */
import { descriptors } from "../src/descriptors/table.ts";
import { createDevice } from "../src/device/device.ts";
import { createPool } from "../src/device/pool.ts";
import { bidiagonalBytes, bidiagonalising } from "../src/math/bidiagonal.ts";
import { PoolCholesky } from "../src/math/pool-cholesky.ts";
import { packedNumbers } from "../src/math/triangle.ts";
import { RowQr } from "../src/math/qr.ts";
import { Random } from "../src/math/random.ts";
import { invertUpperInBlocks, inverseBytes } from "../src/math/upper-inverse.ts";
import { finish } from "../src/math/work.ts";
import { compose } from "../src/potentials/compose.ts";
import { linear } from "../src/regressors/linear/linear.ts";
import { repeat } from "../src/structure/cell.ts";
import { pairStatistics } from "../src/structure/statistics.ts";
import type { Structure } from "../src/structure/structure.ts";
import { tasks } from "../src/tasks.ts";
import { ethanol } from "../test/ethanol.ts";
import { measurePeak } from "./peak.ts";

const ROUNDS = 3;
const device = createDevice({ bytes: 3 * 2 ** 29 });
const pool = await createPool({ tasks, device, threads: 1 });
const random = new Random(1, "least squares");
const peak = measurePeak("f64", device.memory);
console.log(`SIMD peak of one thread: ${peak.toFixed(1)} GFLOP/s`);

/** Seconds of processor time, the best of a few rounds; `before` is not counted. */
async function spent(run: () => unknown, before: () => void = () => undefined): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    before();
    const began = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(began);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}

const report = (what: string, flops: number, seconds: number): void => {
  const speed = flops / seconds / 1e9;
  console.log(
    `  ${what.padEnd(46)} ${seconds.toFixed(3).padStart(7)} s ${speed.toFixed(1).padStart(6)} GFLOP/s, ${((100 * speed) / peak).toFixed(0)} % of the peak`,
  );
};

const zero = (size: number): Float64Array => new Float64Array(size);

/** Rows of a frame: energy, forces, virial. */
async function assemble(what: string, descriptor: string, given: object, structure: Structure) {
  const elements = [...new Set(structure.numbers)].toSorted((a, b) => a - b);
  const method = descriptors[descriptor];
  const statistics = pairStatistics([structure], 6);
  const built = method.build(method.resolve(method.options.parse(given), statistics), elements, device);
  const sizes = elements.map((_, e) => built.size(e));
  const options = linear.options.parse({});
  const known = sizes.map((K) => ({
    count: 1,
    mean: zero(K),
    deviation: zero(K),
    min: zero(K),
    max: zero(K),
  }));
  const regressor = linear.build(options, sizes, linear.initialise(options, known, 1, 1), device);
  const { design, parameters } = compose(built, regressor, device);
  const columns = parameters.length + 1;
  const rows = 7 + 3 * structure.numbers.length;
  const room = new Float64Array(rows * columns);
  const each = 4;
  const seconds = await spent(() => {
    for (let k = 0; k < each; k++) design!.fill(structure, room, columns);
  });
  const perRow = seconds / rows / each;
  const reducing = (2 * columns ** 2) / (0.5 * peak * 1e9);
  console.log(
    `  ${what}, ${columns - 1} columns: ${(1e6 * perRow).toFixed(0)} µs per row, ${((1e9 * perRow) / columns).toFixed(1)} ns per number; ` +
      `${(perRow / reducing).toPrecision(2)} times what a row takes to go into a triangle at half the peak`,
  );
}

console.log("\nassembling");
const BCC: Structure = {
  numbers: Uint8Array.of(73, 73),
  positions: Float64Array.of(0, 0, 0, 1.65, 1.65, 1.65),
  cell: Float64Array.of(3.3, 0, 0, 0, 3.3, 0, 0, 0, 3.3),
  pbc: [true, true, true],
};
const crystal = repeat(BCC, [3, 3, 3]);
const tantalum = { ...crystal, positions: crystal.positions.map((x) => x + 0.1 * random.normal()) };
await assemble("SNAP, 54 atoms of tantalum", "snap", { twojmax: 6, cutoff: 4.67637 }, tantalum);
await assemble("ACE, 54 atoms of tantalum", "ace", { cutoff: 5 }, tantalum);
await assemble("ACE, ethanol", "ace", { cutoff: 4.2 }, ethanol);

console.log("\nreducing");
const place = (numbers: number) => device.memory.alloc(8 * numbers);
const MOST = 3000;
const M = 2048;
const [r, s, b] = [place((MOST + 1) ** 2), place((MOST + 1) ** 2), place(M * (MOST + 1))];
for (const P of [30, 300, 1000, MOST]) {
  const N = P + 1;
  const qr = new RowQr(device, N, M);
  const draw = () => random.normals(device.memory.f64(b, M * N));
  device.memory.f64(r, N * N).fill(0);
  report(
    `${M} rows of ${P} columns into a triangle`,
    2 * M * N * N,
    await spent(() => qr.append(r, b, M), draw),
  );
  device.memory.f64(s, N * N).set(device.memory.f64(r, N * N));
  const keep = () => device.memory.f64(r, N * N).set(device.memory.f64(s, N * N));
  report(`two triangles of ${P} columns into one`, (2 / 3) * N ** 3, await spent(() => qr.merge(r, s), keep));
}

console.log("\nnormal equations");
const control = place(3);
const job = await pool.prepare("fit.normal", { parameters: MOST, address: r, control, strip: 256 });
random.normals(device.memory.f64(b, 1024 * MOST));
device.memory.f64(control, 3).set([1024, MOST, b]);
report(`1024 rows of ${MOST} columns`, 1024 * MOST * MOST, await spent(() => job.run(Math.ceil(MOST / 256))));
const cholesky = await PoolCholesky.create(pool, MOST);
const start = () => {
  device.memory.f64(s, packedNumbers(MOST)).fill(0.1);
  for (let i = 0; i < MOST; i++) {
    const band = Math.floor(i / 128);
    device.memory.f64(
      s + 8 * (128 * 128 * ((band * (band + 1)) / 2) + (i % 128) * 128 * (band + 1) + i),
      1,
    )[0] = MOST;
  }
};
const packed = { address: s, n: MOST, stride: 0 };
report(
  `Cholesky's factor of ${MOST}`,
  MOST ** 3 / 3,
  await spent(() => cholesky.factor(MOST, packed), start),
);

console.log("\nsolving");
const upper = () => {
  const R = random.normals(device.memory.f64(r, MOST * MOST));
  for (let i = 0; i < MOST; i++) R[i * (MOST + 1)] = 100;
};
upper();
const room = device.memory.alloc(inverseBytes(MOST));
const inverse = () => finish(invertUpperInBlocks(device, { from: r, to: s, room, stride: MOST, n: MOST }));
report(`inverse of a triangle of ${MOST}`, MOST ** 3 / 3, await spent(inverse));
const n = 1500;
const z = new Float64Array(n);
const panels = device.memory.alloc(bidiagonalBytes(n));
report(
  `bidiagonal form of ${n} (bayesian-ridge, ridge)`,
  (8 / 3) * n ** 3,
  await spent(
    () => finish(bidiagonalising(device, { at: s, stride: n, n, room: panels }, z)),
    () => random.normals(device.memory.f64(s, n * n)),
  ),
);
pool.close();
