import { describe, expect, it } from "vitest";
import { createDevice } from "../../device/device.ts";
import { buildTerm } from "../../potentials/build.ts";
import type { Potential } from "../../potentials/potential.ts";
import { sum } from "../../potentials/sum.ts";
import { repeat } from "../../structure/cell.ts";
import { A0, diamond, silicon } from "../crystal.fixture.ts";
import { battery } from "./battery.ts";
import { evaluated } from "./check.ts";
import type { Subject, Verdict } from "./check.ts";

const device = createDevice({ bytes: 2 ** 25 });
const structure = repeat(diamond(A0), [1, 1, 2]);
const good = silicon(device);

const subject = (potential: Potential): Subject => ({
  potential,
  structure,
  energy: evaluated(potential, structure).energy,
  seed: 1,
  time: 250,
  timestep: 1,
});

const verdicts = (potential: Potential): Record<string, Verdict> =>
  Object.fromEntries([...battery(subject(potential))].map((v) => [v.check, v]));

describe("stability battery", () => {
  it("passes silicon of Stillinger and Weber", () => {
    const found = verdicts(good);
    expect(Object.values(found).filter((v) => v.passed === false)).toEqual([]);
    expect(Object.keys(found)).toHaveLength(8);
  });

  it("fails a surface with a hole at short distances, and says where", () => {
    // A narrow well of Morse's form at 1.2 Å, far inside the bond.
    const well = buildTerm(
      {
        type: "morse",
        options: {
          cutoff: 2.2,
          ending: "switched",
          pairs: { "Si-Si": { depth: 60, alpha: 5, distance: 1.2 } },
        },
        tensors: {},
      },
      [14],
      device,
    );
    const found = verdicts(sum(good, well));
    expect(found["Si–Si repels"]).toMatchObject({ passed: false });
    expect(found["Si–Si repels"].value).toMatch(/rises at 1\.[2-5]/);
    expect(found["squeezed evenly"].passed).toBe(false);
  });

  it("fails a surface whose forces are not its slope", () => {
    const wrong: Potential = {
      ...good,
      cutoff: good.cutoff,
      elements: good.elements,
      evaluate(s, n, out, range) {
        good.evaluate(s, n, out, range);
        // A whirl about every atom's place: no energy has such a slope.
        for (let i = 0; i < out.forces.length; i += 3) {
          out.forces[i] += 0.5 * (s.positions[i + 1] - structure.positions[i + 1]);
          out.forces[i + 1] -= 0.5 * (s.positions[i] - structure.positions[i]);
        }
      },
    };
    expect(verdicts(wrong)["energy drift"].passed).toBe(false);
  });

  it("a structure of another kind than the training data is not passed", () => {
    const known = (grade: number) => [...battery({ ...subject(good), grade: () => grade })][0];
    expect(known(0.2)).toMatchObject({ check: "known surroundings", passed: true });
    expect(known(40)).toMatchObject({ check: "known surroundings", passed: false });
    expect(verdicts(good)["known surroundings"].passed).toBe(null);
  });

  it("watches the extrapolation grade where there is one", () => {
    const graded = { ...subject(good), grade: () => 0.5 };
    const hot = [...battery(graded)].find((v) => v.check.startsWith("300 K"))!;
    expect(hot.remark).toContain("largest extrapolation grade 0.5");
  });
});
