import { invalid } from "../../error.ts";
import { numberFrom } from "../number.ts";
import type { AceBond, AceFile, AceFunction } from "./file.ts";

/** A text read word by word, after = and the marks of tuples have become blanks of their own. */
class Reader {
  readonly #file: string;
  readonly #words: { readonly text: string; readonly line: number }[] = [];
  #at = 0;

  constructor(text: string, file: string) {
    this.#file = file;
    for (const [k, line] of text.split("\n").entries()) {
      if (line.startsWith("#")) continue;
      for (const word of line.replaceAll(/[=()<>]/g, " ").split(/\s+/))
        if (word !== "") this.#words.push({ text: word, line: k + 1 });
    }
  }

  get place(): string {
    return `${this.#file}:${this.#words[Math.min(this.#at, this.#words.length - 1)]?.line ?? 1}`;
  }

  get done(): boolean {
    return this.#at >= this.#words.length;
  }

  word(): string {
    return this.#words[this.#at++]?.text ?? "the end of the file";
  }

  /** Takes the words that must come next. */
  expect(...words: readonly string[]): void {
    for (const word of words) {
      const place = this.place;
      const found = this.word();
      if (found !== word) throw invalid(place, word, found);
    }
  }

  /** True and taken when the next words are these. */
  take(word: string): boolean {
    if (this.#words[this.#at]?.text !== word) return false;
    this.#at++;
    return true;
  }

  number(): number {
    const place = this.place;
    const found = this.word();
    const value = numberFrom(found);
    if (value === undefined || !Number.isFinite(value)) throw invalid(place, "a number", found);
    return value;
  }

  numbers(count: number): number[] {
    return Array.from({ length: count }, () => this.number());
  }

  /** A number that follows its name. */
  named(...name: readonly string[]): number {
    this.expect(...name);
    return this.number();
  }
}

function header(reader: Reader) {
  const place = reader.place;
  const count = reader.named("nelements");
  if (count !== 1) throw invalid(place, "one element in a .ace file; of several: a .yace file", count);
  reader.expect("elements:");
  const element = reader.word();
  const lmax = reader.named("lmax");
  reader.expect("embedding-function:");
  const type = reader.word();
  const size = reader.number();
  reader.expect("FS", "parameters:");
  const parameters = reader.numbers(size);
  reader.expect("core", "energy-cutoff", "parameters:");
  const [coreCutoff, coreWidth] = reader.numbers(2);
  const E0 = reader.named("E0:");
  return { element, lmax, E0, embedding: { type, parameters, coreCutoff, coreWidth } };
}

function readBond(reader: Reader, lmax: number): AceBond {
  reader.expect("radbasename");
  const radial = reader.word();
  const base = reader.named("nradbase");
  const nradmax = reader.named("nradmax");
  reader.named("cutoffmax");
  reader.named("deltaSplineBins");
  reader.expect("core", "repulsion", "parameters:");
  const [prehc, lambdahc] = reader.numbers(2);
  const lambda = reader.named("radparameter");
  const cutoff = reader.named("cutoff");
  const dcut = reader.named("dcut");
  reader.expect("crad");
  // In the file k is the outermost index, then n, then l.
  const crad = reader.numbers(base * nradmax * (lmax + 1));
  const coefficients = Array.from({ length: nradmax }, (_, n) =>
    Array.from({ length: lmax + 1 }, (_, l) =>
      Array.from({ length: base }, (_, k) => crad[(k * nradmax + n) * (lmax + 1) + l]),
    ),
  );
  const inner = { innerCutoff: 0, innerWidth: 0, innerType: "density" };
  return { nradmax, lmax, base, radial, lambda, coefficients, prehc, lambdahc, cutoff, dcut, ...inner };
}

function readFunction(reader: Reader): AceFunction {
  const place = reader.place;
  const rank = reader.named("rank");
  const D = reader.named("ndens");
  reader.named("mu0");
  reader.expect("mu");
  const mus = reader.numbers(rank);
  reader.expect("n");
  const ns = reader.numbers(rank);
  reader.expect("l");
  const ls = reader.numbers(rank);
  const count = reader.named("num_ms");
  const ms: number[][] = [];
  const c: number[][] = [];
  for (let k = 0; k < count; k++) {
    ms.push(reader.numbers(rank));
    reader.expect(":");
    c.push(reader.numbers(D));
  }
  return { mus, ns, ls, ms, c, place };
}

/** Reads a potential of one element in the older C-tilde text format (.ace). */
export function parseAce(text: string, file: string): AceFile {
  const reader = new Reader(text, file);
  const { element, lmax, E0, embedding } = header(reader);
  const bond = readBond(reader, lmax);
  for (const name of ["rankmax", "ndensitymax", "num_c_tilde_max", "num_ms_combinations_max"])
    reader.named(name);
  const functions: AceFunction[] = [];
  let expected = 0;
  while (!reader.done) {
    if (reader.take("ctilde_basis_func:")) functions.push(readFunction(reader));
    else if (reader.take("total_basis_size_rank1:") || reader.take("total_basis_size:"))
      expected += reader.number();
    else throw invalid(reader.place, "ctilde_basis_func: or total_basis_size:", reader.word());
  }
  if (functions.length !== expected)
    throw invalid(`${file} total_basis_size`, `${functions.length}, the functions there are`, expected);
  return { elements: [element], E0: [E0], embeddings: [embedding], bonds: [[bond]], functions: [functions] };
}
