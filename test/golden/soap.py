"""SOAP of dscribe: averages, compressions and weights -> soap.json.

Run where dscribe 2.1.2 is installed (pip install dscribe):
    python3 soap.py
"""

import json
from pathlib import Path

import numpy as np
from ase import Atoms
from dscribe.descriptors import SOAP

MOLECULE = Atoms(
    "OHCHO",
    positions=[[0, 0, 0], [0.9, 0.2, 0.1], [-0.3, 1.1, 0.4], [0.5, -0.9, 1.2], [1.5, 1.4, -0.8]],
)
CRYSTAL = Atoms(
    "OHCH",
    positions=[[0.1, 0.2, 0.1], [1, 0.6, 0.2], [1.3, 1.9, 1.1], [2.2, 2.4, 2.3]],
    cell=[[3.1, 0.2, 0], [1.3, 3.4, -0.3], [-0.9, 0.8, 3.3]],
    pbc=True,
)
WEIGHTS = {"H": 0.5, "C": 1.5, "O": 2.0}
CASES = {
    "off": {},
    "inner": {"average": "inner"},
    "outer": {"average": "outer"},
    "inner, polynomial": {"average": "inner", "rbf": "polynomial"},
    "mu2": {"compression": {"mode": "mu2", "species_weighting": WEIGHTS}},
    "mu2, inner": {"average": "inner", "compression": {"mode": "mu2", "species_weighting": WEIGHTS}},
    "mu1nu1": {"compression": {"mode": "mu1nu1", "species_weighting": None}},
    "mu1nu1, outer": {"average": "outer", "compression": {"mode": "mu1nu1", "species_weighting": None}},
    "crossover": {"compression": {"mode": "crossover", "species_weighting": None}},
    "poly": {"weighting": {"function": "poly", "r0": 2.8, "c": 1.3, "m": 2}},
    "pow": {"weighting": {"function": "pow", "r0": 1.5, "c": 1.1, "d": 0.7, "m": 3, "w0": 0.4}},
    "exp": {"weighting": {"function": "exp", "r0": 1.2, "c": 1.2, "d": 0.9, "w0": 0}},
}


def short(values):
    """Numbers of 11 digits."""
    if np.ndim(values) == 0:
        return float(f"{values:.11g}")
    return [short(x) for x in values]


def descriptor(more, periodic):
    return SOAP(species=["H", "C", "O"], r_cut=3.0, n_max=3, l_max=2, sigma=0.5, periodic=periodic, **more)


def some(more):
    """Two centres are enough where there is no average."""
    return {} if "average" in more else {"centers": [0, 1]}


def case(more):
    row = {
        "molecule": short(descriptor(more, False).create(MOLECULE, **some(more))),
        "crystal": short(descriptor(more, True).create(CRYSTAL, **some(more))),
    }
    average = more.get("average", "off")
    # Derivatives by the second atom; centres move with their atoms.
    derivatives, _ = descriptor(more, False).derivatives(
        MOLECULE, include=[1], attach=True, method="numerical" if average != "off" else "auto"
    )
    row["derivatives"] = short(derivatives[0] if average != "off" else derivatives[:2, 0])
    return row


golden = {
    "molecule": {"numbers": MOLECULE.numbers.tolist(), "positions": MOLECULE.positions.tolist(), "cell": None},
    "crystal": {
        "numbers": CRYSTAL.numbers.tolist(),
        "positions": CRYSTAL.positions.tolist(),
        "cell": CRYSTAL.cell.tolist(),
    },
    "cases": {name: case(more) for name, more in CASES.items()},
}
(Path(__file__).parent / "soap.json").write_text(json.dumps(golden))
