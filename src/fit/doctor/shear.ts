import { formulaOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import { brief, finding, type Finding } from "./finding.ts";

/** Frames of one composition whose cells are sheared, needed for a judgement. */
const ENOUGH = 6;
/** A cell is looked at whose vectors leave the axes by less than this, and counts as sheared by more: sine of an angle. */
const [MOST, LEAST] = [0.25, 0.004];
/** Correlations of what belongs together, and of what does not. */
const [CLEAR, FAINT] = [0.8, 0.4];
/** Components of shear, as the axes of the angle. */
const SHEARS = [
  { name: "yz", a: 1, b: 2 },
  { name: "xz", a: 0, b: 2 },
  { name: "xy", a: 0, b: 1 },
] as const;

/** Sines of the angles by which a cell is sheared, and its shear stresses: yz, xz, xy. */
interface Point {
  readonly strain: readonly number[];
  readonly stress: readonly number[];
}

/**
 * The order of the shear stresses: where cells near a rectangular one are sheared, each component follows its own angle
 * (Hooke: σ_yz = C₄₄ γ_yz). One that follows another's was read from a list in another order: VASP writes xx yy zz xy yz
 * zx, Voigt's order is xx yy zz yz xz xy.
 */
export class ShearOrder {
  readonly #points = new Map<string, Point[]>();

  add({ structure: { cell, numbers }, stress }: Frame): void {
    if (!stress || !cell) return;
    const length = [0, 3, 6].map((k) => Math.hypot(cell[k], cell[k + 1], cell[k + 2]));
    const off = (k: number, c: number) => cell[3 * k + c] / length[k];
    const strain = SHEARS.map(({ a, b }) => off(a, b) + off(b, a));
    const sines = length.flatMap((_, k) => [0, 1, 2].flatMap((c) => (c === k ? [] : [Math.abs(off(k, c))])));
    if (!(Math.max(...sines) < MOST && Math.max(...strain.map(Math.abs)) > LEAST)) return;
    const key = formulaOf(numbers);
    const point = { strain, stress: SHEARS.map(({ a, b }) => stress[3 * a + b]) };
    const points = this.#points.get(key);
    if (points) points.push(point);
    else this.#points.set(key, [point]);
  }

  findings(): Finding[] {
    const most = [...this.#points.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    if (most.length < ENOUGH) return [];
    const table = SHEARS.map((_, s) => SHEARS.map((__, e) => correlation(most, s, e)));
    const strays = table.flatMap((row, s) =>
      row.flatMap((r, e) => (e !== s && r > CLEAR && Math.abs(row[s]) < FAINT ? [{ s, e, r }] : [])),
    );
    const own = SHEARS.map(({ name }, s) => `${name} ${brief(table[s][s])}`).join(", ");
    const message = `over ${most.length} sheared cells of one composition, each shear stress follows its own angle with correlation ${own}`;
    // Where nothing is clear, nothing is said.
    const clear = SHEARS.every((_, s) => table[s][s] > CLEAR);
    if (strays.length === 0) return clear ? [finding("shear stress", "ok", message)] : [];
    const said = strays.map(
      ({ s, e, r }) =>
        `the stress called ${SHEARS[s].name} follows the angle ${SHEARS[e].name} (${brief(r)})`,
    );
    return [
      finding(
        "shear stress",
        "error",
        `${message}; ${said.join(", ")}`,
        "components are exchanged (VASP writes xx yy zz xy yz zx, Voigt's order is xx yy zz yz xz xy): mend the file, or fit without stress (--set training.weights.stress=0)",
      ),
    ];
  }
}

/** Correlation of stress s with strain e; 0 where one of them is constant. */
function correlation(points: readonly Point[], s: number, e: number): number {
  const mean = (of: (p: Point) => number) => points.reduce((sum, p) => sum + of(p), 0) / points.length;
  const [x, y] = [mean((p) => p.strain[e]), mean((p) => p.stress[s])];
  const xx = mean((p) => (p.strain[e] - x) ** 2);
  const yy = mean((p) => (p.stress[s] - y) ** 2);
  const xy = mean((p) => (p.strain[e] - x) * (p.stress[s] - y));
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}
