import type { Tasks } from "./device/pool.ts";

/** The work that threads know how to do, by name: the same table on the caller's thread and in every worker. */
export const tasks: Tasks = {};
