import { Document, LineCounter, isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Node, Pair, YAMLMap } from "yaml";
import { toJSONSchema } from "./zod.ts";
import type { ZodType } from "zod";
import { InputError, invalid } from "./error.ts";
import type { Problem } from "./error.ts";

type Path = readonly (string | number)[];

/** The part of JSON Schema that the declarations use; `unit` and `help` come from `.meta({ unit, help })`. */
interface Declaration {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Declaration>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Declaration | boolean;
  readonly items?: Declaration;
  readonly prefixItems?: readonly Declaration[];
  readonly anyOf?: readonly Declaration[];
  readonly oneOf?: readonly Declaration[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly unit?: string;
  readonly help?: string;
}

/** One option of a configuration, as its declaration says. */
export interface Option {
  /** Dotted path: "training.lr". */
  readonly path: string;
  /** Type and bounds in words: "number > 0". */
  readonly type: string;
  /** As YAML; undefined for an option that must be given or may be left out. */
  readonly default?: string;
  readonly unit?: string;
  readonly help?: string;
}

const declarations = new WeakMap<ZodType, Declaration>();

function declare(schema: ZodType): Declaration {
  const known = declarations.get(schema);
  if (known) return known;
  const made = toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Declaration;
  declarations.set(schema, made);
  return made;
}

const alternatives = (d: Declaration): readonly Declaration[] => d.anyOf ?? d.oneOf ?? [d];

const safe = (x: number | undefined): x is number => x !== undefined && Math.abs(x) < Number.MAX_SAFE_INTEGER;

function bounds(d: Declaration): string {
  const parts = [
    safe(d.exclusiveMinimum) && `> ${d.exclusiveMinimum}`,
    safe(d.minimum) && `≥ ${d.minimum}`,
    safe(d.exclusiveMaximum) && `< ${d.exclusiveMaximum}`,
    safe(d.maximum) && `≤ ${d.maximum}`,
  ].filter(Boolean);
  return parts.length ? ` ${parts.join(", ")}` : "";
}

const text = (value: unknown): string =>
  typeof value === "string" && value !== "" ? value : JSON.stringify(value);

/** Type and bounds in words. */
function describe(d: Declaration): string {
  if (d.const !== undefined) return text(d.const);
  if (d.enum) return d.enum.map(text).join(" | ");
  const several = alternatives(d);
  if (several[0] !== d) return [...new Set(several.map(describe))].join(" | ");
  if (d.type === "array" && d.prefixItems) return `[${d.prefixItems.map(describe).join(", ")}]`;
  if (d.type === "array") return `list of ${d.items ? describe(d.items) : "values"}`;
  if (d.type === "object" && d.properties?.["name"]?.const !== undefined)
    return `{ name: ${text(d.properties["name"].const)}, … }`;
  if (d.type === "object" && !d.properties && typeof d.additionalProperties === "object")
    return `table of ${describe(d.additionalProperties)}`;
  if (d.type === "object") return "table of options";
  if (typeof d.type === "object") return d.type.join(" | ");
  return `${d.type === "boolean" ? "true | false" : (d.type ?? "value")}${bounds(d)}`;
}

const expectation = (d: Declaration): string => {
  const words = describe(d);
  const article = /^(number|integer|string|list|table)/.test(words)
    ? words.startsWith("integer")
      ? "an "
      : "a "
    : "";
  return `${article}${words}${d.unit ? ` in ${d.unit}` : ""}`;
};

/** The alternative that a value is meant to be: the one whose constants it bears or leaves to the default, else the first object. */
function intended(d: Declaration, value: unknown): Declaration {
  const several = alternatives(d);
  const record = value as Record<string, unknown> | null | undefined;
  const bears = (one: Declaration) =>
    one.properties !== undefined &&
    Object.entries(one.properties).every(
      ([k, p]) => p.const === undefined || (record?.[k] ?? p.default) === p.const,
    );
  return several.find(bears) ?? several.find((one) => one.properties ?? one.items) ?? several[0];
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((v, key) => (v as Record<string | number, unknown> | null | undefined)?.[key], value);

function declarationAt(root: Declaration, value: unknown, path: Path): Declaration | undefined {
  let here: Declaration | undefined = root;
  for (const [depth, key] of path.entries()) {
    if (!here) return undefined;
    const one: Declaration = intended(here, at(value, path.slice(0, depth)));
    if (typeof key === "number") here = one.prefixItems?.[key] ?? one.items;
    else here = one.properties?.[key] ?? (one.additionalProperties as Declaration | undefined);
  }
  return here;
}

/** Number of insertions, deletions, exchanges and swaps of neighbours between two words. */
function editDistance(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => i || j),
  );
  for (let j = 0; j <= b.length; j++) d[0][j] = j;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const change = d[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      d[i][j] = Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1, change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.length][b.length];
}

