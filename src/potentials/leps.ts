import type { Range } from "../descriptors/environments.ts";
import type { Device, Kernel } from "../device/device.ts";
import { invalid } from "../error.ts";
import { gradient } from "../formula/derivative.ts";
import { add, exp, mul, neg, sqrt, square, sub, sum, variable } from "../formula/expression.ts";
import type { Expr } from "../formula/expression.ts";
import type { Structure } from "../structure/structure.ts";
import { z } from "../zod.ts";
import type { Potential, PotentialMethod } from "./potential.ts";

const bond = (depth: number, sato: number) =>
  z
    .strictObject({
      depth: z.number().positive().default(depth).meta({ unit: "eV", help: "D" }),
      alpha: z.number().positive().default(1.942).meta({ unit: "1/Å", help: "narrowness of the well" }),
      distance: z.number().positive().default(0.742).meta({ unit: "Å", help: "r₀" }),
      sato: z.number().gt(-1).default(sato).meta({ help: "Sato's parameter" }),
    })
    .prefault({});

const options = z.strictObject({
  AB: bond(4.746, 0.05).meta({ help: "of the first and second atom" }),
  BC: bond(4.746, 0.3).meta({ help: "of the second and third atom" }),
  AC: bond(3.445, 0.05).meta({ help: "of the first and third atom" }),
});

type Options = z.infer<typeof options>;
type Bond = Options["AB"];

const NAME = "leps";

/** Atoms of the three bonds, in the order AB, BC, AC. */
const BONDS = [
  [0, 1],
  [1, 2],
  [0, 2],
] as const;
const NAMES = ["rAB", "rBC", "rAC"] as const;

/** Coulomb integral Q = D/2 (3/2 e^{−2α(r−r₀)} − e^{−α(r−r₀)}) over 1 + Sato's parameter. */
const coulomb = ({ depth, sato }: Bond, u: Expr): Expr =>
  mul(depth / 2 / (1 + sato), sub(mul(1.5, square(u)), u));

/** Exchange integral J = D/4 (e^{−2α(r−r₀)} − 6 e^{−α(r−r₀)}) over 1 + Sato's parameter. */
const exchange = ({ depth, sato }: Bond, u: Expr): Expr =>
  mul(depth / 4 / (1 + sato), sub(square(u), mul(6, u)));

/**
 * E = Q_AB + Q_BC + Q_AC − √(J_AB² + J_BC² + J_AC² − J_AB J_BC − J_BC J_AC − J_AB J_AC) of three atoms in this order.
 * S. Sato, J. Chem. Phys. 23, 592 (1955), DOI 10.1063/1.1742043; the numbers of the NEB literature (H. Jónsson,
 * G. Mills, K. W. Jacobsen 1998, DOI 10.1142/9789812839664_0016) by default.
 */
export const leps: PotentialMethod<Options> = {
  name: NAME,
  summary: "Three atoms that exchange a bond, A + BC → AB + C: the first surface of reaction dynamics",
  options,
  build,
};

function build(given: Options, _elements: unknown, _tensors: unknown, device: Device): Potential {
  const kernel = device.compile({
    name: NAME,
    varying: NAMES,
    uniform: [],
    elementwise: withGradient(energyOf(given)),
  });
  // Two lanes of three distances, then of the energy and three slopes.
  const buffer = device.memory.alloc(8 * 14);
  const table = device.memory.f64(buffer, 14);
  /** Slopes and second derivatives once they are asked for. */
  let bend: Kernel | undefined;
  const bendTable = device.memory.alloc(8 * 2 * (3 + 3 + 6));
  return {
    cutoff: 0,
    elements: null,
    smoothness: Infinity,
    curvature(structure, _, H) {
      const { vectors, lengths } = bondsOf(structure);
      bend ??= compileSecond(energyOf(given), device);
      const room = device.memory.f64(bendTable, 24);
      lengths.forEach((r, k) => room.fill(r, 2 * k, 2 * k + 2));
      bend.run(2, bendTable, 16, 0, bendTable + 48, 0);
      addSecond(vectors, lengths, (k) => room[6 + 2 * k], H);
    },
    evaluate(structure, _, out, [first, last]: Range = [0, 3]) {
      const { vectors, lengths } = bondsOf(structure);
      // The energy is nobody's own; it is counted with the first atom.
      if (first > 0 || last < 1) return;
      lengths.forEach((r, k) => table.fill(r, 2 * k, 2 * k + 2));
      kernel.run(2, buffer, 16, 0, buffer + 48, 0);
      out.energy += table[6];
      if (out.energies) out.energies[0] += table[6];
      for (const [k, [i, j]] of BONDS.entries())
        for (let a = 0; a < 3; a++) {
          const g = (table[8 + 2 * k] * vectors[k][a]) / lengths[k];
          out.forces[3 * i + a] += g;
          out.forces[3 * j + a] -= g;
          for (let b = 0; b < 3; b++) out.virial[3 * a + b] -= g * vectors[k][b];
        }
    },
  };
}

