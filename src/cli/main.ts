#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { Command, CommanderError } from "commander";
import { InputError, NumericalError, PeerError, invalid } from "../error.ts";
import { EXIT } from "./command.ts";
import type { CommandModule } from "./command.ts";
import { Interrupted } from "./signals.ts";
import { version } from "./version.ts";

interface Entry {
  readonly group: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Every command once; its module is loaded only when it is asked for. */
const commands: Readonly<Record<string, Entry>> = {
  fit: {
    group: "Fit",
    summary: "learn a potential from labelled structures",
    load: () => import("./commands/fit.ts"),
  },
  init: {
    group: "Fit",
    summary: "propose symmetry functions for a data set, and draw them over it",
    load: () => import("./commands/init.ts"),
  },
  doctor: {
    group: "Fit",
    summary: "judge a data set before anything is learned from it",
    load: () => import("./commands/doctor.ts"),
  },
  select: {
    group: "Fit",
    summary: "choose frames to train on: farthest, CUR, MaxVol, energy window",
    load: () => import("./commands/select.ts"),
  },
  search: {
    group: "Fit",
    summary: "vary the options of a fit until its validation errors are least",
    load: () => import("./commands/search.ts"),
  },
  test: {
    group: "Fit",
    summary: "errors of a model on labelled structures",
    load: () => import("./commands/test.ts"),
  },
  validate: {
    group: "Fit",
    summary: "whether a model is fit for dynamics: a battery of checks and a verdict",
    load: () => import("./commands/validate.ts"),
  },
  predict: {
    group: "Run",
    summary: "energies, forces and stress of structures",
    load: () => import("./commands/predict.ts"),
  },
  relax: {
    group: "Run",
    summary: "move the atoms to the nearest minimum",
    load: () => import("./commands/relax.ts"),
  },
  md: {
    group: "Run",
    summary: "molecular dynamics at constant energy, temperature or pressure",
    load: () => import("./commands/md.ts"),
  },
  umbrella: {
    group: "Run",
    summary: "free energy along a variable: umbrella sampling, WHAM, MBAR",
    load: () => import("./commands/umbrella.ts"),
  },
  analyse: {
    group: "Run",
    summary: "radial and angular distributions, diffusion, spectra of a trajectory",
    load: () => import("./commands/analyse.ts"),
  },
  path: {
    group: "Run",
    summary: "minimum energy path between two structures: NEB, string",
    load: () => import("./commands/path.ts"),
  },
  saddle: {
    group: "Run",
    summary: "saddle point near a structure, verified; the way down both sides",
    load: () => import("./commands/saddle.ts"),
  },
  rate: {
    group: "Run",
    summary: "free energy of activation and rate from a saddle point and its minima",
    load: () => import("./commands/rate.ts"),
  },
  vibrations: {
    group: "Run",
    summary: "normal modes, zero-point energy, thermochemistry",
    load: () => import("./commands/vibrations.ts"),
  },
  elastic: {
    group: "Run",
    summary: "elastic constants of a crystal",
    load: () => import("./commands/elastic.ts"),
  },
  phonons: {
    group: "Run",
    summary: "phonon bands, density of states, heat capacity of a crystal",
    load: () => import("./commands/phonons.ts"),
  },
  serve: {
    group: "Run",
    summary: "forces for i-PI, ASE and other programs through a socket",
    load: () => import("./commands/serve.ts"),
  },
  hop: {
    group: "Run",
    summary: "lowest minimum by basin hopping",
    load: () => import("./commands/hop.ts"),
  },
  conformers: {
    group: "Run",
    summary: "conformers of a molecule: single bonds turned, relaxed, compared, ranked",
    load: () => import("./commands/conformers.ts"),
  },
  convert: {
    group: "Files",
    summary: "from one file format or unit to another",
    load: () => import("./commands/convert.ts"),
  },
  import: {
    group: "Files",
    summary: "a potential of another program as a model: n2p2, LAMMPS, pacemaker, QUIP, sGDML",
    load: () => import("./commands/import.ts"),
  },
  export: {
    group: "Files",
    summary: "a model in the files of another program: LAMMPS, n2p2, pacemaker, QUIP",
    load: () => import("./commands/export.ts"),
  },
  demo: {
    group: "Files",
    summary: "fit ethanol, test it, run it: what `npm start` does",
    load: () => import("./commands/demo.ts"),
  },
};

function frontPage(): string {
  const lines: string[] = [];
  for (const group of new Set(Object.values(commands).map((c) => c.group))) {
    lines.push("", `  ${group}`);
    for (const [name, c] of Object.entries(commands))
      if (c.group === group) lines.push(`    ${name.padEnd(10)} ${c.summary}`);
  }
  return `surfit ${version()}: fit a potential energy surface, then surf it

Usage: surfit <command> [options]

Commands:${lines.join("\n")}

First steps:
  $ surfit doctor data.xyz          are the data fit to learn from?
  $ surfit fit data.xyz             learn; everything goes to runs/data/
  $ surfit test runs/data/model.surfit other.xyz
  $ surfit md runs/data/model.surfit start.xyz --temperature 300 --time 10

Structures are extended XYZ (.xyz, .extxyz, .gz) with energies in eV, lengths in Å and forces in eV/Å unless --units
says otherwise. A fit writes its complete configuration to fit.yaml, which can be edited and given to surfit fit.

Options:
  -V, --version   the version
  -h, --help      this page; surfit <command> --help for one command

Exit codes:
  0  done          1  the input cannot be used      2  wrong usage
  3  a number stopped being finite, or a relaxation did not converge
  4  dynamics stopped where it left the training data, after saving
  5  an outside program is gone or silent
  70 a fault of surfit itself                         130, 143  stopped by a signal, after saving

Documentation: docs/ in the package.
`;
}

async function build(argv: readonly string[]): Promise<Command> {
  const program = new Command("surfit").version(version()).exitOverride().showSuggestionAfterError();
  program.helpInformation = frontPage;
  const asked = argv.find((word) => !word.startsWith("-"));
  const topic = asked === "help" ? argv[argv.indexOf("help") + 1] : asked;
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = program
      .command(name)
      .description(summary)
      .showHelpAfterError("(--help shows the options)");
    if (name === topic) (await load()).define(command);
  }
  return program;
}

