import { Random } from "../math/random.ts";
import type { Dataset } from "./dataset.ts";
import { SETS, type Split } from "./split.ts";

/** Atoms that one unit of work should have: enough for matrix products, few enough to share among threads. */
const GROUP_ATOMS = 36;
/** Atoms of a mini-batch when its size is left to us. */
const BATCH_ATOMS = 144;

/**
 * Groups of consecutive frames of a shuffled set, of `count` each. Training frames of weight 0 are in groups that no
 * set lists: they are predicted at the end, and no mini-batch has a total weight of 0.
 */
export function makeGroups(split: Split, weights: Float64Array, count: number, seed: number) {
  const groups: number[][] = [];
  const groupsOf = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  const add = (order: readonly number[], to: number[]) => {
    for (let at = 0; at < order.length; at += count) {
      to.push(groups.length);
      groups.push(order.slice(at, at + count));
    }
  };
  for (const set of SETS) {
    const order = new Random(seed, "groups", set).shuffle([...split[set]]);
    const counts = (f: number) => set !== "train" || weights[f] > 0;
    add(order.filter(counts), groupsOf[set]);
    add(
      order.filter((f) => !counts(f)),
      [],
    );
  }
  return { groups, groupsOf };
}

/** Frames per group and groups per mini-batch; one frame per group where every observation is a pass of its own. */
export function sizes(dataset: Dataset, split: Split, batch: number | "auto", alone: boolean) {
  const atoms = dataset.atoms / dataset.frames.length;
  const frames = batch === "auto" ? Math.max(1, Math.min(32, Math.round(BATCH_ATOMS / atoms))) : batch;
  const together = alone ? 1 : Math.round(GROUP_ATOMS / atoms);
  const perGroup = Math.max(1, Math.min(frames, together, split.train.length));
  return { perGroup, perBatch: Math.max(1, Math.round(frames / perGroup)) };
}
