import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../math/random.ts";
import type { Frame } from "../../../structure/structure.ts";
import { runFit, type FitResult } from "../../fit.ts";
import { labelledFrames } from "../../linear-pair.fixture.ts";
import { fitSchema } from "../../options.ts";
import { prepareFit } from "../../prepare.ts";
import { poolsOf } from "../../pools.fixture.ts";
import { tasks } from "../../../tasks.ts";

const STRENGTH = 1e-3;

const poolOf = poolsOf(tasks, 2 ** 27);

/** Frames with noise, some without an energy, some without forces. */
const frames = labelledFrames(200, [1, -2, 3, 1]).map((frame, k): Frame => {
  const random = new Random(4, "noise", k);
  return {
    ...frame,
    energy: k % 5 === 1 ? undefined : frame.energy! + 0.02 * random.normal(),
    forces: k % 5 === 2 ? undefined : frame.forces!.map((f) => f + 0.02 * random.normal()),
  };
});

const configuration = (leastSquares: Record<string, unknown>) =>
  fitSchema.parse({
    data: "made.xyz",
    split: { validation: 0.1, test: 0.1 },
    model: {
      descriptor: { name: "acsf", size: "small" },
      regressor: { name: "linear" },
      zbl: false,
    },
    training: { leastSquares },
  });

async function fit(
  leastSquares: Record<string, unknown>,
  threads = 1,
  resume?: Uint8Array,
  save?: (bytes: Uint8Array) => void,
  data = frames,
): Promise<FitResult> {
  const pool = await poolOf(threads);
  const prepared = await prepareFit(data, configuration(leastSquares), pool, { resume });
  const running = runFit(prepared, pool, { save, saveEvery: 0 });
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- reports come one after another
    const { value, done } = await running.next();
    if (done) return value;
  }
}

describe("normal equations", () => {
  const checkpoints: Uint8Array[] = [];
  let result: FitResult;
  beforeAll(async () => {
    const options = { solver: "normal", strength: STRENGTH };
    result = await fit(options, 1, undefined, (bytes) => checkpoints.push(bytes));
  });

  it("give the parameters of the ridge by QR", async () => {
    const { trained, closedForm } = await fit({ solver: "ridge", strength: STRENGTH, folds: 0 });
    const most = Math.max(...trained.parameters.map(Math.abs));
    trained.parameters.forEach((x, k) =>
      expect(Math.abs(result.trained.parameters[k] - x)).toBeLessThan(1e-9 * most),
    );
    const { noise, rank, rows, effective } = result.closedForm!;
    expect([rank, rows]).toEqual([closedForm!.rank, closedForm!.rows]);
    expect(Math.abs(effective - closedForm!.effective)).toBeLessThan(0.05 * closedForm!.effective);
    expect(Math.abs(noise - closedForm!.noise)).toBeLessThan(1e-3 * closedForm!.noise);
  });

  it("give the same bits with two threads, and after an interruption", async () => {
    const options = { solver: "normal", strength: STRENGTH };
    const two = await fit(options, 2);
    expect(two.trained.parameters).toEqual(result.trained.parameters);
    expect(checkpoints.length).toBeGreaterThan(2);
    for (const checkpoint of [checkpoints[0], checkpoints.at(-1)!]) {
      // oxlint-disable-next-line no-await-in-loop -- one pool after another
      const again = await fit(options, 1, checkpoint);
      expect(again.trained.parameters).toEqual(result.trained.parameters);
      expect(again.closedForm).toEqual(result.closedForm);
    }
  });

  it("refuse fewer rows than parameters without a penalty", async () => {
    const few = frames.filter((f) => f.energy !== undefined).slice(0, 8);
    const energies = few.map((f): Frame => ({ ...f, forces: undefined, stress: undefined }));
    const alone = (strength: number) =>
      fit({ solver: "normal", strength }, 1, undefined, undefined, energies);
    await expect(alone(0)).rejects.toThrow("training.leastSquares.strength");
    expect((await alone(STRENGTH)).closedForm!.effective).toBeLessThan(8);
  });

  it("say what they cannot do", async () => {
    expect(result.closedForm).toMatchObject({ condition: null, calibration: null, strength: STRENGTH });
    await expect(fit({ solver: "normal" })).rejects.toThrow("training.leastSquares.strength");
    await expect(fit({ solver: "normal", strength: 1, memory: 0.1 })).rejects.toThrow(
      "training.leastSquares.memory",
    );
  });
});
