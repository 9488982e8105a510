import { afterAll, describe, expect, it } from "vitest";
import { descriptors } from "../../descriptors/table.ts";
import { createDevice } from "../../device/device.ts";
import { Memory } from "../../device/memory.ts";
import { createPool } from "../../device/pool.ts";
import { startThreads } from "../../device/start.node.ts";
import { FeatureReader } from "../../fit/features.ts";
import { readModel, writeModel } from "../../io/model.ts";
import { ELEMENTS, molecule, otherMolecule, scatter } from "../../laws/potential.fixture.ts";
import { Random } from "../../math/random.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import { tasks } from "../../tasks.ts";
import { buildPotential, snapshot } from "../build.ts";
import type { ComposedOptions } from "../composed.ts";
import { ParallelPotential } from "../parallel.ts";
import type { Model, Potential } from "../potential.ts";
import { sum } from "../sum.ts";
import { rememberingModel, shaken, trainingFrames } from "../../laws/extrapolation.fixture.ts";
import { GradedPotential } from "./graded.ts";
import { onlyRecord } from "./record.ts";
import { ExtrapolationGuard } from "./guard.ts";
import { graders } from "./table.ts";

const memory = new Memory({ bytes: 2 ** 27 });
const device = createDevice({ memory });
const model = rememberingModel(device);
const guard = ExtrapolationGuard.demand(model, device);
const pool = await createPool({ tasks, threads: 2, device, start: startThreads() });
afterAll(() => pool.close());

const most = (x: Float64Array) => Math.max(...x);
const far: Structure = { ...molecule, positions: molecule.positions.map((x) => 0.8 * x) };
const scaled = (s: Structure, by: number): Structure => ({ ...s, positions: s.positions.map((x) => by * x) });

/** Features of all atoms, computed apart, by element index and in the order of the atoms. */
function featuresOf({ terms }: Model, structures: readonly Structure[]): number[][][] {
  const { name, ...options } = (terms[0].options as ComposedOptions).descriptor;
  const reader = new FeatureReader(
    descriptors[name].build(descriptors[name].options.parse(options), ELEMENTS, device),
    device,
  );
  return structures.reduce<number[][][]>(
    (all, structure) => {
      const { matrices, counts } = reader.read(structure);
      matrices.forEach((matrix, e) => {
        for (let c = 0; c < counts[e]; c++)
          all[e].push([...matrix.subarray(c * reader.sizes[e], (c + 1) * reader.sizes[e])]);
      });
      return all;
    },
    ELEMENTS.map(() => []),
  );
}

function run(potential: Potential, structure: Structure, grades: Float64Array | null) {
  const n = structure.numbers.length;
  const out = {
    energy: 0,
    forces: new Float64Array(3 * n),
    virial: new Float64Array(9),
    ...(grades && { grades }),
  };
  potential.evaluate(structure, findNeighbours(structure, potential.cutoff), out);
  return { energy: out.energy, forces: out.forces, virial: out.virial };
}

describe.each(guard.names)("grade %s", (name) => {
  it("is within what the training data have on the training frames, far above on squeezed and stretched ones", () => {
    const within = trainingFrames.map(({ structure }) => most(guard.grade(structure)[name]));
    // MaxVol ends where no swap makes the volume larger by more than 1 %.
    expect(Math.max(...within)).toBeLessThanOrEqual(1.01 + 1e-9);
    for (const by of [0.8, 1.25]) {
      const grade = most(guard.grade(scaled(molecule, by))[name]);
      expect(grade, `scaled by ${by}`).toBeGreaterThan(2);
      expect(grade).toBeGreaterThan(graders[name].noteworthy);
    }
  });

  it("grows along a way out", () => {
    const grades = [1, 0.95, 0.9, 0.85, 0.8].map((by) => most(guard.grade(scaled(molecule, by))[name]));
    expect(grades).toEqual(grades.toSorted((a, b) => a - b));
  });

  it("does not change when the structure is turned, moved, or its atoms exchanged", () => {
    const s = shaken(molecule, 0.15, 77);
    const [c, t] = [Math.cos(0.7), Math.sin(0.7)];
    const turned = { ...s, positions: s.positions.slice() };
    for (let i = 0; i < turned.positions.length; i += 3) {
      const [x, y, z] = s.positions.subarray(i, i + 3);
      turned.positions.set([c * x - t * y + 3, t * x + c * y - 1, z + 2], i);
    }
    const order = [...s.numbers.keys()].reverse();
    const exchanged = {
      ...s,
      numbers: Uint8Array.from(order, (i) => s.numbers[i]),
      positions: Float64Array.from(order.flatMap((i) => [...s.positions.subarray(3 * i, 3 * i + 3)])),
    };
    const grades = guard.grade(s)[name];
    expect(most(grades)).toBeGreaterThan(0.1);
    guard.grade(turned)[name].forEach((g, i) => expect(Math.abs(g - grades[i])).toBeLessThan(1e-9));
    const back = guard.grade(exchanged)[name];
    order.forEach((i, k) => expect(Math.abs(back[k] - grades[i])).toBeLessThan(1e-9));
  });

  it("comes with an evaluation, the same on two threads, and leaves energies and forces as they are", async () => {
    const many = scatter(300, 16, 1.1, 5);
    const potential = buildPotential(model, device);
    const plain = run(potential, many, null);
    expect(potential.gradeBy(name)).toBe(true);
    const parallel = await ParallelPotential.create(model, pool, name);
    const expected = guard.grade(many)[name];
    for (const surface of [potential, parallel]) {
      const graded = new GradedPotential(surface);
      expect(run(graded, many, null)).toEqual(plain);
      expect(graded.grades).toEqual(expected);
      expect(graded.worst().grade).toBe(most(expected));
      expect(expected[graded.worst().atom]).toBe(graded.worst().grade);
    }
  });
});

