import { atomEnergy } from "../../structure/atom-energy.ts";
import { bondLength } from "../../structure/elements.ts";
import { pairName } from "../../structure/statistics.ts";
import { unit } from "../../structure/units.ts";
import { brief, finding, type Finding } from "./finding.ts";

/** Shortest distances over the sum of covalent radii: usual values, and what lies outside. */
export const BONDED = { overlap: 0.55, far: 1.55 };
const TOLERANCE = 0.04;

const ENERGY_UNITS = ["eV", "Hartree", "kcal/mol", "kJ/mol", "Ry"] as const;

/** The unit in which these total energies are those of all electrons, or undefined when they are not. */
function allElectronUnit(
  energies: readonly { readonly numbers: ArrayLike<number>; readonly energy: number }[],
): string | undefined {
  let [given, expected] = [0, 0];
  for (const { numbers, energy } of energies) {
    given += energy;
    for (let i = 0; i < numbers.length; i++) expected += atomEnergy(numbers[i]);
  }
  return ENERGY_UNITS.find((u) => Math.abs((given * unit("energy", u)) / expected - 1) < TOLERANCE);
}

/** Findings about total energies. */
export function energyUnitFindings(energies: Parameters<typeof allElectronUnit>[0]): Finding[] {
  if (energies.length === 0) return [];
  const found = allElectronUnit(energies);
  const check = "energy unit";
  if (found === undefined)
    return [
      finding(
        check,
        "ok",
        "total energies are not those of all electrons: the unit cannot be told from their size",
      ),
    ];
  if (found === "eV") return [finding(check, "ok", "total energies are those of all electrons in eV")];
  return [
    finding(
      check,
      "error",
      `total energies are those of all electrons in ${found}, not eV`,
      `read them with --units ${found},Å (data.units)`,
    ),
  ];
}

/** Ordinary root mean square of forces in hot data, eV/Å. */
const STRONG = 8;

/** Findings about the size of forces. */
export function forceUnitFindings(rms: number): Finding[] {
  if (!(rms > STRONG)) return [];
  const kcal = brief(rms * unit("energy", "kcal/mol"));
  return [
    finding(
      "force unit",
      "warn",
      `the root mean square of force components is ${brief(rms)} eV/Å, more than hot matter has`,
      `if forces are in kcal/mol/Å they would be ${kcal} eV/Å: state it with --units or --force-unit (data.units)`,
    ),
  ];
}

/** Findings about the shortest distances of pairs such as "6-8": atoms that overlap, atoms too far apart for Å. */
export function distanceFindings(
  shortest: Readonly<Record<string, { readonly distance: number; readonly place: string }>>,
): Finding[] {
  const ratios = Object.entries(shortest).map(([pair, { distance, place }]) => {
    return { pair, place, r: distance, ratio: bondRatio(pair, distance) };
  });
  if (ratios.length === 0)
    return [finding("distances", "note", "no two atoms are within reach of each other")];
  const least = ratios.reduce((a, b) => (b.ratio < a.ratio ? b : a));
  const { pair, place, r, ratio } = least;
  const message = `shortest bond for its elements: ${pairName(pair)} ${brief(r)} Å, ${brief(ratio)} of the covalent radii`;
  const places = [place];
  if (ratio < BONDED.overlap)
    return [
      finding(
        "distances",
        "warn",
        `${message}: atoms overlap`,
        "drop the frame, or check that positions are in Å and not in nm (--units eV,nm) or fractions of the cell",
        places,
      ),
    ];
  if (ratio > BONDED.far)
    return [
      finding(
        "distances",
        "warn",
        `${message}: no bond anywhere`,
        "positions may be in bohr: read them with --units eV,bohr (noble gases and ions may be as they are)",
        places,
      ),
    ];
  return [finding("distances", "ok", message)];
}

/** A distance over the bond length of a pair such as "6-8". */
export function bondRatio(pair: string, distance: number): number {
  const [a, b] = pair.split("-").map(Number);
  return distance / bondLength(a, b);
}
