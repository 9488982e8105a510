import { Problems } from "../format.ts";

/** Texts of files by name. */
export type Files = Readonly<Record<string, string>>;

/** One command of a LAMMPS input, variables put in. */
export interface Command {
  readonly name: string;
  /** The rest of the line. */
  readonly text: string;
  readonly place: string;
}

/**
 * The commands of a LAMMPS input in their order, files that it includes in their place, `&` and comments resolved.
 * Variables of the styles equal, index and string are put in where they are plain words or numbers.
 */
export function commandsOf(file: string, files: Files, problems: Problems): Command[] {
  const variables = new Map<string, string>();
  return [...walk(file, files, problems, variables, 0)];
}

function* walk(
  file: string,
  files: Files,
  problems: Problems,
  variables: Map<string, string>,
  depth: number,
): Generator<Command> {
  const text = files[file];
  if (text === undefined || depth > 10) {
    problems.add(file, "a file beside the input", depth > 10 ? "files that include each other" : "none");
    return;
  }
  let whole = "";
  for (const [k, line] of text.split("\n").entries()) {
    whole += line.split("#")[0].trimEnd();
    if (whole.endsWith("&")) {
      whole = `${whole.slice(0, -1)} `;
      continue;
    }
    const place = `${file}:${k + 1}`;
    const [name = "", ...words] = substitute(whole, variables, place, problems).trim().split(/\s+/);
    whole = "";
    if (name === "") continue;
    if (name === "variable") define(words, variables);
    else if (name === "include") yield* walk(words[0], files, problems, variables, depth + 1);
    else yield { name, text: words.join(" "), place };
  }
}

/** A variable whose value is a word; of a formula, nothing is known until it is asked for. */
function define([name, style, ...values]: readonly string[], variables: Map<string, string>): void {
  const plain = ["equal", "string", "index"].includes(style) && /^"?[^\s"()*/]+"?$/.test(values[0] ?? "");
  if (plain && !(style === "index" && variables.has(name)))
    variables.set(name, values[0].replaceAll('"', ""));
}

function substitute(
  line: string,
  variables: ReadonlyMap<string, string>,
  place: string,
  problems: Problems,
): string {
  // Only lines about the potential matter; those of a run may use what only a run knows.
  if (!/^\s*(pair_|include|mass|units)/.test(line)) return line;
  return line.replace(/\$\{(\w+)\}|\$(\w)/g, (_, long: string | undefined, short: string) => {
    const name = long ?? short;
    const value = variables.get(name);
    if (value === undefined) problems.add(place, `a variable ${name} with a plain value`, "none");
    return value ?? "";
  });
}
