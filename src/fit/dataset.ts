import { InputError, invalid, type Problem } from "../error.ts";
import { completeCell } from "../structure/cell.ts";
import { elementsOf } from "../structure/elements.ts";
import type { Frame } from "../structure/structure.ts";

/** Frames that passed every check, with what they carry. */
export interface Dataset {
  readonly frames: readonly Frame[];
  /** Atomic numbers, ascending. */
  readonly elements: readonly number[];
  readonly atoms: number;
  /** How many frames carry each label. */
  readonly labelled: Readonly<Record<Label, number>>;
}

/** What can be learned from. */
export type Label = "energy" | "forces" | "stress";

export const LABELS: readonly Label[] = ["energy", "forces", "stress"];

function firstBad(values: Float64Array): number {
  return values.findIndex((x) => !Number.isFinite(x));
}

function checkArray(frame: Frame, name: string, values: Float64Array, length: number): Problem[] {
  const place = `${frame.place}: ${name}`;
  if (values.length !== length) return [{ place, expected: `${length} numbers`, found: `${values.length}` }];
  const bad = firstBad(values);
  return bad < 0
    ? []
    : [{ place: `${place}[${bad}]`, expected: "a finite number", found: String(values[bad]) }];
}

/** A cell must be finite, and its periodic lattice vectors independent. */
function checkCell({ structure: { cell, pbc }, place }: Frame): Problem[] {
  const bad = cell ? firstBad(cell) : -1;
  if (cell && bad >= 0)
    return [{ place: `${place}: cell[${bad}]`, expected: "a finite number", found: String(cell[bad]) }];
  try {
    completeCell(cell, pbc);
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map((problem) => ({ ...problem, place: `${place}: ${problem.place}` }));
  }
}

/** Everything that makes a frame useless for fitting. */
function checkFrame(frame: Frame): Problem[] {
  const { numbers, positions, cell, pbc } = frame.structure;
  const n = numbers.length;
  const problems = checkArray(frame, "positions", positions, 3 * n);
  const add = (name: string, expected: string, found: string) =>
    problems.push({ place: `${frame.place}: ${name}`, expected, found });
  if (n === 0) add("structure", "at least one atom", "none");
  if (numbers.includes(0)) add("structure", "known elements", "an atom of unknown element");
  if (frame.energy === undefined && !frame.forces) add("labels", "an energy or forces", "neither");
  if (frame.energy !== undefined && !Number.isFinite(frame.energy))
    add("energy", "a finite number", String(frame.energy));
  if (frame.forces) problems.push(...checkArray(frame, "forces", frame.forces, 3 * n));
  if (frame.stress) problems.push(...checkArray(frame, "stress", frame.stress, 9));
  if (frame.stress && !(cell && pbc.every(Boolean)))
    add(
      "stress",
      "a cell periodic in three directions, or no stress",
      `pbc ${pbc.map((p) => (p ? "T" : "F")).join("")}`,
    );
  problems.push(...checkCell(frame));
  return problems;
}

/** Checks all frames, reports all problems at once, and counts what there is to learn from. */
export function collectDataset(frames: readonly Frame[]): Dataset {
  if (frames.length === 0) throw invalid("data", "at least one frame", "none");
  const problems = frames.flatMap(checkFrame);
  if (problems.length > 0) throw new InputError(problems);
  const elements = new Set<number>();
  const labelled = { energy: 0, forces: 0, stress: 0 };
  let atoms = 0;
  for (const frame of frames) {
    for (const z of frame.structure.numbers) elements.add(z);
    for (const label of LABELS) if (frame[label] !== undefined) labelled[label]++;
    atoms += frame.structure.numbers.length;
  }
  return { frames, elements: elementsOf(elements), atoms, labelled };
}
