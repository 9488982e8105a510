import { closest } from "../../schema.ts";
import { Problems } from "../format.ts";
import { numberFrom } from "../number.ts";

interface Entry {
  readonly value: string;
  readonly line: number;
}

/** One section of a configuration file of Python's ConfigParser; what is never asked for is an error in the end. */
export class Section {
  readonly name: string;
  readonly #entries: Map<string, Entry>;
  readonly #asked = new Set<string>();
  readonly #problems: Problems;
  readonly #file: string;

  constructor(name: string, entries: Map<string, Entry>, file: string, problems: Problems) {
    this.name = name;
    this.#entries = entries;
    this.#file = file;
    this.#problems = problems;
  }

  /** Keys that nobody has asked for yet. */
  get rest(): string[] {
    return [...this.#entries.keys()].filter((key) => !this.#asked.has(key));
  }

  /** The file's line of a key, for messages. */
  place(key: string): string {
    const line = this.#entries.get(key)?.line;
    return `${this.#file}${line === undefined ? "" : `:${line}`} [${this.name}] ${key}`;
  }

  /** Notes what is wrong with the value of a key. */
  wrong(key: string, expected: string): void {
    this.#problems.add(this.place(key), expected, this.#entries.get(key)?.value ?? "nothing");
  }

  text(key: string): string | undefined {
    this.#asked.add(key);
    return this.#entries.get(key)?.value;
  }

  words(key: string): string[] {
    return this.text(key)?.split(/\s+/).filter(Boolean) ?? [];
  }

  numbers(key: string): number[] | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const numbers = this.words(key).map(numberFrom);
    if (numbers.length === 0 || numbers.includes(undefined)) this.wrong(key, "numbers");
    return numbers.map((x) => x ?? NaN);
  }

  number(key: string, usual: number): number {
    const numbers = this.numbers(key);
    if (numbers && numbers.length !== 1) this.wrong(key, "one number");
    return numbers?.[0] ?? usual;
  }

  /** 0 or 1, or a word of Python's. */
  flag(key: string, usual: boolean): boolean {
    const text = this.text(key)?.toLowerCase();
    if (text === undefined) return usual;
    if (!["0", "1", "true", "false", "yes", "no", "on", "off"].includes(text)) this.wrong(key, "0 or 1");
    return ["1", "true", "yes", "on"].includes(text);
  }

  /** Names what was never asked for, with the key that may be meant. */
  finish(): void {
    for (const key of this.rest) {
      const meant = closest(key, [...this.#asked]);
      this.#problems.add(
        this.place(key),
        meant === undefined
          ? "a key that surfit can honour"
          : `a key that surfit can honour, such as ${meant}`,
        this.#entries.get(key)!.value,
      );
    }
  }
}

/** The sections of a configuration file; keys are told apart by case, `#` and `;` start comments. */
export function readIni(text: string, file: string, problems: Problems): Map<string, Section> {
  const sections = new Map<string, Map<string, Entry>>();
  let entries: Map<string, Entry> | undefined;
  for (const [k, whole] of text.split("\n").entries()) {
    const line = whole.replace(/(^|\s)[#;].*$/, "").trim();
    const place = `${file}:${k + 1}`;
    if (line === "") continue;
    const head = /^\[([^\]]+)\]$/.exec(line);
    const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line);
    if (head) {
      if (sections.has(head[1])) problems.add(place, "each section once", head[1]);
      sections.set(head[1], (entries = new Map()));
    } else if (!entries) problems.add(place, "a section such as [BISPECTRUM] first", line);
    else if (!pair) problems.add(place, "key = value", line);
    else if (entries.has(pair[1])) problems.add(place, "each key once", pair[1]);
    else entries.set(pair[1], { value: pair[2], line: k + 1 });
  }
  return new Map([...sections].map(([name, own]) => [name, new Section(name, own, file, problems)]));
}
