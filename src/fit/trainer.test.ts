import { describe, expect, it } from "vitest";
import { unpackCheckpoint } from "./checkpoint.ts";
import { trainingSchema, type TrainingOptions } from "./options.ts";
import { train, type Report, type Trained, type Training } from "./trainer.ts";
import { LINEAR, linearTraining } from "./training.fixture.ts";

interface Options {
  readonly epochs: number;
  readonly threads?: number;
  readonly options?: Partial<TrainingOptions>;
  readonly more?: Partial<Training>;
}

const training = ({ options = {}, ...rest }: Options): Promise<Training> =>
  linearTraining({
    ...rest,
    options: { ...trainingSchema.parse({ rate: 0.3, average: 0.9 }), ...options },
  });

async function run(setup: Training, watch: (r: Report) => void = () => undefined): Promise<Trained> {
  const steps = train(setup);
  for (;;) {
    const { value, done } = await steps.next();
    if (done) return value;
    watch(value);
  }
}

describe("training", () => {
  it("learns, and says how it got there", async () => {
    const reports: Report[] = [];
    const setup = await training({ epochs: 400 });
    const { why, history } = await run(setup, (r) => reports.push(r));
    expect(why).toBe("epochs");
    expect(history.length).toBe(200);
    expect(reports.filter((r) => r.kind === "validation").length).toBe(200);
    const last = history.at(-1)!;
    expect(last.validation!.forces!).toBeLessThan(0.2 * history[0].validation!.forces!);
    expect(last.left).toBe(0);
  });

  it("finds them to rounding with L-BFGS, and stops there", async () => {
    const { parameters, why } = await run(await training({ epochs: 500, options: { optimiser: "lbfgs" } }));
    parameters.forEach((x, k) => expect(x).toBeCloseTo(LINEAR[k], 6));
    expect(why).toBe("converged");
  });

  it("has the same bits on any number of threads", async () => {
    const one = await run(await training({ epochs: 6 }));
    for (const threads of [2, 3])
      expect((await run(await training({ epochs: 6, threads }))).parameters).toEqual(one.parameters);
  });

  it.each(["adam", "lbfgs"] as const)(
    "goes on from a kill at any moment to the same bits: %s",
    async (optimiser) => {
      const options = { optimiser, schedule: "plateau" as const, plateau: 1 };
      const images: Uint8Array[] = [];
      const save = (bytes: Uint8Array) => void images.push(bytes.slice());
      const whole = await run(await training({ epochs: 7, options, more: { save, saveEvery: 0 } }));
      expect(images.length).toBeGreaterThan(7);
      for (const resume of images) {
        const again = await run(await training({ epochs: 7, options, threads: 2, more: { resume } }));
        expect(again.parameters).toEqual(whole.parameters);
        expect(again.bestEpoch).toBe(whole.bestEpoch);
        expect(again.history.map((r) => r.validation)).toEqual(whole.history.map((r) => r.validation));
      }
    },
  );

  it("saves when it is told to stop, and goes on from there", async () => {
    const whole = await run(await training({ epochs: 8 }));
    let saved: Uint8Array | undefined;
    const steps = train(await training({ epochs: 8, more: { save: (bytes) => void (saved = bytes) } }));
    await steps.next();
    await steps.return(undefined as never);
    const rest = await run(await training({ epochs: 8, more: { resume: saved } }));
    expect(rest.parameters).toEqual(whole.parameters);
  });

  it("lets timers and signals have their turn before every report, also on one thread", async () => {
    const steps = train(await training({ epochs: 4 }));
    let turns = 0;
    for (let k = 1; k <= 2; k++) {
      setTimeout(() => turns++, 0);
      await steps.next();
      expect(turns).toBe(k);
    }
    await steps.return(undefined as never);
  });

  it("stops early when validation no longer gets better, with the best parameters", async () => {
    const options = { patience: 3, rate: 1, schedule: "constant" as const, average: 0 };
    const { why, history, bestEpoch } = await run(await training({ epochs: 1000, options }));
    expect(why).toBe("patience");
    expect(history.at(-1)!.epoch - bestEpoch).toBe(6);
    const scores = history.map((r) => r.validation!.score);
    expect(Math.min(...scores)).toBe(scores[bestEpoch / 2 - 1]);
  });

  it("keeps the last parameters and goes on to the end without a validation set", async () => {
    const more = { validation: [], validationFrames: [] };
    // The loss of training rises with λ_E, from nothing.
    const weights = { ...trainingSchema.parse({}).weights, energy: 0, energyEnd: 1000 };
    const options = { patience: 2, weights };
    let saved = new Uint8Array();
    const save = (bytes: Uint8Array) => void (saved = bytes.slice());
    const { why, bestEpoch, parameters, history } = await run(
      await training({ epochs: 40, options, more: { ...more, save } }),
    );
    const losses = history.map(({ loss }) => loss.energy + loss.forces + loss.stress);
    expect(Math.min(...losses)).toBeLessThan(losses.at(-1)!);
    expect([why, bestEpoch, history.some((r) => r.best)]).toEqual(["epochs", 40, false]);
    expect(parameters).toEqual(unpackCheckpoint(saved).arrays["average"]);
    const plateau = await training({ epochs: 1, options: { schedule: "plateau" }, more });
    await expect(run(plateau)).rejects.toThrow("training.schedule");
  });

  it("refuses the checkpoint of another fit, and a torn one", async () => {
    let saved = new Uint8Array();
    await run(await training({ epochs: 1, more: { save: (bytes) => void (saved = bytes.slice()) } }));
    const other = await training({ epochs: 1, more: { resume: saved, identity: "other" } });
    await expect(run(other)).rejects.toThrow("another fit");
    const torn = await training({ epochs: 1, more: { resume: saved.subarray(0, saved.length - 8) } });
    await expect(run(torn)).rejects.toThrow("cut off");
  });
});
