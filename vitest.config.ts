import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Worker threads and WebAssembly memories of 1 GiB (reserved, not touched) per file: few files at a time.
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
