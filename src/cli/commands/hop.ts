import type { Command } from "commander";
import { writeFrames } from "../../io/files.node.ts";
import { basinHopping } from "../../run/basin-hopping.ts";
import { count, positive, present, withCommons } from "../command.ts";
import { evaluateOnce, openModel, refuseStrangers } from "../engine.ts";
import { refuseFrames, stem } from "../files.ts";
import { createProgress } from "../progress.ts";
import { Interrupted, watchSignals } from "../signals.ts";
import { readStructures, relabel, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";

interface Flags extends UnitFlags {
  readonly output?: string;
  readonly hops: number;
  readonly temperature: number;
  readonly move: number;
  readonly fmax: number;
  readonly seed: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit hop: global minimum by basin hopping. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit hop model.surfit cluster.xyz --hops 200", "the lowest minimum of 200 hops"],
      ["surfit hop lj.yaml cluster.xyz --temperature 9000 --seed 7", "warmer, and another walk"],
    ]),
  )
    .argument("<model>", "model file")
    .argument("<structure>", "file whose first frame is the start")
    .option("-o, --output <file>", "lowest minimum (default: <structure>-lowest.xyz)")
    .option("--hops <n>", "random moves, each relaxed", count, 100)
    .option("--temperature <K>", "of accepting a higher minimum", positive, 1000)
    .option("--move <Å>", "first length of the moves; it adapts", positive, 0.4)
    .option("--fmax <eV/Å>", "of the relaxations", positive, 0.001)
    .option("--seed <n>", "of the moves", count, 1)
    .option("--force", "overwrite the output")
    .action(run);
}

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  const output = flags.output ?? `${stem(file)}-lowest.xyz`;
  refuseFrames(output, flags.force);
  const { potential } = await openModel(modelFile);
  const [frame] = await readStructures([file], flags);
  refuseStrangers(potential, frame.structure, frame.place);
  const { hops, temperature, move, fmax, seed } = flags;
  const simulation = basinHopping(frame.structure, potential, { temperature, move, fmax, seed });
  const progress = createProgress();
  const signals = watchSignals();
  const state = simulation.init();
  const first = state.bestEnergy;
  let foundAt = 0;
  while (state.step < hops && !signals.asked()) {
    const before = state.bestEnergy;
    simulation.step(state);
    if (state.bestEnergy < before) foundAt = state.step;
    progress.update(
      state.step / hops,
      `hop ${state.step}: ${state.energy.toFixed(4)}, lowest ${state.bestEnergy.toFixed(4)} eV`,
    );
    // oxlint-disable-next-line no-await-in-loop -- signals have their turn between hops
    if (state.step % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  progress.done();
  signals.forget();
  const structure = { ...frame.structure, positions: state.best };
  await writeFrames(output, [
    relabel({ ...frame, structure }, evaluateOnce(potential, structure, frame.place)),
  ]);
  const signal = signals.asked();
  if (signal)
    throw new Interrupted(signal, `stopped after ${state.step} hops; the lowest so far is in ${output}`);
  const text = `lowest energy ${state.bestEnergy.toFixed(6)} eV, ${(first - state.bestEnergy).toFixed(6)} eV below the first minimum, found at hop ${foundAt} of ${state.step}\n${output}`;
  present({ text, json: { output, energy: state.bestEnergy, first, foundAt, hops: state.step } }, flags.json);
}
