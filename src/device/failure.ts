import type { Problem } from "../error.ts";
import { InputError, NumericalError } from "../error.ts";

/** An error as plain data, on its way to another thread. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Of an InputError. */
  readonly problems?: readonly Problem[];
}

export const describe = (thrown: unknown): Failure => {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown), stack: "" };
  const { name, message, stack = "" } = thrown;
  return { name, message, stack, problems: thrown instanceof InputError ? thrown.problems : undefined };
};

const remake = ({ name, message, problems }: Failure): Error => {
  if (problems) return new InputError(problems);
  if (name === "NumericalError") return new NumericalError(message);
  return Object.defineProperty(new Error(message), "name", { value: name, configurable: true });
};

/** The error again, with the stack of the thread where it was thrown. */
export const revive = (failure: Failure, thread: number): Error => {
  const error = remake(failure);
  error.stack = `${failure.stack}\n    in thread ${thread}`;
  return error;
};
