import type { InfoValue } from "../structure/structure.ts";
import { numberFrom } from "./number.ts";

/** What is wrong with a comment line: what was expected, what was found. */
export class CommentError extends Error {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}, got ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

/**
 * Key–value pairs of the comment line of an extended XYZ frame: `key=value`, `"quoted key"="quoted value"`, bare flags
 * (true). Values are numbers, T/F, strings, old-style arrays ("1 2 3" or {1 2 3}), new-style arrays ([[1, 2], [3, 4]])
 * and ASE's "_JSON …". A line without any "=" is a plain comment: { comment: … }, a number if it is one.
 * https://github.com/libAtoms/extxyz
 */
export function parseComment(line: string): Record<string, InfoValue> {
  const text = line.trim();
  const info: Record<string, InfoValue> = Object.create(null) as Record<string, InfoValue>;
  if (text === "") return info;
  if (!text.includes("=")) {
    info.comment = numberFrom(text) ?? text;
    return info;
  }
  const scan = new Scanner(text);
  while (scan.more()) {
    const key = scan.key();
    if (key === "") throw new CommentError("a key", `"${scan.rest()}"`);
    if (key in info) throw new CommentError("every key once", `"${key}" twice`);
    info[key] = scan.equals() ? scan.value() : true;
  }
  return info;
}

