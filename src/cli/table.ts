/** Characters on a terminal, for the text that occurs here: no joined emoji. */
const width = (text = ""): number => Array.from(text).length;

/** An aligned text table: the first column to the left, numbers to the right; two spaces between. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, c) => all.reduce((most, row) => Math.max(most, width(row[c])), 0));
  const numeric = head.map(
    (_, c) => c > 0 && rows.every((row) => /^[-+≤≥<>]?[\d.]|^[-–—]?$|^nan/i.test(row[c] ?? "")),
  );
  const pad = (text: string, c: number) => {
    const fill = " ".repeat(widths[c] - width(text));
    return numeric[c] ? fill + text : text + fill;
  };
  const line = (row: readonly string[]) =>
    head
      .map((_, c) => pad(row[c] ?? "", c))
      .join("  ")
      .trimEnd();
  const rule = widths.map((w) => "─".repeat(w)).join("  ");
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** A number with `digits` significant digits, without an exponent where it can be read. */
export function show(x: number | undefined, digits = 3): string {
  if (x === undefined) return "";
  if (!Number.isFinite(x)) return String(x);
  if (x === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(x)));
  if (magnitude < -4 || magnitude > 6) return x.toExponential(digits - 1);
  return x.toFixed(Math.max(0, digits - 1 - magnitude));
}

const two = (x: number): string => String(Math.floor(x)).padStart(2, "0");

/** 12.3 s, 4 min 05 s, 2 h 03 min. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two((s % 3600) / 60)} min`;
}

/** 12 B, 3.4 MiB. */
export function bytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  for (; n >= 1024 && at < units.length - 1; at++) n /= 1024;
  return `${at ? n.toFixed(1) : n} ${units[at]}`;
}
