import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import type { Precision } from "../device/device.ts";
import { InputError } from "../error.ts";

/** What a command has to say: text for people, JSON for programs. */
export interface Outcome {
  readonly text: string;
  readonly json: unknown;
  /** 0 unless stated: a verdict such as the doctor's may ask for 1. */
  readonly exitCode?: number;
}

/** What every file in commands/ exports: its arguments, options, examples and action. */
export interface CommandModule {
  readonly define: (command: Command) => void;
}

/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  input: 1,
  usage: 2,
  numerical: 3,
  extrapolation: 4,
  /** An outside program is gone, silent or talks nonsense. */
  peer: 5,
  bug: 70,
  interrupt: 130,
  terminate: 143,
} as const;

/** Prints an outcome: text, or one JSON document on stdout with --json. */
export function present(outcome: Outcome, json: boolean | undefined): void {
  process.stdout.write(`${json ? JSON.stringify(outcome.json, spell, 2) : outcome.text}\n`);
  process.exitCode = outcome.exitCode ?? EXIT.ok;
}

/** JSON knows no NaN and no typed arrays; both are written as what they are, not as null or an object of indices. */
function spell(_: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value;
}

/** Adds --json and the examples to a command's help. */
export function withCommons(
  command: Command,
  examples: readonly (readonly [line: string, what: string])[],
): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  $ ${line.padEnd(width)}  ${what}`);
  return command
    .option("--json", "the result as JSON on stdout; progress stays on stderr")
    .addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** What stands for a potential wherever a command asks for a model. */
export const MODEL =
  "model file; or a potential written in YAML; or an outside program: xtb, pyscf:method/basis, socket:host:port";

/** What withPrecision asks for. */
export interface PrecisionFlag {
  readonly precision: Precision;
}

/** Adds --precision to a command that evaluates a model. */
export const withPrecision = (command: Command): Command =>
  command.addOption(
    new Option("--precision <name>", "sums over neighbours in f64, or faster in f32: forces to about 1e-5")
      .choices(["f64", "f32"] satisfies Precision[])
      .default("f64"),
  );

/** An option that is heeded only together with others: its name, what it `needs`, whether that is there, and what is. */
export type Idle = readonly [option: string, needs: string, there: boolean, found?: string];

/** "ircStep" → "--irc-step". */
const flag = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Refuses options that were given although nothing would heed them, all at once. */
export function refuseIdle(command: Command, options: readonly Idle[]): void {
  const idle = options.filter(([name, , there]) => !there && command.getOptionValueSource(name) === "cli");
  if (idle.length === 0) return;
  throw new InputError(
    idle.map(([name, needs, , found]) => ({
      place: flag(name),
      expected: `${needs} with it`,
      found: found ?? "none",
    })),
  );
}

/** Reads a number > 0 from the command line. */
export function positive(text: string): number {
  const x = Number(text);
  if (!(x > 0 && Number.isFinite(x))) throw new InvalidArgumentError("A positive number is expected.");
  return x;
}

/** Reads any number from the command line. */
export function finite(text: string): number {
  const x = Number(text);
  if (text.trim() === "" || !Number.isFinite(x)) throw new InvalidArgumentError("A number is expected.");
  return x;
}

/** Reads an integer ≥ 1 from the command line. */
export function atLeastOne(text: string): number {
  const x = Number(text);
  if (!(Number.isInteger(x) && x >= 1)) throw new InvalidArgumentError("An integer ≥ 1 is expected.");
  return x;
}

/** Reads an integer ≥ 0 from the command line. */
export function count(text: string): number {
  const x = Number(text);
  if (!(text.trim() !== "" && Number.isInteger(x) && x >= 0))
    throw new InvalidArgumentError("An integer ≥ 0 is expected.");
  return x;
}
