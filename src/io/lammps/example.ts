import { Random } from "../../math/random.ts";
import { multiply } from "../../structure/cell.ts";
import { covalentRadius, symbolOf } from "../../structure/elements.ts";
import type { Structure } from "../../structure/structure.ts";
import { unit } from "../../structure/units.ts";

/** 1 eV/Å³ in bar of LAMMPS's units metal. */
const BAR = 1 / unit("pressure", "LAMMPS bar");

/** Energy, forces and stress of a structure in LAMMPS's frame. */
export interface Expected {
  /** eV. */
  readonly energy: number;
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
  /** [3, 3], eV/Å³, tension positive; absent without periodicity. */
  readonly stress?: Float64Array;
}

/**
 * A distorted body-centred crystal of 16 atoms in a skew cell, the elements in turn, at distances of about 0.9 times
 * the sum of covalent radii, times `scale`: a structure on which every term of a model has something to say.
 */
export function testStructure(elements: readonly number[], scale = 1): Structure {
  const random = new Random(1, "lammps test structure");
  const radius = elements.reduce((sum, z) => sum + (covalentRadius(z) ?? 1.5), 0) / elements.length;
  const a = (scale * 2 * (0.9 * 2 * radius)) / Math.sqrt(3);
  const skew = Float64Array.of(1, 0.02, -0.03, 0.11, 1, 0.04, -0.07, 0.13, 1);
  const cell = multiply(Float64Array.of(2 * a, 0, 0, 0, 2 * a, 0, 0, 0, 2 * a), skew);
  const sites: number[] = [];
  for (let k = 0; k < 16; k++) {
    const corner = [k & 1, (k >> 1) & 1, (k >> 2) & 1].map((x) => (x + (k < 8 ? 0 : 0.5)) / 2);
    for (let c = 0; c < 3; c++)
      sites.push(corner[0] * cell[c] + corner[1] * cell[3 + c] + corner[2] * cell[6 + c]);
  }
  return {
    numbers: Uint8Array.from({ length: 16 }, (_, k) => elements[k % elements.length]),
    positions: Float64Array.from(sites, (x) => x + 0.05 * a * (random.uniform() - 0.5)),
    cell,
    pbc: [true, true, true],
  };
}

/** An input that computes the energy, forces and pressure of data.lammps and writes them in full. */
export const inputText = (periodic: boolean, title: string): string => `# ${title}
# lmp -in in.lammps: the numbers of expected.json
units metal
atom_style atomic
boundary ${periodic ? "p p p" : "f f f"}
box tilt large
read_data data.lammps
include potential.lammps

thermo_style custom step atoms pe pxx pyy pzz pxy pxz pyz
thermo_modify norm no format float %.16g
dump forces all custom 1 forces.dump id type x y z fx fy fz
dump_modify forces sort id format float %.17g
run 0
`;

/** What LAMMPS must say, as JSON: units metal, vectors in the frame of data.lammps; the pressure has no kinetic part. */
export function expectedText(elements: readonly number[], { energy, forces, stress }: Expected): string {
  const rows = Array.from({ length: forces.length / 3 }, (_, i) => [...forces.subarray(3 * i, 3 * i + 3)]);
  const pressure =
    stress &&
    Object.fromEntries(
      (
        [
          ["pxx", 0],
          ["pyy", 4],
          ["pzz", 8],
          ["pxy", 1],
          ["pxz", 2],
          ["pyz", 5],
        ] as const
      ).map(([name, k]) => [name, -stress[k] * BAR]),
    );
  const record = {
    units: { energy: "eV", forces: "eV/Å", stress: "eV/Å³, tension positive", pressure: "bar" },
    types: elements.map(symbolOf),
    energy,
    ...(stress && { stress: [...stress], pressure }),
    forces: rows,
  };
  return `${JSON.stringify(record, null, 1)}\n`;
}
