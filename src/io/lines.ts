import type { ByteStream } from "./format.ts";
import { gunzip } from "./gzip.ts";

/** Lines of a text in UTF-8, gzip or plain, without their ends (\n or \r\n); an unfinished last line counts when not empty. */
export async function* readLines(
  bytes: ByteStream,
  file: string,
): AsyncGenerator<readonly string[], void, undefined> {
  const decoder = new TextDecoder();
  let tail = "";
  for await (const piece of gunzip(bytes, file)) {
    const lines = (tail + decoder.decode(piece, { stream: true })).split("\n");
    tail = lines.pop()!;
    if (lines.length > 0) yield lines.map(bare);
  }
  if (tail !== "") yield [bare(tail)];
}

/** All lines of a text that is small enough to be held whole. */
export async function allLines(bytes: ByteStream, file: string): Promise<string[]> {
  const all: string[] = [];
  for await (const lines of readLines(bytes, file)) for (const line of lines) all.push(line);
  return all;
}

/** The words of a line. */
export const wordsOf = (line: string): string[] => {
  const text = line.trim();
  return text === "" ? [] : text.split(/\s+/);
};

const bare = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);
