import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { atomFeatures } from "../../descriptors/golden.fixture.ts";
import type { SymmetryFunctionsOptions } from "../../descriptors/symmetry-functions/options.ts";
import { symmetryFunctions } from "../../descriptors/symmetry-functions/symmetry-functions.ts";
import { createDevice } from "../../device/device.ts";
import { rememberingModel, shaken } from "../../laws/extrapolation.fixture.ts";
import { molecule } from "../../laws/potential.fixture.ts";
import { Random } from "../../math/random.ts";
import { buildPotential } from "../../potentials/build.ts";
import { ExtrapolationGuard } from "../../potentials/extrapolation/guard.ts";
import { onlyRecord } from "../../potentials/extrapolation/record.ts";
import type { Model } from "../../potentials/potential.ts";
import { regressors } from "../../regressors/table.ts";
import type { Structure } from "../../structure/structure.ts";
import { BOHR, HARTREE } from "../../structure/units.ts";
import { readLabelled } from "../files.node.ts";
import { readModel, writeModel } from "../model.ts";
import { readFolder } from "./folder.node.ts";
import { readN2p2 } from "./read.ts";
import { writeN2p2 } from "./write.ts";
import { evaluated } from "../../potentials/evaluated.fixture.ts";

const device = createDevice({ bytes: 2 ** 29 });
const ATOMIC = { energy: HARTREE, length: BOHR };

function evaluate(model: Model, structure: Structure) {
  const potential = buildPotential(model, device);
  return evaluated(potential, structure);
}

const worst = (a: ArrayLike<number>, b: readonly number[]) =>
  Math.max(...b.map((x, k) => Math.abs(x - a[k])));

interface Reference {
  readonly test_MAE_energy_meV_per_atom?: number;
  readonly test_MAE_force_eV_per_A?: number;
  readonly results: readonly {
    readonly index: number;
    readonly energy: number;
    readonly forces?: number[][];
    readonly stress_eV_per_A3?: number[][];
    readonly atomic_energies?: number[];
    readonly G_scaled?: number[][];
    readonly G_atoms?: number[];
  }[];
}
const reference = (folder: string) =>
  JSON.parse(readFileSync(`${folder}/reference.json`, "utf8")) as Reference;

describe.each(["H2O_RPBE-D3", "Cu2S_PBE"])("n2p2's potential %s", (name) => {
  const folder = shared(`models/hdnnp-${name}`);

  it.skipIf(!folder)("energy to 1e-12, forces to 1e-12, functions to 1e-12 of n2p2's", async () => {
    const model = readN2p2(await readFolder(folder!), ATOMIC);
    const { frames } = await readLabelled(`${folder}/input.data`, {
      units: { energy: "Hartree", length: "bohr" },
    });
    const [{ energy, forces, G_scaled: G, G_atoms: atoms = [...G!.keys()] }] = reference(folder!).results;
    const out = evaluate(model, frames[0].structure);
    expect(Math.abs(out.energy / HARTREE / energy - 1)).toBeLessThan(1e-12);
    expect(
      worst(
        out.forces.map((f) => (f / HARTREE) * BOHR),
        forces!.flat(),
      ),
    ).toBeLessThan(1e-12);
    const own = scaledFeatures(model, frames[0].structure);
    expect(Math.max(...atoms.map((i, k) => worst(own[i], G![k])))).toBeLessThan(1e-12);
  });

  it.skipIf(!folder)("survives export and import, through a model file", async () => {
    const model = readN2p2(await readFolder(folder!), ATOMIC);
    const { frames } = await readLabelled(`${folder}/input.data`, {
      units: { energy: "Hartree", length: "bohr" },
    });
    const stored = readModel(writeModel(model));
    const back = readN2p2(writeN2p2(stored, ATOMIC), ATOMIC);
    const [a, b] = [evaluate(model, frames[0].structure), evaluate(back, frames[0].structure)];
    expect(Math.abs(a.energy / b.energy - 1)).toBeLessThan(1e-12);
    expect(worst(a.forces, [...b.forces])).toBeLessThan(1e-10);
    expect(rangesOf(back)).toEqual(rangesOf(model));
    // The structure is of the kind that the potential was trained on.
    const guard = ExtrapolationGuard.demand(stored, device);
    expect(guard.names).toEqual(["range"]);
    expect(guard.worst(frames[0].structure).grades.range).toBeLessThan(0.05);
    const { positions, cell } = frames[0].structure;
    const squeezed = { ...frames[0].structure, positions: shrink(positions), cell: cell && shrink(cell) };
    expect(guard.worst(squeezed).grades.range).toBeGreaterThan(0.5);
  });
});

