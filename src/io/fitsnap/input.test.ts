import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { readFitsnapInput } from "./input.ts";

const INPUT = `[BISPECTRUM]
numTypes = 2
twojmax = 8 8
rcutfac = 4.8
wj = 1.0 0.9
radelem = 0.5 0.4   # comment
type = W Be
bzeroflag = 1

[CALCULATOR]
calculator = LAMMPSSNAP
energy = 1
force = 1
stress = 0

[ESHIFT]
W = -3.5
Be = 0.25

[SOLVER]
solver = RIDGE
compute_testerrs = 1

[RIDGE]
alpha = 1e-6

[PATH]
dataPath = ../JSON

[OUTFILE]
metrics = m.md
potential = WBe_pot

[REFERENCE]
units = metal
atom_style = atomic
pair_style = hybrid/overlay zero 10.0 zbl 4.0 4.8
pair_coeff1 = * * zero
pair_coeff2 = 1 1 zbl 74 74
pair_coeff3 = 1 2 zbl 74 4

[GROUPS]
group_sections = name training_size testing_size eweight fweight vweight
group_types = str float float float float float
smartweights = 0
random_sampling = 1
001FreeSurf = 0.75 0.25 41.9 68.9 1.0e-12
EOS = 1.0 0.0 132.8 1.1 1e-12

[EXTRAS]
dump_descriptors = 1
dump_truth = 0
`;

describe("an input file by hand", () => {
  it("says what is to be fitted", () => {
    expect(readFitsnapInput(INPUT, "x.in")).toEqual({
      elements: ["W", "Be"],
      quadratic: false,
      bias: false,
      descriptor: {
        name: "snap",
        twojmax: 8,
        cutoff: 4.8,
        rfac0: 0.99363,
        rmin0: 0,
        elements: { W: { radius: 0.5, weight: 1 }, Be: { radius: 0.4, weight: 0.9 } },
        switching: true,
        bzero: true,
        bnorm: false,
        chem: false,
        wselfall: false,
      },
      uses: { energy: true, forces: true, stress: false },
      shifts: { W: -3.5, Be: 0.25 },
      solver: { name: "RIDGE", alpha: 1e-6 },
      zbl: { pairs: { "74-74": { inner: 4, outer: 4.8 }, "4-74": { inner: 4, outer: 4.8 }, "4-4": null } },
      dataPath: "../JSON",
      potential: "WBe_pot",
      metrics: "m.md",
      random: true,
      groups: [
        {
          name: "001FreeSurf",
          train: { fraction: 0.75 },
          test: { fraction: 0.25 },
          weights: { energy: 41.9, forces: 68.9, stress: 1e-12 },
        },
        {
          name: "EOS",
          train: { fraction: 1 },
          test: { fraction: 0 },
          weights: { energy: 132.8, forces: 1.1, stress: 1e-12 },
        },
      ],
      notes: ["[EXTRAS] dump_descriptors: no effect here; the report and result.json have more"],
    });
  });

  it("drops nothing: what has no counterpart is refused, all at once, with its line", () => {
    const bad = INPUT.replace("twojmax = 8 8", "twojmax = 8 6")
      .replace("rcutfac", "rcutfact")
      .replace("solver = RIDGE", "solver = PYTORCH")
      .replace("smartweights = 0", "smartweights = 1")
      .replace("pair_coeff2 = 1 1 zbl 74 74", "pair_coeff2 = 1 1 zbl 73 73")
      .replace("zero 10.0 zbl", "zero 10.0 eam/alloy zbl")
      .replace("1.0 0.0 132.8", "1.0 132.8");
    const read = () => readFitsnapInput(bad, "x.in");
    expect(read).toThrow(
      "invalid x.in:3 [BISPECTRUM] twojmax: expected the same number for all types, got 8 6",
    );
    expect(read).toThrow(
      "x.in:4 [BISPECTRUM] rcutfact: expected a key that surfit can honour, such as rcutfac",
    );
    expect(read).toThrow("x.in:21 [SOLVER] solver: expected one of SVD, RIDGE, LASSO, ARD, got PYTORCH");
    expect(read).toThrow("[GROUPS] smartweights: expected 0");
    expect(read).toThrow(
      "[REFERENCE] pair_coeff2: expected the atomic numbers of W and W, got 1 1 zbl 73 73",
    );
    expect(read).toThrow("[REFERENCE] pair_style: expected styles among zero, zbl");
    expect(read).toThrow(
      "[GROUPS] EOS: expected 5 numbers: training_size testing_size eweight fweight vweight",
    );
    expect(() => readFitsnapInput(INPUT.replace("[PATH]", "[PATHS]"), "x.in")).toThrow(
      "x.in [PATH]: expected this section",
    );
    expect(() => readFitsnapInput(`${INPUT}\n[ACE]\nlmax = 2\n`, "x.in")).toThrow(
      "either [ACE] or [BISPECTRUM]",
    );
  });
});

const EXAMPLES = [
  "datasets/fitsnap_Ta/Ta-example.in",
  "datasets/fitsnap_Ta/quadratic_20May21_Standard/Ta-example.in",
  "datasets/fitsnap_W/WBe-example.in",
  "datasets/fitsnap_Ta/pace_17Oct22_Standard/Ta.in",
].map((name) => [name, shared(name)] as const);

describe.skipIf(EXAMPLES.some(([, file]) => !file))("FitSNAP's examples", () => {
  it.each(EXAMPLES)("%s", (_, file) => {
    const input = readFitsnapInput(readFileSync(file!, "utf8"), file!);
    expect(input.groups.length).toBe(input.elements.length === 1 ? 12 : 44);
    expect(input.zbl && input.zbl.pairs["73-73"]).toEqual(
      input.elements[0] === "Ta" ? { inner: 4, outer: 4.8 } : undefined,
    );
  });
});
