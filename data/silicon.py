#!/usr/bin/env python3
"""Diamond silicon: equilibrium, strained, rattled and hot cells labelled with periodic DFT.

Makes silicon.xyz.gz and silicon-atoms.xyz (extended XYZ; eV, Angstrom, eV/Angstrom,
eV/Angstrom^3; stress positive in tension, (1/V) dE/d(strain)).

Programs   Quantum ESPRESSO 6.7 (Debian 12 packages quantum-espresso and quantum-espresso-data),
           Python 3.11 with ASE 3.29.0 and NumPy 2.4.6. OpenBLAS (libopenblas0-pthread)
           makes pw.x faster.
Labels     PBE, norm-conserving pseudopotential Si.pbe-rrkj.UPF of the Debian package, plane waves
           to 24 Ry (density 96 Ry), Gaussian smearing 0.01 Ry, SCF to 1e-9 Ry. The k points are
           the same lattice in every cell: the shifted 3x3x3 grid of the 8-atom cubic cell
           (27 points), which is 108 points for the 2-atom and 9 for the 24-atom cell. Energy is
           the free energy E - TS (the one whose derivative the forces and the stress are).
           The atom: spin-polarised, two unpaired electrons, 11 x 11.5 x 12 A box, Gamma.
Sampling   Rattles and strains: normal and uniform random numbers, seeds below. Hot: Langevin
           dynamics of the 8-atom cell with the Tersoff potential T3 (ASE), 1000, 1500, 2000 K,
           step 1 fs, friction 0.01/fs, 0.6 ps of equilibration, frames 60 fs apart.

Run (each step can be killed and started again; it goes on where it was):
    python silicon.py sample                     # about 1 min
    python silicon.py label --shard 0/1          # about 6 s a frame on one core
    python silicon.py atoms
    python silicon.py check                      # finite differences, finer k mesh and cutoff
    python silicon.py assemble                   # writes the data files beside this script
Set OMP_NUM_THREADS=1. Scratch files go to --scratch (default: scratch-silicon beside the script).
"""
import argparse
import gzip
import itertools
import json
import os
import re
import subprocess
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
RY, BOHR = 13.605693122994, 0.529177210903  # eV, Angstrom (CODATA 2018)
A0 = 5.47  # Angstrom
ECUT, DEGAUSS, MESH = 24.0, 0.01, 3  # Ry, Ry, points along each edge of the cubic cell
PSEUDO_DIR, PSEUDO = "/usr/share/espresso/pseudo", "Si.pbe-rrkj.UPF"
ROUNDS, HOT_FRAMES = 6, 9
AMPLITUDES = [0.02, 0.05, 0.08, 0.12, 0.16, 0.20, 0.25]  # rms displacement, Angstrom

# Cells as integer combinations of the cubic vectors
CUBIC = np.eye(3)
PRIMITIVE = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
TRIPLE = np.diag([3.0, 1.0, 1.0])
BASIS8 = np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0],
                   [1, 1, 1], [1, 3, 3], [3, 1, 3], [3, 3, 1]]) / 4


def crystal(kind, a=A0):
    if kind == 2:
        return PRIMITIVE * a, np.array([[0, 0, 0], [0.25, 0.25, 0.25]]) * a
    if kind == 8:
        return CUBIC * a, BASIS8 * a
    return TRIPLE * a, np.concatenate([BASIS8 + [i, 0, 0] for i in range(3)]) * a


def frame(config, kind, eps=None, amplitude=0.0, rng=None, symmetric=False):
    cell, pos = crystal(kind)
    if eps is not None:
        f = np.eye(3) + np.asarray(eps, float)
        cell, pos = cell @ f, pos @ f
    if amplitude:
        d = rng.normal(size=pos.shape)
        d -= d.mean(0)
        pos = pos + d * amplitude / np.sqrt((d**2).sum(1).mean())
    return {"config": config, "kind": kind, "cell": np.round(cell, 8).tolist(),
            "pos": np.round(pos, 8).tolist(), "symmetric": symmetric}


def random_strain(rng, size):
    e = rng.uniform(-size, size, (3, 3))
    return (e + e.T) / 2


def voigt(xx=0, yy=0, zz=0, xy=0):
    return [[xx, xy, 0], [xy, yy, 0], [0, 0, zz]]


