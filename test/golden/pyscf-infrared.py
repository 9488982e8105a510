"""Harmonic infrared spectrum of water, Hartree-Fock with 6-31G*, by PySCF's analytic second derivatives.

    python test/golden/pyscf-infrared.py > test/golden/pyscf-infrared.json

PySCF 2.14.0 and numpy. The geometry is PySCF's own minimum. Wavenumbers and modes are those of pyscf.hessian; the
derivatives of the dipole come from the response of the orbitals (coupled perturbed Hartree-Fock), not from
differences of dipoles; only the derivatives of the dipole integrals are differences, of order four.
Intensities: N_A pi / (3 c^2 4 pi eps0) |dmu/dQ|^2, from the constants of the SI.
"""

import json

import numpy as np
from pyscf import gto, scf
from pyscf.hessian import thermo

BOHR = 0.529177210544
SYMBOLS = ["O", "H", "H"]
START = np.array([(0, 0, 0.1147), (0, 0.7540, -0.4588), (0, -0.7540, -0.4588)])


def molecule(x):
    return gto.M(atom=list(zip(SYMBOLS, map(tuple, x))), basis="6-31g*", unit="Angstrom", verbose=0)


def solve(x):
    mf = scf.RHF(molecule(x)).set(conv_tol=1e-13, conv_tol_grad=1e-9).run()
    return mf, mf.nuc_grad_method().kernel() / BOHR


x, H = START, 3 * np.eye(9)
mf, g = solve(x)
for _ in range(80):
    if abs(g).max() < 1e-8:
        break
    step = -np.linalg.solve(H, g.ravel())
    mf, new = solve(x + step.reshape(3, 3))
    y = (new - g).ravel()
    H += np.outer(y, y) / (y @ step) - np.outer(H @ step, H @ step) / (step @ H @ step)
    x, g = x + step.reshape(3, 3), new

hess = mf.Hessian()
modes = thermo.harmonic_analysis(mf.mol, hess.kernel())
C, occ = mf.mo_coeff, mf.mo_occ
h1 = hess.make_h1(C, occ)
mo1, _ = hess.solve_mo1(mf.mo_energy, C, occ, h1)
r = mf.mol.intor("int1e_r")
D = mf.make_rdm1()
slopes = np.zeros((3, 3, 3))  # atom, direction of motion, component, e
for i in range(3):
    slopes[i] += np.eye(3) * mf.mol.atom_charge(i)
    for a in range(3):
        for c in range(3):
            slopes[i, a, c] -= 4 * np.einsum("pq,pi,qi", r[c], np.asarray(mo1[i])[a], C[:, occ > 0])
        for weight, k in ((2 / 3, 1), (-2 / 3, -1), (-1 / 12, 2), (1 / 12, -2)):
            h = 1e-3
            y = x.copy()
            y[i, a] += k * h * BOHR
            moved = molecule(y).intor("int1e_r")
            slopes[i, a] -= weight / h * np.einsum("cpq,pq->c", moved, D)

e, NA, c, eps0, amu = 1.602176634e-19, 6.02214076e23, 299792458.0, 8.8541878188e-12, 1.66053906892e-27
unit = NA * e**2 / (12 * eps0 * c**2 * amu) / 1000
intensities = []
for mode in modes["norm_mode"]:  # normalised with the masses in amu
    m = mf.mol.atom_mass_list(isotope_avg=True)
    q = mode / np.sqrt(np.einsum("i,ia,ia", m, mode, mode))
    intensities.append(unit * np.sum(np.einsum("iac,ia->c", slopes, q) ** 2))

print(
    json.dumps(
        {
            "symbols": SYMBOLS,
            "positions": x.tolist(),
            "dipole": (mf.dip_moment(unit="AU", verbose=0) * BOHR).tolist(),
            "wavenumbers": np.real(modes["freq_wavenumber"]).tolist(),
            "intensities": intensities,
        },
        indent=2,
    )
)
