"""MBAR of pymbar on harmonic umbrellas over a double well: writes mbar.json.

pip install pymbar==4.0.3; python mbar.py
"""

import json

import numpy as np
import pymbar

rng = np.random.default_rng(7)
counts = [60, 45, 80, 50]
centres = [-1.0, -0.3, 0.4, 1.1]
springs = [8.0, 6.0, 9.0, 7.0]


def surface(x):
    return 2.0 * (x**4 - 2 * x**2)


def draw(n, centre, k):
    """Independent samples by inverting the distribution function on a fine grid."""
    x = np.linspace(-3, 3, 60001)
    p = np.exp(-surface(x) - 0.5 * k * (x - centre) ** 2)
    c = np.cumsum(p)
    return np.interp(rng.uniform(size=n), c / c[-1], x)


samples = [np.round(draw(n, c, k), 6) for n, c, k in zip(counts, centres, springs)]
x = np.concatenate(samples)
u = np.array([0.5 * k * (x - c) ** 2 for c, k in zip(centres, springs)])
solver = (dict(method="adaptive", tol=1e-13, options=dict(maxiter=10000, min_sc_iter=50)),)
mbar = pymbar.MBAR(u, counts, solver_protocol=solver, relative_tolerance=1e-14)
edges = np.linspace(x.min() - 1e-6, x.max() + 1e-6, 9)
inside = (x > edges[0]) & (x < edges[-1])
assert inside.all()
f = mbar.compute_free_energy_differences()
# Bins are ensembles without samples: −ln of their share, with the covariance of Shirts and Chodera.
bins = np.digitize(x, edges) - 1
u_bins = np.array([np.where(bins == b, 0.0, 1e6) for b in range(len(edges) - 1)])
augmented = mbar.compute_perturbed_free_energies(u_bins)
fes = pymbar.FES(u, counts, mbar_options=dict(solver_protocol=solver, relative_tolerance=1e-14))
fes.generate_fes(np.zeros_like(x), x, fes_type="histogram", histogram_parameters=dict(bin_edges=[edges]))
middles = (edges[1:] + edges[:-1]) / 2
profile = fes.get_fes(middles, reference_point="from-lowest", uncertainty_method="analytical")
json.dump(
    dict(
        pymbar=pymbar.__version__,
        counts=counts,
        centres=centres,
        springs=springs,
        samples=[s.tolist() for s in samples],
        edges=edges.tolist(),
        f=(mbar.f_k - mbar.f_k[0]).tolist(),
        df=f["dDelta_f"].tolist(),
        overlap=mbar.compute_overlap()["matrix"].tolist(),
        profile=profile["f_i"].tolist(),
        profile_errors=profile["df_i"].tolist(),
        perturbed=augmented["Delta_f"].tolist(),
        perturbed_errors=augmented["dDelta_f"].tolist(),
    ),
    open("mbar.json", "w"),
    indent=0,
)
