import { invalid } from "../error.ts";
import { Random } from "../math/random.ts";
import type { Frame } from "../structure/structure.ts";

/** A set's size: a fraction below 1, a number of frames from 1 on, or the names of files. */
export type SetSize = number | readonly string[];

/** How frames are divided. */
export interface SplitOptions {
  /** What stays together: single frames, frames with equal `key`, contiguous windows, or files. */
  readonly method: "random" | "group" | "window" | "file";
  readonly validation: SetSize;
  readonly test: SetSize;
  /** Key of the frame's information whose value names its group, for `group`; "config_type" is one. */
  readonly key: string;
  /** Number of windows, for `window`. */
  readonly windows: number;
  readonly seed: number;
}

/** Frame numbers of each set, ascending; every frame is in exactly one. */
export interface Split {
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
}

/** Name of the file that a frame came from: its place without the line (`a.xyz:12`) or the number (`a.npz[3]`). */
export const fileOf = (frame: Frame): string => frame.place.replace(/:\d+$|\[\d+\]$/, "");

function groupOf(frame: Frame, key: string): string {
  const value = key === "config_type" ? (frame.configType ?? frame.info[key]) : frame.info[key];
  if (value === undefined) throw invalid(`${frame.place}: ${key}`, "a value to group frames by", "nothing");
  return JSON.stringify(value);
}

const UNIT_OF: Record<
  SplitOptions["method"],
  (f: number, frames: readonly Frame[], o: SplitOptions) => string
> = {
  random: (f) => String(f),
  group: (f, frames, { key }) => groupOf(frames[f], key),
  window: (f, frames, { windows }) => String(Math.floor((f * windows) / frames.length)),
  file: (f, frames) => fileOf(frames[f]),
};

/** Frames that must share a set: those of one unit, and those that duplicates tie together. */
function unitsOf(
  frames: readonly Frame[],
  options: SplitOptions,
  duplicates: readonly (readonly number[])[],
): number[][] {
  const name = frames.map((_, f) => UNIT_OF[options.method](f, frames, options));
  const parent = new Map(name.map((unit) => [unit, unit]));
  const root = (unit: string): string => {
    let u = unit;
    while (parent.get(u) !== u) u = parent.get(u)!;
    return u;
  };
  for (const group of duplicates) for (const f of group) parent.set(root(name[f]), root(name[group[0]]));
  const units = new Map<string, number[]>();
  frames.forEach((_, f) => {
    const unit = units.get(root(name[f]));
    if (unit) unit.push(f);
    else units.set(root(name[f]), [f]);
  });
  return [...units.values()];
}

function wanted(size: SetSize, frames: number, place: string): number {
  if (typeof size !== "number") throw invalid(place, "a fraction or a number of frames", size);
  if (!(size >= 0 && size < frames))
    throw invalid(place, `0 … ${frames - 1} frames or a fraction below 1`, size);
  return size < 1 ? Math.round(size * frames) : Math.floor(size);
}

/** Takes units from the end of the list while the set comes no farther from its size by it; leaves one to train on. */
function take(units: number[][], count: number): number[] {
  const set: number[] = [];
  for (let u = units.length - 1; u >= 0 && set.length < count && units.length > 1; u--)
    if (set.length + units[u].length / 2 <= count) set.push(...units.splice(u, 1)[0]);
  return set.sort((a, b) => a - b);
}

const bare = (name: string) => name.slice(name.lastIndexOf("/") + 1);

function takeFiles(
  units: number[][],
  frames: readonly Frame[],
  size: readonly string[],
  place: string,
): number[] {
  const known = new Set(frames.map(fileOf));
  const missing = size.find((name) => ![...known].some((k) => k === name || bare(k) === name));
  if (missing !== undefined) throw invalid(place, `one of the data files ${[...known].join(", ")}`, missing);
  const inSet = (f: number) => size.includes(fileOf(frames[f])) || size.includes(bare(fileOf(frames[f])));
  const set = units.filter((unit) => unit.some(inSet));
  for (const unit of set) units.splice(units.indexOf(unit), 1);
  return set.flat().sort((a, b) => a - b);
}

/** Sets named by files; one whose size is a number comes at random out of the files that are left. */
function splitFiles(
  frames: readonly Frame[],
  options: SplitOptions,
  duplicates: readonly (readonly number[])[],
): Split {
  const units = unitsOf(frames, options, duplicates);
  const [test, validation] = (["test", "validation"] as const).map((set) => {
    const size = options[set];
    return typeof size === "number" ? undefined : takeFiles(units, frames, size, `split.${set}`);
  });
  const left = units.flat().sort((a, b) => a - b);
  if (left.length === 0) throw invalid("split", "files left to train on", "none");
  const index = new Map(left.map((f, k) => [f, k]));
  const rest = splitFrames(
    left.map((f) => frames[f]),
    {
      ...options,
      method: "random",
      test: test ? 0 : options.test,
      validation: validation ? 0 : options.validation,
    },
    duplicates.map((group) => group.flatMap((f) => index.get(f) ?? [])).filter((group) => group.length > 1),
  );
  const named = (set: readonly number[]) => set.map((k) => left[k]);
  return {
    train: named(rest.train),
    validation: validation ?? named(rest.validation),
    test: test ?? named(rest.test),
  };
}

/**
 * Divides the frames. Deterministic in the seed; frames that `duplicates` lists together land in one set, also
 * across files or groups.
 */
export function splitFrames(
  frames: readonly Frame[],
  options: SplitOptions,
  duplicates: readonly (readonly number[])[] = [],
): Split {
  if (options.method === "file") return splitFiles(frames, options, duplicates);
  const units = unitsOf(frames, options, duplicates);
  new Random(options.seed, "split").shuffle(units);
  const sizes = [
    wanted(options.test, frames.length, "split.test"),
    wanted(options.validation, frames.length, "split.validation"),
  ];
  if (sizes[0] + sizes[1] >= frames.length)
    throw invalid(
      "split",
      `fewer than ${frames.length} frames for validation and test together`,
      sizes[0] + sizes[1],
    );
  const [test, validation] = sizes.map((size) => take(units, size));
  return { train: units.flat().sort((a, b) => a - b), validation, test };
}
