import { afterAll } from "vitest";
import { createDevice } from "../device/device.ts";
import { createPool } from "../device/pool.ts";
import type { Pool, PoolOptions } from "../device/pool.ts";
import { startThreads } from "../device/start.node.ts";

/** For tests: makes pools with these tasks and `bytes` of memory, which close when the test file has ended. */
export function poolsOf(tasks: PoolOptions["tasks"], bytes: number): (threads: number) => Promise<Pool> {
  const pools: Pool[] = [];
  afterAll(() => pools.forEach((pool) => pool.close()));
  return async (threads) => {
    const pool = await createPool({ tasks, device: createDevice({ bytes }), threads, start: startThreads() });
    pools.push(pool);
    return pool;
  };
}
