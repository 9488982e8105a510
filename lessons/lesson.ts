import { invalid } from "../src/error.ts";

/** A command line of a lesson, without the leading "surfit". */
export interface Command {
  readonly words: readonly string[];
  /** Words that make it short for tests; null: it is left out there. */
  readonly quick: readonly string[] | null;
}

/**
 * The commands of a lesson: lines that begin with "surfit" in blocks marked sh. A line that ends in \\ goes on in the next;
 * "# quick: words" adds words for a shortened run, "# quick: skip" leaves the command out of it.
 */
export function commandsOf(markdown: string, place: string): Command[] {
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
  const lines = blocks.flatMap((code) => code.replaceAll(/\\\n\s*/g, "").split("\n"));
  return lines.filter((line) => line.trim() !== "").map((line) => commandOf(line.trim(), place));
}

function commandOf(line: string, place: string): Command {
  const [command, comment] = line.split(/\s+# quick: /);
  const [program, ...words] = wordsOf(command, place);
  if (program !== "surfit") throw invalid(place, 'commands that begin with "surfit"', line);
  return { words, quick: comment === "skip" ? null : comment ? wordsOf(comment, place) : [] };
}

/** Words between spaces; those in double quotes stay together, and nothing else of a shell is understood. */
function wordsOf(text: string, place: string): string[] {
  if (/[`$|&<>;*?']/.test(text.replaceAll(/"[^"]*"/g, "")))
    throw invalid(place, "plain words, or words in double quotes", text);
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
}
