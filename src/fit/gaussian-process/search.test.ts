import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { createPool } from "../../device/pool.ts";
import { GaussianProcess } from "../../regressors/gaussian-process/exact.ts";
import { tasks } from "../../tasks.ts";
import { EvidenceSearch } from "./search.ts";

/** Written by test/golden/lengths-sklearn.py. */
const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/lengths-sklearn.json", import.meta.url), "utf8"),
) as {
  X: number[][];
  y: number[];
  /** Logarithms of variance, lengths and noise. */
  cases: { kernel: string; log_marginal_likelihood: number; log_theta: number[] }[];
};

it.each(golden.cases.map((c) => [c.kernel, c] as const))(
  "%s: from several starts, the length of each feature that scikit-learn finds",
  async (name, wanted) => {
    const pool = await createPool({ tasks, device: createDevice({ bytes: 2 ** 26 }), threads: 1 });
    const raw = {
      x: Float64Array.from(golden.X.flat()),
      slopes: new Float64Array(0),
      features: 3,
      coordinates: 0,
      energies: Int32Array.from(golden.X.keys()),
      gradients: new Int32Array(0),
    };
    const kernel = {
      product: [
        { name: "constant", value: 1 },
        { name, length: [1, 1, 1] },
      ],
    };
    const gaussian = await GaussianProcess.create(pool, kernel, raw, Float64Array.from(golden.y), true);
    // The last is the noise of gradients, of which there are none.
    const start = Float64Array.of(1, 1, 1, 1, 1e-2, 1);
    const moves = [true, true, true, true, true, false];
    const unknowns = { start, moves, down: Math.log(1e6), up: Math.log(1e5) };
    const search = new EvidenceSearch(gaussian, unknowns, { starts: 3, steps: 80, seed: 1 });
    for (let done = false; !done;) {
      // each evaluation needs the one before
      done = await search.step();
    }
    expect(search.bestValue).toBeCloseTo(wanted.log_marginal_likelihood, 5);
    wanted.log_theta.forEach((log, k) => expect(Math.log(start[k]) + search.best[k]).toBeCloseTo(log, 2));
    pool.close();
  },
);
