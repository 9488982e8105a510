import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import { basename } from "node:path";
import { invalid } from "../../error.ts";
import type { FitOptions } from "../../fit/options.ts";
import { assign, readOverride, readYamlWith, validate } from "../../schema.ts";
import { readWhole, stem } from "../files.ts";
import { given, splitBaseline, unitsOf } from "../structures.ts";
import type { LabelFlags } from "../structures.ts";
import { isFitsnapInput, readFitsnapFit } from "./fitsnap.ts";
import { readFitsnapRecord } from "./fitsnap-record.ts";
import type { FitsnapOutputs } from "./fitsnap-record.ts";
import { isTrainingFolder, readTrainingFolder } from "./n2p2.ts";
import { wholeSchema } from "./schema.ts";

/** Flags of `surfit fit` that stand for options of the configuration. */
export interface FitFlags extends LabelFlags {
  readonly output?: string;
  readonly train?: readonly string[];
  readonly validation?: readonly string[];
  readonly test?: readonly string[];
  readonly time?: number;
  readonly epochs?: number;
  readonly seed?: number;
  readonly threads?: number;
  readonly descriptor?: string;
  readonly split?: string;
  readonly deterministic?: boolean;
  readonly set?: readonly string[];
  readonly resume?: boolean;
}

/** A configuration, and the folder that its run goes to. */
export interface Configured {
  readonly options: FitOptions;
  readonly folder: string;
  /** What of another program's configuration is not followed, one sentence each. */
  readonly notes: readonly string[];
  /** What FitSNAP would write, where the fit is one of its. */
  readonly fitsnap?: FitsnapOutputs;
}

const isYaml = (path: string): boolean => /\.ya?ml$/i.test(path);

/** The configuration of a fit from data files or a YAML file, with the flags laid over it. */
export async function configure(inputs: readonly string[], flags: FitFlags): Promise<Configured> {
  const files = [...inputs, ...(flags.train ?? [])];
  if (files.length === 0) throw invalid("surfit fit", "data files or a fit.yaml", "neither");
  if (files.some(isYaml) && files.length > 1)
    throw invalid("surfit fit", "one YAML file, or data files", files.join(" "));
  const yaml = isYaml(files[0]) ? files[0] : undefined;
  const folder =
    flags.output ?? (yaml && isRun(dirname(yaml)) ? dirname(yaml) : join("runs", nameOf(yaml, files)));
  // A run that goes on is the run that was configured: what it wrote then counts, not what is said now.
  if (flags.resume && existsSync(join(folder, "fit.yaml"))) {
    const [options, fitsnap] = await Promise.all([
      fromYaml(join(folder, "fit.yaml"), threadsOnly(flags)),
      readFitsnapRecord(folder),
    ]);
    return { options, folder, notes: [], ...(fitsnap && { fitsnap }) };
  }
  const overrides = overridesOf(flags);
  if (yaml) return { options: await fromYaml(yaml, overrides), folder, notes: [] };
  if (files.some(isFitsnapInput)) return fromFitsnap(files, flags, overrides, folder);
  if (files.length > 1 || !isTrainingFolder(files[0]))
    return { options: fromData(files, flags, overrides), folder, notes: [] };
  const { data, options, notes } = await readTrainingFolder(files[0], flags.units);
  return { options: fromData([data], flags, overrides, options), folder, notes };
}

/** The configuration that an input file of FitSNAP stands for. */
async function fromFitsnap(
  files: readonly string[],
  flags: FitFlags,
  overrides: Readonly<Record<string, unknown>>,
  folder: string,
): Promise<Configured> {
  if (files.length > 1)
    throw invalid("surfit fit", "one input file of FitSNAP, or data files", files.join(" "));
  const { data, options, notes, outputs } = await readFitsnapFit(files[0]);
  return { options: fromData(data, flags, overrides, options), folder, notes, fitsnap: outputs };
}

const isRun = (folder: string): boolean =>
  existsSync(join(folder, "model.surfit")) || existsSync(join(folder, "checkpoint"));

const nameOf = (yaml: string | undefined, files: readonly string[]): string =>
  stem(yaml && stem(yaml) === "fit" ? basename(dirname(join(process.cwd(), yaml))) : files[0]);

const threadsOnly = ({ threads }: FitFlags): Record<string, unknown> =>
  threads === undefined ? {} : { threads };

async function fromYaml(path: string, overrides: Readonly<Record<string, unknown>>): Promise<FitOptions> {
  const text = new TextDecoder().decode(await readWhole(path));
  const options = readYamlWith(wholeSchema, text, path, overrides);
  const home = dirname(path);
  const from = (file: string) => (isAbsolute(file) || home === "." ? file : join(home, file));
  return located(options, from);
}

/** The options with every path that a configuration holds taken elsewhere. */
function located(options: FitOptions, to: (file: string) => string): FitOptions {
  const { files } = options.data;
  const { start, ...rest } = options.model;
  const model = { ...rest, reference: rest.reference.map(to) };
  return {
    ...options,
    model: start === undefined ? model : { ...model, start: to(start) },
    data: { ...options.data, files: typeof files === "string" ? to(files) : files.map(to) },
  };
}

function fromData(
  files: readonly string[],
  flags: FitFlags,
  overrides: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>> = {},
): FitOptions {
  const held = [...(flags.validation ?? []), ...(flags.test ?? [])];
  const all = [...files, ...held];
  const record: Record<string, unknown> = {
    ...structuredClone(given),
    data: { files: all.length === 1 ? all[0] : all },
  };
  if (held.length) {
    const names = all.map((file) => basename(file));
    const twice = names.find((name, k) => names.indexOf(name) < k);
    if (twice) throw invalid("--test, --validation", "files of different names", `${twice} twice`);
    if (flags.split !== undefined && flags.split !== "file")
      throw invalid("--split", "file where --test or --validation names files, or neither", flags.split);
    assign(record, "split.method", "file");
  }
  for (const [path, value] of Object.entries(overrides)) assign(record, path, value);
  return validate(wholeSchema, record);
}

/** Dotted paths of what the flags set. */
function overridesOf(flags: FitFlags): Record<string, unknown> {
  const { energy, length, force, stress } = unitsOf(flags);
  const named: Record<string, unknown> = {
    "data.energy": flags.energyKey,
    "data.forces": flags.forcesKey,
    "data.gradient": flags.gradientKey,
    "data.stress": flags.stressKey,
    "data.virial": flags.virialKey,
    "data.baseline": flags.baseline === undefined ? undefined : splitBaseline(flags.baseline),
    "data.units.energy": energy,
    "data.units.length": length,
    "data.units.force": force,
    "data.units.stress": stress,
    "data.stressSign": flags.stressSign,
    "data.virialSign": flags.virialSign,
    "data.skip": flags.skip,
    "split.method": flags.split,
    "split.validation": flags.validation?.map((file) => basename(file)),
    "split.test": flags.test?.map((file) => basename(file)),
    "training.time": flags.time,
    "training.epochs": flags.epochs,
    seed: flags.seed,
    threads: flags.threads,
    deterministic: flags.deterministic,
  };
  if (flags.descriptor !== undefined) named["model.descriptor"] = { name: flags.descriptor };
  const overrides = given(named);
  for (const argument of flags.set ?? []) {
    const [path, value] = readOverride(argument);
    overrides[path] = value;
  }
  return overrides;
}

/** The resolved options as they are written: data files relative to the run's folder, so that the folder can move with them. */
export const portable = (options: FitOptions, folder: string): FitOptions =>
  located(options, (file) => (isAbsolute(file) ? file : relative(folder, file)));
