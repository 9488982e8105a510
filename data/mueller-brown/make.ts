/** Points on the Müller–Brown surface with energies and forces: node data/mueller-brown/make.ts */
import { writeFileSync } from "node:fs";
import { createDevice, findNeighbours, potentials, Random, type Structure } from "../../src/index.ts";
import { formatFrame } from "../../src/io/extxyz.ts";

const device = createDevice({ bytes: 2 ** 24 });
const surface = potentials["mueller-brown"].build({ scale: 1, stiffness: 0 }, [1], {}, device);
const at = (x: number, y: number): Structure => ({
  numbers: Uint8Array.of(1),
  positions: Float64Array.of(x, y, 0),
  cell: null,
  pbc: [false, false, false],
});

/** Frames drawn evenly from where the surface lies below 10 eV, −1.5 < x < 1.2, −0.2 < y < 2. */
function draw(count: number, key: string): string {
  const random = new Random(11, key);
  let text = "";
  for (let drawn = 0; drawn < count;) {
    const structure = at(-1.5 + 2.7 * random.uniform(), -0.2 + 2.2 * random.uniform());
    const out = { energy: 0, forces: new Float64Array(3), virial: new Float64Array(9) };
    surface.evaluate(structure, findNeighbours(structure, 1), out);
    if (out.energy >= 10) continue;
    text += formatFrame({
      structure,
      energy: out.energy,
      forces: out.forces,
      info: {},
      arrays: {},
      place: key,
    });
    drawn++;
  }
  return text;
}

/** Places in sight of the stationary points. */
const starts = (places: readonly (readonly [number, number])[]): string =>
  places.map(([x, y]) => formatFrame({ structure: at(x, y), info: {}, arrays: {}, place: "start" })).join("");

const write = (name: string, text: string) => writeFileSync(new URL(name, import.meta.url), text);
write("train.xyz", draw(130, "train"));
write("test.xyz", draw(300, "test"));
write("minimum-1.xyz", starts([[-0.5, 1.4]]));
write("minimum-2.xyz", starts([[0.6, 0]]));
write("minimum-3.xyz", starts([[0, 0.5]]));
write("saddle-1.xyz", starts([[-0.8, 0.6]]));
write("saddle-2.xyz", starts([[0.25, 0.27]]));
write("surface.yaml", "elements: [H]\nterms:\n  - type: mueller-brown\n");
