import type { Matrix } from "../../math/left-vectors.ts";
import { square } from "./distance.ts";
import { greatest, need, type AtomRows, type Candidates, type SelectionMethod } from "./method.ts";

/** Lowers the squared distance of every candidate to the chosen ones, [count], by one more that was chosen. */
type Approach = (chosen: number, nearest: Float64Array) => void;

const byMeans =
  ({ count, width, rows }: Matrix): Approach =>
  (chosen, nearest) => {
    for (let f = 0; f < count; f++)
      nearest[f] = Math.min(nearest[f], square(rows, f, rows, chosen, width, nearest[f]));
  };

/** A frame is as far as its farthest atom is from the nearest chosen atom of its element (directed Hausdorff distance). */
function byAtoms(elements: readonly AtomRows[]): Approach {
  const known = elements.map(({ frame }) => new Float64Array(frame.length).fill(Infinity));
  return (chosen, nearest) => {
    nearest.fill(0);
    elements.forEach(({ width, rows, frame }, e) => {
      const from = frame.indexOf(chosen);
      const to = frame.lastIndexOf(chosen) + 1;
      for (let i = 0; i < frame.length; i++) {
        if (from >= 0)
          for (let j = from; j < to && known[e][i] > 0; j++)
            known[e][i] = Math.min(known[e][i], square(rows, i, rows, j, width, known[e][i]));
        nearest[frame[i]] = Math.max(nearest[frame[i]], known[e][i]);
      }
    });
  };
}

/** The candidate nearest the mean of all. */
function central(means: Matrix): number {
  const { count, width, rows } = means;
  const mean = new Float64Array(width);
  for (let k = 0; k < rows.length; k++) mean[k % width] += rows[k] / count;
  const closeness = Float64Array.from({ length: count }, (_, f) => -square(rows, f, mean, 0, width));
  return greatest(closeness, () => true);
}

const approach = (candidates: Candidates): Approach =>
  candidates.atoms ? byAtoms(candidates.atoms) : byMeans(need(candidates, "means"));

/** Each next frame is the one farthest from all chosen before (T. F. Gonzalez 1985, 10.1016/0304-3975(85)90224-5). */
export const farthest: SelectionMethod = {
  name: "farthest",
  summary: "each next frame is the one farthest from those chosen before",
  score: "distance to the nearest frame chosen before",
  needs: ["means"],
  uses: ["start", "atoms"],
  select(candidates, { count, start }) {
    const advance = approach(candidates);
    const nearest = new Float64Array(candidates.count).fill(Infinity);
    const chosen = [start ?? central(need(candidates, "means"))];
    const scores = [Infinity];
    const taken = new Set(chosen);
    while (chosen.length < count) {
      advance(chosen[chosen.length - 1], nearest);
      const next = greatest(nearest, (f) => !taken.has(f));
      scores.push(Math.sqrt(nearest[next]));
      chosen.push(next);
      taken.add(next);
    }
    return { chosen, scores };
  },
};
