import type { Range } from "../../descriptors/environments.ts";
import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { gradient } from "../../formula/derivative.ts";
import { less, mul, select, square, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import { functionOf } from "../../formula/javascript.ts";
import type { Neighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Evaluation, Potential } from "../potential.ts";
import { parseParts, Reader } from "./parse.ts";
import { Variable, refuseDegrees } from "./variable.ts";

/** The distance of a variable from where its bias is centred. */
const d = variable("d");

/** ½ k d² */
const harmonic = (k: number): Expr => mul(k / 2, square(d));
/** ½ k d² for d > 0, else 0. */
const above = (k: number): Expr => select(less(0, d), harmonic(k), 0);
const below = (k: number): Expr => select(less(d, 0), harmonic(k), 0);

/** An energy V(s − centre) that is added to a surface; the difference is the shorter way round for dihedrals. */
export class Bias implements Potential {
  readonly cutoff = 0;
  readonly elements = null;
  readonly smoothness = 1;
  readonly variable: Variable;
  readonly centre: number;
  readonly #energy: (d: number) => number;
  readonly #slope: (d: number) => number;

  constructor(of: Variable, centre: number, formula: Expr) {
    this.variable = of;
    this.centre = centre;
    this.#energy = functionOf(formula, "d");
    this.#slope = functionOf(gradient(formula, [d])[0], "d");
  }

  get external(): boolean {
    return this.variable.external;
  }

  /** V(s), eV. */
  energyAt(s: number): number {
    return this.#energy(this.variable.wrap(s - this.centre));
  }

  evaluate(structure: Structure, _: Neighbours, out: Evaluation, range?: Range): void {
    // The energy is nobody's own; it is counted with the first atom.
    if (range && (range[0] > 0 || range[1] < 1)) return;
    this.variable.demand(structure);
    const away = this.variable.wrap(this.variable.evaluate(structure) - this.centre);
    const energy = this.#energy(away);
    out.energy += energy;
    if (out.energies) out.energies[0] += energy;
    this.variable.pull(this.#slope(away), out);
  }
}

/** The umbrella V = ½ k (s − s₀)², k in eV per square of the variable's unit. */
export const umbrella = (of: Variable, centre: number, k: number): Bias => new Bias(of, centre, harmonic(k));

/** V = ½ k (s − s₀)² on one side of s₀ only. */
export const wall = (of: Variable, side: "above" | "below", centre: number, k: number): Bias =>
  new Bias(of, centre, side === "above" ? above(k) : below(k));

/** Reads "umbrella(distance(1,2); 1.5; k=10)" or "wall(distance(1,2); above=3; k=10)". */
export function readBias(text: string, device: Device, place = "bias"): Bias {
  const reader = new Reader(text, place);
  const kind = reader.need(
    /umbrella|wall/,
    'a bias ("umbrella(variable; centre; k=…)", "wall(variable; above=…; k=…)")',
  );
  reader.need(/\(/, '"("');
  const from = reader.at;
  const parts = parseParts(reader);
  const named = text.slice(from, reader.at);
  const separator = reader.need(/;/, '";" and where the bias is centred');
  const side = kind === "wall" ? reader.need(/above|below/, '"above=" or "below="') : undefined;
  if (side) reader.need(/=/, '"="');
  const centre = reader.number("where the bias is centred");
  reader.need(/;/, `"${separator}" and k=`);
  reader.need(/k/, '"k="');
  reader.need(/=/, '"="');
  const k = reader.positive("a force constant above 0, in eV per square of the variable's unit");
  reader.need(/\)/, '")"');
  if (!reader.done) reader.fail("the end");
  const own = new Variable(named, parts, device);
  refuseDegrees(own, centre, place);
  if (side && own.period > 0) throw invalid(place, "a variable without period for a wall", own.text);
  return side ? wall(own, side as "above" | "below", centre, k) : umbrella(own, centre, k);
}
