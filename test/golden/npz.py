#!/usr/bin/env python3
"""Small NumPy archives for the tests of src/io/npz.ts (NumPy 2, any version): python npz.py"""
import numpy as np

n = np.arange(24, dtype=float).reshape(2, 4, 3) / 8
np.savez_compressed(
    "sgdml.npz",
    type="d",
    name="methanol",
    z=np.array([6, 8, 1, 1], dtype=np.uint8),
    R=np.asfortranarray(n),
    E=np.array([[-1.5], [-2.5]]),
    F=(-n).astype(">f4"),
    e_unit="kcal/mol",
    r_unit="Ang",
    lattice=np.diag([5.0, 6.0, 7.0]),
)
np.savez(
    "rmd17.npz",
    nuclear_charges=np.array([6, 8, 1, 1], dtype=np.int64),
    coords=n,
    energies=np.array([-72000.25, -72001.0]),
    forces=-n,
    old_indices=np.array([7, 2**40]),
)
