import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { forceConstantsAreDerivatives } from "../../laws/potential.ts";
import { composedTerm, crystal, ELEMENTS, molecule } from "../../laws/potential.fixture.ts";
import { Random } from "../../math/random.ts";
import { buildTerm } from "../../potentials/build.ts";
import type { Term } from "../../potentials/potential.ts";

const device = createDevice({ bytes: 2 ** 28 });

/** The same with random numbers for all coefficients. */
function shaken(term: Term): Term {
  const random = new Random(6);
  const tensors = Object.entries(term.tensors).map(([name, x]) => [name, random.normals(x.slice())] as const);
  return { ...term, tensors: Object.fromEntries(tensors) };
}

describe.each(["snap", "ace"])("second derivatives of %s", (name) => {
  it.each([
    ["linear", shaken(composedTerm(name, device, {}, { name: "linear" }))],
    ["quadratic", shaken(composedTerm(name, device, {}, { name: "linear", quadratic: true }))],
    ["a network", composedTerm(name, device)],
    ["an embedding", composedTerm(name, device, {}, { name: "embedding" })],
  ])("under %s: those of the forces, in a molecule and a skew crystal", (_, term) => {
    const potential = buildTerm(term, ELEMENTS, device);
    for (const structure of [molecule, crystal(true)]) {
      const { relative } = forceConstantsAreDerivatives(potential, structure, { most: 6 });
      expect(relative).toBeLessThan(1e-7);
    }
  });
});
