import { ELEMENTS, findNumber, massOf } from "../../structure/elements.ts";

/** What a file says of one type of atoms. */
export interface TypeNotes {
  readonly label?: string;
  /** amu. */
  readonly mass?: number;
  /** Of the line with the mass: "# Ta". */
  readonly comment?: string;
}

/** Largest difference of a mass to the standard weight that it stands for, amu; Ni and Co are 0.24 apart. */
const NEAR = 0.1;

/**
 * The element of a type: as given, by its label, by the comment of its mass, or the one element whose weight is the mass;
 * undefined where nothing tells.
 */
export function elementOfType(type: number, notes: TypeNotes, types?: readonly string[]): number | undefined {
  if (types) return findNumber(types[type - 1] ?? "");
  return symbolAt(notes.label) ?? symbolAt(notes.comment) ?? elementOfMass(notes.mass);
}

/** The symbol with which a text begins. */
function symbolAt(text: string | undefined): number | undefined {
  const [symbol = ""] = /^[A-Z][a-z]?(?![a-z])/.exec(text?.trim() ?? "") ?? [];
  return findNumber(symbol);
}

/** The one element whose standard weight is within 0.1 amu. */
export function elementOfMass(mass: number | undefined): number | undefined {
  if (mass === undefined) return undefined;
  const near = Array.from({ length: ELEMENTS }, (_, k) => k + 1)
    .filter((z) => Math.abs(massOf(z) - mass) < NEAR)
    .toSorted((a, b) => Math.abs(massOf(a) - mass) - Math.abs(massOf(b) - mass));
  return near[0];
}
