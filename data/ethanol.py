#!/usr/bin/env python3
"""Ethanol: molecular dynamics samples labelled with DFT energies and forces.

Makes ethanol.xyz.gz and ethanol-atoms.xyz (extended XYZ; eV, Angstrom, eV/Angstrom).

Programs   Python 3.11, PySCF 2.14.0 (libxc, libcint as bundled), tblite 0.8.0, ASE 3.29.0,
           NumPy 2.4.6:  pip install pyscf==2.14.0 tblite==0.8.0 ase==3.29.0
Sampling   15 independent Langevin trajectories on the GFN2-xTB surface: anti, gauche+ and
           gauche- starts relaxed with GFN2-xTB, 300, 500 or 700 K, step 0.5 fs, friction
           0.02/fs, 0.5 ps of equilibration, then 50 frames 40 fs apart.
Labels     RKS PBE0/def2-SVP, density fitting of J and K with def2-universal-jkfit, grid level 4
           (NWChem pruning, Becke partition), SCF converged to 1e-10 Ha and an orbital gradient
           of 3e-6; analytic forces with the response of the grid weights, so that forces are the
           exact derivative of the energy that the same grid gives. The SCF is first converged
           on a coarse grid to save time; this does not change the result.
           Atoms: UKS, the same basis, fitting, functional and grid (H doublet, C and O triplet).

Run (each step can be killed and started again; it goes on where it was):
    python ethanol.py sample                     # about 12 min on one core
    python ethanol.py label --shard 0/2 &        # about 3 to 4 s a frame on one core
    python ethanol.py label --shard 1/2 &
    python ethanol.py atoms
    python ethanol.py check                      # finite differences, net force and torque
    python ethanol.py assemble                   # writes the data files beside this script
Set OMP_NUM_THREADS=1. Scratch files go to --scratch (default: scratch-ethanol beside the script).
"""
import argparse
import gzip
import json
import os
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
HARTREE = 27.211386245988  # eV, CODATA 2018
BOHR = 0.529177210903  # Angstrom

DT, FRICTION, EQUILIBRATION, STRIDE, FRAMES = 0.5, 0.02, 1000, 80, 50  # fs, 1/fs, steps
# (start, temperature); interleaved so that a contiguous window holds every kind
PLAN = [
    ("anti", 500), ("gauche+", 500), ("anti", 300), ("gauche-", 700), ("anti", 500),
    ("gauche-", 500), ("gauche+", 300), ("anti", 700), ("gauche+", 500), ("anti", 500),
    ("gauche-", 300), ("gauche+", 700), ("gauche-", 500), ("anti", 700), ("gauche+", 500),
]


def start_structure(kind):
    from ase.build import molecule
    from ase.optimize import BFGS
    from tblite.ase import TBLite

    atoms = molecule("CH3CH2OH")
    c, o = [i for i, s in enumerate(atoms.symbols) if s == "C"], atoms.symbols.search("O")[0]
    c_o = min(c, key=lambda i: atoms.get_distance(i, o))
    c_m = [i for i in c if i != c_o][0]
    h_o = min(atoms.symbols.search("H"), key=lambda i: atoms.get_distance(i, o))
    angle = {"anti": 180.0, "gauche+": 60.0, "gauche-": -60.0}[kind]
    atoms.set_dihedral(c_m, c_o, o, h_o, angle, indices=[h_o])
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    BFGS(atoms, logfile=None).run(fmax=0.01, steps=200)
    return atoms


def sample(scratch):
    """One file of frames per trajectory; a trajectory not finished is started again."""
    from ase import units
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

    for n, (kind, temperature) in enumerate(PLAN):
        out = scratch / f"traj-{n:02d}.json"
        if out.exists():
            continue
        rng = np.random.RandomState(1000 + n)
        atoms = start_structure(kind)
        MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
        md = Langevin(atoms, DT * units.fs, temperature_K=temperature,
                      friction=FRICTION / units.fs, fixcm=True, rng=rng)
        md.run(EQUILIBRATION)
        frames = []
        for _ in range(FRAMES):
            md.run(STRIDE)
            p = atoms.get_positions()
            p -= p.mean(0)
            frames.append(np.round(p, 8).tolist())
        data = {"symbols": atoms.get_chemical_symbols(), "kind": kind,
                "temperature": temperature, "frames": frames}
        out.with_suffix(".tmp").write_text(json.dumps(data))
        out.with_suffix(".tmp").rename(out)
        print("sampled", n, kind, temperature, flush=True)


