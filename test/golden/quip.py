"""GAPs fitted by gap_fit on our own data, their energies, forces and virials by QUIP, and its SOAP -> quip/.

Run where quippy-ase 0.10.3 is installed (pip install quippy-ase; its gap_fit has to be on the path):
    python3 quip.py
The silicon and ethanol frames are those of data/. Nothing else goes in; the files that gap_fit writes are kept.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write
from quippy.descriptors import Descriptor
from quippy.potential import Potential

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "data"
OUT = HERE / "quip"

SILICON = (
    "{distance_2b cutoff=4.5 covariance_type=ard_se delta=2.0 theta_uniform=1.0 sparse_method=uniform n_sparse=6"
    " Z1=14 Z2=14 :"
    " angle_3b cutoff=3.2 covariance_type=ard_se delta=0.5 theta_fac=0.5 n_sparse=8 sparse_method=uniform"
    " Z=14 Z1=14 Z2=14 :"
    " soap cutoff=4.5 cutoff_transition_width=1.0 n_max=4 l_max=3 atom_sigma=0.6 zeta=4 delta=1.0"
    " covariance_type=dot_product n_sparse=8 sparse_method=cur_points add_species=T}"
)
SOAP = "covariance_type=dot_product sparse_method=cur_points add_species=F"
SHAPE = "cutoff=3.5 cutoff_transition_width=0.7 n_max=3 l_max=2 atom_sigma=0.4"
PAIRS = "covariance_type=ard_se sparse_method=uniform add_species=F"
ETHANOL = (
    f"{{distance_2b cutoff=3.5 {PAIRS} delta=1.5 theta_uniform=0.8 n_sparse=4 Z1=6 Z2=1 :"
    f" distance_2b cutoff=3.5 {PAIRS} delta=1.5 theta_uniform=0.8 n_sparse=3 Z1=1 Z2=1 :"
    f" distance_2b cutoff=3.0 {PAIRS} delta=1.0 theta_uniform=0.5 n_sparse=3 Z1=8 Z2=6 :"
    f" angle_3b cutoff=2.5 {PAIRS} delta=0.4 theta_fac=0.8 n_sparse=5 Z=6 Z1=8 Z2=1 :"
    f" angle_3b cutoff=2.5 cutoff_transition_width=0.9 {PAIRS} delta=0.3 theta_fac=0.8 n_sparse=4 Z=6 Z1=1 Z2=1 :"
    f" soap {SHAPE} {SOAP} delta=0.8 zeta=2 n_sparse=5 n_Z=1 Z=6 n_species=3 species_Z={{{{8 1 6}}}} :"
    f" soap {SHAPE} {SOAP} delta=0.8 zeta=2 n_sparse=4 n_Z=1 Z=8 n_species=3 species_Z={{{{8 1 6}}}} :"
    f" soap {SHAPE} {SOAP} delta=0.6 zeta=3 n_sparse=4 n_Z=1 Z=1 n_species=2 species_Z={{{{1 6}}}}"
    " central_weight=0.7 covariance_sigma0=0.3 nu_R=2 nu_S=1 cutoff_dexp=3 cutoff_scale=1.7 cutoff_rate=0.8}"
)


def taken(frames, virials):
    out = []
    for a in frames:
        b = a.copy()
        b.info = {"energy": float(a.get_potential_energy())}
        b.arrays["forces"] = a.get_forces()
        if virials:
            b.info["virial"] = (-a.get_volume() * a.get_stress(voigt=False)).reshape(9)
        out.append(b)
    return out


def fit(name, frames, gap, e0, sigma, separate):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write(place / "train.xyz", frames)
        words = [
            "gap_fit",
            "at_file=train.xyz",
            f"gap={gap}",
            f"default_sigma={sigma}",
            "energy_parameter_name=energy",
            "force_parameter_name=forces",
            "virial_parameter_name=virial",
            f"gp_file={name}.xml",
            "sparse_jitter=1e-8",
            "do_copy_at_file=F",
            f"e0={e0}",
            "rnd_seed=1",
            f"sparse_separate_file={separate}",
        ]
        done = subprocess.run(words, cwd=place, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit((done.stdout + done.stderr)[-2000:])
        OUT.mkdir(exist_ok=True)
        for old in OUT.glob(f"{name}.xml*"):
            old.unlink()
        # The label with the date becomes the name: the same files every time.
        text = (place / f"{name}.xml").read_text()
        label = text.split(">", 1)[0][1:]
        (OUT / f"{name}.xml").write_text(text.replace(label, name))
        for points in place.glob(f"{name}.xml.sparseX.*"):
            (OUT / points.name.replace(label, name)).write_text(points.read_text())


def evaluated(name, frames):
    potential = Potential(param_filename=str(OUT / f"{name}.xml"))
    rows = []
    for a in frames:
        b = Atoms(a.numbers, a.positions, cell=a.cell, pbc=a.pbc)
        b.calc = potential
        periodic = bool(a.pbc.all())
        rows.append(
            {
                "numbers": a.numbers.tolist(),
                "positions": a.positions.tolist(),
                "cell": a.cell.tolist() if periodic else None,
                "energy": float(b.get_potential_energy()),
                "forces": b.get_forces().tolist(),
                "virial": (-b.get_volume() * b.get_stress(voigt=False)).tolist() if periodic else None,
            }
        )
    return rows


#: Five atoms of three elements, at no symmetric place.
MOLECULE = Atoms(
    "OHCHO",
    positions=[[0, 0, 0], [0.9, 0.2, 0.1], [-0.3, 1.1, 0.4], [0.5, -0.9, 1.2], [1.5, 1.4, -0.8]],
    cell=[30] * 3,
    pbc=False,
)
BASE = "soap cutoff=3.0 cutoff_transition_width=0.8 n_max=3 l_max=2 atom_sigma=0.5 n_Z=1 Z=8 normalise=F"
THREE = "n_species=3 species_Z={1 6 8}"
CASES = {
    "plain": f"{BASE} {THREE}",
    "order": f"{BASE} n_species=2 species_Z={{8 1}}",
    "central_weight": f"{BASE} {THREE} central_weight=0.3",
    "central_reference_all_species": f"{BASE} {THREE} central_reference_all_species=T",
    "cutoff_dexp": f"{BASE} {THREE} cutoff_dexp=3 cutoff_scale=1.5 cutoff_rate=0.5",
    **{
        f"nu_R={R} nu_S={S}": f"{BASE} {THREE} nu_R={R} nu_S={S}" for R in (0, 1, 2) for S in (0, 1, 2) if (R, S) != (2, 2)
    },
    "eight functions": f"{BASE} n_species=1 species_Z=1".replace("n_max=3 l_max=2", "n_max=8 l_max=4"),
    "one element, nu_S=1": f"{BASE} n_species=1 species_Z=1 nu_S=1",
}


def short(values):
    """Numbers of 13 digits."""
    return [[float(f"{x:.13g}") for x in row] for row in values]


def spectra():
    found = {}
    for name, line in CASES.items():
        result = Descriptor(line).calc(MOLECULE, grad=True)
        # The last number is covariance_sigma0. Derivatives of the first centre by the second atom.
        index = result["grad_index_0based"].tolist().index([0, 1])
        found[name] = {
            "values": short(result["data"][:, :-1]),
            "gradient": short(result["grad_data"][index][:, :-1]),
        }
    return found


silicon = read(DATA / "silicon.xyz.gz", ":")
small = [a for a in silicon if len(a) <= 8 and a.info["config_type"] != "isolated_atom"]
ethanol = read(DATA / "ethanol.xyz.gz", ":40")
alone = {a.symbols[0]: float(a.get_potential_energy()) for a in read(DATA / "ethanol-atoms.xyz", ":")}
atom = float(read(DATA / "silicon-atoms.xyz", "0").get_potential_energy())
fit("silicon", taken(small[1:40:6], True), SILICON, repr(atom), "{0.001 0.1 0.05 0.0}", "T")
# By element only where each is named: energies of the atoms.
fit(
    "ethanol",
    taken(ethanol[::4], False),
    ETHANOL,
    "{" + ":".join(f"{s}:{e!r}" for s, e in alone.items()) + "}",
    "{0.001 0.1 0.0 0.0}",
    "F",
)
golden = {
    "silicon": evaluated("silicon", [small[3], small[20], silicon[2]]),
    "ethanol": evaluated("ethanol", ethanol[1:3]),
    "molecule": {"numbers": MOLECULE.numbers.tolist(), "positions": MOLECULE.positions.tolist()},
    "spectra": spectra(),
}
(OUT / "quip.json").write_text(json.dumps(golden))
