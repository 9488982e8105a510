import { invalid } from "../error.ts";
import { Random } from "../math/random.ts";
import { isIsolatedAtom } from "../potentials/isolated-atoms.ts";
import type { Frame } from "../structure/structure.ts";
import { splitShares, type ShareOptions } from "./split-shares.ts";

/** A set's size: a fraction below 1, a number of frames from 1 on, or what it holds by name (see `SplitOptions`). */
export type SetSize = number | readonly (string | number)[];

/** How frames are divided. */
export interface SplitOptions {
  /** What stays together: single frames, frames with equal `key`, contiguous windows, or files. */
  readonly method: "random" | "group" | "window" | "file" | "share";
  /** Names are those of files, values of the key that names a group, or numbers of windows, from 0 on. */
  readonly validation: SetSize;
  readonly test: SetSize;
  /** Key of the frame's information whose value names its group, for `group`; "config_type" is one. */
  readonly key: string;
  /** Number of windows, for `window`. */
  readonly windows: number;
  /** What of each group goes where, and whether at random, for `share`. */
  readonly shares?: ShareOptions["shares"];
  readonly shuffle?: boolean;
  readonly seed: number;
}

/** The sets of frames, in their order. */
export const SETS = ["train", "validation", "test"] as const;

/** Frame numbers of each set, ascending; no frame and no copy of one is in two. */
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
  share: (f, frames, { key }) => groupOf(frames[f], key),
};

/** Words by which a list can name a unit. */
const CALLED: Record<SplitOptions["method"], (unit: string) => readonly string[]> = {
  random: () => [],
  group: (unit) => [String(JSON.parse(unit))],
  window: (unit) => [unit],
  file: (unit) => [unit, bare(unit)],
  share: () => [],
};

/** What a unit is, where there are too few of them. */
const PARTS: Record<SplitOptions["method"], string> = {
  random: "frames that are not copies",
  group: "groups without common copies",
  window: "windows without common copies",
  file: "files",
  share: "groups",
};

