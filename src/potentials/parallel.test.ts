import { afterAll, describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { Memory } from "../device/memory.ts";
import { createPool } from "../device/pool.ts";
import { startThreads } from "../device/start.node.ts";
import { ELEMENTS, scatter, termsOf } from "../laws/potential.fixture.ts";
import { evaluateOnce, givesSameBits } from "../laws/potential.ts";
import { findNeighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import { tasks } from "../tasks.ts";
import { buildPotential } from "./build.ts";
import { CHUNK, WHOLE } from "./chunks.ts";
import { ParallelPotential } from "./parallel.ts";
import type { Model } from "./potential.ts";

const box = (count: number, length: number, seed: number): Structure => ({
  ...scatter(count, length - 0.5, 1.1, seed),
  cell: Float64Array.of(length, 0, 0, 1, length, 0, 0, -1, length),
  pbc: [true, true, true],
});

/** Fits into one chunk; is cut into chunks that see all atoms; is cut into parts. */
const few = box(20, 5, 1);
const some = box(WHOLE - 30, 11, 2);
const many = box(WHOLE + 150, 14, 3);

const memory = new Memory({ bytes: 2 ** 27 });
const device = createDevice({ memory });
const model: Model = { elements: ELEMENTS, terms: Object.values(termsOf(device)), provenance: {} };
const alone = buildPotential(model, device);
const pools = await Promise.all(
  [1, 2, 3].map((threads) => createPool({ tasks, threads, device, start: startThreads() })),
);
afterAll(() => pools.forEach((pool) => pool.close()));

describe.each(pools)("$threads threads", (pool) => {
  it("give the bits of a single thread", async () => {
    const parallel = await ParallelPotential.create(model, pool);
    for (const structure of [many, few, some, many]) givesSameBits(alone, parallel, structure);
  });

  it("without blocking, on a part of the atoms, without atomic energies: the same bits", async () => {
    const parallel = await ParallelPotential.create(model, pool);
    const neighbours = findNeighbours(many, alone.cutoff);
    const zeros = () => ({
      energy: 0,
      forces: new Float64Array(many.positions.length),
      virial: new Float64Array(9),
    });
    const [a, b] = [zeros(), zeros()];
    const range = [17, 17 + 3 * CHUNK + 5] as const;
    alone.evaluate(many, neighbours, a, range);
    await parallel.evaluateAsync(many, neighbours, b, range);
    expect(b).toEqual(a);
  });

  it("an unknown element is an error on every number of threads, and the pool goes on", async () => {
    const parallel = await ParallelPotential.create(model, pool);
    const strange = { ...many, numbers: many.numbers.with(200, 79) };
    expect(() => evaluateOnce(parallel, strange)).toThrow(/^invalid atom 200: .*\(H, C, O\), got Au$/);
    givesSameBits(alone, parallel, many);
  });
});

it("threads work in the precision of the caller's device: the same bits in f32, others than in f64", async () => {
  const single = createDevice({ memory, precision: "f32" });
  const pool = await createPool({ tasks, threads: 2, device: single, start: startThreads() });
  const parallel = await ParallelPotential.create(model, pool);
  const exact = evaluateOnce(alone, many);
  givesSameBits(buildPotential(model, single), parallel, many);
  const found = evaluateOnce(parallel, many);
  pool.close();
  expect(found.energy).not.toBe(exact.energy);
  expect(Math.abs(found.energy / exact.energy - 1)).toBeLessThan(1e-5);
});

it("cutting a structure into parts changes no bits of the atoms' energies", () => {
  const [whole, n] = [evaluateOnce(alone, many), many.numbers.length];
  expect(n).toBeGreaterThan(WHOLE);
  const neighbours = findNeighbours(many, alone.cutoff);
  for (const i of [0, 100, n - 1]) {
    const out = {
      energy: 0,
      energies: new Float64Array(n),
      forces: new Float64Array(3 * n),
      virial: new Float64Array(9),
    };
    alone.evaluate(many, neighbours, out, [i, i + 1]);
    expect(out.energies[i]).toBe(whole.energies[i]);
  }
});
