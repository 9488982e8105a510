import { invalid } from "../../error.ts";
import type { InfoValue } from "../../structure/structure.ts";

/** What LAMMPS's numbers are in one of its styles of units; https://docs.lammps.org/units.html. */
export interface UnitStyle {
  /** Energy and length in the words that the labels understand. */
  readonly declared: Readonly<Record<string, InfoValue>>;
  /** Å/fs. */
  readonly velocity: number;
}

const STYLES: Readonly<Record<string, UnitStyle>> = {
  metal: { declared: { energy_unit: "eV", length_unit: "Å" }, velocity: 1e-3 },
  real: { declared: { energy_unit: "kcal/mol", length_unit: "Å" }, velocity: 1 },
};

/** The style of that name; another than metal or real is an error. */
export function unitStyle(name: string, place: string): UnitStyle {
  if (Object.hasOwn(STYLES, name)) return STYLES[name];
  throw invalid(place, `units ${Object.keys(STYLES).join(" or ")}`, name);
}
