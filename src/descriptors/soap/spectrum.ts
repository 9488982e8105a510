import type { Settled } from "./parts.ts";

/** Linear combinations of the channels (element, n) of the density: A′ = A·weights. */
export interface Mix {
  readonly count: number;
  /** [channels, count]; null: the channels as they are. */
  readonly weights: Float64Array | null;
}

/** factor·Σ_m A′_ilm B_jlm of the two densities A′ and B; one entry per feature. */
export interface Spectrum {
  readonly first: Mix;
  /** The same object as `first` where the densities are the same. */
  readonly second: Mix;
  readonly i: Int32Array;
  readonly j: Int32Array;
  readonly l: Int32Array;
  readonly factor: Float64Array;
  readonly labels: readonly string[];
}

/** A combination of channels: sums over elements, over radial functions, or neither. */
interface Channel {
  readonly index: number;
  /** −1: all. */
  readonly element: number;
  readonly n: number;
}

interface Pair {
  readonly a: Channel;
  readonly b: Channel;
  readonly l: number;
  /** What the pair and its mirror image together count in p·p′. */
  readonly count: 1 | 2;
}

const ORDERS = {
  off: { radial: 2, elements: 2 },
  crossover: { radial: 2, elements: 2 },
  mu2: { radial: 2, elements: 0 },
  mu1nu1: { radial: 2, elements: 1 },
} as const;

/** How many of the two densities tell radial functions and elements apart. */
const compressionOrders = (
  compression: Settled["compression"],
): { readonly radial: number; readonly elements: number } =>
  typeof compression === "string" ? ORDERS[compression] : compression;

const range = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

function channels(nmax: number, S: number, radial: boolean, elements: boolean): Channel[] {
  return (elements ? range(S) : [-1]).flatMap((element, s) =>
    (radial ? range(nmax) : [-1]).map((n, k) => ({ index: s * (radial ? nmax : 1) + k, element, n })),
  );
}

function mixOf(list: readonly Channel[], nmax: number, S: number): Mix {
  const N = S * nmax;
  if (list.length === N) return { count: N, weights: null };
  const weights = Float64Array.from({ length: N * list.length }, (_, t) => {
    const [channel, { element, n }] = [Math.floor(t / list.length), list[t % list.length]];
    const seen = (element < 0 || element === Math.floor(channel / nmax)) && (n < 0 || n === channel % nmax);
    return seen ? 1 : 0;
  });
  return { count: list.length, weights };
}

/** Pairs with l fastest, the second channel not after the first where both densities are the same. */
function quipPairs(A: readonly Channel[], B: readonly Channel[], lmax: number): Pair[] {
  return A.flatMap((a) =>
    (A === B ? B.slice(0, a.index + 1) : B).flatMap((b) =>
      range(lmax + 1).map((l): Pair => ({ a, b, l, count: A === B && a !== b ? 2 : 1 })),
    ),
  );
}

/**
 * Pairs by elements, then l, then n and n′, as dscribe orders them: N(N + 1)/2 (lmax + 1) of them with N = S nmax, each
 * unordered pair once.
 */
function listedPairs(
  A: readonly Channel[],
  B: readonly Channel[],
  { lmax, redundant, compression }: Settled,
): Pair[] {
  const elements = (list: readonly Channel[]) => [...new Set(list.map(({ element }) => element))];
  const blocks = elements(A).flatMap((s) =>
    elements(B)
      .filter((t) => A !== B || t === s || (t > s && compression !== "crossover"))
      .map((t) => [s, t] as const),
  );
  return blocks.flatMap(([s, t]) => {
    const own = A.filter(({ element }) => element === s);
    const other = B.filter(({ element }) => element === t);
    const once = A === B && s === t && !redundant;
    return range(lmax + 1).flatMap((l) =>
      own.flatMap((a) =>
        other
          .filter((b) => !once || b.index >= a.index)
          .map((b): Pair => ({ a, b, l, count: A === B && (s !== t || (once && a !== b)) ? 2 : 1 })),
      ),
    );
  });
}

/** Factor of Σ_m A A*: π √(8/(2l + 1)) in dscribe; 1/√(2l + 1), and √2 for two pairs in one, for a full p·p′. */
const factorOf = ({ convention }: Settled, { l, count }: Pair): number =>
  convention === "dscribe" ? Math.PI * Math.sqrt(8 / (2 * l + 1)) : Math.sqrt(count / (2 * l + 1));

const radialName = ({ n }: Channel): string => (n < 0 ? "all" : `${n + 1}`);

/** p_{nn′l} = Σ_m A_nlm B_n′lm* of the pairs of channels of neighbours of elements `symbols`. */
export function spectrum(own: Settled, symbols: readonly string[]): Spectrum {
  const { nmax, lmax, compression, convention } = own;
  const S = symbols.length;
  const { radial, elements } = compressionOrders(compression);
  const A = channels(nmax, S, radial > 0, elements > 0);
  const same = radial !== 1 && elements !== 1;
  const B = same ? A : channels(nmax, S, radial > 1, elements > 1);
  const pairs = convention === "quip" ? quipPairs(A, B, lmax) : listedPairs(A, B, own);
  const first = mixOf(A, nmax, S);
  const name = ({ element }: Channel) => (element < 0 ? "all" : symbols[element]);
  return {
    first,
    second: same ? first : mixOf(B, nmax, S),
    i: Int32Array.from(pairs, ({ a }) => a.index),
    j: Int32Array.from(pairs, ({ b }) => b.index),
    l: Int32Array.from(pairs, ({ l }) => l),
    factor: Float64Array.from(pairs, (pair) => factorOf(own, pair)),
    labels: pairs.map(
      ({ a, b, l }) => `SOAP ${name(a)}-${name(b)} n=${radialName(a)},${radialName(b)} l=${l}`,
    ),
  };
}