const shrink = (x: Float64Array) => x.map((r) => 0.8 * r);

/** The ranges of all features in training. */
const rangesOf = ({ terms }: Model) =>
  Object.entries(onlyRecord(terms.at(-1)!.tensors)).filter(([name]) => /\.(min|max)$/.test(name));

/** (G − mean)·scale of every atom. */
function scaledFeatures(model: Model, structure: Structure): number[][] {
  const learned = model.terms.at(-1)!;
  const { name: _, ...options } = (
    learned.options as { descriptor: SymmetryFunctionsOptions & { name: string } }
  ).descriptor;
  const descriptor = symmetryFunctions.build(
    symmetryFunctions.options.parse(options),
    model.elements,
    device,
  );
  return atomFeatures(descriptor, device, structure).map((row, i) => {
    const e = model.elements.indexOf(structure.numbers[i]);
    const [mean, scale] = [learned.tensors[`${e}.mean`], learned.tensors[`${e}.scale`]];
    return row.map((x, t) => (x - mean[t]) * scale[t]);
  });
}

// LAMMPS was given these factors, and printed ten to twelve digits.
const LAMMPS = { energy: 1 / 0.0367493254, length: 1 / 1.8897261328 };

describe.each(["Mo", "Li", "Si"])("the potential of %s of Zuo 2020 in LAMMPS", (element) => {
  const folder = shared(`models/hdnnp-${element}-zuo2020`);
  const data = shared(`datasets/mlearn_${element}/${element}_test.extxyz`);

  it.skipIf(!folder || !data)(
    "energies of all test structures to 1e-11, forces to 5e-9 eV/Å, stress; the published errors",
    async () => {
      const model = readN2p2(await readFolder(folder!), LAMMPS);
      const { frames } = await readLabelled(data!);
      const { results, ...published } = reference(folder!);
      const errors = { energy: 0, force: 0, components: 0 };
      for (const r of results) {
        const { structure, energy, forces } = frames[r.index];
        const out = evaluate(model, structure);
        expect(Math.abs(out.energy / r.energy - 1)).toBeLessThan(1e-11);
        errors.energy += (1000 * Math.abs(out.energy - energy!)) / structure.numbers.length / results.length;
        for (const [k, f] of forces!.entries()) errors.force += Math.abs(out.forces[k] - f);
        errors.components += forces!.length;
        if (!r.forces) continue;
        expect(worst(out.forces, r.forces.flat())).toBeLessThan(5e-9);
        expect(worst(out.energies, r.atomic_energies!)).toBeLessThan(1e-9);
        // LAMMPS printed bar, whose factor it knows to eight digits.
        const [a, b] = [structure.cell!, out.virial];
        const volume = Math.abs(
          a[0] * (a[4] * a[8] - a[5] * a[7]) -
            a[1] * (a[3] * a[8] - a[5] * a[6]) +
            a[2] * (a[3] * a[7] - a[4] * a[6]),
        );
        expect(
          worst(
            b.map((w) => -w / volume),
            r.stress_eV_per_A3!.flat(),
          ),
        ).toBeLessThan(1e-7);
      }
      expect(errors.energy).toBeCloseTo(published.test_MAE_energy_meV_per_atom!, 7);
      expect(errors.force / errors.components).toBeCloseTo(published.test_MAE_force_eV_per_A!, 9);
    },
  );
});

const elements = [1, 8];
const water: Structure = {
  numbers: Uint8Array.of(8, 1, 1, 8, 1, 1),
  positions: Float64Array.of(
    0,
    0,
    0,
    0.9,
    0.4,
    0.1,
    -0.7,
    0.6,
    0.2,
    2.1,
    -1.6,
    0.3,
    2.6,
    -0.9,
    0.8,
    1.4,
    -1.9,
    0.9,
  ),
  cell: null,
  pbc: [false, false, false],
};

