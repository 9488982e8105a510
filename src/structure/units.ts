import { invalid } from "../error.ts";

// Internal units are eV, Å, fs, amu, K, e; numbers are converted where they enter or leave, nowhere else.
// CODATA 2022 (P. J. Mohr et al., Rev. Mod. Phys. 97, 025002 (2025), DOI 10.1103/RevModPhys.97.025002).
// e, h, k_B and N_A are exact by definition of the SI. Against CODATA 2018, Hartree differs by 3e-13 relative,
// bohr by 7e-10 and amu by 2e-10.
const e = 1.602176634e-19; // C
const NA = 6.02214076e23; // 1/mol
const AMU = 1.66053906892e-27; // kg

/** Hartree energy, eV (CODATA 2022). */
export const HARTREE = 27.211386245981;
/** Bohr radius, Å (CODATA 2022). */
export const BOHR = 0.529177210544;
/** Boltzmann constant, eV/K (exact: 1.380649e-23 / 1.602176634e-19). */
export const kB = 1.380649e-23 / e;
/** Reduced Planck constant, eV·fs (exact: 6.62607015e-34 / 2π / e). */
export const HBAR = (6.62607015e-34 / (2 * Math.PI) / e) * 1e15;
/** Energy of two elementary charges 1 Å apart, e²/(4πε₀), eV Å. */
export const COULOMB = HARTREE * BOHR;
/** Speed of light, Å/fs (exact). */
export const LIGHT = 2997.92458;
/** The same in cm/fs, which makes wavenumbers of frequencies. */
export const LIGHT_CM = 2.99792458e-5;
/** Avogadro constant, 1/mol (exact). */
export const AVOGADRO = NA;
/** 1 e Å in debye. */
export const E_A_IN_DEBYE = e * 1e-10 * 299792458 * 1e21;
/** 1 amu·Å²/fs² in eV: kinetic energy is ½ m v² · AMU_A2_FS2, acceleration F/m / AMU_A2_FS2. */
export const AMU_A2_FS2 = (AMU * 1e10) / e;
/** 1 eV/Å³ in GPa. */
export const EV_A3_IN_GPA = e * 1e21;

/** What one of each unit is in internal units: eV, Å, fs, eV/Å³, amu. */
const TABLE = {
  energy: {
    eV: 1,
    meV: 1e-3,
    Hartree: HARTREE,
    Ry: HARTREE / 2,
    "kcal/mol": 4184 / NA / e,
    "kJ/mol": 1000 / NA / e,
    "1/cm": (6.62607015e-34 * 299792458 * 100) / e,
    K: kB,
  },
  length: { Å: 1, bohr: BOHR, nm: 10, pm: 0.01 },
  time: { fs: 1, ps: 1e3, ns: 1e6, "a.u.": ((6.62607015e-34 / (2 * Math.PI) / e) * 1e15) / HARTREE },
  pressure: {
    "eV/Å³": 1,
    GPa: 1 / EV_A3_IN_GPA,
    MPa: 1e-3 / EV_A3_IN_GPA,
    kbar: 0.1 / EV_A3_IN_GPA,
    bar: 1e-4 / EV_A3_IN_GPA,
    atm: 1.01325e-4 / EV_A3_IN_GPA,
    // What LAMMPS's units metal take a bar for, 8e-8 off: for numbers that are to equal its own.
    "LAMMPS bar": 1 / 1.6021765e6,
    Pa: 1e-9 / EV_A3_IN_GPA,
    "Hartree/bohr³": HARTREE / BOHR ** 3,
    "Ry/bohr³": HARTREE / 2 / BOHR ** 3,
  },
  mass: { amu: 1, me: 9.1093837139e-31 / AMU, "g/mol": 1 },
} as const;

/** Energy, length, time, pressure or mass. */
export type Dimension = keyof typeof TABLE;

// Other spellings, compared without regard to case (the exact spelling is tried first).
const SPELLINGS: Readonly<Record<string, string>> = {
  a: "Å",
  ang: "Å",
  angstrom: "Å",
  ångström: "Å",
  ångstrom: "Å",
  au: "a.u.",
  "atomic time": "a.u.",
  bohr_radius: "bohr",
  a0: "bohr",
  ha: "Hartree",
  eh: "Hartree",
  rydberg: "Ry",
  kcal: "kcal/mol",
  kcal_mol: "kcal/mol",
  kj: "kJ/mol",
  kj_mol: "kJ/mol",
  "cm-1": "1/cm",
  "cm^-1": "1/cm",
  "ev/a^3": "eV/Å³",
  "ev/a3": "eV/Å³",
  "ev/å^3": "eV/Å³",
  "ev/ang^3": "eV/Å³",
  "ev/angstrom^3": "eV/Å³",
  "ev/angstrom**3": "eV/Å³",
  "hartree/bohr^3": "Hartree/bohr³",
  "ry/bohr^3": "Ry/bohr³",
  u: "amu",
  dalton: "amu",
  da: "amu",
};

/** Names of the units of a dimension, for help and error messages. */
export const unitsOf = (dimension: Dimension): string[] => Object.keys(TABLE[dimension]);

/** The table's own name of a unit, or undefined when it is not known. "mev" and "MeV" are not guessed: only "meV" is. */
export function findUnit(dimension: Dimension, name: string): string | undefined {
  const names = unitsOf(dimension);
  if (names.includes(name)) return name;
  const lower = name.toLowerCase();
  // Case alone tells meV from MeV and mPa from MPa, so units with a prefix need their exact spelling.
  if (["mev", "mpa", "pa"].includes(lower)) return undefined;
  const own = names.find((n) => n.toLowerCase() === lower) ?? SPELLINGS[lower];
  return own !== undefined && names.includes(own) ? own : undefined;
}

/** What one `name` is in internal units: unit("energy", "kcal/mol") = 0.0433… eV; an unknown unit is an error. */
export function unit(dimension: Dimension, name: string, place = `${dimension} unit`): number {
  const own = findUnit(dimension, name);
  if (own === undefined) throw invalid(place, `one of ${unitsOf(dimension).join(", ")}`, name);
  return (TABLE[dimension] as Record<string, number>)[own];
}
