import type { Simulation } from "../run/simulation.ts";
import type { Settings } from "./saved-state.ts";
import { loadState, saveState } from "./saved-state.ts";
import { watchSignals } from "./signals.ts";

/** A job of many steps that can be interrupted and taken up again. */
export interface Walk<State> {
  readonly simulation: Simulation<State>;
  readonly checkpoint: string;
  /** What must agree with the checkpoint to go on from it. */
  readonly settings: Settings;
  readonly restart: boolean | undefined;
  /** Whether it is done. */
  readonly done: (state: State) => boolean;
  readonly watch: (state: State) => void;
}

/** ms between checkpoints. */
const EVERY = 10_000;

/** Walks until it is done or a signal comes, which is returned; the checkpoint is written now and then, and at the end. */
export async function walk<State>({ simulation, checkpoint, settings, restart, done, watch }: Walk<State>) {
  const state = restart ? ((await loadState(checkpoint, settings)) as State) : simulation.init();
  const signals = watchSignals();
  let saved = performance.now();
  let breathed = saved;
  while (!done(state) && !signals.asked()) {
    simulation.step(state);
    watch(state);
    const now = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- signals have their turn between steps
    if (now - breathed > 50) await new Promise((resolve) => setTimeout(resolve, 0));
    if (now - breathed > 50) breathed = performance.now();
    if (now - saved < EVERY) continue;
    // oxlint-disable-next-line no-await-in-loop -- the state must not move while it is written
    await saveState(checkpoint, settings, state);
    saved = performance.now();
  }
  await saveState(checkpoint, settings, state);
  signals.forget();
  return { state, signal: signals.asked() };
}
