import { Option } from "commander";
import type { Command } from "commander";
import { invalid } from "../error.ts";
import { demandGuard, findGuard } from "../potentials/extrapolation/find.ts";
import { GradedPotential } from "../potentials/extrapolation/graded.ts";
import type { Guard } from "../potentials/extrapolation/grader.ts";
import { graders } from "../potentials/extrapolation/table.ts";
import type { Potential } from "../potentials/potential.ts";
import type { Frame } from "../structure/structure.ts";
import { positive } from "./command.ts";
import type { Engine } from "./engine.ts";
import { describeGrades, gradeFrame, withGrades } from "./grades.ts";
import type { FrameGrade } from "./grades.ts";
import { show } from "./table.ts";

/** What withLookout asks for. */
export interface LookoutFlags {
  readonly grade?: string;
  readonly stopOnExtrapolation?: number;
}

/** Adds --grade and --stop-on-extrapolation to a command that walks on a model's surface. */
export const withLookout = (command: Command): Command =>
  command
    .addOption(
      new Option("--grade <name>", "by which to stop: how far atoms leave the training data")
        .choices(Object.keys(graders))
        .default("range"),
    )
    .option(
      "--stop-on-extrapolation <grade>",
      "end when an atom has this grade, exit code 4 (found structures are graded in any case)",
      positive,
    );

/** What withAdmission asks for. */
export interface AdmissionFlags {
  readonly grade: string;
  readonly within: number;
}

/** Adds --grade and --within to a command that searches for minima: a hole of the surface is no minimum. */
export const withAdmission = (command: Command): Command =>
  command
    .addOption(
      new Option("--grade <name>", "by which to refuse minima: how far atoms leave the training data")
        .choices(Object.keys(graders))
        .default("range"),
    )
    .option(
      "--within <grade>",
      "refuse minima with an atom of this grade or more, where the model remembers its training data; inf: none",
      (text) => (text === "inf" ? Infinity : positive(text)),
      1,
    );

/** Found structures with their grades. */
export interface Sighting {
  /** With a column for each grade. */
  readonly frames: Frame[];
  /** Null where the model remembers no training data. */
  readonly grades: readonly FrameGrade[] | null;
  /** Lines for people; none where there is nothing to say. */
  readonly notes: readonly string[];
}

/** Whether an atom of the structure is worth a look by any grade. */
const strange = ({ largest }: FrameGrade): boolean =>
  Object.entries(largest).some(([name, grade]) => grade >= graders[name].noteworthy);

/** Keeps an eye on where a walk over a surface is relative to what the model has learned from. */
export class Lookout {
  /** The surface to walk on: the model's own, with grades where a stop is asked for. */
  readonly surface: Potential;
  readonly #guard: Guard | null;
  #alarm = false;

  /** `place` names the model in errors. */
  constructor({ model, device, potential, program }: Engine, flags: LookoutFlags, place: string) {
    const { grade = "range", stopOnExtrapolation: stop } = flags;
    if (stop === undefined) {
      this.#guard = program ? null : findGuard(model, potential, device);
      this.surface = potential;
      return;
    }
    this.#guard = demandGuard(model, potential, device, place);
    if (!potential.gradeBy(grade))
      throw invalid("--grade", `a grade that ${place} knows (${this.#guard.names.join(", ")})`, grade);
    const graded = new GradedPotential(potential);
    const { cutoff, elements, external, dipole } = potential;
    this.surface = {
      cutoff,
      elements,
      external,
      dipole,
      curvature: potential.curvature?.bind(potential),
      evaluate: (...given) => {
        graded.evaluate(...given);
        this.#alarm ||= graded.worst().grade >= stop;
      },
    };
  }

  /** Whether an evaluation since the last call asks for a stop. */
  alarm(): boolean {
    const before = this.#alarm;
    this.#alarm = false;
    return before;
  }

  /** Grades structures that were found. */
  look(frames: readonly Frame[]): Sighting {
    const guard = this.#guard;
    if (!guard) return { frames: [...frames], grades: null, notes: [] };
    const grades = frames.map((frame) => gradeFrame(guard, frame.structure, frame.place));
    return { frames: frames.map((frame, k) => withGrades(frame, grades[k])), grades, notes: notesOf(grades) };
  }

  /** Whether a structure is near enough to the training data; any is where the model remembers none. */
  admits({ structure, place }: Frame, { grade, within }: AdmissionFlags): boolean {
    if (!this.#guard || within === Infinity) return true;
    if (!this.#guard.names.includes(grade))
      throw invalid("--grade", `a grade that the model knows (${this.#guard.names.join(", ")})`, grade);
    return gradeFrame(this.#guard, structure, place).largest[grade] < within;
  }
}

function notesOf(grades: readonly FrameGrade[]): string[] {
  const outside = grades.filter(strange);
  if (outside.length > 0) {
    const many = grades.length === 1 ? "what was found" : `${outside.length} of ${grades.length} structures`;
    return [
      `warning: ${many} outside the training data; do not trust the energies (docs/extrapolation.md)`,
      describeGrades(outside),
    ];
  }
  const names = Object.keys(grades[0]?.largest ?? {});
  const most = names.map((name) => `${name} ${show(Math.max(...grades.map((g) => g.largest[name])))}`);
  return [`within the training data: largest grades ${most.join(", ")}`];
}

/** The part of the JSON that tells grades. */
export const gradesJson = (grades: readonly FrameGrade[] | null) =>
  grades && grades.map(({ place, largest, worst }) => ({ place, largest, worst }));
