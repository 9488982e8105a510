/** One thing wrong with the input: where (file:line or dotted path), what was expected, what was found. */
export interface Problem {
  readonly place: string;
  readonly expected: string;
  readonly found: string;
}

const sentence = (p: Problem) => `invalid ${p.place}: expected ${p.expected}, got ${p.found}`;

/** Input that cannot be used. Carries every problem found, not only the first; the message has one line each. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(sentence).join("\n"));
    this.problems = problems;
  }
}

/** An InputError with one problem. */
export const invalid = (place: string, expected: string, found: unknown): InputError =>
  new InputError([{ place, expected, found: typeof found === "string" ? found : JSON.stringify(found) }]);

/** An outside program that has gone, is silent, or does not keep to its protocol. */
export class PeerError extends Error {
  override readonly name = "PeerError";
}

/** A computation whose numbers stopped being finite: the input was in order, the surface or the step was not. */
export class NumericalError extends Error {
  override readonly name = "NumericalError";
}