def hot(n):
    from ase import Atoms, units
    from ase.calculators.tersoff import Tersoff, TersoffParameters
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

    rng = np.random.RandomState(7000 + n)
    scale = [1.0, 1.015, 1.01, 0.985, 1.005, 1.02][n]
    cell, pos = crystal(8, A0 * scale)
    atoms = Atoms("Si8", positions=pos, cell=cell, pbc=True)
    t3 = TersoffParameters(m=3.0, gamma=1.0, lambda3=1.7322, c=1.0039e5, d=16.218, h=-0.59826,
                           n=0.78734, beta=1.0999e-6, lambda2=1.7322, B=471.18, R=2.85, D=0.15,
                           lambda1=2.4799, A=1830.8)
    atoms.calc = Tersoff({("Si", "Si", "Si"): t3})
    temperature = [1000, 1500, 2000][n % 3]
    MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
    md = Langevin(atoms, 1.0 * units.fs, temperature_K=temperature, friction=0.01 / units.fs,
                  rng=rng)
    md.run(600)
    out = []
    for _ in range(HOT_FRAMES):
        md.run(60)
        out.append({"config": "hot", "kind": 8, "cell": np.round(cell, 8).tolist(),
                    "pos": np.round(atoms.get_positions(), 8).tolist(), "symmetric": False})
    return out


def sample(scratch):
    rng = np.random.default_rng(20240)
    strained = [frame("strained", 8, np.eye(3) * x / 100, symmetric=True)
                for x in (-8, -6, -4, -2, -1, 1, 2, 4, 6, 8)]
    strained += [frame("strained", 8, voigt(zz=x / 100), symmetric=True)
                 for x in (-8, -6, -4, -2, 2, 4, 6, 8)]
    strained += [frame("strained", 8, voigt(xy=x / 100), symmetric=True)
                 for x in (1, 2, 3, 4, 6, 8)]
    strained += [frame("strained", 8, random_strain(rng, s / 100))
                 for s in (2, 3, 4, 5, 6, 8, 2, 3, 4, 5, 6, 8)]
    strained += [frame("strained", 2, random_strain(rng, s / 100))
                 for s in (2, 3, 4, 5, 6, 8, 2, 3, 4, 5, 6, 8)]
    strained = [strained[i] for i in rng.permutation(len(strained))]
    kinds = [8] * 46 + [2] * 6 + [24] * 2
    rattled = []
    for i, j in enumerate(rng.permutation(len(kinds))):
        eps = random_strain(rng, 0.03) if i % 2 else None
        rattled.append(frame("rattled", kinds[j], eps, AMPLITUDES[i % 7], rng))
    frames = [frame("equilibrium", 8, symmetric=True), frame("equilibrium", 2),
              frame("equilibrium", 24)]
    for r in range(ROUNDS):
        frames += strained[r::ROUNDS] + rattled[r::ROUNDS] + hot(r)
        print("round", r, "frames", len(frames), flush=True)
    tmp = scratch / "frames.tmp"
    tmp.write_text(json.dumps(frames))
    tmp.rename(scratch / "frames.json")


def kpoints(kind, mesh=None):
    """The shifted mesh^3 grid of the cubic cell, in crystal coordinates of the cell; one point
    of each pair k, -k, with weights."""
    # rows: the lattice whose reciprocal is the k grid, in units of the cell's vectors
    mesh = mesh or MESH
    unit = {2: PRIMITIVE, 8: CUBIC, 24: TRIPLE}[kind]
    inv = np.linalg.inv(np.rint(mesh * np.linalg.inv(unit)))
    scale = 10**6
    points, r = {}, range(-2 * mesh - 1, 2 * mesh + 2)
    for m in itertools.product(r, repeat=3):
        k = inv @ (np.array(m) + 0.5)
        k = k - np.floor(k + 1e-9)
        points.setdefault(tuple(np.rint(k * scale).astype(int) % scale), k)
    assert len(points) == mesh**3 * 8 // kind
    chosen = {}
    for key, k in points.items():
        minus = tuple(-np.array(key) % scale)
        if minus in chosen:
            chosen[minus][1] += 1
        else:
            chosen[key] = [k, 1]
    return list(chosen.values())


