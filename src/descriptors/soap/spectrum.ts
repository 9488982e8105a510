import { Monomials, type Polynomial } from "../density/monomials.ts";
import type { Settled } from "./soap.ts";

/** Products of densities that are the features. */
export interface Spectrum {
  readonly nodes: readonly (readonly [re: number, im: number])[];
  readonly features: { readonly polynomial: Polynomial; readonly labels: readonly string[] };
}

/** Radial functions of the neighbours of some elements, their densities added. */
interface Channel {
  readonly elements: readonly number[];
  readonly n: number;
  readonly name: string;
}

/** One pair of channels at one l. */
interface Feature {
  readonly a: Channel;
  readonly b: Channel;
  readonly l: number;
  /** What the pair and its mirror image together count in p·p′. */
  readonly count: 1 | 2;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

/**
 * Pairs of channels, elements first, then l, then n and n′, as dscribe orders them: N(N + 1)/2 (lmax + 1) of them
 * with N = S nmax, each unordered pair once.
 */
function featuresOf(
  { nmax, lmax, compression, redundant }: Settled,
  symbols: readonly string[],
): readonly Feature[] {
  const single = symbols.map((name, s) => ({ elements: [s], name }));
  const all = { elements: range(symbols.length), name: "all" };
  // With mu2 the densities of all elements stand in the columns of the first.
  const pairs =
    compression === "mu2"
      ? [
          [
            { ...all, elements: [0] },
            { ...all, elements: [0] },
          ],
        ]
      : compression === "mu1nu1"
        ? single.map((s) => [s, all])
        : single.flatMap((s, i) =>
            single.filter((_, j) => j === i || (j > i && compression === "off")).map((t) => [s, t]),
          );
  const pair = (a: (typeof pairs)[0][0], b: (typeof pairs)[0][0], l: number): Feature[] =>
    range(nmax).flatMap((n) =>
      range(nmax)
        .filter((k) => redundant || a.name !== b.name || k >= n)
        .map((k): Feature => {
          const mirrored = compression !== "mu1nu1" && (a.name !== b.name || (n !== k && !redundant));
          return { a: { ...a, n }, b: { ...b, n: k }, l, count: mirrored ? 2 : 1 };
        }),
    );
  return pairs.flatMap(([a, b]) => range(lmax + 1).flatMap((l) => pair(a, b, l)));
}

/** Factor of Σ_m A A*: π √(8/(2l + 1)) in dscribe; 1/√(2l + 1), and √2 for two pairs in one, for a full p·p′. */
const factorOf = ({ convention }: Settled, { l, count }: Feature): number =>
  convention === "dscribe" ? Math.PI * Math.sqrt(8 / (2 * l + 1)) : Math.sqrt(count / (2 * l + 1));

/** p_{nn′l} = Σ_m A_nlm A_n′lm* of every pair of channels. */
export function spectrum(own: Settled, symbols: readonly string[]): Spectrum {
  const { nmax, lmax } = own;
  const densities = own.compression === "mu2" ? 1 : symbols.length;
  const features = featuresOf(own, symbols);
  const nodes: (readonly [number, number])[] = [];
  /** Node of m = 0; those of m > 0 follow. */
  const first = new Map<string, number>();
  let column = 0;
  for (let s = 0; s < densities; s++)
    for (let n = 0; n < nmax; n++)
      for (let l = 0; l <= lmax; l++) {
        first.set(`${s} ${n} ${l}`, nodes.length);
        nodes.push([column++, -1]);
        for (let m = 1; m <= l; m++, column += 2) nodes.push([column, column + 1]);
      }
  const monomials = new Monomials(
    nodes.map(([, im]) => im < 0),
    features.length,
  );
  features.forEach((feature, t) => {
    const { a, b, l } = feature;
    const factor = factorOf(own, feature);
    for (const s of a.elements)
      for (const u of b.elements) {
        const [from, to] = [first.get(`${s} ${a.n} ${l}`)!, first.get(`${u} ${b.n} ${l}`)!];
        for (let m = 0; m <= l; m++) monomials.add(t, factor, [from + m, ~(to + m)]);
      }
  });
  const labels = features.map(({ a, b, l }) => `SOAP ${a.name}-${b.name} n=${a.n + 1},${b.n + 1} l=${l}`);
  return { nodes, features: { polynomial: monomials.polynomial(), labels } };
}
