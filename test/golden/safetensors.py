#!/usr/bin/env python3
"""A file by the reference implementation (pip install safetensors==0.6.2 numpy): python safetensors.py

With a path, prints what the reference implementation reads from that file.
"""
import sys

import numpy as np

sys.path = sys.path[1:]  # this file has the name of the package
from safetensors import safe_open
from safetensors.numpy import save_file

if len(sys.argv) > 1:
    with safe_open(sys.argv[1], "np") as f:
        print(f.metadata())
        for name in f.keys():
            print(name, f.get_tensor(name))
else:
    save_file(
        {
            "b": np.array([[0.1, -0.0, 5e-324], [1e308, 1 / 3, 2.0]]),
            "a": np.array([1, 2, 255], dtype=np.uint8),
            "c": np.array([0.5, -1.5], dtype=np.float32),
            "d": np.array([-(2**31), 7], dtype=np.int32),
        },
        "reference.safetensors",
        {"who": "the reference implementation", "odd \"key\"": "Å"},
    )
