import { invalid } from "../../error.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { AceOptions } from "./options.ts";
import type { Inner, RadialName } from "./radial.ts";

/** Everything about the radial functions of one centre and one neighbour element. */
export interface Bond {
  readonly radial: RadialName;
  readonly cutoff: number;
  readonly smoothing: number;
  readonly lambda: number;
  readonly inner: Inner | null;
  readonly core: { readonly strength: number; readonly exponent: number } | null;
  readonly coefficients: readonly (readonly (readonly number[])[])[] | null;
}

/** The bond of each centre and neighbour: [elements, elements]. Equal bonds are one object. */
export function bondsOf(options: AceOptions, elements: readonly number[]): Bond[][] {
  const symbols = elements.map(symbolOf);
  const known = new Set(symbols.flatMap((a) => symbols.map((b) => `${a}-${b}`)));
  const stray = Object.keys(options.bonds ?? {}).find((name) => !known.has(name));
  if (stray !== undefined) throw invalid("ace.bonds", `some of ${[...known].join(", ")}`, stray);
  const made = new Map<string, Bond>();
  return symbols.map((a) =>
    symbols.map((b) => {
      const bond = bondOf(options, `${a}-${b}`);
      const key = JSON.stringify(bond);
      const same = made.get(key) ?? bond;
      made.set(key, same);
      return same;
    }),
  );
}

function bondOf(options: AceOptions, name: string): Bond {
  const own = options.bonds?.[name] ?? {};
  const cutoff = own.cutoff ?? options.cutoff;
  if (cutoff === "auto") throw invalid("ace.cutoff", "a length in Å (resolve the options first)", cutoff);
  return {
    cutoff,
    radial: own.radial ?? options.radial,
    smoothing: Math.min(cutoff, own.smoothing ?? options.smoothing),
    lambda: own.lambda ?? options.lambda,
    inner: own.inner ?? options.inner ?? null,
    core: own.core ?? options.core ?? null,
    coefficients: own.coefficients ?? null,
  };
}
