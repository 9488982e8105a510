import type { Command } from "commander";
import { defaultThreads } from "../../device/pool.ts";
import { invalid } from "../../error.ts";
import { writeFrames } from "../../io/files.node.ts";
import { startPool } from "../../node.ts";
import { conformerSearch, statesOf } from "../../run/conformers/conformers.ts";
import type { Conformer, ConformerState } from "../../run/conformers/conformers.ts";
import { relaxationsBy } from "../../run/conformers/relaxations.ts";
import type { Relaxations } from "../../run/conformers/relaxations.ts";
import { angleOf, findRotors, moleculeOf } from "../../run/conformers/rotors.ts";
import type { Molecule, Rotor } from "../../run/conformers/rotors.ts";
import { symbolOf } from "../../structure/elements.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import { kB, unit } from "../../structure/units.ts";
import { EXIT, MODEL, atLeastOne, count, positive, present, withCommons } from "../command.ts";
import { evaluateOnce, openModel, placing, refuseStrangers } from "../engine.ts";
import type { Engine } from "../engine.ts";
import { refuseFrames, stem } from "../files.ts";
import { sourceOf } from "../force-constants.ts";
import type { ThreadsFlag } from "../force-constants.ts";
import { Lookout, gradesJson, withAdmission } from "../lookout.ts";
import type { AdmissionFlags } from "../lookout.ts";
import { createProgress } from "../progress.ts";
import { structureSettings } from "../saved-state.ts";
import { Interrupted } from "../signals.ts";
import { readStructures, relabel, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { textTable } from "../table.ts";
import { walk } from "../walk.ts";

interface Flags extends UnitFlags, AdmissionFlags, ThreadsFlag {
  readonly output?: string;
  readonly bonds?: string;
  readonly candidates: number;
  readonly temperature: number;
  readonly window: number;
  readonly fmax: number;
  readonly seed: number;
  readonly restart?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit conformers: the minima of a molecule that turns of its single bonds lead to. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      [
        "surfit conformers model.surfit pentane.xyz",
        "all turns of all single bonds, relaxed, compared, ranked",
      ],
      ["surfit conformers xtb decane.xyz --candidates 1000", "1000 of them, drawn at random"],
      ["surfit conformers model.surfit ester.xyz --bonds 2-3,5-7", "these bonds only, whatever they are"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame is the molecule")
    .option("-o, --output <file>", "conformers, lowest first (default: <structure>-conformers.xyz)")
    .option(
      "--bonds <i-j,…>",
      "bonds to turn, atoms from 1 on (default: single, in no ring, but for methyl groups)",
    )
    .option(
      "--candidates <n>",
      "all combinations when they are at most so many, else so many at random",
      count,
      300,
    )
    .option("--temperature <K>", "of the populations", positive, 298.15)
    .option("--window <eV>", "keep what lies no higher above the lowest", positive, Infinity)
    .option("--fmax <eV/Å>", "of the relaxations", positive, 0.005)
    .option("--seed <n>", "of the draws", count, 1)
    .option("--threads <n>", "relaxations at once (default: all cores)", atLeastOne)
    .option("--restart", "go on from <output>.checkpoint, to the bits of a search that was never stopped")
    .option("--force", "overwrite the output")
    .action(run);
  withAdmission(command);
}

/** Pairs of "2-3,5-7". */
function readBonds(text: string, atoms: number): [number, number][] {
  return text.split(",").map((word) => {
    const [, i, j] = /^\s*([1-9]\d*)\s*-\s*([1-9]\d*)\s*$/.exec(word) ?? [];
    if (!(i && j && Number(i) <= atoms && Number(j) <= atoms))
      throw invalid("--bonds", `pairs of atoms 1 … ${atoms}, as "2-3,5-7"`, word);
    return [Number(i) - 1, Number(j) - 1];
  });
}

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  const output = flags.output ?? `${stem(file)}-conformers.xyz`;
  refuseFrames(output, flags.force || flags.restart);
  const engine = await openModel(modelFile);
  const { potential, hash } = engine;
  const [frame] = await readStructures([file], flags);
  const { structure, place } = frame;
  refuseStrangers(potential, structure, place);
  const lookout = new Lookout(engine, {}, modelFile);
  const molecule = placing(place, () => moleculeOf(structure));
  const named = flags.bonds === undefined ? undefined : readBonds(flags.bonds, structure.numbers.length);
  const rotors = findRotors(molecule, named);
  const { candidates, seed, fmax, grade, within, bonds, restart } = flags;
  const options = { candidates, seed, fmax, steps: STEPS };
  const admit = (s: Structure) => lookout.admits({ ...frame, structure: s }, flags);
  const team = await gather(modelFile, engine, structure, rotors, flags);
  const own = { ...options, admit, ...(team?.relaxations && { relaxations: team.relaxations }) };
  const simulation = conformerSearch(molecule, rotors, potential, own);
  const all = simulation.candidates;
  const progress = createProgress();
  const { state, signal } = await walk<ConformerState>({
    simulation,
    checkpoint: `${output}.checkpoint`,
    settings: structureSettings(hash, structure, { ...options, grade, within, bonds: bonds ?? "found" }),
    restart,
    done: ({ step }) => step >= all,
    watch: ({ step, conformers }) =>
      progress.update(step / all, `candidate ${step} of ${all}: ${conformers.length} conformers`),
  }).finally(() => team?.close());
  progress.done();
  if (signal)
    throw new Interrupted(signal, `stopped after ${state.step} of ${all} candidates; --restart goes on`);
  const ranked = rank(state.conformers, flags);
  if (ranked.length === 0)
    throw invalid(place, "a candidate that relaxes with its bonds as they are", losses(state).join("; "));
  const turning = rotors.map((rotor) => nameOf(molecule, rotor));
  const frames = ranked.map((conformer) => {
    const { positions, relative, population } = conformer;
    const found: Frame = {
      structure: { ...structure, positions },
      info: {
        relative_energy: relative,
        population,
        found: conformer.found + conformer.mirrored,
        states: statesOf(conformer),
        torsions: rotors.map((rotor) => angleOf(molecule, rotor, positions)),
      },
      arrays: {},
      place,
    };
    return relabel(found, evaluateOnce(potential, found.structure, place));
  });
  const sighting = lookout.look(frames);
  await writeFrames(output, sighting.frames);
  const kcal = unit("energy", "kcal/mol");
  const rows = ranked.map((c, k) => [
    String(k + 1),
    c.energy.toFixed(6),
    (1000 * c.relative).toFixed(1),
    (c.relative / kcal).toFixed(3),
    (100 * c.population).toFixed(1),
    String(statesOf(c)),
    String(c.found + c.mirrored),
    rotors.map((rotor) => angleOf(molecule, rotor, c.positions).toFixed(0)).join(" "),
  ]);
  const head = ["", "energy (eV)", "ΔE (meV)", "(kcal/mol)", "share (%)", "states", "found", "torsions (°)"];
  const text = [
    `${rotors.length} bonds turn${turning.length > 0 ? `: ${turning.join(", ")}` : ""}; ${all} candidates`,
    textTable(head, rows),
    "",
    `${ranked.length} conformers in ${output}; shares by energies alone at ${flags.temperature} K, mirror images that were found count as two states`,
    ...losses(state),
    ...sighting.notes,
  ].join("\n");
  const { clashed, stuck, reacted, refused } = state;
  const json = {
    output,
    rotors: rotors.map(({ axis }) => axis.map((i) => i + 1)),
    candidates: all,
    clashed,
    stuck,
    reacted,
    refused,
    conformers: ranked.map((c, k) => ({ ...frames[k].info, energy: c.energy })),
    grades: gradesJson(sighting.grades),
  };
  present({ text, json, exitCode: EXIT.ok }, flags.json);
}

/** Most steps of a relaxation. */
const STEPS = 500;

/** Candidates times atoms from which threads of a model save more than they cost to start. */
const WORTH = 1000;

/** Threads that relax candidates, where they pay; null where there is but one, or one place that gives forces. */
async function gather(
  modelFile: string,
  { model, program }: Engine,
  structure: Structure,
  rotors: readonly Rotor[],
  { threads = defaultThreads(), fmax, candidates }: Flags,
): Promise<{ readonly relaxations: Relaxations | undefined; close(): void } | null> {
  const source = sourceOf(modelFile, model, program);
  const all = rotors.reduce((product, { turns }) => product * turns, 1);
  const work = Math.min(all, candidates) * structure.numbers.length;
  if (threads === 1 || !source || (!program && work < WORTH)) return null;
  const pool = await startPool({ threads });
  const relaxations = await relaxationsBy(pool, source, structure, { fmax, steps: STEPS });
  return { relaxations, close: () => pool.close() };
}

interface Ranked extends Conformer {
  /** Above the lowest, eV. */
  readonly relative: number;
  /** Of all states at the temperature. */
  readonly population: number;
}

/** By energy, with shares ∝ states·exp(−ΔE/k_B T). */
function rank(conformers: readonly Conformer[], { temperature, window }: Flags): Ranked[] {
  const sorted = conformers.toSorted((a, b) => a.energy - b.energy);
  const lowest = sorted[0]?.energy ?? 0;
  const kept = sorted.filter(({ energy }) => energy - lowest <= window);
  const weights = kept.map((c) => statesOf(c) * Math.exp((lowest - c.energy) / (kB * temperature)));
  const total = weights.reduce((sum, w) => sum + w, 0);
  return kept.map((c, k) => ({ ...c, relative: c.energy - lowest, population: weights[k] / total }));
}

/** "C2-C3": atoms from 1 on. */
const nameOf = ({ structure }: Molecule, { axis }: Rotor): string =>
  axis.map((i) => `${symbolOf(structure.numbers[i])}${i + 1}`).join("-");

/** What became of candidates that are no conformers. */
function losses({ clashed, stuck, reacted, refused }: ConformerState): string[] {
  const said: [number, string][] = [
    [clashed, "candidates had atoms too close to each other"],
    [stuck, "did not relax"],
    [reacted, "changed their bonds"],
    [refused, "ended outside the training data and were refused"],
  ];
  return said.flatMap(([n, what]) => (n > 0 ? [`${n} ${what}`] : []));
}
