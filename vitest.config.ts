import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (file: string) => fileURLToPath(new URL(`src/${file}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: "surfit/node", replacement: source("node.ts") },
      { find: "surfit", replacement: source("index.ts") },
    ],
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Worker threads and WebAssembly memories of 1 GiB (reserved, not touched) per file: few files at a time.
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
