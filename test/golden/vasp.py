"""Small files in the layout of VASP 6, made by hand (no calculation was run), and what ASE reads in them.

    pip install ase numpy; python vasp.py

Writes vasp/OUTCAR, vasp/vasprun.xml and vasp.json. The numbers are arbitrary but distinct, so that a column or a sign
that goes astray is seen; the cell is skew.
"""

import json
import os

import numpy as np
from ase.io import read
from ase.units import GPa

here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "vasp")
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(5)

SYMBOLS = ["Si", "Si", "O"]
STEPS = []
for step in range(2):
    cell = np.array([[12.5, 0.25, -0.125], [-10.123456789, 10.5, 0.375], [0.5, -0.75, 9.0625]]) * (1 + 0.01 * step)
    fractions = np.round(rng.random((3, 3)), 8)
    forces = np.round(rng.normal(size=(3, 3)), 6)
    forces[2] = -forces[:2].sum(axis=0)
    stress = np.round(rng.normal(size=6) * 40, 5)  # kB: xx yy zz xy yz zx
    free = round(-20.5 - step + 0.12345678, 8)
    STEPS.append((cell, fractions, forces, stress, free, free + 0.5, free + 0.25))

DASHES = " " + "-" * 83


def outcar():
    out = [
        " vasp.6.3.0 20Jan22 (layout only, written by hand)",
        " POTCAR:    PAW_PBE Si 05Jan2001",
        " POTCAR:    PAW_PBE O 08Apr2002",
        " POTCAR:    PAW_PBE Si 05Jan2001",
        "   VRHFIN =Si: s2p2",
        "   LEXCH  = PE",
        "   TITEL  = PAW_PBE Si 05Jan2001",
        " POTCAR:    PAW_PBE O 08Apr2002",
        "   VRHFIN =O: s2p4",
        "   TITEL  = PAW_PBE O 08Apr2002",
        "   number of dos      NEDOS =    301   number of ions     NIONS =      3",
        "   ISMEAR =     0;   SIGMA  =   0.05  -broadening in eV -4-tet -1-fermi 0-gaus",
        "   ions per type =               2   1",
    ]

    def lattice(cell):
        inverse = np.linalg.inv(cell).T
        out.append("      direct lattice vectors                 reciprocal lattice vectors")
        for a, b in zip(cell, inverse):
            out.append("   " + "".join("%13.9f" % x for x in a) + "   " + "".join("%13.9f" % x for x in b))
        out.append("")

    lattice(STEPS[0][0])
    for step, (cell, fractions, forces, stress, free, entropyless, zero) in enumerate(STEPS, 1):
        for electronic in (1, 2):
            out.append(f"\n--------------------------------------- Iteration {step:6d}({electronic:4d})  " + "-" * 39 + "\n")
            out.append("  free energy    TOTEN  =       %16.8f eV" % (free + 1 / electronic))
            out.append("")
            out.append("  energy without entropy =      %12.8f  energy(sigma->0) =      %12.8f" % (0, 0))
        out.append("------------------------ aborting loop because EDIFF is reached ----------------------------------------")
        out.append("  FORCE on cell =-STRESS in cart. coord.  units (eV):")
        out.append("  Direction    XX          YY          ZZ          XY          YZ          ZX")
        out.append("  in kB  " + "".join("%12.5f" % x for x in stress))
        out.append("  external pressure =      %11.2f kB  Pullay stress =        0.00 kB" % stress[:3].mean())
        out.append("")
        out.append(" VOLUME and BASIS-vectors are now :")
        lattice(cell)
        out.append(" POSITION                                       TOTAL-FORCE (eV/Angst)")
        out.append(DASHES)
        for position, force in zip(fractions @ cell, forces):
            out.append("".join("%13.5f" % x for x in position) + "   " + "".join("%14.6f" % x for x in force))
        out.append(DASHES)
        out.append("    total drift:                               " + "".join("%14.6f" % x for x in (0, 0, 0)))
        out.append("\n" + "-" * 104 + "\n")
        out.append("  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)")
        out.append("  ---------------------------------------------------")
        out.append("  free  energy   TOTEN  =       %16.8f eV" % free)
        out.append("")
        out.append("  energy  without entropy=     %16.8f  energy(sigma->0) =     %16.8f" % (entropyless, zero))
        out.append("")
    out.append(" General timing and accounting informations for this job:")
    return "\n".join(out) + "\n"


