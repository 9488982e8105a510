"""Energies and forces of .yace files by python-ace 0.4.0rc1 (pip install --pre python-ace): ace.json.

    node test/golden/ace-models.ts test/golden/ace
    python test/golden/ace.py

The evaluator tabulates radial functions in bins; bins of 1e-5 Å make that invisible.
"""

import glob
import json
import os
import re
import sys
import tempfile

import numpy as np
from ase import Atoms
from pyace import PyACECalculator

here = os.path.dirname(os.path.abspath(__file__))
water = np.array([[0, 0, 0], [0.96, 0.05, 0], [-0.24, 0.93, 0.1]])
turned = water @ np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0], [0.48, 0.64, 0.6]])
atoms = [
    Atoms("OHHOHHO", positions=np.vstack([water, turned + [1.9, 1.4, 1.2], [[0.1, -0.2, 2.6]]])),
    Atoms("OHHO", positions=np.vstack([water, [[1.2, 1.5, 0.4]]]), cell=[[3.1, 0, 0], [0.7, 3.3, 0], [-0.4, 0.2, 3.6]], pbc=True),
]
result = []
for path in sorted(glob.glob(os.path.join(here, "ace", "*.yace"))):
    text = re.sub(r"deltaSplineBins: \S+", "deltaSplineBins: 0.00001", open(path).read())
    with tempfile.NamedTemporaryFile("w", suffix=".yace", delete=False) as file:
        file.write(text)
    for a in atoms:
        a.calc = PyACECalculator(file.name)
        result.append(
            {
                "file": os.path.basename(path),
                "numbers": a.numbers.tolist(),
                "positions": a.positions.flatten().tolist(),
                "cell": a.cell.array.flatten().tolist() if a.pbc.any() else None,
                "energy": float(a.get_potential_energy()),
                "forces": a.get_forces().flatten().tolist(),
            }
        )
    os.unlink(file.name)
json.dump(result, open(os.path.join(here, "ace.json"), "w"), indent=1)
