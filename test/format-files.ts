import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { InputError } from "../src/error.ts";
import { readFrames } from "../src/io/files.node.ts";
import type { Format, ReadOptions } from "../src/io/format.ts";
import type { Frame } from "../src/structure/structure.ts";

/** Path of a file in golden/. */
export const golden = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
/** The command. */
export const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

/** What ASE reads; velocities in Å/fs. */
export interface Read {
  readonly numbers: readonly number[];
  readonly positions: readonly number[];
  readonly cell: readonly number[] | null;
  readonly pbc: readonly boolean[];
  readonly velocities?: readonly number[];
  readonly energy?: number;
  readonly forces?: readonly number[];
  readonly stress?: readonly number[];
}
/** By the names of files in golden/formats. */
export const expected = JSON.parse(readFileSync(golden("formats.json"), "utf8")) as Readonly<
  Record<string, Read[]>
>;

/** All frames. */
export async function collect(frames: AsyncIterable<Frame>): Promise<Frame[]> {
  const all: Frame[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
}
/** Frames of a file in golden/formats. */
export const read = (name: string, options?: ReadOptions) =>
  collect(readFrames(golden(`formats/${name}`), undefined, options));

/** ASE has its unit of time from CODATA 2014, 1.5e-10 off; velocities are below 1 Å/fs. */
export const TIME = 1e-9;

/** The same numbers, up to this much. */
export function close(
  found: ArrayLike<number> | undefined,
  wanted: readonly number[] | undefined,
  within = 1e-12,
): void {
  expect(found?.length).toBe(wanted?.length);
  wanted?.forEach((x, k) => expect(Math.abs(found![k] - x)).toBeLessThan(within));
}

/** The same atoms at the same places in the same cell. */
export function sameStructure({ structure }: Frame, wanted: Read): void {
  expect([...structure.numbers]).toEqual(wanted.numbers);
  close(structure.positions, wanted.positions);
  expect(structure.cell === null).toBe(wanted.cell === null);
  if (wanted.cell) close(structure.cell!, wanted.cell);
  expect(structure.pbc).toEqual(wanted.pbc);
}

/** Text in a format, read. */
export const parse = (format: Format, text: string, options?: ReadOptions) =>
  collect(format.read!([new TextEncoder().encode(text)], "file", options));

/** Text of a file in golden/formats. */
export const textOf = (name: string) => readFileSync(golden(`formats/${name}`), "utf8");
/** What an InputError says. */
export const problems = async (reading: Promise<unknown>): Promise<string> => {
  const error = await reading.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
};
