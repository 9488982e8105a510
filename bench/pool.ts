/** What it costs to start a pool and to hand a job to it and wait for its end; see docs/device.md. */
import { createDevice } from "../src/device/device.ts";
import { createPool } from "../src/device/pool.ts";
import { startThreads } from "../src/device/start.node.ts";
import { poolTasks } from "../test/fixtures/pool-tasks.ts";

const entry = new URL("../test/fixtures/pool-worker.node.ts", import.meta.url);
const JOBS = 20_000;

const median = (times: number[]): number => times.sort((x, y) => x - y)[times.length >> 1];

for (const threads of [1, 2]) {
  const begun = performance.now();
  const pool = await createPool({
    tasks: poolTasks,
    threads,
    device: createDevice(),
    start: startThreads(entry),
  });
  const started = performance.now() - begun;
  // In "meet" every thread has to come: the whole way to another thread and back.
  const there = { address: pool.device.memory.alloc(4), n: threads };
  for (const task of ["nothing", "meet"]) {
    const job = await pool.prepare(task, there);
    const times: number[] = [];
    for (let i = 0; i < JOBS; i++) {
      const start = performance.now();
      job.runSync!(threads);
      times.push(1e3 * (performance.now() - start));
    }
    const asleep: number[] = [];
    for (let i = 0; i < 100; i++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      const start = performance.now();
      job.runSync!(threads);
      asleep.push(1e3 * (performance.now() - start));
    }
    const chunk = task === "meet" ? "every thread takes one chunk" : "empty chunks";
    console.log(
      `${threads} threads, ${chunk}: ${median(times).toFixed(2)} µs per job, ` +
        `${median(asleep).toFixed(1)} µs when the threads were asleep (start ${started.toFixed(0)} ms)`,
    );
  }
  pool.close();
}