def rows(name, values, form="%16.8f"):
    lines = "".join("    <v>" + "".join(" " + form % x for x in row) + " </v>\n" for row in values)
    return f'   <varray name="{name}" >\n{lines}   </varray>\n'


def structure(cell, fractions, name=""):
    head = f'  <structure{name}>\n   <crystal>\n'
    return head + rows("basis", cell) + "   </crystal>\n" + rows("positions", fractions) + "  </structure>\n"


def vasprun():
    out = ['<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n']
    out.append(' <generator>\n  <i name="program" type="string">vasp </i>\n  <i name="version" type="string">6.3.0  </i>\n </generator>\n')
    out.append(' <incar>\n  <i type="string" name="SYSTEM"> a &lt; b &amp; c</i>\n  <i type="int" name="ISMEAR">     0</i>\n  <i name="SIGMA">      0.05000000</i>\n </incar>\n')
    out.append(' <kpoints>\n  <varray name="kpointlist" >\n   <v>       0.00000000       0.00000000       0.00000000 </v>\n  </varray>\n  <varray name="weights" >\n   <v>       1.00000000 </v>\n  </varray>\n </kpoints>\n')
    out.append(' <parameters>\n  <separator name="electronic" >\n   <i type="int" name="NELM">    60</i>\n  </separator>\n  <separator name="general" >\n   <i type="string" name="SYSTEM">x</i>\n  </separator>\n </parameters>\n')
    out.append(' <atominfo>\n  <atoms>       3 </atoms>\n  <types>       2 </types>\n  <array name="atoms" >\n   <dimension dim="1">ion</dimension>\n   <field type="string">element</field>\n   <field type="int">atomtype</field>\n   <set>\n')
    for symbol in SYMBOLS:
        out.append(f"    <rc><c>{symbol:2s}</c><c>{1 if symbol == 'Si' else 2:4d}</c></rc>\n")
    out.append("   </set>\n  </array>\n")
    out.append('  <array name="atomtypes" >\n   <dimension dim="1">type</dimension>\n   <field type="int">atomspertype</field>\n   <field type="string">element</field>\n   <set>\n    <rc><c>   2</c><c>Si</c></rc>\n    <rc><c>   1</c><c>O </c></rc>\n   </set>\n  </array>\n </atominfo>\n')
    out.append(structure(*STEPS[0][:2], ' name="initialpos" '))
    for cell, fractions, forces, stress, free, entropyless, zero in STEPS:
        xx, yy, zz, xy, yz, zx = stress
        out.append(" <calculation>\n")
        for electronic in (1, 2):
            shift = 1 / electronic - 0.5
            out.append("  <scstep>\n   <energy>\n" + energies(free + shift, entropyless + shift, zero + shift) + "   </energy>\n  </scstep>\n")
        out.append(structure(cell, fractions))
        out.append(rows("forces", forces))
        out.append(rows("stress", [[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]]))
        # The last number is what some versions print by mistake.
        out.append("  <energy>\n" + energies(free, entropyless, 0.0) + "  </energy>\n")
        out.append(" </calculation>\n")
    out.append(structure(*STEPS[-1][:2], ' name="finalpos" '))
    out.append("</modeling>\n")
    return "".join(out)


def energies(free, entropyless, zero):
    return "".join(
        f'   <i name="{name}"> {value:16.8f} </i>\n'
        for name, value in (("e_fr_energy", free), ("e_wo_entrp", entropyless), ("e_0_energy", zero))
    )


for name, text in (("OUTCAR", outcar()), ("vasprun.xml", vasprun())):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)

result = {}
for name in ("OUTCAR", "vasprun.xml"):
    result[name] = [
        {
            "symbols": atoms.get_chemical_symbols(),
            "cell": atoms.cell.array.tolist(),
            "positions": atoms.positions.tolist(),
            "free_energy": atoms.get_potential_energy(force_consistent=True),
            "energy_sigma_to_0": atoms.get_potential_energy(),
            "forces": atoms.get_forces().tolist(),
            # In GPa, which is free of ASE's value of e: eV/A^3 in ASE's unit over ASE's GPa.
            "stress_GPa": (atoms.get_stress(voigt=False) / GPa).tolist(),
        }
        for atoms in read(os.path.join(folder, name), index=":")
    ]
with open(os.path.join(here, "vasp.json"), "w") as file:
    json.dump(result, file, indent=1)
    file.write("\n")
