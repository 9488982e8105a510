/** A job that a caller can watch, pause, stop and resume: `state` is plain data, a checkpoint is its copy. */
export interface Simulation<State> {
  init(): State;
  /** Advances the state in place. */
  step(state: State): void;
  /** What an exact integrator would keep constant, eV. */
  invariant?(state: State): number;
}
