/** How bad it is: in order, errors first when sorted by weight. */
export type Severity = "ok" | "note" | "warn" | "error";

/** What one check says. */
export interface Finding {
  /** Name of the check: "net force". */
  readonly check: string;
  readonly severity: Severity;
  /** One sentence with the numbers. */
  readonly message: string;
  /** Frames it concerns, worst first, a few of them. */
  readonly places: readonly string[];
  /** What to do about it; null when nothing is wrong. */
  readonly cure: string | null;
}

/** At most this many frames are named by one finding. */
const NAMED = 5;

/** A finding; places beyond the first few are left out. */
export const finding = (
  check: string,
  severity: Severity,
  message: string,
  cure: string | null = null,
  places: readonly string[] = [],
): Finding => ({ check, severity, message, places: places.slice(0, NAMED), cure });

const WEIGHT: Record<Severity, number> = { ok: 0, note: 1, warn: 2, error: 3 };

/** The worst of several. */
export const worst = (findings: readonly Finding[]): Severity =>
  findings.reduce<Severity>((w, f) => (WEIGHT[f.severity] > WEIGHT[w] ? f.severity : w), "ok");

/** A number with three digits. */
export const brief = (x: number): string =>
  Number.isFinite(x) ? String(Number(x.toPrecision(3))) : String(x);
