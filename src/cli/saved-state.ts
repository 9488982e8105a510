import { existsSync } from "node:fs";
import { InputError, invalid } from "../error.ts";
import { packCheckpoint, unpackCheckpoint } from "../fit/checkpoint.ts";
import { Sha256 } from "../fit/hash.ts";
import { formulaOf } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";
import { readWhole, writeWhole } from "./files.ts";

/** What must agree between a job and its continuation, in words. */
export type Settings = Readonly<Record<string, string>>;

interface Meta {
  readonly settings: Settings;
  readonly state: unknown;
}

/** Stands in the JSON for an array that is stored beside it. */
const MARK = "float64 array";

/** SHA-256 of numbers. */
export const hashOf = (data: Iterable<number>): string =>
  new Sha256().update(new Uint8Array(Float64Array.from(data).buffer)).digest();

/** Model, atoms and options of a job on one structure. */
export function structureSettings(
  model: string,
  { numbers, positions, cell, pbc }: Structure,
  options: Readonly<Record<string, unknown>>,
): Settings {
  return {
    model: model.slice(0, 16),
    atoms: `${formulaOf(numbers)} ${hashOf(numbers).slice(0, 16)}`,
    start: hashOf(positions).slice(0, 16),
    cell: cell ? cell.join(" ") : "none",
    pbc: pbc.join(" "),
    ...Object.fromEntries(Object.entries(options).map(([key, value]) => [key, String(value)])),
  };
}

/** Writes the state of a job, plain data with Float64Arrays anywhere in it, with what it was started with. */
export async function saveState(path: string, settings: Settings, state: unknown): Promise<void> {
  const arrays: Record<string, Float64Array> = {};
  const plain = (value: unknown): unknown => {
    if (value instanceof Float64Array) {
      const name = String(Object.keys(arrays).length);
      arrays[name] = value;
      return { [MARK]: name };
    }
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
  };
  const meta: Meta = { settings, state: plain(state) };
  await writeWhole(path, packCheckpoint({ meta, arrays }));
}

/** Reads it back; a job that was started with something else is an InputError that names what. */
export async function loadState(path: string, settings: Settings): Promise<unknown> {
  if (!existsSync(path)) throw invalid("--restart", `the checkpoint ${path}`, "none");
  const { meta, arrays } = unpackCheckpoint(await readWhole(path), path);
  const { settings: then, state } = meta as Meta;
  refuseOthers(path, settings, then);
  const full = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(full);
    if (typeof value !== "object" || value === null) return value;
    if (MARK in value) return arrays[value[MARK] as string];
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, full(part)]));
  };
  return full(state);
}

/** An InputError that names every setting in which two jobs differ. */
export function refuseOthers(path: string, now: Settings, then: Settings): void {
  const names = new Set([...Object.keys(now), ...Object.keys(then)]);
  const problems = [...names].flatMap((name) => {
    const [expected, found] = [now[name] ?? "nothing", then[name] ?? "nothing"];
    return found === expected ? [] : [{ place: `${path} ${name}`, expected, found }];
  });
  if (problems.length > 0) throw new InputError(problems);
}