const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", "{": "}" };
const SPACE = /\s/;

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  more(): boolean {
    while (this.#at < this.#text.length && SPACE.test(this.#text[this.#at])) this.#at++;
    return this.#at < this.#text.length;
  }

  rest(): string {
    return this.#text.slice(this.#at, this.#at + 20);
  }

  key(): string {
    const c = this.#text[this.#at];
    return c === '"' || c === "'" ? this.#delimited(c) : this.#run((x) => x === "=" || SPACE.test(x));
  }

  equals(): boolean {
    const before = this.#at;
    if (this.more() && this.#text[this.#at] === "=") {
      this.#at++;
      return true;
    }
    this.#at = before;
    return false;
  }

  value(): InfoValue {
    if (!this.more()) return "";
    const c = this.#text[this.#at];
    if (c in CLOSING) return valueOf(this.#delimited(CLOSING[c]));
    if (c === "[") {
      this.#at++;
      return this.#list();
    }
    return valueOf(this.#run((x) => SPACE.test(x)));
  }

  #run(stop: (c: string) => boolean): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !stop(this.#text[this.#at])) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** Text up to the closing character; a backslash takes the next character as it is, \n is a line end. */
  #delimited(closing: string): string {
    const start = this.#at++;
    let out = "";
    for (; this.#at < this.#text.length; this.#at++) {
      const c = this.#text[this.#at];
      if (c === closing) {
        this.#at++;
        return out;
      }
      if (c !== "\\") out += c;
      else {
        const next = this.#text[++this.#at] ?? "";
        out += next === "n" ? "\n" : next;
      }
    }
    throw new CommentError(
      `a closing ${closing}`,
      `the end of the line after ${this.#text.slice(start, start + 20)}`,
    );
  }

  /** New-style array after its "[": values separated by commas or spaces. */
  #list(): InfoValue[] {
    const out: InfoValue[] = [];
    for (;;) {
      const separator = (c: string) => c === "," || SPACE.test(c);
      this.#run((c) => !separator(c));
      const c = this.#text[this.#at];
      if (c === undefined) throw new CommentError("a closing ]", "the end of the line");
      if (c === "]") {
        this.#at++;
        return out;
      }
      if (c === "[") {
        this.#at++;
        out.push(this.#list());
      } else if (c in CLOSING) out.push(this.#delimited(CLOSING[c]));
      else out.push(scalarOf(this.#run((x) => separator(x) || x === "]" || x === "[")));
    }
  }
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  T: true,
  F: false,
  true: true,
  false: false,
  True: true,
  False: false,
  TRUE: true,
  FALSE: false,
};

const INTEGER = /^[+-]?\d+$/;
// "2d3" may well be a name, so Fortran's D counts as an exponent only after a decimal point.
const NAME_LIKE = /^[+-]?\d+d/i;

function scalarOf(word: string): InfoValue {
  if (Object.hasOwn(BOOLEANS, word)) return BOOLEANS[word];
  const x = NAME_LIKE.test(word) ? undefined : numberFrom(word);
  // Integers beyond 2^53 (hashes, identifiers) would be rounded: they stay text.
  if (x === undefined || (INTEGER.test(word) && !Number.isSafeInteger(x))) return word;
  return x;
}

/** Value of a text between quotes or braces, or of a bare word. */
function valueOf(text: string): InfoValue {
  if (text.startsWith("_JSON ")) return jsonValue(text);
  const words = text.split(/[\s,]+/).filter((w) => w !== "");
  if (words.length === 0) return text;
  const values = words.map(scalarOf);
  const kind = typeof values[0];
  if (kind === "string" || values.some((v) => typeof v !== kind)) return text;
  return values.length === 1 ? values[0] : values;
}

/** ASE writes what is no vector as "_JSON …", with Python's NaN and Infinity; objects and null stay text. */
function jsonValue(text: string): InfoValue {
  const marked = text
    .slice(6)
    .replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (m) =>
      m.startsWith('"') ? m : `{"special":"${m}"}`,
    );
  let parsed: unknown;
  try {
    parsed = JSON.parse(marked, (_, v: unknown) =>
      v !== null && typeof v === "object" && !Array.isArray(v) && "special" in v ? Number(v.special) : v,
    );
  } catch (error) {
    throw new CommentError("JSON after _JSON", `${text.slice(6, 40)} (${(error as Error).message})`);
  }
  return isInfoValue(parsed) ? parsed : text;
}

const isInfoValue = (v: unknown): v is InfoValue =>
  Array.isArray(v) ? v.every(isInfoValue) : ["string", "number", "boolean"].includes(typeof v);

/** The comment line that parseComment reads back to the same pairs, in ASE's dialect. */
export function formatComment(info: Readonly<Record<string, InfoValue>>): string {
  return Object.entries(info)
    .map(([key, value]) => `${PLAIN_KEY.test(key) ? key : quote(key)}=${formatValue(value)}`)
    .join(" ");
}

const PLAIN_KEY = /^[A-Za-z_][\w.-]*$/;
const PLAIN_VALUE = /^[\w.:+/@-]+$/;

const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;

/** Shortest decimal that reads back to the same number; whole numbers beyond 2^53 get a point, so as not to be read as text. */
export function formatNumber(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (Object.is(x, -0)) return "-0.0";
  const text = String(x);
  return Number.isInteger(x) && !Number.isSafeInteger(x) && !text.includes("e") ? `${text}.0` : text;
}

function formatValue(value: InfoValue): string {
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "boolean") return value ? "T" : "F";
  if (typeof value === "string") return formatString(value);
  const flat = value.length > 1 && value.every((v) => typeof v === typeof value[0] && typeof v !== "object");
  if (flat && typeof value[0] !== "string") return `"${value.map(formatValue).join(" ")}"`;
  return quote(`_JSON ${json(value)}`);
}

function formatString(text: string): string {
  // Text that would be read as something else (a number, a flag, an array), or holds control characters, goes as JSON.
  // oxlint-disable-next-line no-control-regex
  const asItIs = !/[\u0000-\u0009\u000b-\u001f\u007f\u0085\u2028\u2029]/.test(text) && valueOf(text) === text;
  if (!asItIs) return quote(`_JSON ${json(text)}`);
  return PLAIN_VALUE.test(text) ? text : quote(text);
}

function json(value: InfoValue): string {
  // Python's spelling of what JSON lacks.
  if (typeof value === "number") return Number.isFinite(value) ? formatNumber(value) : String(value);
  if (typeof value === "object") return `[${value.map(json).join(", ")}]`;
  // A line separator must not end the line of a reader that knows more of them than \n.
  return JSON.stringify(value).replace(
    /[\u007f\u0085\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
