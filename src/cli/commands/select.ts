import { Option } from "commander";
import type { Command } from "commander";
import { createDevice } from "../../device/device.ts";
import { ani } from "../../descriptors/ani/ani.ts";
import { descriptors } from "../../descriptors/table.ts";
import { invalid } from "../../error.ts";
import { LOOK } from "../../fit/learned.ts";
import { aboveLowest, compositionOf } from "../../fit/selection/energies.ts";
import type { Candidates, Selection, SelectionMethod } from "../../fit/selection/method.ts";
import { selectionMethods } from "../../fit/selection/table.ts";
import {
  automaticAverage,
  automaticDescriptor,
  StructureCollector,
  VectorCollector,
} from "../../fit/selection/vectors.ts";
import { formatOf, writeFrames } from "../../io/files.node.ts";
import { findFormat } from "../../io/table.ts";
import { isIsolatedAtom } from "../../potentials/isolated-atoms.ts";
import { pick } from "../../potentials/pick.ts";
import { PairAccumulator } from "../../structure/statistics.ts";
import { count, positive, present, withCommons } from "../command.ts";
import { refuseFrames } from "../files.ts";
import { FrameStream } from "../frame-stream.ts";
import { createProgress, type Progress } from "../progress.ts";
import { labelOptions, makeWay, withLabels } from "../structures.ts";
import type { LabelFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends LabelFlags {
  readonly output: string;
  readonly rest?: string;
  readonly count?: number;
  readonly method: string;
  readonly window?: number;
  readonly by?: "frames" | "atoms";
  readonly start?: number;
  readonly rank?: number;
  readonly seed?: number;
  readonly descriptor: string;
  readonly average: "outer" | "inner";
  readonly force?: boolean;
  readonly json?: boolean;
}

const table = Object.values(selectionMethods)
  .map((m) => `  ${m.name.padEnd(14)} ${m.summary}`)
  .join("\n");

/** surfit select: which frames of a file to train on. */
export function define(command: Command): void {
  withLabels(
    withCommons(command, [
      ["surfit select data.xyz -o chosen.xyz --count 200", "the 200 most different frames"],
      ["surfit select data.xyz -o chosen.xyz --count 200 --rest rest.xyz", "and the others, to test on"],
      ["surfit select md.xyz -o low.xyz --method energy-window --window 0.2", "all within 0.2 eV/atom"],
      ["surfit select md.xyz -o c.xyz --method cur --count 50 --window 1", "50 of those within 1 eV/atom"],
    ]).argument("<data...>", "files of structures"),
  )
    .requiredOption("-o, --output <file>", "file for the chosen frames, in their order, as they stand")
    .option("--rest <file>", "file for the other frames")
    .option("--count <n>", "how many frames to choose (default: all within --window)", count)
    .addOption(
      new Option("--method <name>", "how to choose, see below")
        .choices(Object.keys(selectionMethods))
        .default("farthest"),
    )
    .option("--window <eV/atom>", "only frames this far above the lowest of their composition", positive)
    .addOption(
      new Option(
        "--by <what>",
        "farthest: compare means over frames, or atom by atom (default: frames)",
      ).choices(["frames", "atoms"]),
    )
    .option(
      "--start <frame>",
      "farthest: number of the first frame, from 0 (default: nearest the mean)",
      count,
    )
    .option("--rank <k>", "cur, maxvol: number of singular vectors (default: 99.9 % of the scatter)", count)
    .option("--seed <n>", "cur: draw by leverage instead of taking the greatest", count)
    .addOption(
      new Option("--descriptor <name>", "what frames are compared by, with its automatic functions")
        .choices(Object.keys(descriptors))
        .default(ani.name),
    )
    .addOption(
      new Option(
        "--average <how>",
        "outer: means of atoms' features, element by element; inner: features of the mean of the atoms (soap)",
      )
        .choices(["outer", "inner"])
        .default("outer"),
    )
    .option("--force", "overwrite the output")
    .addHelpText("after", `\nMethods:\n${table}`)
    .action(run);
}

async function run(files: string[], flags: Flags): Promise<void> {
  const method = pick(selectionMethods, flags.method, "--method");
  checkFlags(method, flags);
  const progress = createProgress();
  const byEnergy = flags.window !== undefined;
  const outputs = [flags.output, flags.rest ?? flags.output].map((file) => findFormat(file));
  const formats = [...(await Promise.all(files.map(formatOf))), ...outputs];
  const whole = formats.every((f) => f.statesUnits && f.carries.includes("info"));
  const options = labelOptions(flags);
  // Where labels are neither used nor converted, a file without them will do.
  const keys = byEnergy || !whole ? options.keys : { gradient: null, ...options.keys };
  const stream = await FrameStream.open(files, { ...options, keys });
  const survey = await look(stream, method, flags, progress);
  const inside = insideOf(survey, flags);
  const candidates = await describe(stream, survey, inside, method, flags, progress);
  const selection = method.select(candidates, {
    count: flags.count ?? inside.length,
    ...(flags.start !== undefined && { start: startOf(flags.start, inside, stream.count) }),
    ...(flags.rank !== undefined && { rank: flags.rank }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
  });
  const named = { ...selection, chosen: selection.chosen.map((k) => inside[k]) };
  await write(stream, whole && stream.uniform, new Set(named.chosen), flags);
  progress.done();
  present(report(named, survey, stream, method, flags), flags.json);
}

/** What can be refused before anything is read. */
function checkFlags(method: SelectionMethod, flags: Flags): void {
  refuseFrames(flags.output, flags.force);
  if (flags.rest !== undefined) refuseFrames(flags.rest, flags.force);
  if (flags.rest === flags.output) throw invalid("--rest", "another file than --output", flags.output);
  for (const path of [flags.output, ...(flags.rest === undefined ? [] : [flags.rest])])
    if (!findFormat(path).write) throw invalid(path, "a format that can be written", findFormat(path).name);
  for (const name of ["start", "rank", "seed"] as const)
    if (flags[name] !== undefined && !method.uses.includes(name)) throw unused(`--${name}`, name, method);
  if (flags.by === "atoms" && !method.uses.includes("atoms")) throw unused("--by atoms", "atoms", method);
  if (flags.by === "atoms" && flags.average === "inner")
    throw invalid("--by atoms", "--average outer", "inner, which has no atoms");
  if (flags.rank === 0) throw invalid("--rank", "an integer ≥ 1", "0");
  if (flags.count === 0) throw invalid("--count", "an integer ≥ 1", "0");
  if (flags.window === undefined && method.needs.includes("energies"))
    throw invalid("--window", `a width in eV/atom for ${method.name}`, "nothing");
  if (flags.window === undefined && flags.count === undefined)
    throw invalid("--count", "how many frames to choose", "nothing");
}

function unused(flag: string, use: SelectionMethod["uses"][number], method: SelectionMethod) {
  const users = Object.values(selectionMethods).filter((m) => m.uses.includes(use));
  return invalid(flag, `a method that uses it (${users.map((m) => m.name).join(", ")})`, method.name);
}

/** What one pass over the frames tells. */
interface Survey {
  readonly places: string[];
  readonly configTypes: (string | undefined)[];
  /** Numbers of the frames that are isolated atoms. */
  readonly isolated: number[];
  /** eV/atom above the lowest of the composition; null where energies do not matter. */
  readonly energies: Float64Array | null;
  /** Atoms of each element in each frame. */
  readonly counts: ReadonlyMap<number, number>[];
  readonly pairs: PairAccumulator;
}

async function look(stream: FrameStream, method: SelectionMethod, flags: Flags, progress: Progress) {
  const pairs = new PairAccumulator(LOOK);
  const survey = {
    places: [] as string[],
    configTypes: [] as (string | undefined)[],
    isolated: [] as number[],
    pairs,
  };
  const counts: Map<number, number>[] = [];
  const [kinds, energies, missing] = [[] as string[], [] as number[], [] as string[]];
  for await (const frame of stream.labelled()) {
    const { numbers } = frame.structure;
    if (numbers.length === 0) throw invalid(frame.place, "at least one atom", "none");
    progress.update(survey.places.length / stream.count, "distances");
    if (isIsolatedAtom(frame)) survey.isolated.push(survey.places.length);
    survey.places.push(frame.place);
    survey.configTypes.push(frame.configType);
    if (method.needs.includes("means")) pairs.add(frame.structure);
    const count = new Map<number, number>();
    for (const z of numbers) count.set(z, (count.get(z) ?? 0) + 1);
    counts.push(count);
    if (flags.window === undefined) continue;
    if (frame.energy === undefined || !Number.isFinite(frame.energy)) missing.push(frame.place);
    kinds.push(compositionOf(frame));
    energies.push((frame.energy ?? NaN) / numbers.length);
  }
  if (missing.length > 0)
    throw invalid(
      "--window",
      "an energy in every frame",
      `none in ${missing.length} of ${stream.count}, first ${missing[0]}`,
    );
  return { ...survey, counts, energies: flags.window === undefined ? null : aboveLowest(kinds, energies) };
}

/** Numbers of the frames that may be chosen. */
function insideOf({ energies, places }: Survey, { window = Infinity, count = 1 }: Flags): number[] {
  const inside = [...places.keys()].filter((f) => !energies || energies[f] <= window);
  if (count > inside.length)
    throw invalid(
      "--count",
      `at most ${inside.length}, the number of frames${energies ? " within --window" : ""}`,
      count,
    );
  return inside;
}

/** What the method needs to know of the frames that may be chosen. */
async function describe(
  stream: FrameStream,
  { energies, counts, pairs }: Survey,
  inside: readonly number[],
  method: SelectionMethod,
  { by, descriptor: name, average }: Flags,
  progress: Progress,
): Promise<Candidates> {
  const known = {
    count: inside.length,
    ...(energies && { energies: Float64Array.from(inside, (f) => energies[f]) }),
  };
  if (!method.needs.includes("means")) return known;
  const device = createDevice();
  const collector = () => {
    const statistics = pairs.result();
    if (average === "inner")
      return new StructureCollector(automaticAverage(name, statistics, device), inside.length);
    const descriptor = automaticDescriptor(name, statistics, device);
    const atomsOf = (z: number) => inside.reduce((sum, f) => sum + (counts[f].get(z) ?? 0), 0);
    const atoms = by === "atoms" ? descriptor.elements.map(atomsOf) : null;
    return new VectorCollector(descriptor, device, { frames: inside.length, atoms });
  };
  const vectors = collector();
  const wanted = new Set(inside);
  let f = 0;
  for await (const { structure, place } of stream.labelled()) {
    progress.update(f / stream.count, "features");
    if (wanted.has(f++)) vectors.add(structure, place);
  }
  return { ...known, ...vectors.result() };
}

/** The candidate that is a given frame. */
function startOf(frame: number, inside: readonly number[], frames: number): number {
  if (frame >= frames) throw invalid("--start", `a frame number 0 … ${frames - 1}`, frame);
  const k = inside.indexOf(frame);
  if (k < 0) throw invalid("--start", "a frame within --window", frame);
  return k;
}

async function write(stream: FrameStream, raw: boolean, chosen: ReadonlySet<number>, flags: Flags) {
  async function* part(inSet: boolean) {
    let f = 0;
    for await (const frame of raw ? stream.raw() : stream.labelled())
      if (chosen.has(f++) === inSet) yield raw ? frame : makeWay(frame);
  }
  await writeFrames(flags.output, part(true));
  if (flags.rest !== undefined) await writeFrames(flags.rest, part(false));
}

function report(
  { chosen, scores }: Selection,
  { places, configTypes, isolated }: Survey,
  stream: FrameStream,
  method: SelectionMethod,
  flags: Flags,
) {
  const scoreOf = new Map(chosen.map((f, k) => [f, scores[k]]));
  const indices = [...chosen].sort((a, b) => a - b);
  const types = [...new Set(configTypes)].map((type) => {
    const members = [...configTypes.keys()].filter((f) => configTypes[f] === type);
    return {
      type: type ?? null,
      frames: members.length,
      chosen: members.filter((f) => scoreOf.has(f)).length,
    };
  });
  const rows = types.map((t) => [
    t.type ?? "–",
    String(t.frames),
    String(t.chosen),
    show((100 * t.chosen) / t.frames),
  ]);
  const last = scores[scores.length - 1];
  const lost = isolated.filter((f) => !scoreOf.has(f));
  const notes = [
    ...stream.notes,
    ...(lost.length > 0
      ? [`isolated atoms that were not chosen, ${lost.length}: a fit takes its zero of energy from them`]
      : []),
  ];
  const text = [
    ...notes,
    `${chosen.length} of ${stream.count} frames written to ${flags.output}` +
      (flags.rest === undefined ? "" : `, the others to ${flags.rest}`),
    `${method.name}: ${method.score}; of the last one chosen (${places[chosen[chosen.length - 1]]}): ${show(last)}`,
    "",
    textTable(["config_type", "frames", "chosen", "%"], rows),
  ].join("\n");
  const json = {
    read: stream.count,
    method: method.name,
    score: method.score,
    indices,
    scores: indices.map((f) => scoreOf.get(f)),
    places: indices.map((f) => places[f]),
    order: chosen,
    configTypes: types,
    output: flags.output,
    rest: flags.rest ?? null,
    notes,
  };
  return { text, json };
}
