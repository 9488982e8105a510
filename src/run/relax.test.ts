import { expect, test } from "vitest";
import { cluster, crystal, morse } from "../../test/potentials.ts";
import type { Simulation } from "./simulation.ts";
import { bfgs, fire, lbfgs, preconditioned, relax } from "./relax.ts";
import type { Descent } from "./relax.ts";

const methods = { fire, lbfgs, bfgs, preconditioned };

for (const [name, method] of Object.entries(methods)) {
  test(`${name} finds the minimum of a cluster and of a crystal`, () => {
    for (const structure of [cluster(), crystal()]) {
      const simulation = method(structure, morse()) as Simulation<Descent>;
      const before = simulation.init().energy;
      const found = relax(simulation, structure, { fmax: 1e-8, steps: 2000 });
      expect(found.converged).toBe(true);
      expect(found.energy).toBeLessThan(before - 0.01);
      // A minimum: every small move raises the energy.
      for (let i = 0; i < found.structure.positions.length; i++) {
        const moved = found.structure.positions.slice();
        moved[i] += 0.01;
        const again = (method({ ...structure, positions: moved }, morse()) as Simulation<Descent>).init();
        expect(again.energy).toBeGreaterThan(found.energy - 1e-12);
      }
    }
  });

  test(`${name} leaves fixed atoms where they are and stops at the step limit`, () => {
    const structure = cluster();
    const simulation = method(structure, morse(), { fixed: [0, 3] }) as Simulation<Descent>;
    const found = relax(simulation, structure, { fmax: 1e-12, steps: 5 });
    expect(found).toMatchObject({ converged: false, steps: 5 });
    expect(found.structure.positions.slice(0, 3)).toEqual(structure.positions.slice(0, 3));
    expect(found.structure.positions.slice(9, 12)).toEqual(structure.positions.slice(9, 12));
    expect(found.structure.positions[3]).not.toBe(structure.positions[3]);
  });
}

const minimise = (method: typeof fire | typeof lbfgs) =>
  relax(method(cluster(), morse()), cluster(), { fmax: 1e-6, steps: 2000 });

test("both reach the same energy, L-BFGS in fewer steps", () => {
  const [a, b] = [minimise(fire), minimise(lbfgs)];
  expect(Math.abs(a.energy - b.energy)).toBeLessThan(1e-9);
  expect(b.steps).toBeLessThan(a.steps);
});
