import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { poolTasks } from "../../test/fixtures/pool-tasks.ts";
import { InputError } from "../error.ts";
import { createDevice } from "./device.ts";
import { Memory } from "./memory.ts";
import type { Pool } from "./pool.ts";
import { createPool } from "./pool.ts";
import { startThreads } from "./start.node.ts";

const entry = new URL("../../test/fixtures/pool-worker.node.ts", import.meta.url);
const open: Pool[] = [];
const pool = async (threads: number, memory = new Memory({ bytes: 2 ** 24 })): Promise<Pool> => {
  const made = await createPool({
    tasks: poolTasks,
    threads,
    device: createDevice({ memory }),
    start: startThreads(entry),
  });
  open.push(made);
  return made;
};
afterEach(() => open.splice(0).forEach((p) => p.close()));

/** C = A Aᵀ of a fixed A, computed in chunks of rows. */
const product = async (threads: number): Promise<Float64Array> => {
  const p = await pool(threads);
  const { device } = p;
  expect(p.threads).toBe(threads);
  const n = 53;
  const address = device.memory.alloc(16 * n * n);
  const A = device.memory.f64(address, n * n);
  for (let i = 0; i < A.length; i++) A[i] = ((i * 7919) % 1013) / 1013 - 0.5;
  const job = await p.prepare("product", { address, n });
  await job.run(Math.ceil(n / 8));
  return device.memory.f64(address + 8 * n * n, n * n).slice();
};

describe("a pool", () => {
  test("gives the same bits for 1, 2, 3 and 4 threads", async () => {
    const one = await product(1);
    expect(one.some((x) => x !== 0)).toBe(true);
    for (const threads of [2, 3, 4]) expect(await product(threads)).toEqual(one);
  });

  test.each([1, 2, 3])("does each chunk once with %i threads, async and sync", async (threads) => {
    const p = await pool(threads);
    const n = 500;
    const address = p.device.memory.alloc(8 * n);
    const count = p.device.memory.i32(address, n);
    const job = await p.prepare("count", { address, n });
    await job.run(n);
    expect(count.every((c) => c === 1)).toBe(true);
    job.runSync!(n);
    expect(count.every((c) => c === 2)).toBe(true);
    await job.run(0);
    expect(count.every((c) => c === 2)).toBe(true);
  });

  test("every thread takes part", async () => {
    const p = await pool(3);
    const job = await p.prepare("meet", { address: p.device.memory.alloc(4), n: 3 });
    for (let i = 0; i < 5; i++) await job.run(3);
  });

  test("10 000 tiny jobs, some at once, neither hang nor use memory", async () => {
    const p = await pool(2);
    const n = 4;
    const address = p.device.memory.alloc(8 * n);
    const count = p.device.memory.i32(address, n);
    const job = await p.prepare("count", { address, n });
    const { left } = p.device.memory;
    for (let i = 0; i < 9000; i++) await job.run(n);
    await Promise.all(Array.from({ length: 1000 }, () => job.run(n)));
    expect([...count]).toEqual([10000, 10000, 10000, 10000]);
    expect(p.device.memory.left).toBe(left);
  });

  test.each([0, 1, 2])("an error in thread %i reaches the caller, and the pool goes on", async (who) => {
    const p = await pool(3);
    const address = p.device.memory.alloc(8);
    const job = await p.prepare("fail", { address, n: 3, who });
    for (const run of [() => job.run(3), async () => job.runSync!(3)]) {
      const error: unknown = await run().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toBe("invalid frame 7: expected luck, got ∞");
      expect((error as Error).stack).toContain("pool-tasks.ts");
    }
    const meet = await p.prepare("meet", { address, n: 3 });
    await meet.run(3);
  });

  test("a task that cannot be built in a worker is an error of prepare", async () => {
    const p = await pool(2);
    await expect(p.prepare("unbuildable", null)).rejects.toThrow("no room in the worker");
    await expect(p.prepare("unknown", null)).rejects.toThrow('there is no task "unknown"');
    const job = await p.prepare("nothing", null);
    await job.run(10);
  });

  test("works alone without shared memory", async () => {
    const p = await pool(4, new Memory({ bytes: 2 ** 24, shared: false }));
    expect(p.threads).toBe(1);
    const address = p.device.memory.alloc(80);
    const job = await p.prepare("count", { address, n: 10 });
    await job.run(10);
    expect([...p.device.memory.i32(address, 10)]).toEqual(Array.from({ length: 10 }, () => 1));
  });

  test("a worker that cannot be loaded is an error", async () => {
    const start = startThreads(new URL("no-such-file.ts", import.meta.url));
    const device = createDevice({ bytes: 2 ** 20 });
    await expect(createPool({ tasks: poolTasks, threads: 2, device, start })).rejects.toThrow(/no-such-file/);
  });

  test("a worker that dies at work is an error, not a wait without end", async () => {
    const p = await pool(2);
    const job = await p.prepare("die", { address: p.device.memory.alloc(4), n: 2 });
    await expect(job.run(2)).rejects.toThrow("worker thread 1 has ended with code 3");
    await expect(job.run(2)).rejects.toThrow("worker thread 1 has ended with code 3");
  });

  test("a closed pool refuses work", async () => {
    const p = await pool(2);
    const job = await p.prepare("nothing", null);
    p.close();
    await expect(job.run(1)).rejects.toThrow("the pool is closed");
  });

  test("does not keep the process alive", () => {
    const script = `
      import { createDevice } from "./src/device/device.ts";
      import { createPool } from "./src/device/pool.ts";
      import { startThreads } from "./src/device/start.node.ts";
      import { tasks } from "./src/tasks.ts";
      const pool = await createPool({ tasks, threads: 3, device: createDevice(), start: startThreads() });
      console.log("threads", pool.threads);`;
    const run = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { timeout: 20_000 });
    expect({ status: run.status, out: String(run.stdout), error: String(run.stderr) }).toEqual({
      status: 0,
      out: "threads 3\n",
      error: "",
    });
  });
});
