import type { SnapOptions } from "../../descriptors/snap/options.ts";
import { Problems } from "../format.ts";
import { numberFrom } from "../number.ts";
import { linesOf } from "./coefficients.ts";

/** What a `.snapparam` file says, in LAMMPS's meaning; lists have one number for each element. */
export interface Parameters {
  readonly rcutfac: number;
  readonly twojmax: number;
  readonly rfac0: number;
  readonly rmin0: number;
  readonly switchflag: boolean;
  readonly bzeroflag: boolean;
  readonly quadraticflag: boolean;
  readonly chemflag: boolean;
  readonly bnormflag: boolean;
  readonly wselfallflag: boolean;
  readonly switchinnerflag: boolean;
  readonly sinner: readonly number[];
  readonly dinner: readonly number[];
}

const DEFAULTS: Parameters = {
  rcutfac: NaN,
  twojmax: NaN,
  rfac0: 0.99363,
  rmin0: 0,
  switchflag: true,
  bzeroflag: true,
  quadraticflag: false,
  chemflag: false,
  bnormflag: false,
  wselfallflag: false,
  switchinnerflag: false,
  sinner: [],
  dinner: [],
};

/** Keywords that say how fast LAMMPS is to be, not what it computes. */
const SPEED = new Set(["chunksize", "parallelthresh"]);

/** The parameters in a `.snapparam` file; https://docs.lammps.org/pair_snap.html. */
export function readParameters(text: string, file: string): Parameters {
  const problems = new Problems();
  const found: Record<string, unknown> = {};
  for (const { words, line } of linesOf(text)) {
    const [key, ...values] = words;
    const place = `${file}:${line} ${key}`;
    if (SPEED.has(key)) continue;
    if (key === "diagonalstyle") {
      if (values[0] !== "3") problems.add(place, "3, the only style left in LAMMPS", values.join(" "));
      continue;
    }
    if (!(key in DEFAULTS)) {
      problems.add(`${file}:${line}`, `one of ${Object.keys(DEFAULTS).join(", ")}`, key);
      continue;
    }
    const numbers = values.map(numberFrom);
    const list = key === "sinner" || key === "dinner";
    if (numbers.includes(undefined) || numbers.length === 0 || (!list && numbers.length > 1))
      problems.add(place, list ? "numbers" : "a number", values.join(" ") || "nothing");
    else if (list) found[key] = numbers;
    else if (key.endsWith("flag")) {
      if (numbers[0] !== 0 && numbers[0] !== 1) problems.add(place, "0 or 1", values[0]);
      found[key] = numbers[0] === 1;
    } else found[key] = numbers[0];
  }
  for (const key of ["rcutfac", "twojmax"])
    if (found[key] === undefined) problems.add(`${file} ${key}`, "a number", "nothing");
  problems.raise();
  return { ...DEFAULTS, ...found };
}

/**
 * The options of the descriptor `snap` that a `.snapparam` file and the elements of a `.snapcoeff` file say; lists in the
 * file are of the first `seen` elements.
 */
export function toSnap(
  parameters: Parameters,
  elements: readonly { readonly symbol: string; readonly radius: number; readonly weight: number }[],
  file: string,
  seen = elements.length,
): SnapOptions {
  const { sinner, dinner, switchinnerflag } = parameters;
  const problems = new Problems();
  for (const [key, list] of Object.entries(switchinnerflag ? { sinner, dinner } : {}))
    if (list.length !== seen)
      problems.add(`${file} ${key}`, `${seen} numbers, one for each element`, `${list.length}`);
  problems.raise();
  const inner = elements.map(
    ({ symbol }, e) => [symbol, { sinner: sinner[e] ?? 0, dinner: dinner[e] ?? 1 }] as const,
  );
  return {
    twojmax: parameters.twojmax,
    cutoff: parameters.rcutfac,
    rfac0: parameters.rfac0,
    rmin0: parameters.rmin0,
    elements: Object.fromEntries(elements.map(({ symbol, radius, weight }) => [symbol, { radius, weight }])),
    switching: parameters.switchflag,
    ...(switchinnerflag && { innerSwitching: Object.fromEntries(inner) }),
    bzero: parameters.bzeroflag,
    bnorm: parameters.bnormflag,
    chem: parameters.chemflag,
    wselfall: parameters.wselfallflag,
  };
}

/** The text of a `.snapparam` file for descriptor options with nothing left to choose. */
export function writeParameters(
  options: SnapOptions,
  quadratic: boolean,
  symbols: readonly string[],
  title: string,
): string {
  if (options.cutoff === "auto") throw new TypeError("the cutoff is still to be chosen");
  const { innerSwitching } = options;

  const inner = innerSwitching
    ? [
        "switchinnerflag 1",
        `sinner ${symbols.map((s) => innerSwitching[s].sinner).join(" ")}`,
        `dinner ${symbols.map((s) => innerSwitching[s].dinner).join(" ")}`,
      ]
    : [];
  const lines = [
    `# ${title}`,
    "",
    `rcutfac ${options.cutoff}`,
    `twojmax ${options.twojmax}`,
    `rfac0 ${options.rfac0}`,
    `rmin0 ${options.rmin0}`,
    ...(options.switching ? [] : ["switchflag 0"]),
    ...inner,
    `bzeroflag ${Number(options.bzero)}`,
    `quadraticflag ${Number(quadratic)}`,
    `wselfallflag ${Number(options.wselfall)}`,
    `chemflag ${Number(options.chem)}`,
    `bnormflag ${Number(options.bnorm)}`,
  ];
  return `${lines.join("\n")}\n`;
}
