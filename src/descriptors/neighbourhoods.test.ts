import { describe, expect, it } from "vitest";
import { createDevice } from "../device/device.ts";
import { pairStatistics } from "../structure/statistics.ts";
import type { Structure } from "../structure/structure.ts";
import { ani } from "./ani/ani.ts";
import { atomFeatures } from "./golden.fixture.ts";
import { descriptors } from "./table.ts";

const device = createDevice({ bytes: 2 ** 26 });
const water: Structure = {
  numbers: Uint8Array.of(8, 1, 1),
  positions: Float64Array.of(0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0),
  cell: null,
  pbc: [false, false, false],
};
const statistics = pairStatistics([water], 6);

describe.each(["ani", "acsf", "symmetry-functions"])("%s", (name) => {
  const method = descriptors[name];
  const parse = (more: object) => method.options.parse({ size: "small", ...more });
  const some = method.build(method.resolve(parse({}), statistics), [1, 8], device);

  it("has functions of what occurs only, and their values are those of the whole set", () => {
    const of = (e: number) => [...new Set(some.labels(e).map((l) => l.split(" ").at(-1)))];
    expect([of(0), of(1)]).toEqual([
      ["H", "O", "H-O"],
      ["H", "H-H"],
    ]);
    if (name === "symmetry-functions") return;
    const all = method.build(method.resolve(parse({ neighbours: "all" }), statistics), [1, 8], device);
    const [own, whole] = [some, all].map((d) => atomFeatures(d, device, water));
    for (const [atom, e] of [1, 0, 0].entries()) {
      const kept = all.labels(e).map((label) => some.labels(e).includes(label));
      expect(whole[atom].filter((_, t) => kept[t])).toEqual(own[atom]);
      expect(whole[atom].filter((_, t) => !kept[t]).every((G) => G === 0)).toBe(true);
      expect(kept).toContain(false);
    }
  });
});

const of = (more: object) => ani.resolve(ani.options.parse(more), statistics).neighbours;

describe("neighbours that are left out", () => {
  it("are none beyond the reach of the statistics, and none where all occur", () => {
    const radial = { cutoff: 7, eta: 1, shifts: [1] };
    expect(of({ radial })).toBe("all");
    const four = {
      ...water,
      numbers: Uint8Array.of(1, 1, 1, 1),
      positions: Float64Array.from({ length: 12 }, (_, k) => (k * k) % 5),
    };
    expect(ani.resolve(ani.options.parse({}), pairStatistics([four], 6)).neighbours).toBe("all");
  });

  it("are all but those given", () => {
    expect(of({ neighbours: { O: ["H"] } })).toEqual({ O: ["H"] });
    const built = ani.build(
      ani.resolve(ani.options.parse({ neighbours: { O: ["H"] } }), statistics),
      [1, 8],
      device,
    );
    expect([built.size(0), built.size(1)]).toEqual([2 * 16 + 3 * 48, 16]);
  });

  it.each([
    [{ C: ["H"] }, "ani.neighbours: expected lists of H, O"],
    [{ O: ["H-C"] }, "ani.neighbours.O: expected one or two of H, O"],
    [{ O: ["H-H-O"] }, "ani.neighbours.O"],
  ])("are refused where they make no sense: %o", (neighbours, message) => {
    const options = ani.resolve(ani.options.parse({ neighbours }), statistics);
    expect(() => ani.build(options, [1, 8], device)).toThrow(message);
  });
});