describe("range grade", () => {
  it("is 0 for every training frame, to the bit, and for what lies between", () => {
    for (const { structure } of trainingFrames) expect(most(guard.grade(structure).range)).toBe(0);
  });

  it("is the excess over the range of the feature that is named, worked out apart", () => {
    const s = scaled(molecule, 0.9);
    const worst = guard.worst(s);
    const e = ELEMENTS.indexOf(worst.element);
    const all = featuresOf(
      model,
      trainingFrames.map(({ structure }) => structure),
    )[e];
    const row = featuresOf(model, [s])[e][
      s.numbers.slice(0, worst.atom).filter((z) => z === worst.element).length
    ];
    const columns = row.map((x, t) => {
      const column = all.map((r) => r[t]);
      const [min, max] = [Math.min(...column), Math.max(...column)];
      return { x, min, max, grade: Math.max(0, x - max, min - x) / (max - min) };
    });
    const best = columns.reduce((a, b) => (b.grade > a.grade ? b : a));
    expect(worst.grades.range).toBeCloseTo(best.grade, 12);
    expect(worst.grades.range).toBeGreaterThan(1);
    expect([worst.value, worst.min, worst.max]).toEqual([best.x, best.min, best.max]);
    const { name, ...options } = (model.terms[0].options as ComposedOptions).descriptor;
    const labels = descriptors[name]
      .build(descriptors[name].options.parse(options), ELEMENTS, device)
      .labels(e);
    expect(worst.feature).toBe(labels[columns.indexOf(best)]);
    expect(worst.atom).toBe(guard.grade(s).range.indexOf(most(guard.grade(s).range)));
  });
});

describe("distance grade", () => {
  it("is the distance to the nearest of all training environments over their spacing, where all are remembered", () => {
    // 90 environments of each element: all fit into the record.
    const rows = featuresOf(
      model,
      trainingFrames.map(({ structure }) => structure),
    );
    const s = shaken(molecule, 0.1, 5);
    const grades = guard.grade(s).distance;
    const own = featuresOf(model, [s]);
    const seen = ELEMENTS.map(() => 0);
    s.numbers.forEach((z, i) => {
      const e = ELEMENTS.indexOf(z);
      const { mean, deviation, min, max, frames } = guard.record.elements[e];
      expect(frames).toHaveLength(90);
      const widest = Math.max(...deviation);
      const scale = deviation.map((d, t) =>
        max[t] - min[t] <= 1e-10
          ? 0
          : 1 / Math.max(d, 0.05 * widest, 1e-4 * Math.max(Math.abs(min[t]), Math.abs(max[t]))),
      );
      expect(mean).toHaveLength(scale.length);
      const distance = (a: readonly number[], b: readonly number[]) =>
        Math.hypot(...a.map((x, t) => (x - b[t]) * scale[t]));
      const nearest = (x: readonly number[], others: readonly (readonly number[])[]) =>
        Math.min(...others.map((y) => distance(x, y)));
      const spacings = rows[e].map((x, k) => nearest(x, rows[e].toSpliced(k, 1))).sort((a, b) => a - b);
      const expected = nearest(own[e][seen[e]++], rows[e]) / spacings[45];
      expect(Math.abs(grades[i] / expected - 1)).toBeLessThan(1e-9);
    });
  });

  it("blames the function that differs most from the nearest environment, where all are in their ranges", () => {
    const model2 = rememberingModel(device, [...trainingFrames, { ...trainingFrames[0], structure: far }]);
    const wide = ExtrapolationGuard.demand(model2, device);
    const s = shaken(molecule, 0.1, 6);
    const atom = wide.grade(s).range.findIndex((g) => g === 0);
    const found = wide.explain(s, atom);
    expect(found.grades.distance).toBeGreaterThan(0.5);
    expect(found.value).toBeGreaterThanOrEqual(found.min);
    expect(found.value).toBeLessThanOrEqual(found.max);
    const e = ELEMENTS.indexOf(s.numbers[atom]);
    const { mean, deviation, environments } = wide.record.elements[e];
    const { G } = wide.featuresOf(s, atom);
    // Some environment is at that distance, and differs most in the function that is named.
    const size = mean.length;
    const nearest = Array.from({ length: environments.length / size }, (_, k) =>
      environments.subarray(k * size, (k + 1) * size),
    ).map((row) => ({
      row,
      z: row.map((x, t) => Math.abs(x - G[t]) / Math.max(deviation[t], 0.05 * Math.max(...deviation))),
    }));
    const best = nearest.reduce((a, b) => (Math.hypot(...b.z) < Math.hypot(...a.z) ? b : a));
    expect(found.value).toBe(G[best.z.indexOf(Math.max(...best.z))]);
  });

  it("is 0 for a training frame, which is named as the nearest one", () => {
    for (const k of [0, 7, 29]) {
      const { structure, place } = trainingFrames[k];
      expect(most(guard.grade(structure).distance)).toBeLessThan(1e-6);
      expect(guard.explain(structure, 4).nearest).toBe(place);
    }
  });
});

