import { Random } from "../../math/random.ts";
import type { Choose } from "../../regressors/regressor.ts";
import { cur } from "./cur.ts";
import { farthest } from "./farthest.ts";
import { kMeans } from "./k-means.ts";
import type { SelectionMethod } from "./method.ts";
import { random } from "./random.ts";

const methods: Readonly<Record<string, SelectionMethod>> = { cur, farthest, "k-means": kMeans, random };

/** Numbers that the singular vectors of CUR are made from: more rows are drawn by lot. */
const CUR_NUMBERS = 2 ** 21;

/** Chooses rows by name of the method, for regressors that stand on representative environments. */
export const chooseRows =
  (seed: number): Choose =>
  (name, rows, width, count) => {
    const n = rows.length / width;
    if (count >= n) return Array.from({ length: n }, (_, i) => i);
    const most = name === "cur" ? Math.max(count, Math.floor(CUR_NUMBERS / width)) : n;
    const pool =
      n <= most
        ? Array.from({ length: n }, (_, i) => i)
        : new Random(seed, "representatives").shuffle(Array.from({ length: n }, (_, i) => i)).slice(0, most);
    const own = new Float64Array(pool.length * width);
    pool.forEach((i, k) => own.set(rows.subarray(i * width, (i + 1) * width), k * width));
    const means = { count: pool.length, width, rows: own };
    // CUR by projection is greedy and needs no seed; the others draw.
    const options = { count, ...(name === "cur" ? {} : { seed }) };
    const { chosen } = methods[name].select({ count: pool.length, means }, options);
    return chosen.map((k) => pool[k]).sort((a, b) => a - b);
  };
