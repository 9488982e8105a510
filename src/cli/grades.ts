import type { Extrapolation, Guard } from "../potentials/extrapolation/grader.ts";
import { graders } from "../potentials/extrapolation/table.ts";
import { symbolOf } from "../structure/elements.ts";
import type { Comparison } from "../fit/metrics.ts";
import type { AtomArray, Frame, Structure } from "../structure/structure.ts";
import type { Facts } from "./report/report.ts";
import { show, textTable } from "./table.ts";

/** How far a structure leaves the training data: grades of all atoms, and why the worst has its own. */
export interface FrameGrade {
  readonly place: string;
  /** [n] by name. */
  readonly grades: Readonly<Record<string, Float64Array>>;
  /** The largest grade of any atom, by name. */
  readonly largest: Readonly<Record<string, number>>;
  readonly worst: Extrapolation;
}

const most = (x: Float64Array): number => x.reduce((a, b) => Math.max(a, b), 0);

/** Grades a structure; the worst atom is the one that leaves its ranges farthest, inside them the one farthest from all seen. */
export function gradeFrame(guard: Guard, structure: Structure, place: string): FrameGrade {
  const grades = guard.grade(structure);
  const largest = Object.fromEntries(guard.names.map((name) => [name, most(grades[name])]));
  const by = guard.names.find((name) => largest[name] > 0) ?? guard.names[0];
  const worst = guard.explain(structure, grades[by].indexOf(largest[by]));
  return { place, grades, largest, worst };
}

/** Range grade from which a structure is plainly not of the kind that the model has learned. */
const STRANGE = 1;
/** Frames that are looked at unasked, spread over all. */
const SAMPLE = 50;

/** Says, unasked, where structures are plainly not of the kind that the model has learned. */
export function warnStrange(guard: Guard | null, frames: readonly Frame[], cure: string): void {
  if (!guard?.names.includes("range")) return;
  const stride = Math.ceil(frames.length / SAMPLE);
  const seen = frames.filter((_, k) => k % stride === 0);
  const graded = seen.map(({ structure, place }) => ({
    place,
    grade: most(guard.grade(structure)["range"]),
  }));
  const strange = graded.filter(({ grade }) => grade >= STRANGE);
  if (strange.length === 0) return;
  const worst = strange.reduce((a, b) => (b.grade > a.grade ? b : a));
  const which = seen.length === 1 ? "is" : `and ${strange.length - 1} of ${seen.length - 1} other frames are`;
  process.stderr.write(
    `warning: ${worst.place} ${which} far outside the training data, range grade ${show(worst.grade)}: ${cure}\n`,
  );
}

/** Head of the table of frames; the names are those of the grades. */
const gradeHead = (names: readonly string[]): string[] => [
  "frame",
  "atom",
  ...names,
  "function",
  "value",
  "training range",
  "nearest training frame",
];

/** A row of that table: the worst atom of a frame, counted from 0. */
const gradeRow = ({ place, worst }: FrameGrade): string[] => [
  place,
  `${worst.atom} ${symbolOf(worst.element)}`,
  ...Object.values(worst.grades).map((g) => show(g)),
  worst.feature,
  show(worst.value),
  `${show(worst.min)} … ${show(worst.max)}`,
  worst.nearest ?? "–",
];

/** Frames with the largest first grade first, then by the next. */
function byGrade(frames: readonly FrameGrade[]): FrameGrade[] {
  const names = Object.keys(frames[0]?.largest ?? {});
  const order = (a: FrameGrade, b: FrameGrade) =>
    names.map((name) => b.largest[name] - a.largest[name]).find((d) => d !== 0) ?? 0;
  return frames.toSorted(order);
}

/** How many frames, some of all, are noteworthy by each grade, one line each. */
export function gradeLines(frames: readonly FrameGrade[], all = frames.length): string[] {
  const names = Object.keys(frames[0]?.largest ?? {});
  const some = all > frames.length ? [`${frames.length} of ${all} frames were graded, evenly spread`] : [];
  const lines = names.map((name) => {
    const { noteworthy, summary } = graders[name];
    const count = frames.filter((f) => f.largest[name] >= noteworthy).length;
    return `${count} of ${frames.length} frames have an atom with a ${name} grade of ${noteworthy} or more (${summary})`;
  });
  return [...some, ...lines];
}

/** Rows of the table that are shown. */
const SHOWN = 10;

/** The frames that leave the training data farthest, as text. */
export function describeGrades(frames: readonly FrameGrade[]): string {
  if (frames.length === 0) return "";
  const rows = byGrade(frames).slice(0, SHOWN).map(gradeRow);
  const more = frames.length > SHOWN ? [`the ${SHOWN} worst of ${frames.length} frames are shown`] : [];
  const head = gradeHead(Object.keys(frames[0].largest));
  return [textTable(head, rows), ...more, ...gradeLines(frames)].join("\n");
}

/** The same for a report. */
export function gradeFacts(frames: readonly FrameGrade[], set = "", all = frames.length): Facts {
  const shown = byGrade(frames).slice(0, SHOWN);
  return {
    title: set ? `Extrapolation, ${set} set` : "Extrapolation",
    head: gradeHead(Object.keys(frames[0].largest)),
    rows: shown.map(gradeRow),
    note: `${gradeLines(frames, all).join(". ")}. The ${shown.length} worst are shown, each with its worst atom, counted from 0.`,
  };
}

/** The frame with a column for each grade, "range_grade"; what stood there is replaced. */
export function withGrades(frame: Frame, graded: FrameGrade | undefined): Frame {
  if (!graded) return frame;
  const columns = Object.entries(graded.grades).map(([name, values]): [string, AtomArray] => [
    `${name}_grade`,
    { kind: "real", width: 1, values },
  ]);
  return { ...frame, arrays: { ...frame.arrays, ...Object.fromEntries(columns) } };
}

/** Whether the grades tell where the model errs: RMSE of the forces of the atoms below and above what is noteworthy. */
export function insideAndOutside(
  frames: readonly FrameGrade[],
  comparisons: readonly Comparison[],
): string[] {
  return Object.keys(frames[0]?.largest ?? {}).flatMap((name) => {
    const [inside, outside] = [new Rmse(), new Rmse()];
    comparisons.forEach(({ forces }, k) => {
      forces?.[0].forEach((f, c) => {
        const far = frames[k].grades[name][Math.floor(c / 3)] >= graders[name].noteworthy;
        (far ? outside : inside).add(f - forces[1][c]);
      });
    });
    if (inside.count === 0 || outside.count === 0) return [];
    const [a, b] = [inside, outside].map((x) => `${show(1000 * x.value)} meV/Å (${x.count / 3} atoms)`);
    return [`force RMSE by ${name} grade: ${a} below ${graders[name].noteworthy}, ${b} above`];
  });
}

class Rmse {
  count = 0;
  #square = 0;

  add(x: number): void {
    this.count++;
    this.#square += x * x;
  }

  get value(): number {
    return Math.sqrt(this.#square / this.count);
  }
}
