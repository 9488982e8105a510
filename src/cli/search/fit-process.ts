import { spawn } from "node:child_process";
import { invalid } from "../../error.ts";
import { EXIT } from "../command.ts";

/** What `surfit fit` has printed. */
export interface FitOutput {
  readonly code: number;
  /** The document of --json; null where the fit failed. */
  readonly json: Readonly<Record<string, unknown>> | null;
  /** The last lines of what it said on stderr. */
  readonly said: string;
}

/** Lines of stderr that are worth showing when a fit has failed. */
const LAST = 12;

/**
 * Runs `surfit fit` with the arguments as a process of its own, so that trials can run side by side and none of them
 * takes the search down. An abort ends it as an interrupt would.
 */
export function runFitProcess(args: readonly string[], signal?: AbortSignal): Promise<FitOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1], "fit", ...args, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
      signal,
      killSignal: "SIGINT",
    });
    let out = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("error", reject);
    child.on("close", (code) => {
      const lines = said.trimEnd().split("\n").slice(-LAST).join("\n");
      const json = code === EXIT.ok ? (JSON.parse(out) as FitOutput["json"]) : null;
      resolve({ code: code ?? EXIT.interrupt, json, said: lines });
    });
  });
}

/** The number at a dotted path of a document; undefined where there is none. */
export function numberAt(document: unknown, path: string): number | undefined {
  let value = document;
  for (const key of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
  return typeof value === "number" ? value : undefined;
}

/** The resolved configuration of a fit that is only planned; a mistake in its arguments is reported as the fit does. */
export async function plannedConfiguration(args: readonly string[], what: string): Promise<unknown> {
  const { json, said } = await runFitProcess([...args, "--dry-run"]);
  if (!json) throw invalid(what, "arguments that surfit fit takes", `\n${said}`);
  return json["configuration"];
}
