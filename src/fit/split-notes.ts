import { isIsolatedAtom } from "../potentials/isolated-atoms.ts";
import type { Frame } from "../structure/structure.ts";
import type { FitOptions } from "./options.ts";
import { SETS, type Split } from "./split.ts";

/** Groups of frames that show the same structure. */
type Duplicates = readonly (readonly number[])[];

/** Copies that stay together, and copies that another set's file keeps. */
export function duplicateNotes(duplicates: Duplicates, frames: readonly Frame[], split: Split): string[] {
  const held = new Set(SETS.flatMap((set) => split[set]));
  const groups = duplicates.filter(([first]) => !isIsolatedAtom(frames[first]));
  const count = (some: Duplicates) => some.reduce((n, group) => n + group.length - 1, 0);
  const example = (f: number, g: number) => `such as ${frames[f].place} and ${frames[g].place}`;
  const whole = groups.filter((group) => group.every((f) => held.has(f)));
  const notes: string[] = [];
  if (whole.length > 0)
    notes.push(
      `${count(whole)} frames repeat another one, ${example(whole[0][0], whole[0][1])}; copies stay in one set`,
    );
  const out = groups.flatMap((group) => {
    const kept = group.find((f) => held.has(f))!;
    return group.filter((f) => !held.has(f)).map((f) => [f, kept]);
  });
  if (out.length > 0)
    notes.push(
      `frames left out as copies of what a named file holds for another set: ${out.length}, ` +
        example(out[0][0], out[0][1]),
    );
  return notes;
}

/** Isolated atoms, and sets that are empty though they were asked for. */
export function splitNotes(split: Split, options: FitOptions["split"], lone: number): string[] {
  const notes: string[] = [];
  if (lone > 0)
    notes.push(
      `${lone} ${lone === 1 ? "frame of an isolated atom is" : "frames of isolated atoms are"} in no set: what they settle is known`,
    );
  for (const set of ["validation", "test"] as const) {
    const size = options[set];
    if (split[set].length === 0 && typeof size === "number" && size > 0)
      notes.push(`the ${set} set is empty: there are too few frames for split.${set} ${size}`);
  }
  return notes;
}
