"""Small files in the formats of VASP, LAMMPS, CIF, PDB and ASE's trajectories, and what ASE reads in them.

    pip install ase numpy; python formats.py

Writes formats/ and formats.json. The texts were made by hand in the layouts of the programs; the numbers are arbitrary
but distinct, so that a column or a sign that goes astray is seen.
"""

import json
import os

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io import read, write
from ase.units import fs

here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "formats")
os.makedirs(folder, exist_ok=True)

TEXTS = {
    # VASP 5, selective dynamics, direct, a factor, velocities.
    "CONTCAR": """ quartz, somehow
   1.5000000
     4.10    0.00    0.30
    -1.20    3.90    0.00
     0.00    0.25    5.00
   Si O
     1     2
Selective dynamics
Direct
  0.10 0.20 0.30   T   T   F
  0.45 0.55 0.65   F   F   F
 -0.85 1.10 0.05   T   F   T

  0.10000000E-02  0.20000000E-02 -0.30000000E-02
  0.40000000E-02 -0.50000000E-02  0.60000000E-02
 -0.70000000E-02  0.80000000E-02  0.90000000E-02
""",
    # VASP 4, elements in the title, minus the volume, Cartesian.
    "vasp4.vasp": """Mo W
 -64.0
 2.0 0.0 0.0
 0.0 2.0 0.0
 0.5 0.0 2.0
 1 2
Cartesian
 0.1 0.2 0.3
 1.1 1.2 1.3
 0.4 1.5 0.6
""",
    # Fluorite type: 4 + 8 atoms from two sites, with uncertainties and operations that meet on special positions.
    "fluorite.cif": """# made by hand
data_CaF2
_chemical_name_common 'calcium fluoride'
_cell_length_a 5.4630(3)
_cell_length_b 5.4630(3)
_cell_length_c 5.4630(3)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
_space_group_IT_number 225
_publ_section_comment
;
 text, with loop_ and data_ and _tags in it
;
loop_
_symmetry_equiv_pos_as_xyz
x,y,z
'-x, -y, -z'
x,y+1/2,z+1/2
1/2+x,y,z+0.5
x+1/2,y+1/2,z
-x,1/2-y,1/2-z
1/2-x,-y,1/2-z
1/2-x,1/2-y,-z
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ca1 Ca2+ 0 0 0 1
F1 F1- 0.25 0.25 0.2500(2) 1.0
""",
    # Hexagonal axes, a site on a rounded special position: 0.3333 and 0.6667 are thirds.
    "wurtzite.cif": """data_ZnO
_space_group_IT_number 186
_cell_length_a 3.2501
_cell_length_b 3.2501
_cell_length_c 5.2071
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
loop_
_space_group_symop_operation_xyz
"x, y, z"
"-y, x-y, z"
"-x+y, -x, z"
"-x, -y, z+1/2"
"y, -x+y, z+1/2"
"x-y, x, z+1/2"
"-y, -x, z"
"-x+y, y, z"
"x, x-y, z"
"y, x, z+1/2"
"x-y, -y, z+1/2"
"-x, -x+y, z+1/2"
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Zn1 0.3333 0.6667 0
O1 0.3333 0.6667 0.3819
""",
    "peptide.pdb": """TITLE     TWO MODELS
CRYST1   11.000   12.000   13.000  80.00  95.00 100.00 P 1           1
MODEL        1
ATOM      1  N   GLY A   1       1.000   2.000   3.000  1.00  0.00           N
ATOM      2  CA  GLY A   1       1.500   2.500  -3.500  1.00  0.00           C
HETATM    3 CA    CA A   2       4.000   5.000   6.000  1.00  0.00          CA
ENDMDL
MODEL        2
ATOM      1  N   GLY A   1       1.100   2.100   3.100  1.00  0.00           N
ATOM      2  CA  GLY A   1       1.600   2.600  -3.600  1.00  0.00           C
HETATM    3 CA    CA A   2       4.100   5.100   6.100  1.00  0.00          CA
ENDMDL
END
""",
    "data.lammps": """LAMMPS data file, units = metal

3 atoms
2 atom types
-0.5 9.5 xlo xhi
0.0 11.0 ylo yhi
0.0 12.0 zlo zhi
1.0 -2.0 0.5 xy xz yz

Masses

1 15.9994
2 1.008

Atoms # full

3 1 2 0.41 1.0 2.5 3.0 0 0 0
1 1 1 -0.82 0.5 0.25 0.125 0 0 0
2 1 2 0.41 1.5 0.25 0.125 0 0 0

Velocities

1 1.0 2.0 3.0
3 7.0 8.0 9.0
2 4.0 5.0 6.0

Bonds

1 1 1 2
2 1 1 3
""",
    # Scaled coordinates, triclinic, then unwrapped ones in a brick; unordered.
    "run.lammpstrj": """ITEM: TIMESTEP
100
ITEM: NUMBER OF ATOMS
3
ITEM: BOX BOUNDS xy xz yz pp pp pp
-2.5 10.5 1.0
0.0 11.5 -2.0
0.0 12.0 0.5
ITEM: ATOMS id type element xs ys zs vx vy vz fx fy fz
2 2 Be 0.1 0.2 0.3 1 2 3 0.5 0.25 0.125
1 1 W 0.4 0.5 0.6 4 5 6 -1 -2 -3
3 1 W 0.7 0.8 0.9 7 8 9 0.5 1.75 2.875
ITEM: TIMESTEP
200
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp ff
0.0 10.0
1.0 11.0
0.0 12.0
ITEM: ATOMS id element xu yu zu
1 W 12.5 -3.5 4.0
2 Be 1.0 2.0 3.0
""",
}
for name, text in TEXTS.items():
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)