/** A model with random weights, as a fit would leave it. */
function randomModel(descriptor: Record<string, unknown>, regressor: Record<string, unknown>): Model {
  const random = new Random(4, "n2p2");
  const method = regressors["neural-network"];
  const options = method.options.parse(regressor);
  const sizes = [20, 20];
  const statistics = sizes.map((size) => ({
    count: 9,
    mean: random.normals(new Float64Array(size)),
    deviation: new Float64Array(size).fill(0.7),
    min: new Float64Array(size).fill(-2),
    max: new Float64Array(size).fill(2),
  }));
  const tensors = method.initialise(options, statistics, 0.3, 1, -2.5);
  for (const [name, values] of Object.entries(tensors)) if (name.includes("biases")) random.normals(values);
  tensors["0.scale"][3] = 0;
  return {
    elements,
    terms: [
      { type: "isolated-atoms", options: { energies: { H: -13.6, O: -2041.25 } }, tensors: {} },
      {
        type: "composed",
        options: { descriptor, regressor: { name: "neural-network", ...(options as object) } },
        tensors,
      },
    ],
    provenance: {},
  };
}

const acsf = {
  name: "acsf",
  cutoff: { type: "poly2", radius: 4.3 },
  convention: "dscribe",
  radial: [
    { type: "G2", eta: 2.1, shift: 1 },
    { type: "G2", eta: 0.3, shift: 0 },
    { type: "G1" },
    { type: "G2", eta: 0.3, shift: 0, cutoff: { type: "poly2", radius: 3.3 } },
  ],
  angular: [
    { type: "G4", eta: 0.02, zeta: 4, lambda: 1, shift: 0 },
    { type: "G5", eta: 0.1, zeta: 1.5, lambda: -1, shift: 0.4 },
    { type: "G4", eta: 0.02, zeta: 1, lambda: -1, shift: 0 },
    { type: "G4", eta: 0.02, zeta: 1, lambda: 1, shift: 0 },
  ],
};

/** All kinds of functions that n2p2 has, 20 of them. */
const bumps = ["poly1", "poly2", "poly3", "poly4", "exponential"].flatMap((shape, k) => [
  { type: "C2", ...(k % 2 ? { neighbour: "H" } : {}), from: -3.1, to: 3.1, shape, asymmetric: k < 2 },
  { type: "C4", ...(k % 2 ? { neighbours: ["O", "H"] } : {}), from: -3.4, to: 3.4, angles: [10, 170], shape },
  {
    type: "C5",
    ...(k % 2 ? {} : { neighbours: ["H", "H"] }),
    from: 0.1,
    to: 3.9,
    angles: [-120, 120],
    shape,
  },
]);
const every = [
  ...bumps,
  { type: "G2", eta: 1, shift: 1 },
  { type: "G4", eta: 0.1, zeta: 2, lambda: -1 },
  { type: "G5", neighbours: ["H", "O"], eta: 0.1, zeta: 2, lambda: 1, shift: 0.2 },
  { type: "G2", neighbour: "O", eta: 0.4, cutoff: { type: "cosine", radius: 3.7, inner: 0.1 } },
  { type: "G1", neighbour: "H" },
];
const listed = {
  name: "symmetry-functions",
  cutoff: { type: "cosine", radius: 4, inner: 0.1 },
  functions: { H: every, O: every.toReversed() },
};

