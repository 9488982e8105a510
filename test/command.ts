import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The command's own file. */
export const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of a test's own, gone when the test file has ended, and the real command to run in it. */
export function workplace(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `surfit-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const surfit = (...args: readonly string[]): Ended => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      cwd: folder,
      encoding: "utf8",
    });
    return { code: status, stdout, stderr };
  };
  return { folder, path: (file: string) => join(folder, file), surfit };
}
