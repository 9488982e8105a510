import { invalid } from "../../error.ts";
import { numberFrom } from "../number.ts";

/** One line of input.nn: keyword and words behind it. */
export interface Setting {
  readonly key: string;
  readonly words: readonly string[];
  /** "input.nn:12". */
  readonly place: string;
}

/** The keywords of input.nn, comments (# or !) left out: https://compphysvienna.github.io/n2p2/topics/keywords.html */
export class Settings {
  readonly lines: readonly Setting[];

  constructor(text: string, file: string) {
    this.lines = text.split("\n").flatMap((line, k) => {
      const [key, ...words] = line
        .replace(/[#!].*/, "")
        .trim()
        .split(/\s+/);
      return key === "" ? [] : [{ key, words, place: `${file}:${k + 1}` }];
    });
  }

  all(key: string): readonly Setting[] {
    return this.lines.filter((line) => line.key === key);
  }

  /** The only line of a keyword, if there is one. */
  find(key: string): Setting | undefined {
    const [first, second] = this.all(key);
    if (second) throw invalid(second.place, `${key} once`, `it is already at ${first.place}`);
    return first;
  }

  has(key: string): boolean {
    return this.find(key) !== undefined;
  }

  /** The numbers behind a keyword, at least `least` of them; `otherwise` where it is absent. */
  numbers(key: string, least: number, otherwise?: readonly number[]): readonly number[] {
    const line = this.find(key);
    if (line) return numbersOf(line, least);
    if (otherwise) return otherwise;
    throw invalid("input.nn", `the keyword ${key}`, "none");
  }
}

/** The words of a line as numbers, at least `least` of them. */
export function numbersOf({ key, words, place }: Setting, least: number): number[] {
  const numbers = words.map(numberFrom);
  const wrong = numbers.findIndex((x) => x === undefined || !Number.isFinite(x));
  if (wrong < 0 && numbers.length >= least) return numbers as number[];
  throw invalid(place, `${key} and ${least} numbers`, words.join(" ") || "nothing");
}
