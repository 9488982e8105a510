import { invalid } from "../../error.ts";
import { countInvariants, invariants, type Factors, type Invariant } from "../../math/invariants.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { AceBlock, AceOptions, AceOrder } from "./options.ts";

/** One factor of a product: the density of neighbours of element index s with radial function n and momentum l. */
export interface Channel {
  readonly s: number;
  readonly n: number;
  readonly l: number;
}

/** A product of channels, l, n, s rising, and its invariants: one feature each. */
export interface Product {
  readonly channels: readonly Channel[];
  readonly invariants: readonly Invariant[];
}

const compare = (a: Channel, b: Channel): number => a.l - b.l || a.n - b.n || a.s - b.s;

/** The factors of channels in order: equal channels are one class. */
export function factorsOf(channels: readonly Channel[]): Factors {
  let c = 0;
  const classes = channels.map((x, k) => (k > 0 && compare(x, channels[k - 1]) !== 0 ? ++c : c));
  return { l: channels.map(({ l }) => l), classes };
}

function productOf(channels: readonly Channel[]): Product {
  const sorted = channels.toSorted(compare);
  return { channels: sorted, invariants: invariants(factorsOf(sorted)) };
}

/** Products of `size` channels of one order, in the order of the channels. */
function productsOfOrder(
  size: number,
  { n, l, least = 0, degree }: AceOrder,
  neighbours: readonly number[],
): Product[] {
  const channels: Channel[] = [];
  for (let a = size === 1 ? 0 : least; a <= (size === 1 ? 0 : l); a++)
    for (let b = 1; b <= n; b++) for (const s of neighbours) channels.push({ s, n: b, l: a });
  const found: Product[] = [];
  const chosen: Channel[] = [];
  const extend = (from: number, left: number) => {
    if (chosen.length === size) {
      if (countInvariants(factorsOf(chosen)) > 0) found.push(productOf(chosen));
      return;
    }
    for (let k = from; k < channels.length; k++) {
      const rest = left - (channels[k].n - 1 + channels[k].l);
      if (rest < 0) continue;
      chosen.push(channels[k]);
      extend(k, rest);
      chosen.pop();
    }
  };
  extend(0, degree ?? Infinity);
  return found;
}

function listed(blocks: readonly AceBlock[], symbols: readonly string[], place: string): Product[] {
  const known = new Set<string>();
  return blocks.map(({ neighbours, n, l }, b) => {
    if (n.length !== neighbours.length || l.length !== neighbours.length)
      throw invalid(`${place}[${b}]`, `${neighbours.length} numbers n and l`, { n, l });
    const channels = neighbours.map((symbol, k) => {
      const s = symbols.indexOf(symbol);
      if (s < 0) throw invalid(`${place}[${b}].neighbours`, `some of ${symbols.join(", ")}`, symbol);
      return { s, n: n[k], l: l[k] };
    });
    const product = productOf(channels);
    if (product.invariants.length === 0)
      throw invalid(`${place}[${b}].l`, "momenta that couple to 0, with an even sum", l);
    const key = JSON.stringify(product.channels);
    if (known.has(key)) throw invalid(`${place}[${b}]`, "a product that is listed once", "one listed before");
    known.add(key);
    return product;
  });
}

/** The products of centre element index e. */
export function productsOf(options: AceOptions, elements: readonly number[], e: number): Product[] {
  const symbols = elements.map(symbolOf);
  const own = symbols[e];
  if (options.functions) return listed(options.functions[own] ?? [], symbols, `ace.functions.${own}`);
  const { orders } = options;
  if (orders === "auto") throw invalid("ace.orders", "explicit orders (resolve the options first)", orders);
  const seen = options.neighbours?.[own];
  const neighbours = [...symbols.keys()].filter((s) => !seen || seen.includes(symbols[s]));
  return orders.flatMap((order, k) => productsOfOrder(k + 1, order, neighbours));
}
