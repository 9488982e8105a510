#!/usr/bin/env python3
"""A file by ASE (pip install ase==3.29.0 numpy) with what its writer can do: python extxyz.py"""
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

a = Atoms("OH2", positions=np.arange(9.0).reshape(3, 3) / 7, cell=[[5, 0, 0], [1, 6, 0], [0, -2, 7]], pbc=[1, 0, 1])
a.info.update(
    text="two words",
    quote='say "hi" \\ there',
    vector=np.array([1.5, -2.0]),
    matrix=np.arange(6).reshape(2, 3),
    flags=np.array([True, False]),
    yes=True,
    nested=[["a", 1], [True, 0.5]],
    config_type="water",
)
a.info["odd key"] = 3
a.arrays["tag"] = np.array([1, -2, 3])
a.arrays["mask"] = np.array([True, False, True])
a.arrays["name"] = np.array(["O1", "H1", "H2"])
a.calc = SinglePointCalculator(a, energy=-1 / 3, forces=-a.positions, stress=np.arange(1.0, 7.0))
b = Atoms("CH", positions=[[0, 0, 0], [0, 0, 1.1]])
write("ase.xyz", [a, b], format="extxyz")
