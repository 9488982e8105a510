import { Random } from "../../math/random.ts";
import type { SelectionMethod } from "./method.ts";

/** By lot, without replacement. */
export const random: SelectionMethod = {
  name: "random",
  summary: "by lot, seeded",
  score: "0",
  needs: [],
  uses: ["seed"],
  select({ count: n }, { count, seed }) {
    const chosen = new Random(seed ?? 1, "select").shuffle(Array.from({ length: n }, (_, k) => k));
    return { chosen: chosen.slice(0, count), scores: Array.from({ length: count }, () => 0) };
  },
};
