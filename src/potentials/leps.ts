import type { Range } from "../descriptors/environments.ts";
import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { gradient } from "../formula/derivative.ts";
import { add, exp, mul, neg, sqrt, square, sub, sum, variable } from "../formula/expression.ts";
import type { Expr } from "../formula/expression.ts";
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
  return {
    cutoff: 0,
    elements: null,
    smoothness: Infinity,
    evaluate({ numbers, positions, pbc }, _, out, [first, last]: Range = [0, 3]) {
      if (numbers.length !== 3) throw invalid(NAME, "a structure of three atoms", numbers.length);
      if (pbc.some(Boolean)) throw invalid(NAME, "a structure without periodic images", "a periodic one");
      // The energy is nobody's own; it is counted with the first atom.
      if (first > 0 || last < 1) return;
      const vectors = BONDS.map(([i, j]) =>
        [0, 1, 2].map((a) => positions[3 * j + a] - positions[3 * i + a]),
      );
      const lengths = vectors.map(([x, y, z]) => Math.sqrt(x * x + y * y + z * z));
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
