import { invalid } from "../../error.ts";
import { runSurfit } from "../process.ts";
import type { ProcessOutput } from "../process.ts";

/** `surfit fit` with the arguments as a process of its own. */
export const runFitProcess = (args: readonly string[], signal?: AbortSignal): Promise<ProcessOutput> =>
  runSurfit(["fit", ...args], signal);

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
