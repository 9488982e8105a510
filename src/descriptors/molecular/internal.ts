import type { output } from "zod";
import { invalid } from "../../error.ts";
import { array, enum as oneOf, int, literal, strictObject, tuple, union } from "../../zod.ts";
import { connectivity } from "./connectivity.ts";
import { Coordinates, type CoordinateGroup } from "./coordinates.ts";
import type { MolecularMethod } from "./descriptor.ts";
import { angle, dihedral, dihedralCosine, dihedralSine, distance } from "./geometry.ts";
import { plainDescriptor } from "./plain.ts";

const atom = int().min(0);
const auto = literal("auto");

const options = strictObject({
  bonds: union([auto, array(tuple([atom, atom]))])
    .default("auto")
    .meta({ unit: "Å", help: "pairs of atoms, from 0 on; auto: by covalent radii in the first structure" }),
  angles: union([auto, array(tuple([atom, atom, atom]))])
    .default("auto")
    .meta({ unit: "rad", help: "triples, the middle atom second; auto: all between bonds" }),
  dihedrals: union([auto, array(tuple([atom, atom, atom, atom]))])
    .default("auto")
    .meta({ unit: "rad", help: "four atoms in a row; auto: all about bonds" }),
  periodic: oneOf(["cos-sin", "angle"]).default("cos-sin").meta({
    help: "a dihedral as cos φ and sin φ, which are smooth, or as φ itself, which jumps at ±π",
  }),
});

/** Bonds r, angles θ and dihedrals φ, signed after IUPAC: positive clockwise along the middle bond. */
export const internal: MolecularMethod<output<typeof options>> = {
  name: "internal",
  summary: "bonds, angles and signed dihedrals",
  options,
  resolve(given, structure) {
    const found = connectivity(structure);
    const { bonds, angles, dihedrals, periodic } = given;
    return {
      bonds: bonds === "auto" ? found.bonds : bonds,
      angles: angles === "auto" ? found.angles : angles,
      dihedrals: dihedrals === "auto" ? found.dihedrals : dihedrals,
      periodic,
    };
  },
  build({ bonds, angles, dihedrals, periodic }, numbers, device) {
    if (bonds === "auto" || angles === "auto" || dihedrals === "auto")
      throw invalid("descriptor", "lists of bonds, angles and dihedrals", "auto");
    const turns: readonly (readonly [string, CoordinateGroup["formula"]])[] =
      periodic === "angle"
        ? [["φ", dihedral]]
        : [
            ["cos φ", dihedralCosine],
            ["sin φ", dihedralSine],
          ];
    const groups = [
      ["r", { formula: distance, atoms: bonds }] as const,
      ["θ", { formula: angle, atoms: angles }] as const,
      ...turns.map(([name, formula]) => [name, { formula, atoms: dihedrals }] as const),
    ];
    const stray = groups.flatMap(([, { atoms }]) => atoms.flat()).find((i) => i >= numbers.length);
    if (stray !== undefined)
      throw invalid("descriptor", `numbers of ${numbers.length} atoms, from 0 on`, String(stray));
    const labels = groups.flatMap(([name, { atoms }]) => atoms.map((own) => `${name} ${own.join("-")}`));
    return plainDescriptor(
      numbers,
      labels,
      new Coordinates(
        groups.map(([, group]) => group),
        device,
      ),
    );
  },
};