def pw(work, cell, pos, kind, symmetric=False, ecut=ECUT, atom=False, mesh=None):
    """Energy (eV), forces (eV/A), stress (eV/A^3), seconds and SCF steps of one pw.x run."""
    n = len(pos)
    work.mkdir(parents=True, exist_ok=True)
    rows = lambda m: "\n".join(" ".join(f"{x:.10f}" for x in r) for r in m)
    if atom:
        points = "K_POINTS gamma"
        extra = "nspin=2, tot_magnetization=2.0, nbnd=6, nosym=.true.,"
    elif symmetric:  # pw.x reduces the same grid by symmetry
        points, extra = f"K_POINTS automatic\n{MESH} {MESH} {MESH} 1 1 1", f"nbnd={2 * n + 4},"
    else:
        ks = kpoints(kind, mesh)
        points = f"K_POINTS crystal\n{len(ks)}\n" + "\n".join(
            "{:.10f} {:.10f} {:.10f} {}".format(*k, w) for k, w in ks)
        extra = f"nbnd={2 * n + max(2, n // 2)}, nosym=.true.,"
    (work / "pw.in").write_text(f"""&control
 calculation='scf', prefix='si', outdir='{work}', pseudo_dir='{PSEUDO_DIR}', disk_io='none',
 tprnfor=.true., tstress=.true.
/
&system
 ibrav=0, nat={n}, ntyp=1, ecutwfc={ecut}, occupations='smearing', smearing='gaussian',
 degauss={0.001 if atom else DEGAUSS}, {extra}
 {"starting_magnetization(1)=0.5" if atom else ""}
/
&electrons
 conv_thr=1d-9, mixing_beta={0.3 if atom else 0.7}, startingwfc='atomic', diago_david_ndim=4,
 electron_maxstep=200
/
ATOMIC_SPECIES
Si 28.0855 {PSEUDO}
CELL_PARAMETERS angstrom
{rows(cell)}
ATOMIC_POSITIONS angstrom
""" + "\n".join("Si " + r for r in rows(pos).split("\n")) + f"\n{points}\n")
    t = time.time()
    out = subprocess.run(["pw.x", "-in", "pw.in"], cwd=work, capture_output=True, text=True,
                         timeout=900).stdout
    t = time.time() - t
    (work / "pw.out").write_text(out)
    if "convergence has been achieved" not in out or "JOB DONE" not in out:
        raise RuntimeError(f"no convergence: {work}")
    energy = float(re.findall(r"!\s+total energy\s+=\s+(\S+)", out)[-1]) * RY
    found = re.findall(r"atom +\d+ type +1 +force = +(\S+) +(\S+) +(\S+)", out)[:n]
    forces = np.array(found, float) * RY / BOHR
    s = out.split("total   stress")[1].split("\n")[1:4]
    stress = -np.array([x.split()[:3] for x in s], float) * RY / BOHR**3
    return energy, forces, stress, t, len(re.findall("iteration #", out))


def labels(scratch):
    done = {}
    for f in sorted(scratch.glob("labels-*.jsonl")):
        for line in f.read_text().splitlines():
            try:
                r = json.loads(line)
            except ValueError:  # a line cut off by a kill
                continue
            done[r["frame"]] = r
    return done


def label(scratch, shard):
    i, n = map(int, shard.split("/"))
    frames = json.loads((scratch / "frames.json").read_text())
    out = scratch / f"labels-{i}of{n}.jsonl"
    if out.exists() and not out.read_bytes().endswith(b"\n"):
        with open(out, "a") as f:
            f.write("\n")
    done = labels(scratch)
    for k, fr in enumerate(frames):
        if k % n != i or k in done:
            continue
        e, f, s, t, it = pw(scratch / f"run-{i}of{n}", fr["cell"], fr["pos"], fr["kind"],
                            fr["symmetric"])
        with open(out, "a") as fh:
            fh.write(json.dumps({"frame": k, "energy": e, "forces": f.tolist(),
                                 "stress": s.tolist(), "seconds": t, "steps": it}) + "\n")


def xyz(cell, pos, forces, energy, stress, config):
    flat = lambda m, d: " ".join(f"{round(x, d) + 0.0:.{d}f}" for x in np.ravel(m))
    head = [f'Lattice="{flat(cell, 8)}"', "Properties=species:S:1:pos:R:3:forces:R:3",
            f"energy={energy:.8f}"]
    if stress is not None:
        head.append(f'stress="{flat(stress, 9)}"')
    head += ['pbc="T T T"', f"config_type={config}"]
    lines = [str(len(pos)), " ".join(head)]
    lines += ["Si" + "".join(f" {round(x, 8) + 0.0:13.8f}" for x in (*p, *f)) for p, f in zip(pos, forces)]
    return "\n".join(lines) + "\n"


def atoms(scratch, target):
    cell = np.diag([11.0, 11.5, 12.0])
    e, f, s, t, _ = pw(scratch / "run-atom", cell, cell.sum(0, keepdims=True) / 2, 1, atom=True)
    print("Si atom", e, "eV,", t, "s; stress", s)
    text = xyz(cell, cell.sum(0, keepdims=True) / 2, f, e, None, "isolated_atom")
    (target / "silicon-atoms.xyz").write_text(text)