function energyOf(given: Options): Expr {
  const bonds = [given.AB, given.BC, given.AC];
  const decays = bonds.map(({ alpha, distance }, k) => exp(mul(-alpha, sub(variable(NAMES[k]), distance))));
  const [a, b, c] = bonds.map((bond, k) => exchange(bond, decays[k]));
  const squares = sum([square(a), square(b), square(c)]);
  const products = sum([mul(a, b), mul(b, c), mul(a, c)]);
  return add(sum(bonds.map((bond, k) => coulomb(bond, decays[k]))), neg(sqrt(sub(squares, products))));
}

const withGradient = (E: Expr): Expr[] => [E, ...gradient(E, NAMES.map(variable))];

/** Vectors and lengths (Å) of the three bonds. */
function bondsOf({ numbers, positions, pbc }: Structure) {
  if (numbers.length !== 3) throw invalid(NAME, "a structure of three atoms", numbers.length);
  if (pbc.some(Boolean)) throw invalid(NAME, "a structure without periodic images", "a periodic one");
  const vectors = BONDS.map(([i, j]) => [0, 1, 2].map((a) => positions[3 * j + a] - positions[3 * i + a]));
  return { vectors, lengths: vectors.map(([x, y, z]) => Math.sqrt(x * x + y * y + z * z)) };
}

/** ∂E/∂r_k, then ∂²E/∂r_k∂r_l of k ≤ l, row after row. */
function compileSecond(E: Expr, device: Device): Kernel {
  const distances = NAMES.map(variable);
  const slopes = gradient(E, distances);
  const second = slopes.flatMap((slope, k) => gradient(slope, distances).slice(k));
  const elementwise = [...slopes, ...second];
  return device.compile({ name: `${NAME} curvature`, varying: NAMES, uniform: [], elementwise });
}

/** ∂(vector of bond k)/∂(position of an atom): 1 at its end, −1 at its start. */
const sign = (k: number, atom: number): number => (BONDS[k][1] === atom ? 1 : BONDS[k][0] === atom ? -1 : 0);

/** ADDS Σ_kl E_kl b_k b_l + Σ_k E_k ∂b_k/∂x with b_k = ∂r_k/∂x; `at` reads what `compileSecond` makes. */
function addSecond(
  vectors: readonly (readonly number[])[],
  lengths: readonly number[],
  at: (k: number) => number,
  H: Float64Array,
): void {
  const unit = vectors.map((v, k) => v.map((x) => x / lengths[k]));
  for (let i = 0; i < 9; i++)
    for (let j = 0; j < 9; j++) {
      const [A, B, a, b] = [Math.floor(i / 3), Math.floor(j / 3), i % 3, j % 3];
      for (let k = 0, next = 3; k < 3; k++) {
        const across = ((a === b ? 1 : 0) - unit[k][a] * unit[k][b]) / lengths[k];
        H[9 * i + j] += at(k) * sign(k, A) * sign(k, B) * across;
        for (let l = k; l < 3; l++, next++) {
          const one = sign(k, A) * unit[k][a] * sign(l, B) * unit[l][b];
          const other = sign(l, A) * unit[l][a] * sign(k, B) * unit[k][b];
          H[9 * i + j] += at(next) * (k === l ? one : one + other);
        }
      }
    }
}
