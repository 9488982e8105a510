import { symbolOf } from "../../structure/elements.ts";

/** What parameters are called: those of element e are starts[e] …, a constant, then one for each label. */
export interface Named {
  readonly elements: readonly number[];
  readonly starts: readonly number[];
  readonly labels: readonly (readonly string[])[];
}

/** Columns of an element that are named. */
const LISTED = 4;

/** Parameters of which the data say nothing, by element and name. */
export function unusedNote(unused: readonly number[], { elements, starts, labels }: Named): string {
  const of = elements.map((z, e) => {
    const own = unused.filter((k) => k >= starts[e] && k < starts[e + 1]).map((k) => k - starts[e]);
    const names = own
      .slice(0, LISTED)
      .map((j) => (j === 0 ? "its constant" : (labels[e][j - 1] ?? "a product")));
    if (own.length > LISTED) names.push(`${own.length - LISTED} more`);
    return own.length > 0 ? `${symbolOf(z)}: ${names.join(", ")}` : "";
  });
  return (
    `${unused.length} of ${starts.at(-1)} columns tell nothing, being 0 in every row (surroundings that never occur) or made up of others: ` +
    `their parameters are 0, the condition numbers are those of the rest (${of.filter(Boolean).join("; ")})`
  );
}
