import { z } from "../zod.ts";
import type { Device } from "../device/device.ts";
import { invalid } from "../error.ts";
import { gradient } from "../formula/derivative.ts";
import {
  add,
  div,
  exp,
  less,
  max,
  mul,
  pow,
  powi,
  select,
  sub,
  sum,
  variable,
  type Expr,
} from "../formula/expression.ts";
import { evaluate } from "../formula/javascript.ts";
import type { Kernel } from "../formula/kernel.ts";
import { covalentRadius } from "../structure/elements.ts";
import { pairKey, pairName, type PairStatistics } from "../structure/statistics.ts";
import { PairSum, type Bend, type Curve } from "./pair-sum.ts";
import type { PotentialMethod } from "./potential.ts";

const radii = z
  .strictObject({ inner: z.number().nonnegative(), outer: z.number().positive() })
  .refine(({ inner, outer }) => inner < outer, { error: "expected inner < outer" });

const zblOptions = z.strictObject({
  pairs: z.record(z.string().regex(/^\d+-\d+$/), radii.nullable()).meta({
    unit: "Å",
    help: "Switching radii of each pair of atomic numbers, as in 6-8; null: no repulsion",
  }),
});

export type ZblOptions = z.infer<typeof zblOptions>;

/** e²/4πε₀, eV Å: the value of LAMMPS' metal units, so that its curves are met to the last digits. */
const COULOMB = 14.399645;

/** φ(x) = Σ_k c_k exp(−d_k x). */
const SCREENING: readonly (readonly [c: number, d: number])[] = [
  [0.18175, 3.1998],
  [0.50986, 0.94229],
  [0.28022, 0.4029],
  [0.02817, 0.20162],
];

const screening = (x: Expr): Expr => sum(SCREENING.map(([c, d]) => mul(c, exp(mul(-d, x)))));

/** E(r) = k Z_i Z_j / r · φ(r/a). */
const repulsion = (r: Expr, strength: Expr, a: Expr): Expr => mul(div(strength, r), screening(div(r, a)));

/**
 * E(r) + S(r) inside the outer radius r₂, 0 outside, with S = C for r < r₁ and (A/3)(r − r₁)³ + (B/4)(r − r₁)⁴ + C
 * above: value, slope and curvature vanish at r₂ (the switching of LAMMPS pair_style zbl).
 */
function switched(r: Expr, u: (name: string) => Expr): Expr {
  const t = max(sub(r, u("inner")), 0);
  const S = add(mul(powi(t, 3), add(div(u("A"), 3), mul(div(u("B"), 4), t))), u("C"));
  return select(less(r, u("outer")), add(repulsion(r, u("strength"), u("a")), S), 0);
}

const UNIFORM = ["strength", "a", "inner", "outer", "A", "B", "C"] as const;

/** Numbers of one pair of elements, in the order of UNIFORM. */
function coefficients(Zi: number, Zj: number, inner: number, outer: number): Float64Array {
  const strength = COULOMB * Zi * Zj;
  const [length] = evaluate([div(0.4685, add(pow(variable("Zi"), 0.23), pow(variable("Zj"), 0.23)))], {
    Zi,
    Zj,
  });
  const [r, s, a] = [variable("r"), variable("strength"), variable("a")];
  const E = repulsion(r, s, a);
  const d1 = gradient(E, [r])[0];
  const d2 = gradient(d1, [r])[0];
  const [e0, e1, e2] = evaluate([E, d1, d2], { r: outer, strength, a: length });
  const w = outer - inner;
  const A = (-3 * e1 + w * e2) / w ** 2;
  const B = (2 * e1 - w * e2) / w ** 3;
  const C = -e0 + (w * e1) / 2 - (w * w * e2) / 12;
  return Float64Array.of(strength, length, inner, outer, A, B, C);
}

/** Screened repulsion of nuclei at short distances. J. F. Ziegler, J. P. Biersack, U. Littmark (1985), ISBN 978-0080220536. */
export class Zbl extends PairSum {
  readonly smoothness = 2;

  constructor(options: ZblOptions, elements: readonly number[], device: Device) {
    const S = elements.length;
    const outer = new Float64Array(S * S);
    const kernel = compileZbl(device);
    /** Byte address of the coefficients of pair (a, b). */
    const base = device.memory.alloc(8 * UNIFORM.length * S * S);
    const at = (a: number, b: number) => base + 8 * UNIFORM.length * (a * S + b);
    elements.forEach((Zi, a) =>
      elements.forEach((Zj, b) => {
        const pair = options.pairs[pairKey(Zi, Zj)];
        if (pair === undefined)
          throw invalid("zbl.pairs", `radii of ${pairName(pairKey(Zi, Zj))}, or null`, "none");
        if (pair === null) return;
        outer[a * S + b] = pair.outer;
        // The smaller number first, so that both orders of a pair have the same bits.
        const numbers = coefficients(Math.min(Zi, Zj), Math.max(Zi, Zj), pair.inner, pair.outer);
        device.memory.f64(at(a, b), UNIFORM.length).set(numbers);
      }),
    );
    const curve: Curve = (a, b, n, buffer, capacity) => {
      const stride = 8 * capacity;
      kernel.run(n + (n & 1), buffer, stride, at(a, b), buffer + stride, 0);
    };
    let second: Kernel | undefined;
    const bend: Bend = (a, b, n, buffer, capacity) => {
      const stride = 8 * capacity;
      second ??= compileSecond(device);
      second.run(n + (n & 1), buffer, stride, at(a, b), buffer + stride, 0);
    };
    super(elements, outer, curve, bend, device);
  }
}

function compileZbl(device: Device): Kernel {
  const r = variable("r");
  const E = switched(r, variable);
  return device.compile({
    name: "zbl",
    varying: ["r"],
    uniform: UNIFORM,
    elementwise: [E, gradient(E, [r])[0]],
  });
}

/** dE/dr and d²E/dr². */
function compileSecond(device: Device): Kernel {
  const r = variable("r");
  const [slope] = gradient(switched(r, variable), [r]);
  const elementwise = [slope, gradient(slope, [r])[0]];
  return device.compile({ name: "zbl curvature", varying: ["r"], uniform: UNIFORM, elementwise });
}

/**
 * Radii that leave the data alone: for each pair of elements the outer radius is `outer` times its shortest distance
 * in the data and the inner one `inner` times; where the data have no such pair, times the sum of covalent radii.
 */
export function zblFromStatistics(statistics: PairStatistics, inner = 0.6, outer = 0.95): ZblOptions {
  const pairs: Record<string, { inner: number; outer: number }> = {};
  for (const a of statistics.elements)
    for (const b of statistics.elements.filter((z) => z >= a)) {
      const shortest = statistics.shortest[pairKey(a, b)] ?? unseen(a, b, statistics.cutoff);
      pairs[pairKey(a, b)] = { inner: inner * shortest, outer: outer * shortest };
    }
  return { pairs };
}

const unseen = (a: number, b: number, cutoff: number): number =>
  Math.min(cutoff, (covalentRadius(a) ?? 1.7) + (covalentRadius(b) ?? 1.7));

export const zbl: PotentialMethod<ZblOptions> = {
  name: "zbl",
  summary: "Ziegler-Biersack-Littmark repulsion of nuclei, switched off before the data's shortest distances",
  options: zblOptions,
  build: (options, elements, _, device) => new Zbl(options, elements, device),
};