describe("export to n2p2 and back", () => {
  it.each([
    ["acsf", acsf, { layers: [5, 4], activation: "tanh" }],
    ["every function", listed, { layers: [6], activation: "softplus" }],
    [
      "functions by layer, output not linear",
      listed,
      { layers: [3, 2], activation: ["logistic", "harmonic"], output: "cosine" },
    ],
  ])("%s: the same energies to 1e-12, in any units", (_, descriptor, regressor) => {
    const model = randomModel(descriptor, regressor);
    const a = evaluate(model, water);
    for (const units of [ATOMIC, { energy: 1, length: 1 }]) {
      const b = evaluate(readN2p2(writeN2p2(model, units), units), water);
      expect(Math.abs(a.energy / b.energy - 1)).toBeLessThan(1e-12);
      expect(worst(a.forces, [...b.forces])).toBeLessThan(1e-10);
      expect(
        worst(
          a.energies.map((x, i) => x / b.energies[i]),
          Array.from(a.energies, () => 1),
        ),
      ).toBeLessThan(1e-12);
    }
  });

  it("a fitted model's ranges become those of scaling.data: the same grades of extrapolation", () => {
    const model = rememberingModel(device);
    const files = writeN2p2(model, ATOMIC);
    expect(files["scaling.data"]).not.toContain("1e+99");
    const [ours, theirs] = [model, readN2p2(files, ATOMIC)].map((m) => ExtrapolationGuard.demand(m, device));
    const strange = shaken(molecule, 0.2, 3);
    const [a, b] = [ours, theirs].map((guard) => guard.grade(strange).range);
    expect(Math.min(...a)).toBeGreaterThan(0.1);
    expect(worst(a, [...b])).toBeLessThan(1e-9);
  });

  it("without known ranges ±1e99 is written, which is read back as unknown", () => {
    const files = writeN2p2(randomModel(acsf, { layers: [5], activation: "tanh" }), ATOMIC);
    expect(files["scaling.data"]).toContain("-1e+99 1e+99");
    expect(ExtrapolationGuard.of(readN2p2(files, ATOMIC), device)).toBeNull();
  });

  it("writes lines that n2p2 documents", () => {
    const files = writeN2p2(randomModel(listed, { layers: [6], activation: "tanh" }), {
      energy: 1,
      length: 1,
    });
    const lines = files["input.nn"].split("\n");
    expect(lines).toContain("cutoff_type 1 0.1");
    expect(lines).toContain("global_activation_short t l");
    expect(lines).toContain("symfunction_short H 2 O 0.4 0 3.7");
    expect(lines).toContain("symfunction_short H 12 1 1 4");
    expect(lines).toContain("symfunction_short H 13 0.1 0 -1 2 4");
    expect(lines).toContain("symfunction_short O 9 H O 0.1 1 2 4 0.2");
    expect(lines).toContain("symfunction_short O 20 H -3.1 3.1 p2a");
    expect(lines).toContain("symfunction_short H 22 H H 0.1 3.9 -120 120 e");
    expect(lines).toContain("symfunction_short H 24 -3.4 3.4 10 170 p3");
    expect(Object.keys(files).toSorted()).toEqual([
      "input.nn",
      "scaling.data",
      "weights.001.data",
      "weights.008.data",
    ]);
  });

  it.each([
    ["silu", acsf, { layers: [4] }, "regressor.activation: expected one of linear, tanh"],
    ["residual", acsf, { layers: [4, 4], activation: "tanh", residual: true }, "regressor.residual"],
    ["no layer", acsf, { layers: [] }, "at least one hidden layer"],
    [
      "G3",
      { ...listed, functions: { H: [{ type: "G3", kappa: 1 }], O: every } },
      { layers: [4], activation: "tanh" },
      "functions.H[0]: expected a function that n2p2 knows, got G3",
    ],
    [
      "two cutoff functions",
      { ...acsf, radial: [{ type: "G1", cutoff: { type: "tanh3", radius: 3 } }] },
      { layers: [4], activation: "tanh" },
      "one cutoff function for all",
    ],
    [
      "another descriptor",
      { name: "ani" },
      { layers: [4], activation: "tanh" },
      "descriptor: expected symmetry-functions or acsf, got ani",
    ],
  ])("what n2p2 cannot express is refused by name: %s", (_, descriptor, regressor, message) => {
    expect(() => writeN2p2(randomModel(descriptor, regressor), ATOMIC)).toThrow(message);
  });

  it("ZBL is refused", () => {
    const model = randomModel(acsf, { layers: [4], activation: "tanh" });
    const zbl = { type: "zbl", options: {}, tensors: {} };
    expect(() => writeN2p2({ ...model, terms: [...model.terms, zbl] }, ATOMIC)).toThrow(
      /terms\[2\]: expected isolated atoms and one network over symmetry functions .*model\.zbl=false.* got zbl/,
    );
  });
});

const good = () => writeN2p2(randomModel(acsf, { layers: [4], activation: "tanh" }), ATOMIC);
const changed = (name: string, from: string | RegExp, to: string) => ({
  ...good(),
  [name]: good()[name].replace(from, to),
});

