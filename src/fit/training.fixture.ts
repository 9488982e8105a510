import { createDevice } from "../device/device.ts";
import { Gradients } from "./gradient.ts";
import { Covariance } from "./kalman/covariance.ts";
import { labelledFrames, SIZE, TASKS, TERM, turnPool } from "./linear-pair.fixture.ts";
import type { TrainingOptions } from "./options.ts";
import { PackedFrames } from "./packed.ts";
import type { Training } from "./trainer.ts";

/** Parameters that made the labels. */
export const LINEAR = [1, -2, 3, -1];

/** What a test chooses. */
export interface Choice {
  readonly epochs: number;
  readonly threads?: number;
  readonly options: TrainingOptions;
  readonly more?: Partial<Training>;
}

/** For tests: 16 frames of a linear pair potential in groups of 2, of which the last 2 groups validate. */
export async function linearTraining({ epochs, threads = 1, options, more = {} }: Choice): Promise<Training> {
  const device = createDevice({ bytes: 2 ** 22 });
  const pool = turnPool(device, TASKS, threads, 5);
  const frames = labelledFrames(16, LINEAR);
  const data = PackedFrames.pack(device.memory, frames, new Float64Array(16).fill(1));
  const rows = 40;
  const gradients = await Gradients.create(pool, {
    term: TERM,
    elements: [14],
    parameters: SIZE,
    data,
    groups: Array.from({ length: 8 }, (_, g) => [2 * g, 2 * g + 1]),
    slots: 4,
    rows,
    cache: 1e6,
    place: (f) => frames[f].place,
  });
  return {
    gradients,
    data,
    start: new Float64Array(SIZE),
    decays: new Uint8Array(SIZE),
    train: [0, 1, 2, 3, 4, 5],
    validation: [6, 7],
    validationFrames: [12, 13, 14, 15],
    perBatch: 2,
    epochs,
    every: 2,
    options,
    seed: 3,
    workspace: await Covariance.create(pool, [SIZE], 2 * rows),
    identity: "test",
    ...more,
  };
}
