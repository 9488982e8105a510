/** f′ = W f + w on fractional coordinates. */
export interface Operation {
  /** [3, 3]. */
  readonly W: readonly number[];
  readonly w: readonly number[];
}

const TERM = /([+-]?)(?:(\d+(?:\.\d*)?|\.\d+)(?:\/(\d+))?\*?)?([xyz])?/gy;

/** "-y, x-y, z+1/3" as a matrix and a shift; undefined when it says no operation. */
export function operationOf(text: string): Operation | undefined {
  const parts = text.toLowerCase().replace(/\s/g, "").split(",");
  if (parts.length !== 3) return undefined;
  const W: number[] = [];
  const w: number[] = [];
  for (const part of parts) {
    const row = [0, 0, 0];
    let shift = 0;
    let end = 0;
    for (const [whole, sign, top, bottom, letter] of part.matchAll(TERM)) {
      if (whole === "" || (top === undefined && letter === undefined)) break;
      // Every term but the first has its sign.
      if (end > 0 && sign === "") return undefined;
      end += whole.length;
      const value = (sign === "-" ? -1 : 1) * (Number(top ?? 1) / Number(bottom ?? 1));
      if (letter === undefined) shift += value;
      else row["xyz".indexOf(letter)] += value;
    }
    if (end !== part.length || end === 0 || !Number.isFinite(shift)) return undefined;
    W.push(...row);
    w.push(shift);
  }
  return { W, w };
}

/** The image of fractional coordinates, in the cell: every coordinate in [0, 1). */
export const imageOf = ({ W, w }: Operation, f: readonly number[]): number[] =>
  w.map((shift, k) => {
    const x = W[3 * k] * f[0] + W[3 * k + 1] * f[1] + W[3 * k + 2] * f[2] + shift;
    const inside = x - Math.floor(x);
    // A coordinate a rounding error below 0 is 0, not 1.
    return inside > 1 - 1e-12 ? 0 : inside;
  });
