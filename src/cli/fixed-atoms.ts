import { invalid } from "../error.ts";
import type { Frame } from "../structure/structure.ts";

/** The flag that names atoms that are to stay. */
export const FIXED = [
  "--fixed <atoms>",
  'atoms that stay, from 1 on: "1-4,7"; a column move_mask of the file, as ASE writes, is obeyed unasked',
] as const;

/** Atoms that stay, from 0 on: those of "1-4,7", else those that the frame's own column `move_mask` holds. */
export function fixedAtoms(text: string | undefined, { structure, arrays, place }: Frame): number[] {
  const n = structure.numbers.length;
  if (text === undefined) return masked(arrays["move_mask"], place);
  const found = new Set<number>();
  for (const word of text.split(",")) {
    const [, from, to] = /^\s*([1-9]\d*)\s*(?:-\s*([1-9]\d*)\s*)?$/.exec(word) ?? [];
    const [first, last] = [Number(from), Number(to ?? from)];
    if (!(first <= last && last <= n))
      throw invalid("--fixed", `atoms 1 … ${n} of ${place}, as "1-4,7"`, word);
    for (let i = first; i <= last; i++) found.add(i - 1);
  }
  return [...found].toSorted((a, b) => a - b);
}

/** Atoms that may not move along all three directions. */
function masked(column: Frame["arrays"][string] | undefined, place: string): number[] {
  if (!column) return [];
  const { values, width } = column;
  if (column.kind !== "logical" || width !== 1)
    throw invalid(place, "one T or F for each atom in the column move_mask", `${width} of ${column.kind}`);
  return [...(values as Uint8Array)].flatMap((moves, i) => (moves ? [] : [i]));
}
