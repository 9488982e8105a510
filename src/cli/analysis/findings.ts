import type { Curve } from "../../run/analysis/distribution.ts";
import { curveFigure } from "../report/figures.ts";
import { escape, htmlTable, page, section } from "../report/page.ts";

/** One part of the analysis: a table in a file, and a figure. */
export interface Part {
  readonly file: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
  /** How it is drawn, where not as plain curves: SVG. */
  readonly draw?: () => string;
}

/** What one kind of analysis has found. */
export interface Findings {
  readonly parts?: readonly Part[];
  /** Quantity, value, error. */
  readonly rows?: readonly (readonly [string, string, string])[];
  /** What is told with --json. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** What could not be told, and why. */
  readonly notes?: readonly string[];
}

/** The curves of a part as a text table. */
export function tableOf({ x, y, curves }: Part): string {
  const head = `# ${[x, ...curves.map((c) => `${c.name} ${y}`)].map((t) => t.replaceAll(" ", "_")).join(" ")}`;
  const rows = Array.from(curves[0]?.x ?? [], (v, k) => [v, ...curves.map((c) => c.y[k])].join(" "));
  return `${[head, ...rows].join("\n")}\n`;
}

/** The page with the numbers and all figures. */
export function pageOf(title: string, found: readonly Findings[]): string {
  const rows = found.flatMap((f) => f.rows ?? []);
  return page(
    title,
    `<h1>${escape(title)}</h1>`,
    rows.length > 0 ? section("Numbers", htmlTable(["quantity", "value", "error"], rows)) : "",
    ...found
      .flatMap((f) => f.parts ?? [])
      .map(({ title: heading, curves, x, y, draw = () => curveFigure(curves, x, y).svg }) =>
        section(heading, `<figure>${draw()}</figure>`),
      ),
  );
}
