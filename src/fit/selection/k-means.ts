import { Random } from "../../math/random.ts";
import { square } from "./distance.ts";
import { need, type SelectionMethod } from "./method.ts";

/** Sweeps at most: after these the centres hardly move. */
const SWEEPS = 12;

/**
 * The row nearest the mean of each of k clusters: Lloyd's sweeps from seeded, far-apart starts (D. Arthur,
 * S. Vassilvitskii, k-means++, SODA 2007).
 */
export const kMeans: SelectionMethod = {
  name: "k-means",
  summary: "the frame nearest the centre of each of so many clusters",
  score: "distance to the centre of its cluster",
  needs: ["means"],
  uses: ["seed"],
  select(candidates, { count, seed }) {
    const { count: n, width, rows } = need(candidates, "means");
    const draw = new Random(seed ?? 1, "k-means");
    const centres = new Float64Array(count * width);
    const nearest = new Float64Array(n).fill(Infinity);
    const cluster = new Int32Array(n);
    for (let c = 0; c < count; c++) {
      const total = c === 0 ? 0 : nearest.reduce((sum, d) => sum + d, 0);
      let left = draw.uniform() * total;
      const found = total > 0 ? nearest.findIndex((d) => d > 0 && (left -= d) < 0) : -1;
      const next = found >= 0 ? found : draw.integer(n);
      centres.set(rows.subarray(next * width, (next + 1) * width), c * width);
      for (let i = 0; i < n; i++) {
        const d = square(rows, i, centres, c, width, nearest[i]);
        if (d < nearest[i]) [nearest[i], cluster[i]] = [d, c];
      }
    }
    const assign = () => {
      let moved = 0;
      for (let i = 0; i < n; i++) {
        let best = square(rows, i, centres, cluster[i], width, Infinity);
        let to = cluster[i];
        for (let c = 0; c < count; c++) {
          const d = square(rows, i, centres, c, width, best);
          if (d < best) [best, to] = [d, c];
        }
        nearest[i] = best;
        if (to !== cluster[i]) moved++;
        cluster[i] = to;
      }
      return moved;
    };
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const sizes = new Int32Array(count);
      for (let i = 0; i < n; i++) sizes[cluster[i]]++;
      // A cluster that lost all its members keeps its centre.
      for (let c = 0; c < count; c++) if (sizes[c] > 0) centres.fill(0, c * width, (c + 1) * width);
      for (let i = 0; i < n; i++)
        for (let k = 0; k < width; k++)
          centres[cluster[i] * width + k] += rows[i * width + k] / sizes[cluster[i]];
      if (assign() === 0) break;
    }
    const chosen: number[] = [];
    const taken = new Set<number>();
    for (let c = 0; c < count; c++) {
      let [best, at] = [Infinity, -1];
      for (let i = 0; i < n; i++) {
        if (taken.has(i)) continue;
        const d = square(rows, i, centres, c, width, best);
        if (d < best) [best, at] = [d, i];
      }
      taken.add(at);
      chosen.push(at);
    }
    const scores = chosen.map((i, c) => Math.sqrt(square(rows, i, centres, c, width, Infinity)));
    return { chosen, scores };
  },
};