/** The candidate that a mistyped word most likely means, or undefined when none is close. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const scored = candidates
    .map((c) => ({ c, d: editDistance(word.toLowerCase(), c.toLowerCase()) }))
    .filter(({ c, d }) => d <= Math.max(1, Math.floor(Math.min(word.length, c.length) / 3)));
  return scored.sort((x, y) => x.d - y.d)[0]?.c;
}

function showFound(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const shown = JSON.stringify(value) ?? `a ${typeof value}`;
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
}

type Place = (path: Path, key?: string) => string;

const dotted = (path: Path): string => path.join(".") || "configuration";

interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
  /** The values a discriminator may take. */
  readonly options?: readonly unknown[];
}

/** The issues of the one alternative that was meant, where a union failed inside it. */
function deepest(issue: Issue, root: Declaration, value: unknown): readonly Issue[] {
  if (issue.code !== "invalid_union" || !issue.errors?.length) return [issue];
  const path = issue.path as Path;
  const found = at(value, path);
  if (found === null || typeof found !== "object") return [issue];
  const d = declarationAt(root, value, path);
  const index = d ? alternatives(d).indexOf(intended(d, found)) : -1;
  const inner = issue.errors[index];
  if (!inner) return [issue];
  return inner.flatMap((i) => deepest({ ...i, path: [...path, ...i.path] }, root, value));
}

function problemsOf(issue: Issue, root: Declaration, value: unknown, place: Place): Problem[] {
  const path = issue.path as Path;
  const d = declarationAt(root, value, path);
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys((d && intended(d, at(value, path)))?.properties ?? {});
    return (issue.keys ?? []).map((key) => {
      const near = closest(key, known);
      const expected = near ? `a known option (did you mean ${near}?)` : `one of ${known.join(", ")}`;
      return { place: place(path, key), expected, found: key };
    });
  }
  const choice = issue.options
    ?.filter((o) => o !== undefined)
    .map(text)
    .join(" | ");
  const found = at(value, path);
  // A number where a word belongs was meant for another option: the help says what this one is.
  const meaning = d?.enum && d.help && typeof found === "number" ? ` (${d.help})` : "";
  const expected = choice ?? (issue.code === "custom" || !d ? issue.message : expectation(d));
  return [{ place: place(path), expected: expected + meaning, found: showFound(found) }];
}

function check<T>(schema: ZodType<T>, value: unknown, place: Place): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const root = declare(schema);
  const issues = (result.error.issues as readonly Issue[]).flatMap((issue) => deepest(issue, root, value));
  throw new InputError(issues.flatMap((issue) => problemsOf(issue, root, value, place)));
}

/** A value made complete with its defaults; every problem is reported at once under its dotted path. */
export function validate<T>(schema: ZodType<T>, value: unknown, name?: string): T {
  return check(schema, value, (path, key) => {
    const full = key === undefined ? path : [...path, key];
    return name ? [name, ...full].join(".") : dotted(full);
  });
}

/** The pair of a map that holds `key`, for the position of the key itself. */
const pairOf = (map: unknown, key: string | number): Pair<Node, Node | null> | undefined =>
  isMap(map)
    ? (map as YAMLMap<Node, Node | null>).items.find(
        (p) => isScalar(p.key) && String(p.key.value) === String(key),
      )
    : undefined;

function nodeAt(document: Document.Parsed, path: Path): Node | null | undefined {
  let node: Node | null | undefined = document.contents;
  for (const key of path) {
    const next: Node | null | undefined = isSeq(node)
      ? (node.items[Number(key)] as Node | undefined)
      : pairOf(node, key)?.value;
    if (!next) return node;
    node = next;
  }
  return node;
}

/** YAML text → plain value, with a way to say where each path stands in the text. */
function parseYaml(source: string, file: string): { value: unknown; place: Place } {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const line = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length)
    throw new InputError(
      document.errors.map((e) => ({
        place: line(e.pos[0]),
        expected: "YAML",
        found: e.message.split("\n")[0].replace(/ at line \d+, column \d+:?$/, ""),
      })),
    );
  const place: Place = (path, key) => {
    const node = key === undefined ? nodeAt(document, path) : pairOf(nodeAt(document, path), key)?.key;
    const full = key === undefined ? path : [...path, key];
    return `${line(node?.range?.[0] ?? 0)} ${dotted(full)}`;
  };
  return { value: (document.toJS() as unknown) ?? {}, place };
}

/** A YAML file's text checked against its declaration; problems carry file:line:column and the dotted path. */
export function readYaml<T>(schema: ZodType<T>, source: string, file: string): T {
  const { value, place } = parseYaml(source, file);
  return check(schema, value, place);
}