BASIS, AUX, XC, GRID = "def2-svp", "def2-universal-jkfit", "pbe0", 4


def scf(symbols, positions, spin=0):
    from pyscf import dft, gto, lib

    lib.num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    # give PySCF Bohr, so that the length unit is ours
    mol = gto.M(atom=list(zip(symbols, (np.asarray(positions) / BOHR).tolist())), unit="Bohr",
                basis=BASIS, spin=spin, verbose=0)
    kind = dft.RKS if spin == 0 else dft.UKS
    coarse = kind(mol, xc=XC).density_fit(auxbasis=AUX)
    coarse.grids.level, coarse.conv_tol, coarse.conv_tol_grad = 1, 1e-9, 1e-5
    coarse.kernel()
    mf = kind(mol, xc=XC).density_fit(auxbasis=AUX)
    mf.with_df = coarse.with_df
    mf.grids.level, mf.conv_tol, mf.conv_tol_grad = GRID, 1e-10, 3e-6
    if spin:
        mf = mf.newton()  # partly filled p shells: second order converges, DIIS may not
        mf.kernel(coarse.make_rdm1())
        if not mf.converged:
            raise RuntimeError("SCF did not converge")
        return mf
    # Converge with the coarse grid plus the constant difference of the two Fock matrices, then
    # take that difference again at the new density, until the fine-grid gradient is small.
    h, s, dm = mf.get_hcore(), mf.get_ovlp(), np.asarray(coarse.make_rdm1())
    coarse.conv_tol, coarse.conv_tol_grad, last = 1e-11, 1e-6, None
    for _ in range(8):
        v = mf.get_veff(mol, dm)
        fock, e = h + np.asarray(v), mf.energy_tot(dm, h, v)
        if last is not None:
            g = np.linalg.norm(mf.get_grad(coarse.mo_coeff, coarse.mo_occ, fock))
            if g < mf.conv_tol_grad and abs(e - last) < 1e-6:
                break
        last = e
        diff = h + np.asarray(v) - np.asarray(coarse.get_veff(mol, dm))
        coarse.get_hcore = lambda *_, d=diff: d
        coarse.kernel(dm)
        dm = np.asarray(coarse.make_rdm1())
    else:
        raise RuntimeError("SCF did not converge")
    mf.mo_energy, mf.mo_coeff = mf.eig(fock, s)
    mf.mo_occ = mf.get_occ(mf.mo_energy, mf.mo_coeff)
    mf.e_tot, mf.converged = e, True
    return mf


def energy_forces(symbols, positions):
    mf = scf(symbols, positions)
    g = mf.nuc_grad_method()
    g.grid_response = True
    return mf.e_tot * HARTREE, -g.kernel() * HARTREE / BOHR


def trajectories(scratch):
    for n in range(len(PLAN)):
        f = scratch / f"traj-{n:02d}.json"
        yield n, json.loads(f.read_text()) if f.exists() else None


def labels(scratch):
    done = {}
    for f in sorted(scratch.glob("labels-*.jsonl")):
        for line in f.read_text().splitlines():
            try:
                r = json.loads(line)
            except ValueError:  # a line cut off by a kill
                continue
            done[r["traj"], r["frame"]] = r
    return done


def label(scratch, shard):
    import time

    i, n = map(int, shard.split("/"))
    out = scratch / f"labels-{i}of{n}.jsonl"
    if out.exists() and not out.read_bytes().endswith(b"\n"):
        with open(out, "a") as f:
            f.write("\n")
    cache = {}
    while True:
        done = labels(scratch)
        todo = []
        for t in range(len(PLAN)):
            f = scratch / f"traj-{t:02d}.json"
            if t not in cache and f.exists():
                cache[t] = json.loads(f.read_text())
            todo += [(k, t) for k in range(FRAMES) if (t, k) not in done and (k + t) % n == i]
        if not todo:
            return
        # one frame of each trajectory in turn, so that a partial set is already a fair one
        ready = sorted(x for x in todo if x[1] in cache)
        if not ready:
            time.sleep(5)
        for k, t in ready[: len(PLAN)]:
            t0 = time.time()
            e, f = energy_forces(cache[t]["symbols"], cache[t]["frames"][k])
            with open(out, "a") as fh:
                fh.write(json.dumps({"traj": t, "frame": k, "energy": e, "forces": f.tolist(),
                                     "seconds": time.time() - t0}) + "\n")


