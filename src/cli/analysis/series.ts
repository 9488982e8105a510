import { invalid } from "../../error.ts";
import type { Series } from "../../run/analysis/correlation.ts";
import { inverse } from "../../structure/cell.ts";
import type { Frame, Structure } from "../../structure/structure.ts";

/** Fewest frames that correlations are told from. */
export const FEWEST = 16;

/** What changes along a trajectory at even intervals. */
export interface Motions {
  readonly positions: Series;
  /** Where every frame has them. */
  readonly velocities?: Series;
}

/** Positions and, where there are any, velocities; uneven intervals and wrapped positions are InputErrors. */
export function motionsOf(frames: readonly Frame[], given: number | undefined, file: string): Motions {
  const interval = intervalOf(frames, given, file);
  for (const frame of frames)
    if (frame.structure.numbers.length !== frames[0].structure.numbers.length)
      throw invalid(
        frame.place,
        `${frames[0].structure.numbers.length} atoms`,
        frame.structure.numbers.length,
      );
  for (let k = 1; k < frames.length; k++) refuseWrapped(frames[k - 1].structure, frames[k]);
  const velocities = frames.flatMap((f) => {
    const found = f.arrays["velocities"];
    return found?.width === 3 && found.values instanceof Float64Array ? [found.values] : [];
  });
  return {
    positions: { interval, frames: frames.map((f) => f.structure.positions) },
    ...(velocities.length === frames.length && { velocities: { interval, frames: velocities } }),
  };
}

function intervalOf(frames: readonly Frame[], given: number | undefined, file: string): number {
  const [first, second] = frames.map((f) => f.info["time_fs"]);
  const interval =
    given ?? (typeof first === "number" && typeof second === "number" ? second - first : undefined);
  if (interval === undefined || !(interval > 0))
    throw invalid(file, "frames with time_fs, or --interval", interval === undefined ? "no times" : interval);
  if (given !== undefined) return interval;
  for (const [k, frame] of frames.entries()) {
    const time = frame.info["time_fs"];
    const expected = (first as number) + k * interval;
    if (Math.abs((time as number) - expected) > 1e-3 * interval)
      throw invalid(frame.place, `the time ${expected} fs, at even intervals`, time);
  }
  return interval;
}

/** An atom that goes nearly a whole cell in one interval was put back into it, and displacements and dipoles would be wrong. */
const JUMP = 0.75;

function refuseWrapped({ positions: before }: Structure, { structure, place }: Frame): void {
  const { positions, cell, pbc } = structure;
  if (!cell || !pbc.some(Boolean)) return;
  const inv = inverse(cell);
  for (let i = 0; i < positions.length; i += 3)
    for (const k of [0, 1, 2]) {
      let f = 0;
      for (let a = 0; a < 3; a++) f += (positions[i + a] - before[i + a]) * inv[3 * a + k];
      if (pbc[k] && Math.abs(f) > JUMP)
        throw invalid(
          place,
          "positions that are not wrapped into the cell",
          `atom ${i / 3 + 1} jumps by ${f.toFixed(2)} cells`,
        );
    }
}