/** As `readYaml`, with dotted overrides such as "training.batch=8" laid over the file. */
export function readYamlWith<T>(
  schema: ZodType<T>,
  source: string,
  file: string,
  overrides: Readonly<Record<string, unknown>>,
): T {
  const { value, place } = parseYaml(source, file);
  const touched = Object.keys(overrides);
  for (const path of touched) assign(value as Record<string, unknown>, path, overrides[path]);
  return check(schema, value, (path, key) => {
    const full = dotted(key === undefined ? path : [...path, key]);
    const own = touched.find((t) => full === t || full.startsWith(`${t}.`) || t.startsWith(`${full}.`));
    return own ? full : place(path, key);
  });
}

/** Sets record.a.b.c for the dotted path "a.b.c", making the tables on the way. */
export function assign(record: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop();
  if (!last || keys.includes("")) throw invalid("option", "a dotted path such as training.batch", path);
  let here = record;
  for (const key of keys) {
    const next = here[key];
    if (next === null || typeof next !== "object" || Array.isArray(next)) here[key] = {};
    here = here[key] as Record<string, unknown>;
  }
  here[last] = value;
}

/** "training.batch=8" → ["training.batch", 8]; the value is read as YAML. */
export function readOverride(argument: string): readonly [path: string, value: unknown] {
  const equals = argument.indexOf("=");
  if (equals < 1) throw invalid("--set", "path=value, for example training.batch=8", argument);
  const { value } = parseYaml(`value: ${argument.slice(equals + 1)}`, `--set ${argument}`);
  return [argument.slice(0, equals), (value as { value: unknown }).value];
}

function walk(d: Declaration, path: readonly string[], out: Option[]): void {
  const unit = d.unit === undefined ? {} : { unit: d.unit };
  const help = d.help === undefined ? {} : { help: d.help };
  const plain = d.default === null || typeof d.default !== "object" || Array.isArray(d.default);
  const initial = d.default === undefined || !plain ? {} : { default: text(d.default) };
  const tables = alternatives(d).filter((one) => one.properties);
  if (path.length && (d.help !== undefined || !tables.length))
    out.push({ path: path.join("."), type: describe(d), ...initial, ...unit, ...help });
  for (const table of tables)
    for (const [key, child] of Object.entries(table.properties ?? {})) {
      const shown = [...path, key].join(".");
      if (!out.some((o) => o.path === shown)) walk(child, [...path, key], out);
    }
}

/** Every option of a configuration, in the order of its declaration. */
export function listOptions(schema: ZodType): readonly Option[] {
  const out: Option[] = [];
  walk(declare(schema), [], out);
  return out;
}

const remark = (o: Option, type: boolean): string =>
  [o.unit, o.help, type ? `(${o.type})` : undefined].filter(Boolean).join("; ");

/** Lines for --help: path, default, and what it is. */
export function helpLines(schema: ZodType): readonly string[] {
  const options = listOptions(schema);
  const heads = options.map((o) => `${o.path}${o.default === undefined ? "" : ` = ${o.default}`}`);
  const width = Math.min(44, Math.max(...heads.map((h) => h.length)));
  return options.map((o, i) => `  ${heads[i].padEnd(width)}  ${remark(o, true)}`);
}

const cell = (s: string | undefined) => (s ?? "").replaceAll("|", "\\|");

/** A Markdown table of the options, for the docs pages. */
export function markdownTable(schema: ZodType): string {
  const rows = listOptions(schema).map(
    (o) => `| \`${o.path}\` | ${cell(o.type)} | ${cell(o.default)} | ${cell(o.unit)} | ${cell(o.help)} |`,
  );
  return ["| option | type | default | unit | meaning |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** Flow style for lists of scalars and for each table of a list; each option's unit and help as a comment. */
function annotate(node: unknown, value: unknown, d: Declaration | undefined): void {
  if (isSeq(node)) node.flow = node.items.every((item) => isScalar(item));
  if (isSeq(node)) for (const item of node.items) if (isMap(item)) item.flow = true;
  if (isSeq(node) && d) {
    const one = intended(d, value);
    for (const [i, item] of node.items.entries())
      annotate(item, (value as readonly unknown[])[i], one.prefixItems?.[i] ?? one.items);
  }
  if (!isMap(node) || node.flow) return;
  const one = d && intended(d, value);
  for (const pair of (node as YAMLMap<Node, Node | null>).items) {
    const key = String((pair.key as { value?: unknown }).value);
    const child = one?.properties?.[key];
    const note = [child?.unit, child?.help].filter(Boolean).join("; ");
    if (note && isScalar(pair.value)) pair.value.comment = ` ${note}`;
    else if (note) pair.key.commentBefore = ` ${note}`;
    annotate(pair.value, (value as Record<string, unknown>)[key], child);
  }
}

/** A configuration as YAML with each option's unit and help as a comment; `readYaml` gives it back unchanged. */
export function writeYaml(schema: ZodType, value: unknown, heading?: string): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  annotate(document.contents, value, declare(schema));
  if (heading) document.commentBefore = heading.replaceAll(/^/gm, " ");
  return document.toString({ lineWidth: 110, flowCollectionPadding: false });
}