describe("n2p2's files that cannot be read", () => {
  it.each([
    [
      "a type that is not known",
      changed("input.nn", "symfunction_short H 2 ", "symfunction_short H 77 "),
      /input.nn:\d+: expected a symmetry function of type 2, 3/,
    ],
    [
      "a number missing",
      changed("input.nn", /(symfunction_short H 2 H \S+) \S+/, "$1"),
      /type 2, element, eta, rs, rc, got 2 H/,
    ],
    [
      "a stranger",
      changed("input.nn", "symfunction_short H 2 H", "symfunction_short H 2 N"),
      "elements H, O",
    ],
    ["charges", changed("input.nn", /^/, "use_electrostatics\n"), "got use_electrostatics"],
    ["a letter", changed("input.nn", "short t l", "short t x"), "2 of l t s p"],
    ["a weight too few", changed("weights.008.data", /.*\n$/, ""), "weights.008.data: expected 89 weights"],
    [
      "another order",
      changed("weights.008.data", " a 2 0 1 1 2", " a 2 0 2 1 1"),
      "weights.008.data:4: expected the columns a 0 1 1 2",
    ],
    [
      "no variation",
      changed("scaling.data", /^(1 1 .*) \S+$/m, "$1 0"),
      "scaling.data element 1 function 1: expected values that vary",
    ],
    ["a missing file", { ...good(), "weights.001.data": undefined! }, "weights.001.data: expected a file"],
  ])("%s", (_, files, message) => {
    expect(() => readN2p2(files, ATOMIC)).toThrow(message);
  });
});

it("RuNNer's lines for all elements stand for one line each", () => {
  const model = randomModel(acsf, { layers: [4], activation: "tanh" });
  const { "input.nn": text, ...rest } = writeN2p2(model, { energy: 1, length: 1 });
  const globals = ["global_symfunction_short 2 0.3 0 3.3", "element_symfunction_short O 3 0.02 1 1 4.3"];
  const own = text
    .replace(/symfunction_short . 2 . 0.3 0 3.3\n/g, "")
    .replace(/symfunction_short O 3 . . 0.02 1 1 4.3 0\n/g, "");
  expect(text.length - own.length).toBeGreaterThan(200);
  const files = { ...rest, "input.nn": `${own}${globals.join("\n")}\n` };
  const back = readN2p2(files, { energy: 1, length: 1 });
  expect(evaluate(back, water).energy).toBeCloseTo(evaluate(model, water).energy, 9);
});

it("comments of input.nn begin with # or !", () => {
  const files = good();
  const text = files["input.nn"].replaceAll(/^symf.*$/gm, "$& # one").replaceAll(/^cut.*$/gm, "$& ! other 7");
  expect(readN2p2({ ...files, "input.nn": `! note\n${text}` }, ATOMIC)).toEqual(readN2p2(files, ATOMIC));
});

it.each([
  ["scale_symmetry_functions", -3, 1 / 8],
  ["center_symmetry_functions", 2, 1],
  ["scale_symmetry_functions\ncenter_symmetry_functions", 2, 1 / 8],
])("scale_symmetry_functions_sigma counts alone, not beside %s, as in n2p2", (others, mean, scale) => {
  const files = good();
  const table = files["scaling.data"].replaceAll(/^(\d+ \d+) .*$/gm, "$1 -3 5 2 0.5");
  const read = (text: string) =>
    readN2p2({ ...files, "scaling.data": table, "input.nn": text }, ATOMIC).terms.at(-1)!.tensors;
  const alone = read(files["input.nn"]);
  const beside = read(`${others}\n${files["input.nn"]}`);
  expect([alone["1.mean"][0], alone["1.scale"][0]]).toEqual([2, 2]);
  expect([beside["1.mean"][0], beside["1.scale"][0]]).toEqual([mean, scale]);
});

it("normalize_nodes divides what enters a node by the number of nodes below", () => {
  const model = randomModel(acsf, { layers: [4], activation: "tanh" });
  const files = writeN2p2(model, ATOMIC);
  const plain = readN2p2(files, ATOMIC).terms.at(-1)!.tensors;
  const normal = readN2p2({ ...files, "input.nn": `normalize_nodes\n${files["input.nn"]}` }, ATOMIC);
  const { tensors } = normal.terms.at(-1)!;
  expect(tensors["1.weights.1"]).toEqual(plain["1.weights.1"].map((w) => w / 20));
  expect(tensors["1.biases.2"]).toEqual(plain["1.biases.2"].map((b) => b / 4));
});
