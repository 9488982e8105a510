import { volume } from "../../structure/cell.ts";
import { formulaOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import { EV_A3_IN_GPA } from "../../structure/units.ts";
import { brief, finding, type Finding } from "./finding.ts";
import { ShearOrder } from "./shear.ts";

/** Frames, and spread of their volumes, needed for a judgement. */
const ENOUGH = 6;
const SPREAD = 0.005;
const CORRELATED = 0.5;
/** Bulk moduli of condensed matter, GPa: rubber to diamond, with room. */
const SOFTEST = 0.2;
const HARDEST = 900;

interface Point {
  readonly volume: number;
  readonly tension: number;
}

/**
 * The sign of the stress: a crystal that is stretched pulls back, so over frames of one composition the mean tension
 * tr σ/3 rises with the volume (slope V dσ/dV = bulk modulus). A falling one is a pressure, or a virial.
 */
export class StressSign {
  #frames = 0;
  readonly #points = new Map<string, Point[]>();

  add({ structure, stress }: Frame): void {
    if (!stress || !structure.cell) return;
    this.#frames++;
    const key = formulaOf(structure.numbers);
    const point = { volume: volume(structure.cell), tension: (stress[0] + stress[4] + stress[8]) / 3 };
    const points = this.#points.get(key);
    if (points) points.push(point);
    else this.#points.set(key, [point]);
  }

  findings(): Finding[] {
    if (this.#frames === 0) return [];
    const lines = [...this.#points.values()].filter((p) => p.length >= ENOUGH).map(regress);
    const strained = lines.filter((line) => line.spread > SPREAD);
    const check = "stress sign";
    if (strained.length === 0)
      return [
        finding(
          check,
          "note",
          "too few frames of one composition at different volumes: not checked",
          "add strained cells if the model is to know the stress",
        ),
      ];
    const { modulus, correlation, count } = strained.reduce((a, b) => (b.count > a.count ? b : a));
    const message = `over ${count} frames tr σ/3 changes with volume by ${brief(modulus * EV_A3_IN_GPA)} GPa per unit of ln V, correlation ${brief(correlation)}`;
    return [judge(check, message, modulus * EV_A3_IN_GPA, correlation)];
  }
}

/** What is plainly wrong with the stresses of frames, as the doctor finds it. */
export function stressErrors(frames: readonly Frame[]): Finding[] {
  const checks = [new StressSign(), new ShearOrder()];
  for (const frame of frames) for (const check of checks) check.add(frame);
  return checks.flatMap((check) => check.findings()).filter(({ severity }) => severity === "error");
}

function judge(check: string, message: string, modulus: number, correlation: number): Finding {
  if (Math.abs(correlation) < CORRELATED)
    return finding(
      check,
      "note",
      `${message}: not clear`,
      "add frames at several volumes if the model is to know the stress",
    );
  if (correlation < 0)
    return finding(
      check,
      "error",
      message,
      "stretching should raise the tension: the stress has the opposite sign, or is a virial; read it with --stress-sign pressure (data.stressSign) or --virial-key (data.virial)",
    );
  if (modulus > HARDEST || modulus < SOFTEST)
    return finding(
      check,
      "warn",
      `${message}: an unlikely bulk modulus`,
      "state the unit of the stress with --stress-unit (data.units.stress): eV/Å³, GPa and kbar differ by 160 and 1600",
    );
  return finding(check, "ok", message);
}

const inner = (a: readonly number[], b: readonly number[]) => a.reduce((s, v, k) => s + v * b[k], 0);

/** Regression of the tension on ln V. */
function regress(points: readonly Point[]) {
  const count = points.length;
  const mean = points.reduce((s, p) => s + p.volume, 0) / count;
  const x = points.map((p) => Math.log(p.volume / mean));
  const centre = (v: readonly number[]) => {
    const m = v.reduce((a, b) => a + b, 0) / count;
    return v.map((a) => a - m);
  };
  const [dx, dy] = [centre(x), centre(points.map((p) => p.tension))];
  const [xx, xy, yy] = [inner(dx, dx), inner(dx, dy), inner(dy, dy)];
  return {
    count,
    spread: Math.sqrt(xx / count),
    modulus: xx > 0 ? xy / xx : 0,
    correlation: xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0,
  };
}
