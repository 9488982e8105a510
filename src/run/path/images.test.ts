import { expect, it } from "vitest";
import { startPool } from "../../node.ts";
import { buildPotential } from "../../potentials/build.ts";
import type { Model } from "../../potentials/potential.ts";
import { crystal } from "../../../test/potentials.ts";
import { band } from "./band.ts";
import { imagesBy } from "./images.ts";
import { straight } from "./interpolation.ts";
import { string } from "./string.ts";

/** Two places of the atoms of a cell, far enough from each other for neighbour lists to be made anew on the way. */
const from = { ...crystal(), numbers: crystal().numbers.slice().fill(18) };
const to = from.positions.map((x, i) => x + 0.5 * Math.sin(3 * i));

const model: Model = {
  elements: [18],
  provenance: {},
  terms: [
    {
      type: "lennard-jones",
      options: { cutoff: 5, ending: "switched", pairs: { "Ar-Ar": { epsilon: 0.1, sigma: 2.2 } } },
      tensors: {},
    },
  ],
};

it("images on several threads: the same bits as one after another", async () => {
  const pool = await startPool({ threads: 3 });
  try {
    const potential = buildPotential(model, pool.device);
    const path = straight(from.positions, to, 6);
    const images = await imagesBy(pool, { model }, from, path.length);
    for (const method of [band, string]) {
      const [alone, together] = [undefined, images].map((given) => {
        const simulation = method(from, path, () => potential, given ? { images: given } : {});
        const state = simulation.init() as never;
        for (let k = 0; k < 25; k++) simulation.step(state);
        return state;
      });
      expect(together).toEqual(alone);
    }
  } finally {
    pool.close();
  }
});