def assemble(scratch, target):
    frames, done = json.loads((scratch / "frames.json").read_text()), labels(scratch)
    text, count, rows = "", {}, []
    for k, fr in enumerate(frames):
        if k in done:
            r = done[k]
            name = f"{fr['config']}"
            count[name, fr["kind"]] = count.get((name, fr["kind"]), 0) + 1
            rows.append((k, fr, r))
            text += xyz(fr["cell"], fr["pos"], r["forces"], r["energy"], r["stress"], name)
    tmp = target / "silicon.xyz.gz.tmp"
    with open(tmp, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
        z.write(text.encode())
    tmp.rename(target / "silicon.xyz.gz")
    print(len(rows), "frames", count)
    for name in ("equilibrium", "strained", "rattled", "hot"):
        rs = [(fr, r) for _, fr, r in rows if fr["config"] == name]
        if rs:
            e = np.array([r["energy"] / len(fr["pos"]) for fr, r in rs])
            f = np.concatenate([np.ravel(r["forces"]) for _, r in rs])
            s = np.array([r["stress"] for _, r in rs]) * 160.2176634
            print(f"{name}: {len(rs)} frames, energy/atom {e.min():.4f} .. {e.max():.4f}, force rms "
                  f"{np.sqrt((f**2).mean()):.3f} max {abs(f).max():.3f}, stress {s.min():.1f} .. "
                  f"{s.max():.1f} GPa, seconds {np.mean([r['seconds'] for _, r in rs]):.1f}, net "
                  f"force {max(np.linalg.norm(np.sum(r['forces'], 0)) for _, r in rs):.1e}")


def check(scratch):
    """Central differences of the energy against the forces and the stress of labelled frames."""
    frames, done = json.loads((scratch / "frames.json").read_text()), labels(scratch)
    work = scratch / "run-check"
    pick = lambda c: [k for k in sorted(done) if frames[k]["config"] == c and frames[k]["kind"] == 8
                      and not frames[k]["symmetric"]]
    h = 0.01
    for k, a, x in ((pick("rattled")[2], 3, 0), (pick("hot")[5], 6, 2)):
        fr, e = frames[k], []
        for m in (-1, 1):
            p = np.array(fr["pos"])
            p[a, x] += m * h
            e.append(pw(work, fr["cell"], p, 8)[0])
        fd, f = -(e[1] - e[0]) / (2 * h), done[k]["forces"][a][x]
        print(f"frame {k} {fr['config']} atom {a} {'xyz'[x]}: label {f:.5f}, difference quotient "
              f"{fd:.5f}, off by {(f - fd) * 1e3:.2f} meV/A", flush=True)
    h = 0.005
    for k, i, j in ((pick("strained")[0], 0, 0), (pick("strained")[0], 0, 1),
                    (pick("hot")[5], 2, 2), (pick("hot")[5], 1, 2)):
        fr, e = frames[k], []
        for m in (-1, 1):
            eps = np.zeros((3, 3))
            eps[i, j] += m * h / 2
            eps[j, i] += m * h / 2
            f = np.eye(3) + eps
            e.append(pw(work, np.array(fr["cell"]) @ f, np.array(fr["pos"]) @ f, 8)[0])
        v = abs(np.linalg.det(fr["cell"]))
        fd, s = (e[1] - e[0]) / (2 * h) / v, done[k]["stress"][i][j]
        print(f"frame {k} {fr['config']} stress {'xyz'[i]}{'xyz'[j]}: label {s:.6f}, difference "
              f"quotient {fd:.6f} eV/A^3, off by {(s - fd) * 160.2176634:.3f} GPa", flush=True)
    for k in (pick("strained")[0], pick("rattled")[1], pick("rattled")[4], pick("hot")[5]):
        fr, r = frames[k], done[k]
        f0 = np.array(r["forces"])
        for name, more in (("5x5x5 k points", {"mesh": 5}), ("40 Ry", {"ecut": 40.0})):
            e, f, s, _, _ = pw(work, fr["cell"], fr["pos"], 8, **more)
            print(f"frame {k} {fr['config']} (force rms {np.sqrt((f0**2).mean()):.3f} eV/A) against "
                  f"{name}: energy {(r['energy'] - e) / 8e-3:.2f} meV/atom, force rms "
                  f"{np.sqrt(((f - f0)**2).mean()) * 1e3:.2f} max {abs(f - f0).max() * 1e3:.2f} meV/A, "
                  f"stress {abs(s - r['stress']).max() * 160.2176634:.3f} GPa", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("step", choices=["sample", "label", "atoms", "check", "assemble"])
    ap.add_argument("--scratch", type=Path, default=HERE / "scratch-silicon")
    ap.add_argument("--target", type=Path, default=HERE)
    ap.add_argument("--shard", default="0/1", help="i/n: this process labels every n-th frame")
    a = ap.parse_args()
    a.scratch.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if a.step == "sample":
        sample(a.scratch)
    elif a.step == "label":
        label(a.scratch, a.shard)
    elif a.step == "atoms":
        atoms(a.scratch, a.target)
    elif a.step == "assemble":
        assemble(a.scratch, a.target)
    else:
        check(a.scratch)


if __name__ == "__main__":
    main()
