"""Values of the elementary functions with 50 digits: test/golden/elementary.json.

python3 test/golden/elementary.py [points per function] [file]    (mpmath 1.3.0)

Each row is x, f(x) rounded to a double, and what rounding left (f(x) minus that double), so that an error
can be measured to a small fraction of a unit in the last place.
"""
import json
import os
import random
import sys

from mpmath import mp, mpf, exp, log, log1p, sin, cos, tanh, acos, pi

mp.dps = 50
points = int(sys.argv[1]) if len(sys.argv) > 1 else 240
random.seed(1)


def uniform(a, b):
    return lambda: random.uniform(a, b)


def magnitudes(a, b, signed=True):
    """10^u with u uniform, of either sign."""
    return lambda: 10 ** random.uniform(a, b) * (random.choice([-1, 1]) if signed else 1)


def near_quarter_turns():
    """A double next to a multiple of π/2, where the reduced argument is all cancellation."""
    return float(random.randint(1, 63661) * pi / 2)


def near_one():
    """1 − 10^u of either sign, where the angle is small or nearly π."""
    return (1 - 10 ** random.uniform(-15, -1)) * random.choice([-1, 1])


def softplus(x):
    return log1p(exp(x))


functions = {
    "exp": (exp, [uniform(-1, 1), uniform(-40, 5), uniform(-708, 709.78), magnitudes(-20, 0)]),
    "log": (log, [uniform(0.5, 2), uniform(0.99, 1.01), magnitudes(-307, 308, False), magnitudes(-323, -308, False)]),
    "log1p": (log1p, [uniform(0, 1), uniform(-0.9, 2), magnitudes(-20, -0.1), magnitudes(0, 300, False)]),
    "sin": (sin, [uniform(-4, 4), uniform(-1e3, 1e3), uniform(-1e5, 1e5), near_quarter_turns, magnitudes(-20, 0)]),
    "cos": (cos, [uniform(-4, 4), uniform(-1e3, 1e3), uniform(-1e5, 1e5), near_quarter_turns, magnitudes(-20, 0)]),
    "tanh": (tanh, [uniform(-1, 1), uniform(-20, 20), magnitudes(-20, 2)]),
    "logistic": (lambda x: 1 / (1 + exp(-x)), [uniform(-2, 2), uniform(-40, 40), uniform(-700, 40)]),
    "softplus": (softplus, [uniform(-2, 2), uniform(-40, 40), uniform(-700, 700)]),
    "acos": (acos, [uniform(-1, 1), uniform(0.9, 1), uniform(-1, -0.9), near_one]),
}


def row(f, x):
    exact = f(mpf(x))
    y = float(exact)
    return [x, y, float(exact - mpf(y))]


here = os.path.dirname(os.path.abspath(__file__))
out = {}
for name, (f, samplers) in functions.items():
    xs = [samplers[i % len(samplers)]() for i in range(points)]
    out[name] = [row(f, x) for x in xs]
path = sys.argv[2] if len(sys.argv) > 2 else os.path.join(here, "elementary.json")
with open(path, "w") as file:
    rows = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(r) for r in table) + "\n]" for name, table in out.items()
    )
    file.write("{" + rows + "}\n")
