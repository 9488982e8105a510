import type { Command } from "commander";
import { writeFrames } from "../../io/files.node.ts";
import { basinHopping } from "../../run/basin-hopping.ts";
import type { HoppingState } from "../../run/basin-hopping.ts";
import type { Structure } from "../../structure/structure.ts";
import { MODEL, count, positive, present, withCommons } from "../command.ts";
import { evaluateOnce, openModel, refuseStrangers } from "../engine.ts";
import { refuseFrames, stem } from "../files.ts";
import { FIXED, fixedAtoms } from "../fixed-atoms.ts";
import { Lookout, gradesJson, withAdmission } from "../lookout.ts";
import type { AdmissionFlags } from "../lookout.ts";
import { createProgress } from "../progress.ts";
import { structureSettings } from "../saved-state.ts";
import { Interrupted } from "../signals.ts";
import { readStructures, relabel, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { walk } from "../walk.ts";

interface Flags extends UnitFlags, AdmissionFlags {
  readonly output?: string;
  readonly hops: number;
  readonly temperature: number;
  readonly move: number;
  readonly fmax: number;
  readonly seed: number;
  readonly fixed?: string;
  readonly restart?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit hop: global minimum by basin hopping. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit hop model.surfit cluster.xyz --hops 200", "the lowest minimum of 200 hops"],
      ["surfit hop model.surfit cluster.xyz --hops 500 --restart", "go on to 500"],
      ["surfit hop lj.yaml cluster.xyz --temperature 9000 --seed 7", "warmer, and another walk"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame is the start")
    .option("-o, --output <file>", "lowest minimum (default: <structure>-lowest.xyz)")
    .option("--hops <n>", "random moves, each relaxed", count, 100)
    .option("--temperature <K>", "of accepting a higher minimum", positive, 1000)
    .option("--move <Å>", "first length of the moves; it adapts", positive, 0.4)
    .option("--fmax <eV/Å>", "of the relaxations", positive, 0.001)
    .option("--seed <n>", "of the moves", count, 1)
    .option(...FIXED)
    .option("--restart", "go on from <output>.checkpoint, to the bits of a search that was never stopped")
    .option("--force", "overwrite the output")
    .action(run);
  withAdmission(command);
}

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  const output = flags.output ?? `${stem(file)}-lowest.xyz`;
  refuseFrames(output, flags.force || flags.restart);
  const engine = await openModel(modelFile);
  const { potential, hash } = engine;
  const [frame] = await readStructures([file], flags);
  refuseStrangers(potential, frame.structure, frame.place);
  const lookout = new Lookout(engine, {}, modelFile);
  const { hops, temperature, move, fmax, seed, grade, within, restart } = flags;
  const fixed = fixedAtoms(flags.fixed, frame);
  const options = { temperature, move, fmax, seed, fixed };
  const admit = (structure: Structure) => lookout.admits({ ...frame, structure }, flags);
  const simulation = basinHopping(frame.structure, potential, { ...options, admit });
  const progress = createProgress();
  const { state, signal } = await walk<HoppingState>({
    simulation,
    checkpoint: `${output}.checkpoint`,
    settings: structureSettings(hash, frame.structure, {
      ...options,
      fixed: fixed.join(" "),
      grade,
      within,
    }),
    restart,
    done: ({ step }) => step >= hops,
    watch: ({ step, energy, bestEnergy }) =>
      progress.update(step / hops, `hop ${step}: ${energy.toFixed(4)}, lowest ${bestEnergy.toFixed(4)} eV`),
  });
  progress.done();
  const structure = { ...frame.structure, positions: state.best };
  // The labels are of the start.
  const bare = { ...frame, structure, energy: undefined, forces: undefined, stress: undefined };
  const lowest = relabel(bare, evaluateOnce(potential, structure, frame.place));
  const sighting = lookout.look([lowest]);
  await writeFrames(output, sighting.frames);
  if (signal)
    throw new Interrupted(
      signal,
      `stopped after ${state.step} hops; the lowest so far is in ${output}; --restart goes on`,
    );
  const { step, bestEnergy: energy, first, foundAt, failed, refused } = state;
  const lost = [
    ...(failed > 0 ? [`${failed} of ${step} hops ended in no minimum`] : []),
    ...(refused > 0 ? [`${refused} of ${step} hops ended outside the training data and were refused`] : []),
  ];
  const text = [
    `lowest energy ${energy.toFixed(6)} eV, ${(first - energy).toFixed(6)} eV below the first minimum, found at hop ${foundAt} of ${step}`,
    ...lost,
    output,
    ...sighting.notes,
  ].join("\n");
  const json = {
    output,
    energy,
    first,
    foundAt,
    hops: step,
    failed,
    refused,
    grades: gradesJson(sighting.grades),
  };
  present({ text, json }, flags.json);
}