const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** What the operating system refuses for reasons that the user can mend. */
const REFUSALS = "EACCES EPERM EROFS ENOENT ENOTDIR EISDIR ELOOP ENAMETOOLONG ENOSPC EDQUOT".split(" ");

/** The same error, or what the operating system said in words of ours. */
function inWords(error: unknown): unknown {
  const { code, path, message } = error as NodeJS.ErrnoException;
  return path !== undefined && REFUSALS.includes(code ?? "")
    ? invalid(path, "a file or folder that may be read or written", message)
    : error;
}

/** The exit code for what went wrong, after saying it. */
function explain(thrown: unknown, json: boolean): number {
  const error = thrown instanceof Error ? inWords(thrown) : thrown;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const known = [InputError, NumericalError, PeerError, Interrupted].some((kind) => error instanceof kind);
  if (!(error instanceof Error)) return unknown(String(error));
  if (json && known) {
    const problems = error instanceof InputError ? { problems: error.problems } : {};
    process.stdout.write(
      `${JSON.stringify({ error: error.name, message: error.message, ...problems }, null, 2)}\n`,
    );
  }
  if (error instanceof InputError) {
    for (const line of error.message.split("\n")) say(`surfit: ${line}`);
    return EXIT.input;
  }
  if (error instanceof NumericalError || error instanceof PeerError) {
    say(`surfit: ${error.message}`);
    return error instanceof PeerError ? EXIT.peer : EXIT.numerical;
  }
  if (error instanceof Interrupted) {
    say(error.message);
    return error.signal === "SIGINT" ? EXIT.interrupt : EXIT.terminate;
  }
  return unknown(error.stack ?? error.message);
}

/** What nobody foresaw. */
function unknown(text: string): number {
  say(text);
  say("surfit: this is a bug; please report it with the command, the lines above and, if you can, the data.");
  return EXIT.bug;
}

/** Runs one command line and returns its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  // A reader that closes the pipe early (head) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    throw error;
  });
  try {
    const program = await build(argv);
    if (argv.length === 0) process.stdout.write(frontPage());
    else await program.parseAsync(argv, { from: "user" });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    return explain(error, argv.includes("--json"));
  }
}

// What the engine has compiled is kept between commands, in the system's temporary folder: half the time of a start.
enableCompileCache();
process.exitCode = await main(process.argv.slice(2));
