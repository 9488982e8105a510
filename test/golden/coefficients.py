"""Polynomial coefficients of src/formula/formats.ts: interpolation at Chebyshev nodes with 60 digits.

python3 test/golden/coefficients.py    (mpmath 1.3.0)
"""
import struct

from mpmath import mp, mpf, exp, log, sin, cos, sqrt, pi, matrix, lu_solve, asin, atanh

mp.dps = 60


def interpolate(f, low, high, n):
    """Coefficients c0 … c(n-1) of the polynomial that equals f at n Chebyshev nodes of [low, high]."""
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    a = matrix(n, n)
    b = matrix(n, 1)
    for i, x in enumerate(nodes):
        for j in range(n):
            a[i, j] = x**j
        b[i] = f(x)
    return list(lu_solve(a, b))


def show(name, c):
    print(name, "[" + ", ".join(repr(float(x)) for x in c) + "]")


half = log(2) / 2 * (1 + mpf(10) ** -6)
show("(exp(r) - 1 - r) / r^2 in r", interpolate(lambda r: (exp(r) - 1 - r) / r**2, -half, half, 10))
q = (pi / 4) ** 2 * (1 + mpf(10) ** -6)
tiny = mpf(10) ** -12
show("(sin(r) - r) / r^3 in r^2", interpolate(lambda z: (sin(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3, tiny, q, 6))
show("(cos(r) - 1 + r^2/2) / r^4 in r^2", interpolate(lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, tiny, q, 6))


def artanh(z):
    s = sqrt(z)
    return (2 * atanh(s) - 2 * s) / s**3


small = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
show("(2 atanh(s) - 2 s) / s^3 in s^2, s < 0.172", interpolate(artanh, tiny, small, 7))
show("(2 atanh(s) - 2 s) / s^3 in s^2, s < 1/3", interpolate(artanh, tiny, mpf(1) / 9 * (1 + mpf(10) ** -6), 10))

show("(asin(s) / s - 1) / s^2 in s^2, s < 1/2", interpolate(lambda z: (asin(sqrt(z)) / sqrt(z) - 1) / z, tiny, mpf(1) / 4 * (1 + mpf(10) ** -6), 12))


def pieces(x, widths):
    """x as a sum of doubles of so many leading bits each; the last takes a whole double."""
    out = []
    for w in widths:
        e = int(mp.floor(log(abs(x), 2)))
        unit = mpf(2) ** (e - w + 1)
        part = mp.floor(x / unit) * unit
        out.append(part)
        x -= part
    return out + [x]


show("ln 2", pieces(log(2), [38]))
show("pi / 2", pieces(pi / 2, [34, 34]))
show("1 / ln 2, 2 / pi", [1 / log(2), 2 / pi])


def single(x):
    """x rounded to f32."""
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def show_single(name, c):
    print("f32:", name, [single(x) for x in c])


show_single("exp", interpolate(lambda r: (exp(r) - 1 - r) / r**2, -half, half * (1 + mpf(10) ** -3), 5))
show_single("sin", interpolate(lambda z: (sin(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3, tiny, q, 3))
show_single("cos", interpolate(lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, tiny, q, 3))
show_single("atanh, s < 0.172", interpolate(artanh, tiny, small, 3))
show_single("atanh, s < 1/3", interpolate(artanh, tiny, mpf(1) / 9 * (1 + mpf(10) ** -6), 5))
show_single("asin", interpolate(lambda z: (asin(sqrt(z)) / sqrt(z) - 1) / z, tiny, mpf(1) / 4 * (1 + mpf(10) ** -6), 6))
show_single("ln 2", pieces(log(2), [16]))
show_single("pi / 2", pieces(pi / 2, [11, 11]))
show_single("pi", [mpf(single(pi)), pi - mpf(single(pi))])