def xyz(symbols, positions, forces, energy, config_type):
    lines = [str(len(symbols)),
             "Properties=species:S:1:pos:R:3:forces:R:3 "
             f'energy={energy:.8f} pbc="F F F" config_type={config_type}']
    for s, p, f in zip(symbols, positions, forces):
        lines.append(f"{s:2s}" + "".join(f" {x:14.8f}" for x in (*p, *f)))
    return "\n".join(lines) + "\n"


def atoms(target):
    text = ""
    for s, spin in (("H", 1), ("C", 2), ("O", 2)):
        mf = scf([s], [[0.0, 0.0, 0.0]], spin)
        print(s, mf.e_tot * HARTREE, "eV, <S2>", mf.spin_square()[0])
        text += xyz([s], [[0.0] * 3], [[0.0] * 3], mf.e_tot * HARTREE, "isolated_atom")
    (target / "ethanol-atoms.xyz").write_text(text)


def assemble(scratch, target):
    done, text, count = labels(scratch), "", {}
    for t, data in trajectories(scratch):
        for k in range(FRAMES):
            if (t, k) in done:
                r = done[t, k]
                name = f"md{data['temperature']}"
                count[name] = count.get(name, 0) + 1
                text += xyz(data["symbols"], data["frames"][k], r["forces"], r["energy"], name)
    tmp = target / "ethanol.xyz.gz.tmp"
    with open(tmp, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
        z.write(text.encode())
    tmp.rename(target / "ethanol.xyz.gz")
    rows = list(done.values())
    if rows:
        f = np.array([r["forces"] for r in rows])
        e = np.array([r["energy"] for r in rows])
        print(count, "frames", len(rows), "mean seconds", np.mean([r["seconds"] for r in rows]))
        print("energy", e.min(), e.max(), "std", e.std(), "force rms", np.sqrt((f**2).mean()),
              "max component", abs(f).max(), "net force max", abs(f.sum(1)).max())


def check(scratch):
    """Central differences of the energy against forces; net force and torque of all labels."""
    done = labels(scratch)
    data = dict(trajectories(scratch))
    worst_f = worst_t = 0.0
    for (t, k), r in done.items():
        p, f = np.array(data[t]["frames"][k]), np.array(r["forces"])
        worst_f = max(worst_f, np.linalg.norm(f.sum(0)))
        worst_t = max(worst_t, np.linalg.norm(np.cross(p - p.mean(0), f).sum(0)))
    print(f"largest net force {worst_f:.2e} eV/A, largest net torque {worst_t:.2e} eV")
    h = 0.005
    for t, k, a, x in ((0, 3, 2, 0), (0, 3, 0, 1), (3, 5, 1, 2), (3, 5, 6, 0), (7, 2, 5, 1)):
        if (t, k) not in done:
            continue
        e = []
        for m in (-2, -1, 1, 2):
            p = np.array(data[t]["frames"][k])
            p[a, x] += m * h
            e.append(scf(data[t]["symbols"], p).e_tot * HARTREE)
        fd2 = -(e[2] - e[1]) / (2 * h)
        fd4 = -(8 * (e[2] - e[1]) - (e[3] - e[0])) / (12 * h)
        f = done[t, k]["forces"][a][x]
        print(f"traj {t} frame {k} atom {a} ({data[t]['symbols'][a]}) {'xyz'[x]}: label {f:.6f}, "
              f"2-point {fd2:.6f}, 4-point {fd4:.6f}, difference {(f - fd4) * 1e3:.4f} meV/A",
              flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("step", choices=["sample", "label", "atoms", "check", "assemble"])
    ap.add_argument("--scratch", type=Path, default=HERE / "scratch-ethanol")
    ap.add_argument("--target", type=Path, default=HERE)
    ap.add_argument("--shard", default="0/1", help="i/n: this process labels every n-th frame")
    a = ap.parse_args()
    a.scratch.mkdir(parents=True, exist_ok=True)
    if a.step == "sample":
        sample(a.scratch)
    elif a.step == "label":
        label(a.scratch, a.shard)
    elif a.step == "atoms":
        atoms(a.target)
    elif a.step == "assemble":
        assemble(a.scratch, a.target)
    else:
        check(a.scratch)


if __name__ == "__main__":
    main()
