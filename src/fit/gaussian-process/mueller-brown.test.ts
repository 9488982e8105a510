import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { createPool, type Pool } from "../../device/pool.ts";
import { Random } from "../../math/random.ts";
import { buildPotential, buildTerm } from "../../potentials/build.ts";
import type { Evaluation, Model, Potential } from "../../potentials/potential.ts";
import { lbfgs, relax } from "../../run/relax.ts";
import { prfo } from "../../run/saddle/prfo.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import { tasks } from "../../tasks.ts";
import { runFit } from "../fit.ts";
import { fitSchema } from "../options.ts";
import { prepareFit } from "../prepare.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await createPool({ tasks, device: createDevice({ bytes: 2 ** 27 }), threads: 1 });
});
afterAll(() => pool.close());

const at = (x: number, y: number): Structure => ({
  numbers: Uint8Array.of(1),
  positions: Float64Array.of(x, y, 0),
  cell: null,
  pbc: [false, false, false],
});

function evaluate(potential: Potential, structure: Structure): Evaluation {
  const out = { energy: 0, forces: new Float64Array(3), virial: new Float64Array(9) };
  potential.evaluate(structure, findNeighbours(structure, 1), out);
  return out;
}

/** Points drawn evenly from where the surface lies below 10. */
function draw(surface: Potential, count: number, key: string): Frame[] {
  const random = new Random(11, key);
  const frames: Frame[] = [];
  while (frames.length < count) {
    const structure = at(-1.5 + 2.7 * random.uniform(), -0.2 + 2.2 * random.uniform());
    const { energy, forces } = evaluate(surface, structure);
    if (energy < 10)
      frames.push({ structure, energy, forces, info: {}, arrays: {}, place: `${key}:${frames.length}` });
  }
  return frames;
}

/** Newton's method in 30 digits: shared/data/reference/mueller_brown.json. */
const minima = [
  [-0.558223634633, 1.441725841805],
  [0.623499404931, 0.028037758529],
  [-0.050010822998, 0.466694104872],
];
const saddles = [
  [-0.822001558733, 0.624312802815],
  [0.212486582001, 0.292988325107],
];

describe("a Gaussian process on 100 gradients of Müller–Brown", () => {
  let model: Model;
  let learned: Potential;
  let surface: Potential;
  beforeAll(async () => {
    surface = buildTerm({ type: "mueller-brown", options: {}, tensors: {} }, [1], pool.device);
    const frames = draw(surface, 130, "train");
    const options = fitSchema.parse({
      data: "mueller-brown",
      split: { validation: 30, test: 0 },
      model: {
        descriptor: { name: "cartesian", axes: "xy" },
        regressor: {
          name: "gaussian-process",
          kernel: {
            product: [
              { name: "constant", value: 1e4 },
              { name: "rbf", length: 0.5 },
            ],
          },
          // One energy tells the constant that gradients leave open.
          energies: 1,
          starts: 1,
        },
      },
    });
    const prepared = await prepareFit(frames, options, pool);
    expect(prepared.split.train.length).toBe(100);
    const running = runFit(prepared, pool);
    let next = await running.next();
    while (!next.done) next = await running.next();
    model = next.value.model;
    learned = buildPotential(model, pool.device);
    expect(next.value.solved?.shares.length).toBe(2);
  });

  it("predicts energies that it has not seen within 1 of a range of 150", () => {
    const held = draw(surface, 300, "held out");
    const errors = held.map(({ structure, energy }) => evaluate(learned, structure).energy - energy!);
    expect(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)).toBeLessThan(1);
  });

  it.each(minima)("finds the minimum at %f, %f", (x, y) => {
    const start = at(x + 0.06, y - 0.05);
    const { structure, converged } = relax(lbfgs(start, learned), start, { fmax: 1e-2, steps: 200 });
    expect(converged).toBe(true);
    expect(Math.hypot(structure.positions[0] - x, structure.positions[1] - y)).toBeLessThan(1e-2);
  });

  it.each(saddles)("finds the saddle point at %f, %f", (x, y) => {
    const run = prfo(at(x + 0.04, y - 0.03), learned, { recompute: 5 });
    const state = run.init();
    for (let k = 0; k < 100 && state.maxForce > 1e-5; k++) run.step(state);
    expect(state.curvature).toBeLessThan(0);
    expect(Math.hypot(state.positions[0] - x, state.positions[1] - y)).toBeLessThan(1e-2);
  });

  it("knows where it does not know: standard deviations rise away from the data, and hold errors", () => {
    const potential = buildPotential(model, pool.device);
    const [near, far] = [at(0, 0.5), at(1.1, 1.9)].map((s) => potential.deviations(s)!);
    expect(far.energy).toBeGreaterThan(20 * near.energy);
    expect(far.forces[0]).toBeGreaterThan(20 * near.forces[0]);
    expect(near.forces[2]).toBe(0);
    const held = draw(surface, 200, "calibration");
    const ratios = held.map(
      ({ structure, energy }) =>
        Math.abs(evaluate(potential, structure).energy - energy!) / potential.deviation(structure)!,
    );
    expect(ratios.filter((r) => r < 3).length / ratios.length).toBeGreaterThan(0.9);
  });
});
