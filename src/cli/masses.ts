import type { Command } from "commander";
import { invalid } from "../error.ts";
import { findNumber, formulaOf, masses as standard } from "../structure/elements.ts";
import type { Structure } from "../structure/structure.ts";

/** What `withMasses` asks for. */
export interface MassesFlag {
  readonly masses?: string;
}

/** Adds --masses to a command. */
export const withMasses = (command: Command): Command =>
  command.option(
    "--masses <amu>",
    "isotopes: of all atoms of an element, H=2.014102, or of single atoms by number, 3=13.003355",
  );

/** Masses of the atoms, [n], amu: standard atomic weights but for those that the flag names. */
export function massesOf({ masses: text }: MassesFlag, { numbers }: Structure): Float64Array {
  const found = standard(numbers);
  for (const word of text?.split(",") ?? []) {
    const [who, mass, more] = word.split("=");
    const m = Number(mass);
    if (!(mass && m > 0 && Number.isFinite(m)) || more !== undefined)
      throw invalid("--masses", "masses in amu as in H=2.014102 or 3=13.003355", word);
    const chosen = atomsOf(who, numbers);
    if (chosen.length === 0)
      throw invalid("--masses", `an element or an atom 1 … ${numbers.length} of ${formulaOf(numbers)}`, who);
    for (const i of chosen) found[i] = m;
  }
  return found;
}

function atomsOf(who: string, numbers: Uint8Array): number[] {
  const z = findNumber(who);
  const all = Array.from(numbers.keys());
  return all.filter((i) => (z === undefined ? String(i + 1) === who : numbers[i] === z));
}