/** Frames that must share a set: those of one unit, and those that duplicates tie together. */
function unitsOf(name: readonly string[], duplicates: readonly (readonly number[])[]): number[][] {
  const parent = new Map(name.map((unit) => [unit, unit]));
  const root = (unit: string): string => {
    let u = unit;
    while (parent.get(u) !== u) u = parent.get(u)!;
    return u;
  };
  for (const group of duplicates) for (const f of group) parent.set(root(name[f]), root(name[group[0]]));
  const units = new Map<string, number[]>();
  name.forEach((_, f) => {
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

/**
 * Takes units from the end of the list while the set comes no farther from its size by it, or else the smallest one;
 * leaves `others` of them.
 */
function take(units: number[][], count: number, others: number, set: string, parts: string): number[] {
  const taken: number[] = [];
  for (let u = units.length - 1; u >= 0 && taken.length < count && units.length > others; u--)
    if (taken.length + units[u].length / 2 <= count) for (const f of units.splice(u, 1)[0]) taken.push(f);
  if (count === 0 || taken.length > 0) return taken.sort((a, b) => a - b);
  if (units.length <= others)
    throw invalid(`split.${set}`, `0, or data of ${others + 1} or more ${parts}`, `${units.length}`);
  const smallest = units.reduce((least, unit, u) => (unit.length < units[least].length ? u : least), 0);
  return units.splice(smallest, 1)[0];
}

const bare = (name: string) => name.slice(name.lastIndexOf("/") + 1);

/** The frames that the words of a set name, of those that are left. */
function framesOf(
  words: readonly (string | number)[],
  name: readonly string[],
  left: readonly number[],
  { method }: SplitOptions,
  place: string,
): number[] {
  const called = new Map([...new Set(name)].map((unit) => [unit, CALLED[method](unit)]));
  const missing = words.find((word) => ![...called.values()].some((names) => names.includes(String(word))));
  if (missing !== undefined) {
    const known = [...called.values()].flatMap(([first]) => first ?? []).join(", ");
    const expected = known
      ? `one of the ${NAMED[method]} ${known}`
      : `a size: ${method} splits have no names`;
    throw invalid(place, expected, missing);
  }
  const set = left.filter((f) => words.some((word) => called.get(name[f])!.includes(String(word))));
  if (words.length > 0 && set.length === 0)
    throw invalid(place, "frames of its own", "only frames of the test set, or copies of them");
  return set;
}

/** What a list can name, where it can. */
const NAMED: Partial<Record<SplitOptions["method"], string>> = {
  group: "groups",
  window: "windows",
  file: "data files",
};

/** Divides some of the frames, as if there were no others. */
function splitSome(
  chosen: readonly number[],
  name: readonly string[],
  options: SplitOptions,
  duplicates: readonly (readonly number[])[],
): Split {
  const index = new Map(chosen.map((f, k) => [f, k]));
  const tied = duplicates.map((group) => group.flatMap((f) => index.get(f) ?? []));
  const split = divide(
    chosen.map((f) => name[f]),
    options,
    tied.filter((group) => group.length > 1),
  );
  const named = (set: readonly number[]) => set.map((k) => chosen[k]);
  return { train: named(split.train), validation: named(split.validation), test: named(split.test) };
}

/**
 * Sets given by name; one whose size is a number comes out of the units that are left, or of the single frames that
 * other files hold. Copies of what a named set holds are in no other set.
 */
function splitNamed(
  name: readonly string[],
  options: SplitOptions,
  duplicates: readonly (readonly number[])[],
): Split {
  let left = name.map((_, f) => f);
  const [test, validation] = (["test", "validation"] as const).map((which) => {
    const words = options[which];
    if (typeof words === "number") return undefined;
    const set = framesOf(words, name, left, options, `split.${which}`);
    const out = new Set(set);
    for (const group of duplicates) if (group.some((f) => out.has(f))) for (const f of group) out.add(f);
    left = left.filter((f) => !out.has(f));
    return set;
  });
  if (left.length === 0)
    throw invalid("split", "frames to train on that are not in the named sets, nor copies", "none");
  const single = options.method === "file";
  const rest = { ...options, method: single ? ("random" as const) : options.method };
  const sizes = { test: test ? 0 : options.test, validation: validation ? 0 : options.validation };
  const names = single ? name.map((_, f) => String(f)) : name;
  const split = splitSome(left, names, { ...rest, ...sizes }, duplicates);
  return { ...split, validation: validation ?? split.validation, test: test ?? split.test };
}

/** Divides frames of the given units into sets of the given sizes. */
function divide(
  name: readonly string[],
  options: SplitOptions,
  duplicates: readonly (readonly number[])[],
): Split {
  const units = unitsOf(name, duplicates);
  new Random(options.seed, "split").shuffle(units);
  const [wantTest, wantValidation] = [
    wanted(options.test, name.length, "split.test"),
    wanted(options.validation, name.length, "split.validation"),
  ];
  if (wantTest + wantValidation >= name.length)
    throw invalid(
      "split",
      `fewer than ${name.length} frames for validation and test together`,
      wantTest + wantValidation,
    );
  const parts = PARTS[options.method];
  const test = take(units, wantTest, wantValidation > 0 ? 2 : 1, "test", parts);
  const validation = take(units, wantValidation, 1, "validation", parts);
  return { train: units.flat().sort((a, b) => a - b), validation, test };
}

const plain = (groups: readonly string[]): string[] => groups.map((unit) => String(JSON.parse(unit)));

function sharesOf({ method, shares = {}, shuffle = false, seed }: SplitOptions): ShareOptions | null {
  return method === "share" ? { shares, shuffle, seed } : null;
}

/**
 * Divides the frames, all but isolated atoms, which settle the known terms and are in no set. Deterministic in the
 * seed. Frames that `duplicates` lists together land in one set, also across groups; a set that is given by the names
 * of files, groups or windows keeps all their frames, and copies elsewhere are left out.
 */
export function splitFrames(
  frames: readonly Frame[],
  options: SplitOptions,
  duplicates: readonly (readonly number[])[] = [],
): Split {
  const chosen = frames.flatMap((frame, f) => (isIsolatedAtom(frame) ? [] : [f]));
  if (chosen.length === 0) throw invalid("data", "structures of more than one atom", "isolated atoms");
  const some = chosen.map((f) => frames[f]);
  const name = some.map((_, k) => UNIT_OF[options.method](k, some, options));
  const index = new Map(chosen.map((f, k) => [f, k]));
  const tied = duplicates
    .map((group) => group.flatMap((f) => index.get(f) ?? []))
    .filter((group) => group.length > 1);
  const shares = sharesOf(options);
  const lists = options.method === "file" || [options.test, options.validation].some(Array.isArray);
  const split = shares
    ? splitShares(plain(name), shares, tied)
    : (lists ? splitNamed : divide)(name, options, tied);
  const numbers = (set: readonly number[]) => set.map((k) => chosen[k]);
  return { train: numbers(split.train), validation: numbers(split.validation), test: numbers(split.test) };
}
