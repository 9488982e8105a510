import type { AceOptions } from "../../descriptors/ace/options.ts";
import { findNumber } from "../../structure/elements.ts";
import type { Section } from "./ini.ts";

/** Range over which FitSNAP lets its radial functions fall to 0 at the cutoff, Å. */
const FALL = 0.01;

/** What a section [ACE] asks for. */
export interface AceSection {
  readonly elements: readonly string[];
  readonly ace: Partial<AceOptions>;
  readonly bias: boolean;
}

/**
 * The section [ACE] of an input of FitSNAP for one element: radial functions ChebExpCos, and of the products of each rank
 * those with n ≤ nmax and lmin ≤ l ≤ lmax. FitSNAP takes some of their couplings to an invariant (b_basis), we take all.
 */
export function aceOf(s: Section): AceSection {
  const elements = s.words("type");
  const [symbol] = elements;
  if (elements.length !== 1 || findNumber(symbol) === undefined)
    s.wrong("type", "one chemical symbol; for more elements use fit.yaml");
  if (s.number("numTypes", 1) !== 1) s.wrong("numTypes", "1, as type lists");
  const ranks = s.numbers("ranks") ?? [];
  if (ranks.length === 0 || ranks.some((rank, k) => rank !== k + 1))
    s.wrong("ranks", "1 2 3 … in this order");
  const list = (key: string, usual: number): number[] => {
    const numbers = s.numbers(key) ?? ranks.map(() => usual);
    if (numbers.length === 1) return ranks.map(() => numbers[0]);
    if (numbers.length !== ranks.length) s.wrong(key, `${ranks.length} numbers, one for each rank`);
    return numbers;
  };
  const [lmax, nmax, lmin] = [list("lmax", 0), list("nmax", 1), list("lmin", 0)];
  const base = s.number("nmaxbase", Math.max(...nmax));
  if (nmax.some((n) => n > base)) s.wrong("nmaxbase", "the largest nmax, or more");
  const inner = s.number("rcinner", 0);
  const width = s.number("drcinner", FALL);
  s.text("b_basis");
  return {
    elements,
    bias: !s.flag("bzeroflag", false),
    ace: {
      cutoff: s.number("rcutfac", 4.5),
      radial: "ChebExpCos",
      lambda: s.number("lambda", 3),
      smoothing: FALL,
      ...(inner > 0 && { inner: { radius: inner, width } }),
      orders: ranks.map((_, k) => ({
        n: nmax[k],
        l: k === 0 ? 0 : lmax[k],
        ...(k > 0 && lmin[k] > 0 && { least: lmin[k] }),
      })),
    },
  };
}