rng = np.random.default_rng(6)
frames = []
for k in range(3):
    n = 3 if k < 2 else 4
    atoms = Atoms(
        ["O", "H", "H", "Ne"][:n],
        positions=rng.normal(size=(n, 3)),
        cell=rng.normal(size=(3, 3)) + 9 * np.eye(3) if k else None,
        pbc=[True, True, False] if k else False,
    )
    atoms.set_momenta(rng.normal(size=(n, 3)))
    forces = rng.normal(size=(n, 3))
    results = {"energy": -1.5 - k, "forces": forces}
    if k == 1:
        results["stress"] = rng.normal(size=6)
        atoms.set_constraint(FixAtoms([0]))
        atoms.set_initial_charges([0.5, -0.25, -0.25])
        atoms.info["config_type"] = "second"
        atoms.info["matrix"] = rng.normal(size=(2, 2))
    atoms.calc = SinglePointCalculator(atoms, **results)
    frames.append(atoms)
write(os.path.join(folder, "ase.traj"), frames)


def plain(atoms):
    out = {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.ravel().tolist(),
        "cell": atoms.cell.array.ravel().tolist() if atoms.cell.rank else None,
        "pbc": atoms.pbc.tolist(),
    }
    if atoms.has("momenta"):
        out["velocities"] = (atoms.get_velocities() * fs).ravel().tolist()
    if atoms.calc is not None:
        for name in ["energy", "forces", "stress"]:
            if name in atoms.calc.results:
                value = atoms.calc.results[name]
                out[name] = value if name == "energy" else np.ravel(value).tolist()
    return out


reads = {
    "CONTCAR": dict(format="vasp"),
    "vasp4.vasp": dict(format="vasp"),
    "fluorite.cif": dict(),
    "wurtzite.cif": dict(),
    "peptide.pdb": dict(),
    "data.lammps": dict(format="lammps-data", units="metal"),
    "run.lammpstrj": dict(format="lammps-dump-text"),
    "ase.traj": dict(),
}
record = {
    name: [plain(a) for a in read(os.path.join(folder, name), index=":", **options)] for name, options in reads.items()
}
with open(os.path.join(here, "formats.json"), "w") as f:
    json.dump(record, f)
    f.write("\n")
