import { invalid } from "../error.ts";
import { Random } from "../math/random.ts";

/** A part of a group's frames from 0 to 1, or a number of them. */
export type Share = number | { readonly frames: number };

/** What of one group goes to which set; the rest goes to none. */
export interface Shares {
  readonly train: Share;
  readonly test: Share;
}

/** How the groups are divided. */
export interface ShareOptions {
  readonly shares: Readonly<Record<string, Shares>>;
  /** Whether frames are drawn at random; otherwise the first ones are trained on and the next ones tested. */
  readonly shuffle: boolean;
  readonly seed: number;
}

const countOf = (share: Share, frames: number): number =>
  Math.min(frames, typeof share === "number" ? Math.round(share * frames) : share.frames);

const ascending = (set: ReadonlySet<number>): number[] => [...set].toSorted((a, b) => a - b);

/**
 * Of each group the shares that `shares` gives it, as FitSNAP does; `groups` [frames] names the group of each frame.
 * A copy of a frame that is trained on is left out of the test set.
 */
export function splitShares(
  groups: readonly string[],
  { shares, shuffle, seed }: ShareOptions,
  duplicates: readonly (readonly number[])[],
): { train: number[]; validation: number[]; test: number[] } {
  const members = new Map<string, number[]>();
  groups.forEach((name, f) => members.set(name, [...(members.get(name) ?? []), f]));
  const unknown = [...members.keys()].find((name) => shares[name] === undefined);
  if (unknown !== undefined) throw invalid("split.shares", `shares of the group ${unknown} too`, "none");
  const stray = Object.keys(shares).find((name) => !members.has(name));
  if (stray !== undefined)
    throw invalid(`split.shares.${stray}`, `one of the groups ${[...members.keys()].join(", ")}`, stray);
  const [train, test] = [new Set<number>(), new Set<number>()];
  for (const [name, own] of members) {
    const order = shuffle ? new Random(seed, "split", name).shuffle(own) : own;
    const first = countOf(shares[name].train, own.length);
    const second = Math.min(own.length, first + countOf(shares[name].test, own.length));
    for (const f of order.slice(0, first)) train.add(f);
    for (const f of order.slice(first, second)) test.add(f);
  }
  for (const copies of duplicates)
    if (copies.some((f) => train.has(f))) for (const f of copies) test.delete(f);
  if (train.size === 0) throw invalid("split.shares", "frames to train on", "none");
  return { train: ascending(train), validation: [], test: ascending(test) };
}
