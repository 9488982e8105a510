"""Stationary points by Newton's method, apart from surfit: writes stationary.json beside this file.

    python3 stationary.py            (numpy, mpmath)

Mueller-Brown: all five. LEPS with the numbers of H. Jonsson, G. Mills, K. W. Jacobsen (1998): the collinear saddle point.
Lennard-Jones clusters in reduced units: all minima and first-order saddle points of 4 to 7 atoms that random starts find;
C. J. Tsai, K. D. Jordan, J. Phys. Chem. 97, 11227 (1993) have 1, 1, 2, 4 minima and 1, 2, 3, 12 saddle points (permutations
and mirror images count once); one of the last is not found here.
"""
import json, os
import numpy as np
import mpmath as mp

mp.mp.dps = 30

def plane(x, y):
    A = [-200, -100, -170, 15]; a = [-1, -1, mp.mpf("-6.5"), mp.mpf("0.7")]; b = [0, 0, 11, mp.mpf("0.6")]
    c = [-10, -10, mp.mpf("-6.5"), mp.mpf("0.7")]; X = [1, 0, mp.mpf("-0.5"), -1]; Y = [0, mp.mpf("0.5"), mp.mpf("1.5"), 1]
    return sum(A[k] * mp.exp(a[k]*(x-X[k])**2 + b[k]*(x-X[k])*(y-Y[k]) + c[k]*(y-Y[k])**2) for k in range(4))

def stationary(f, start):
    g = lambda *r: [mp.diff(f, r, tuple(int(i == k) for i in range(len(r)))) for k in range(len(r))]
    return mp.findroot(g, start)

points = {}
for name, start in {"minima": [(-0.558, 1.442), (0.623, 0.028), (-0.05, 0.467)], "saddles": [(-0.822, 0.624), (0.212, 0.293)]}.items():
    found = [stationary(plane, s) for s in start]
    points[name] = [{"x": float(r[0]), "y": float(r[1]), "energy": float(plane(r[0], r[1]))} for r in found]

def leps(ab, bc):
    depth = {"AB": mp.mpf("4.746"), "BC": mp.mpf("4.746"), "AC": mp.mpf("3.445")}
    sato = {"AB": mp.mpf("0.05"), "BC": mp.mpf("0.3"), "AC": mp.mpf("0.05")}
    r = {"AB": ab, "BC": bc, "AC": ab + bc}
    Q, J = {}, {}
    for k in r:
        u = mp.exp(-mp.mpf("1.942") * (r[k] - mp.mpf("0.742")))
        Q[k] = depth[k] / 2 * (mp.mpf("1.5") * u**2 - u) / (1 + sato[k])
        J[k] = depth[k] / 4 * (u**2 - 6*u) / (1 + sato[k])
    root = mp.sqrt(J["AB"]**2 + J["BC"]**2 + J["AC"]**2 - J["AB"]*J["BC"] - J["BC"]*J["AC"] - J["AB"]*J["AC"])
    return Q["AB"] + Q["BC"] + Q["AC"] - root

s = stationary(leps, (0.9, 1.0))
out = {"plane": points, "leps": {"ab": float(s[0]), "bc": float(s[1]), "energy": float(leps(s[0], s[1]))}, "clusters": {}}

def derivatives(p):
    n = len(p); d = p[:, None] - p[None]; r2 = (d**2).sum(-1) + np.eye(n)
    s6 = r2**-3; np.fill_diagonal(s6, 0)
    e = 2 * (s6**2 - s6).sum()
    v1 = (-48*s6**2 + 24*s6) / r2           # V'/r
    g = (v1[:, :, None] * d).sum(1)
    v2 = (672*s6**2 - 192*s6) / r2**2       # (V'' - V'/r)/r^2
    H = np.zeros((n, 3, n, 3))
    for i in range(n):
        for j in range(n):
            if i == j: continue
            B = v2[i, j] * np.outer(d[i, j], d[i, j]) + v1[i, j] * np.eye(3)
            H[i, :, j, :] -= B
            H[i, :, i, :] += B
    return e, g.ravel(), H.reshape(3*n, 3*n)

def find(n, starts, rng):
    found = []
    for _ in range(starts):
        p = rng.uniform(0, 1.3 * n**(1/3), (n, 3))
        climb = rng.integers(0, 2)
        for k in range(300):
            e, g, H = derivatives(p)
            if not np.isfinite(e): break
            w, v = np.linalg.eigh(H)
            # Down all modes, or up the softest that is no motion of the whole, by Newton's step with the wanted signs.
            rigid = np.abs(w) < 1e-7 * np.abs(w).max()
            c = v.T @ g
            want = np.abs(w).copy()
            order = [i for i in np.argsort(w) if not rigid[i]]
            if climb and order: want[order[0]] *= -1
            step = np.where(rigid, 0, -c / np.where(rigid, 1, np.sign(want) * np.maximum(np.abs(want), 1e-3)))
            s = (v @ step).reshape(n, 3)
            far = np.sqrt((s**2).sum(1)).max()
            p = p + s * min(1, 0.1 / far) if far > 0 else p
            if np.abs(g).max() < 1e-13 * n or far < 1e-14: break
        e, g, H = derivatives(p)
        if not np.abs(g).max() < 1e-10: continue
        d = np.sqrt(((p[:, None] - p[None])**2).sum(-1)) + 10 * np.eye(n)
        if d.min(1).max() > 1.6: continue
        w = np.linalg.eigvalsh(H); index = int((w < -1e-6).sum())
        if (np.abs(w) < 1e-6).sum() > 6 or index > 1: continue
        print_ = np.sort(d[np.triu_indices(n, 1)])
        if any(f["index"] == index and abs(f["energy"] - e) < 1e-7 and np.abs(f["print"] - print_).max() < 1e-4 for f in found): continue
        found.append({"index": index, "energy": e, "positions": (p - p.mean(0)).ravel(), "print": print_})
    return sorted(found, key=lambda f: (f["index"], f["energy"]))

rng = np.random.default_rng(1)
for n, starts in ((4, 40), (5, 80), (6, 150), (7, 1600)):
    found = find(n, starts, rng)
    print(n, [sum(f["index"] == i for f in found) for i in (0, 1)], [round(f["energy"], 6) for f in found])
    out["clusters"][str(n)] = [{"index": f["index"], "energy": float(f["energy"]), "positions": [float(x) for x in f["positions"]]} for f in found]

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stationary.json"), "w") as file:
    json.dump(out, file, indent=None, separators=(",", ":"))
    file.write("\n")
