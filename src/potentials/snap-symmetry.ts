import { triples } from "../descriptors/snap/bispectrum.ts";
import type { LinearSnap } from "./linear-snap.ts";

/**
 * The same energies with equal coefficients for equal components. With `chem`, factors of equal angular momentum can
 * change their elements: B^{abc}_{j1 j2 j} = B^{bac} where j1 = j2, = B^{cba} where j1 = j. LAMMPS's forces count on
 * coefficients that are equal there, its energies do not.
 */
export function symmetricSnap(snap: LinearSnap): LinearSnap {
  const { options, quadratic, coefficients } = snap;
  if (!options.chem || options.twojmax === "auto") return snap;
  const classes = classesOf(options.twojmax, coefficients.length);
  return { ...snap, coefficients: coefficients.map((own) => averaged(own, classes, quadratic)) };
}

/** Number of the class of equal components that each component is in. */
function classesOf(twojmax: number, S: number): number[] {
  const names = new Map<string, number>();
  const all = [...Array(S).keys()];
  const classOf = (name: string) => names.get(name) ?? names.set(name, names.size).get(name)!;
  return all.flatMap((a) =>
    all.flatMap((b) =>
      all.flatMap((c) =>
        triples(twojmax).map((js) => {
          const elements = [a, b, c];
          // Elements of factors with equal angular momentum, in ascending order.
          const sorted = js.map((j) =>
            elements
              .filter((_, k) => js[k] === j)
              .toSorted((x, y) => x - y)
              .join(),
          );
          return classOf(`${js.join()} ${sorted.join(" ")}`);
        }),
      ),
    ),
  );
}

function averaged(own: Float64Array, classes: readonly number[], quadratic: boolean): Float64Array {
  const K = classes.length;
  const C = Math.max(...classes) + 1;
  const out = Float64Array.from(own);
  const linear = new Means(C);
  classes.forEach((c, t) => linear.add(c, own[1 + t]));
  classes.forEach((c, t) => (out[1 + t] = linear.of(c)));
  if (!quadratic) return out;
  const squares = new Means(C * C);
  const each = (visit: (t: number, u: number, k: number) => void) => {
    for (let t = 0, k = 1 + K; t < K; t++) for (let u = t; u < K; u++, k++) visit(t, u, k);
  };
  each((t, u, k) => {
    squares.add(classes[t] * C + classes[u], own[k]);
    if (t !== u) squares.add(classes[u] * C + classes[t], own[k]);
  });
  each((t, u, k) => (out[k] = squares.of(classes[t] * C + classes[u])));
  return out;
}

/** Means of numbers by class; those of equal numbers are these, to the bit. */
class Means {
  readonly #count: Float64Array;
  readonly #first: Float64Array;
  readonly #more: Float64Array;

  constructor(classes: number) {
    [this.#count, this.#first, this.#more] = [0, 1, 2].map(() => new Float64Array(classes));
  }

  add(c: number, x: number): void {
    if (this.#count[c]++ === 0) this.#first[c] = x;
    this.#more[c] += x - this.#first[c];
  }

  of(c: number): number {
    return this.#first[c] + this.#more[c] / this.#count[c];
  }
}
