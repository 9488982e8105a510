import { spawn } from "node:child_process";
import { EXIT } from "./command.ts";
import { PARENT } from "./signals.ts";

/** What a command has printed. */
export interface ProcessOutput {
  readonly code: number;
  /** The document of --json; null where the command failed. */
  readonly json: Readonly<Record<string, unknown>> | null;
  /** The last lines of what it said on stderr. */
  readonly said: string;
}

/** Lines of stderr that are worth showing when a command has failed. */
const LAST = 12;

/**
 * Runs `surfit` with the arguments and --json as a process of its own, so that several can run side by side and none
 * takes this one down. An abort ends it as an interrupt would, and so does the end of this process.
 */
export function runSurfit(args: readonly string[], signal?: AbortSignal): Promise<ProcessOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1], ...args, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
      signal,
      killSignal: "SIGINT",
      env: { ...process.env, [PARENT]: String(process.pid) },
    });
    let out = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("error", reject);
    child.on("close", (code) => {
      const lines = said.trimEnd().split("\n").slice(-LAST).join("\n");
      // A run that left the training data has a result all the same.
      const ended = code === EXIT.ok || code === EXIT.extrapolation;
      const json = ended ? (JSON.parse(out) as ProcessOutput["json"]) : null;
      resolve({ code: code ?? EXIT.interrupt, json, said: lines });
    });
  });
}
