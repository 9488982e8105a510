import { BOHR, HARTREE, unit } from "../../structure/units.ts";
import type { Frame } from "../../structure/structure.ts";
import { brief, finding, type Finding } from "./finding.ts";

/** Frames whose atoms have all moved less than this are neighbours, Å. */
const NEAR = 0.3;
/** Pairs of neighbouring frames needed for a judgement, and the correlation. */
const ENOUGH = 8;
const CORRELATED = 0.8;
/** Correlation that leaves no doubt about the slope. */
const CERTAIN = 0.95;
/** The ratio may differ from a known one by this part, or by three standard errors: frames far apart make both inexact. */
const TOLERANCE = 0.05;
/** A ratio that is no known one is an error from this far on, a warning below. */
const FAR = 0.2;

const KCAL = unit("energy", "kcal/mol");
const KJ = unit("energy", "kJ/mol");

/** ΔE over work, when energies or forces are not in eV and eV/Å; the force unit times Å over the energy unit. */
const RATIOS: readonly { readonly ratio: number; readonly meaning: string }[] = [
  { ratio: 1, meaning: "" },
  { ratio: -1, meaning: "forces have the wrong sign: they are gradients" },
  { ratio: 1 / HARTREE, meaning: "energies in Hartree, forces in eV/Å" },
  { ratio: HARTREE, meaning: "energies in eV, forces in Hartree/Å" },
  { ratio: HARTREE / BOHR, meaning: "energies in eV, forces in Hartree/bohr" },
  { ratio: 1 / BOHR, meaning: "forces per bohr, positions in Å, one energy unit for both" },
  { ratio: BOHR, meaning: "positions in bohr, forces per Å, one energy unit for both" },
  { ratio: 1 / KCAL, meaning: "energies in kcal/mol, forces in eV/Å" },
  { ratio: KCAL, meaning: "energies in eV, forces in kcal/mol/Å" },
  { ratio: 1 / KJ, meaning: "energies in kJ/mol, forces in eV/Å" },
  { ratio: KJ, meaning: "energies in eV, forces in kJ/mol/Å" },
  { ratio: HARTREE / BOHR / KCAL, meaning: "energies in kcal/mol, forces in Hartree/bohr" },
  { ratio: KCAL / HARTREE, meaning: "energies in Hartree, forces in kcal/mol/Å" },
  { ratio: 0.1, meaning: "forces per nm, positions in Å, one energy unit for both" },
];

/** What the nearest of the known ratios means, within the relative tolerance; undefined for none. */
function name(ratio: number, tolerance: number): string | undefined {
  const off = (known: number) => Math.abs(ratio / known - 1);
  const nearest = RATIOS.reduce((a, b) => (off(b.ratio) < off(a.ratio) ? b : a));
  return off(nearest.ratio) < tolerance ? nearest.meaning : undefined;
}

/**
 * Energy differences of neighbouring frames against the work −½(F₁ + F₂)·Δx (trapezoidal rule, error ∝ Δx³): the
 * slope is 1 on one potential energy surface in consistent units.
 */
export class Consistency {
  #last: Frame | undefined;
  #pairs = 0;
  #steps = 0;
  #ew = 0;
  #ww = 0;
  #ee = 0;
  #misfit: { readonly place: string; readonly e: number; readonly w: number }[] = [];

  add(frame: Frame): void {
    const last = this.#last;
    this.#last = frame;
    if (!last) return;
    this.#steps++;
    if (frame.energy === undefined || last.energy === undefined || !frame.forces || !last.forces) return;
    if (!sameBox(frame, last) || !near(frame, last)) return;
    const [a, b] = [last.structure.positions, frame.structure.positions];
    let w = 0;
    for (let k = 0; k < a.length; k++) w -= 0.5 * (last.forces[k] + frame.forces[k]) * (b[k] - a[k]);
    const e = frame.energy - last.energy;
    this.#pairs++;
    this.#ew += e * w;
    this.#ww += w * w;
    this.#ee += e * e;
    this.#misfit.push({ place: frame.place, e, w });
  }

  /** ΔE over work and their correlation; null without enough neighbouring frames that moved. */
  get slope(): {
    readonly ratio: number;
    /** Standard error of the ratio over the ratio. */
    readonly error: number;
    readonly correlation: number;
    readonly pairs: number;
  } | null {
    if (this.#pairs < ENOUGH || this.#ww === 0) return null;
    const correlation = this.#ew / Math.sqrt(this.#ww * this.#ee);
    return {
      ratio: this.#ew / this.#ww,
      // Rounding can put a perfect correlation above 1.
      error: Math.sqrt(Math.max(0, 1 / correlation ** 2 - 1) / (this.#pairs - 1)),
      correlation,
      pairs: this.#pairs,
    };
  }

  /** The units that the slope betrays beyond doubt, in words; null when it is 1 or means nothing known. */
  get betrayed(): string | null {
    const slope = this.slope;
    return slope && Math.abs(slope.correlation) > CERTAIN ? name(slope.ratio, TOLERANCE) || null : null;
  }

  findings(): Finding[] {
    const check = "energy–force consistency";
    const slope = this.slope;
    if (!slope) {
      if (this.#steps === 0) return [];
      const few = `only ${this.#pairs} of ${this.#steps} consecutive frames are neighbours with energy and forces: not checked`;
      return [finding(check, "note", few, "give frames in the order of a trajectory to have this checked")];
    }
    const { ratio, error, correlation, pairs } = slope;
    const message = `ΔE = ${brief(ratio)} × work along ${pairs} pairs of neighbouring frames, correlation ${brief(correlation)}`;
    if (Math.abs(correlation) < CORRELATED)
      return [
        finding(
          check,
          "warn",
          message,
          "energies and forces do not belong together: look for a free energy (smearing), a constraint, or shuffled labels",
          this.#worst(ratio),
        ),
      ];
    const meaning = name(ratio, Math.max(TOLERANCE, 3 * error));
    if (meaning === "") return [finding(check, "ok", message, null)];
    const cure = meaning
      ? `this is the ratio of ${meaning}; ${meaning.includes("sign") ? "name them with --gradient-key (data.gradient)" : "state them with --units and --force-unit (data.units)"}`
      : "energies and forces are not in consistent units, or not of one method";
    const severity = meaning !== undefined || Math.abs(ratio - 1) > FAR ? "error" : "warn";
    return [finding(check, severity, `${message}, not 1`, cure)];
  }

  /** Frames whose energy step differs most from the fitted work. */
  #worst(ratio: number): string[] {
    const off = ({ e, w }: { e: number; w: number }) => Math.abs(e - ratio * w);
    return this.#misfit.toSorted((a, b) => off(b) - off(a)).map((m) => m.place);
  }
}

function sameBox({ structure: a }: Frame, { structure: b }: Frame): boolean {
  if (a.numbers.length !== b.numbers.length || !a.numbers.every((z, i) => z === b.numbers[i])) return false;
  if (!a.cell || !b.cell) return a.cell === b.cell;
  return a.cell.every((x, k) => Math.abs(x - b.cell![k]) < 1e-8);
}

const near = ({ structure: a }: Frame, { structure: b }: Frame): boolean =>
  a.positions.every((x, k) => Math.abs(x - b.positions[k]) < NEAR);