describe("what a model remembers", () => {
  it("survives the model file, and a snapshot of the potential, to the bit", () => {
    const stored = readModel(writeModel(model));
    expect(stored).toEqual(model);
    expect(snapshot(stored, buildPotential(stored, device))).toEqual(model);
    expect(ExtrapolationGuard.demand(stored, device).grade(otherMolecule)).toEqual(
      guard.grade(otherMolecule),
    );
  });

  it("may be nothing: such a model evaluates as ever, cannot grade, and says so", () => {
    const { training: _, ...options } = model.terms[0].options as ComposedOptions;
    const tensors = Object.fromEntries(
      Object.entries(model.terms[0].tensors).filter(([name]) => !name.startsWith("training.")),
    );
    const old: Model = { ...model, terms: [{ ...model.terms[0], options, tensors }] };
    const potential = buildPotential(old, device);
    expect(run(potential, molecule, null)).toEqual(run(buildPotential(model, device), molecule, null));
    expect(potential.gradeBy("range")).toBe(false);
    expect(ExtrapolationGuard.of(old, device)).toBeNull();
    expect(() => ExtrapolationGuard.demand(old, device, "old.surfit")).toThrow(
      "invalid old.surfit: expected a model that remembers its training data (fit it again)",
    );
  });

  it("that does not fit the model is refused", () => {
    const [term] = model.terms;
    const changed = (tensors: Record<string, Float64Array>) => () =>
      buildPotential({ ...model, terms: [{ ...term, tensors: { ...term.tensors, ...tensors } }] }, device);
    expect(changed({ "training.0.max": new Float64Array(3) })).toThrow(
      /training\.0\.max: expected \d+ numbers, got 3/,
    );
    const frames = term.tensors["training.1.frames"].with(2, 30);
    expect(changed({ "training.1.frames": frames })).toThrow(
      "training.1.frames: expected numbers of 30 training frames, got 30",
    );
  });

  it("counts once in a weighted sum, and the largest grade of several terms counts", () => {
    const other = rememberingModel(device, [trainingFrames[0]]);
    const [a, b] = [model, other].map((m) => buildPotential(m, device));
    const both = sum({ potential: a, weight: 0.5 }, b);
    expect(both.gradeBy("range")).toBe(true);
    const graded = new GradedPotential(both);
    const s = shaken(molecule, 0.1, 9);
    run(graded, s, null);
    const [one, two] = [model, other].map((m) => ExtrapolationGuard.demand(m, device).grade(s).range);
    expect(graded.grades).toEqual(one.map((g, i) => Math.max(g, two[i])));
  });

  it("is of all features, also where the model predicts through a combination of them", () => {
    const { terms, ...rest } = rememberingModel(device, trainingFrames, "snap");
    const options = { ...(terms[0].options as ComposedOptions), regressor: { name: "linear" } };
    const random = new Random(1, "linear");
    const record = onlyRecord(terms[0].tensors);
    const coefficients = ELEMENTS.map((_, e): [string, Float64Array] => [
      `${e}.coefficients`,
      random.normals(new Float64Array(record[`training.${e}.mean`].length + 1)),
    ]);
    const tensors = { ...record, ...Object.fromEntries(coefficients) };
    const linear: Model = { ...rest, terms: [{ type: "composed", options, tensors }] };
    const potential = buildPotential(linear, device);
    expect(potential.gradeBy("range")).toBe(true);
    const graded = new GradedPotential(potential);
    for (const s of [trainingFrames[2].structure, scaled(molecule, 0.85)]) {
      expect(run(graded, s, null)).toEqual(run(potential, s, null));
      expect(graded.grades).toEqual(ExtrapolationGuard.demand(linear, device).grade(s).range);
    }
    expect(graded.worst().grade).toBeGreaterThan(1);
  });

  it("of an unknown grade or element is an error", () => {
    expect(() => buildPotential(model, device).gradeBy("taste")).toThrow("grade: expected one of range, ");
    expect(() => guard.worst(molecule, "taste")).toThrow("grade: expected one of range, ");
    expect(() => guard.grade({ ...molecule, numbers: molecule.numbers.with(2, 79) })).toThrow("atom 2");
  });
});
