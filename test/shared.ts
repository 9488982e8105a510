import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Absolute path of reference data that may not be copied into the project, or undefined where it is absent. */
export function shared(path: string): string | undefined {
  const full = fileURLToPath(new URL(`../../shared/data/${path}`, import.meta.url));
  return existsSync(full) ? full : undefined;
}
