import type { Range } from "../descriptors/environments.ts";
import type { Device, Kernel } from "../device/device.ts";
import { gradient } from "../formula/derivative.ts";
import { variable } from "../formula/expression.ts";
import type { Expr } from "../formula/expression.ts";
import { UPPER } from "../math/symmetric.ts";
import type { Potential } from "./potential.ts";

/** Cartesian coordinates of an atom, Å. */
export const [x, y, z] = ["x", "y", "z"].map(variable);

/**
 * E = Σ_i V(x_i, y_i, z_i), a field that every atom feels by itself. It knows where the origin is, so the laws of
 * translation and rotation do not hold for it, and it adds no virial.
 */
export function external(name: string, V: Expr, device: Device): Potential {
  const elementwise = [V, ...gradient(V, [x, y, z])];
  const kernel = device.compile({ name, varying: ["x", "y", "z"], uniform: [], elementwise });
  let [buffer, capacity] = [0, 0];
  /** V_xx, V_xy, … once they are asked for. */
  let bend: { readonly kernel: Kernel; readonly address: number } | undefined;
  const reserve = (n: number) => {
    if (capacity >= n) return;
    capacity = 2 * Math.ceil(0.75 * n + 8);
    buffer = device.memory.alloc(8 * 7 * capacity);
  };
  return {
    cutoff: 0,
    elements: null,
    smoothness: Infinity,
    external: true,
    curvature({ positions }, _, H) {
      bend ??= {
        kernel: compileSecond(name, V, device),
        address: device.memory.alloc(8 * 2 * (3 + UPPER.length)),
      };
      const table = device.memory.f64(bend.address, 2 * (3 + UPPER.length));
      const size = positions.length;
      for (let i = 0; i < size; i += 3) {
        for (let a = 0; a < 3; a++) table.fill(positions[i + a], 2 * a, 2 * a + 2);
        bend.kernel.run(2, bend.address, 16, 0, bend.address + 48, 0);
        for (const [k, [a, b]] of UPPER.entries()) {
          H[(i + a) * size + i + b] += table[6 + 2 * k];
          if (a !== b) H[(i + b) * size + i + a] += table[6 + 2 * k];
        }
      }
    },
    evaluate({ positions }, _, out, range: Range = [0, positions.length / 3]) {
      const [first, last] = range;
      const n = last - first;
      if (n <= 0) return;
      reserve(n + (n & 1));
      const table = device.memory.f64(buffer, 7 * capacity);
      for (let k = 0; k < n + (n & 1); k++) {
        // The last lane of an odd number of atoms repeats the one before.
        const i = first + Math.min(k, n - 1);
        for (let a = 0; a < 3; a++) table[a * capacity + k] = positions[3 * i + a];
      }
      kernel.run(n + (n & 1), buffer, 8 * capacity, 0, buffer + 24 * capacity, 0);
      for (let k = 0; k < n; k++) {
        const i = first + k;
        out.energy += table[3 * capacity + k];
        if (out.energies) out.energies[i] += table[3 * capacity + k];
        for (let a = 0; a < 3; a++) out.forces[3 * i + a] -= table[(4 + a) * capacity + k];
      }
    },
  };
}

/** Second derivatives in the order of UPPER. */
function compileSecond(name: string, V: Expr, device: Device): Kernel {
  const axes = [x, y, z];
  const rows = gradient(V, axes).map((slope) => gradient(slope, axes));
  const elementwise = UPPER.map(([a, b]) => rows[a][b]);
  return device.compile({ name: `${name} curvature`, varying: ["x", "y", "z"], uniform: [], elementwise });
}
