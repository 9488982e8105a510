import { invalid } from "../../error.ts";
import type { GapCoordinate } from "./gap.ts";

/** Words of a descriptor's command line that only the fit reads. */
const OF_THE_FIT = new Set(
  (
    "delta f0 n_sparse config_type_n_sparse sparse_method lengthscale_factor lengthscale_uniform lengthscale_file " +
    "theta_fac theta_uniform theta_file sparse_file mark_sparse_atoms add_species covariance_type zeta " +
    "print_sparse_index unique_hash_tolerance unique_descriptor_tolerance"
  ).split(" "),
);

/** The command line of a descriptor: every word is read, or known to belong to the fit, or an error. */
export class CommandLine {
  readonly place: string;
  readonly #options: Readonly<Record<string, string>>;
  readonly #seen = new Set(OF_THE_FIT);

  constructor({ options, line }: GapCoordinate, file: string) {
    this.#options = options;
    this.place = `${file}:${line}`;
  }

  number(key: string, fallback?: number): number {
    const text = this.#take(key);
    const value = text === undefined ? fallback : Number(text);
    if (value !== undefined && Number.isFinite(value)) return value;
    throw invalid(`${this.place}: ${key}`, "a number", text ?? "nothing");
  }

  /** T or F. */
  flag(key: string, fallback: boolean): boolean {
    const text = this.#take(key)?.replaceAll(".", "").toUpperCase();
    if (text === undefined) return fallback;
    if (["T", "TRUE"].includes(text)) return true;
    if (["F", "FALSE"].includes(text)) return false;
    throw invalid(`${this.place}: ${key}`, "T or F", text);
  }

  numbers(key: string): number[] | undefined {
    const text = this.#take(key);
    const values = text?.split(/[\s,]+/).map(Number);
    if (values?.some((x) => !Number.isFinite(x))) throw invalid(`${this.place}: ${key}`, "numbers", text);
    return values;
  }

  word(key: string, fallback: string): string {
    return this.#take(key) ?? fallback;
  }

  /** What is not as it has to be is an error that says what is expected. */
  demand(key: string, value: unknown, allowed: unknown): void {
    if (value !== allowed)
      throw invalid(`${this.place}: ${key}`, `${String(allowed)}, the only one that is read`, String(value));
  }

  /** An element, which has to be named. */
  element(key: string): number {
    const z = this.number(key, 0);
    if (Number.isInteger(z) && z > 0) return z;
    throw invalid(`${this.place}: ${key}`, "an atomic number; 0, any element, is not read", z);
  }

  /** To be called when everything has been read. */
  finish(): void {
    const stray = Object.keys(this.#options).find((key) => !this.#seen.has(key));
    if (stray !== undefined)
      throw invalid(`${this.place}: ${stray}`, "options that are read", `${stray}=${this.#options[stray]}`);
  }

  #take(key: string): string | undefined {
    this.#seen.add(key);
    return this.#options[key];
  }
}
