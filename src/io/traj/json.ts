/** Values that JSON and Python's json module both know; NaN and ±Infinity as Python writes them. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** JSON as Python's json module writes it: −0, NaN and Infinity have their signs and names. */
export function formatJson(value: Json): string {
  if (typeof value === "number") {
    if (Number.isFinite(value)) return Object.is(value, -0) ? "-0.0" : String(value);
    return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as Json[]).map(formatJson).join(", ")}]`;
  const pairs = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${formatJson(item)}`);
  return `{${pairs.join(", ")}}`;
}

const SPECIAL = "\u0000number ";
const NUMBERS: Readonly<Record<string, number>> = { NaN, Infinity, "-Infinity": -Infinity };

/** What Python's json module wrote; a SyntaxError where it is no JSON. */
export function parseJson(text: string): Json {
  // Strings are passed over, so that what stands in them stays.
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (found) =>
    found.startsWith('"') ? found : JSON.stringify(SPECIAL + found),
  );
  if (plain.length === text.length) return JSON.parse(text) as Json;
  return JSON.parse(plain, (_, value: Json) =>
    typeof value === "string" && value.startsWith(SPECIAL) ? NUMBERS[value.slice(SPECIAL.length)] : value,
  ) as Json;
}
