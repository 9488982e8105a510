import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../src/math/random.ts";
import { HARTREE } from "../src/structure/units.ts";
import { workplace } from "./command.ts";

const { path, surfit } = workplace("delta");

function json(...args: readonly string[]) {
  const { code, stdout, stderr } = surfit(...args, "--json");
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const forceError = (m: Record<string, unknown>): number =>
  (m["all"] as { forces: { rmse: number } }).forces.rmse;

const random = new Random(1, "delta");

/** A diatomic of neon with the energies of two methods, whose difference is 1/r eV, and both gradients. */
function dimer(): string {
  const r = 2 + random.uniform();
  const cheap = 50 / r ** 6;
  const [slope, cheapSlope] = [-300 / r ** 7 - 1 / r ** 2, -300 / r ** 7];
  return [
    "2",
    `Properties=species:S:1:pos:R:3:gradient:R:3:low:R:3 energy=${cheap + 1 / r} cheap=${cheap} energy_unit=eV length_unit=Å pbc="F F F"`,
    `Ne 0 0 0 ${-slope} 0 0 ${-cheapSlope} 0 0`,
    `Ne ${r} 0 0 ${slope} 0 0 ${cheapSlope} 0 0`,
    "",
  ].join("\n");
}

beforeAll(() => {
  writeFileSync(path("data.xyz"), Array.from({ length: 40 }, dimer).join(""));
});

describe("Δ-learning", () => {
  const baseline = ["--baseline", "energy=cheap,gradient=low"];

  test("learns the difference, judges it, and says what a model of it gives", () => {
    const fit = json("fit", "data.xyz", "-o", "run", ...baseline, "--epochs", "40", "--threads", "1");
    const { validation } = fit["metrics"] as Record<string, { all: { forces: { rmse: number } } }>;
    expect(validation.all.forces.rmse).toBeLessThan(0.05);
    // A repulsion is the baseline's affair.
    expect(readFileSync(path("run/fit.yaml"), "utf8")).toMatch(/^ {2}zbl: false/m);
    const right = json("test", "run/model.surfit", "data.xyz", ...baseline);
    const wrong = json("test", "run/model.surfit", "data.xyz");
    expect(forceError(right)).toBeLessThan(0.05);
    expect(forceError(wrong)).toBeGreaterThan(0.15);
    expect(surfit("predict", "run/model.surfit", "data.xyz").stderr).toContain(
      "note: run/model.surfit gives differences to other labels: energy less cheap, gradient less low",
    );
    expect(surfit("fit", "data.xyz", "-o", "no", "--baseline", "energy=cheap").stderr).toContain(
      "expected a key (forces or gradient), or null to learn without forces",
    );
  });

  test("converts to the difference, the baseline beside it", () => {
    json("convert", "data.xyz", "delta.xyz", ...baseline);
    const text = readFileSync(path("delta.xyz"), "utf8");
    const r = text.split("\n")[3].split(/\s+/)[1];
    expect(Number(/ energy=(\S+)/.exec(text)![1])).toBeCloseTo(1 / Number(r), 12);
    expect(Number(/baseline_energy=(\S+)/.exec(text)![1])).toBeCloseTo(50 / Number(r) ** 6, 12);
  });
});

test("a folder that n2p2 would train in is trained in as its input.nn says", () => {
  mkdirSync(path("nnp"));
  writeFileSync(
    path("nnp/input.nn"),
    `number_of_elements 1\nelements Ne\ncutoff_type 2\nglobal_hidden_layers_short 1\nglobal_nodes_short 3
global_activation_short t l\nsymfunction_short Ne 2 Ne 0.1 0 6\nuse_short_forces\nepochs 3\nupdater_type 1
kalman_type 1\nshort_force_fraction 0.3\ntest_fraction 0.2\nweights_min -1\nrandom_seed 9\n`,
  );
  json("convert", "data.xyz", "nnp/input.data", "--to-units", "Hartree,bohr");
  expect(surfit("fit", "nnp").stderr).toContain("the units of the folder, such as Hartree,bohr");
  const result = json("fit", "nnp", "--units", "Hartree,bohr", "-o", "nn", "--threads", "1");
  expect(result).toMatchObject({ frames: { train: 32, validation: 8 }, bestEpoch: expect.any(Number) });
  expect(result["notes"]).toContain(
    "not followed: weights_min (input.nn:14): the starting weights are surfit's own",
  );
  const yaml = readFileSync(path("nn/fit.yaml"), "utf8");
  for (const line of [/optimiser: kalman/, /type: fading/, /^seed: 9/m, /epochs: 3/])
    expect(yaml).toMatch(line);
  json("export", "--to", "n2p2", "nn/model.surfit", "out", "--units", "Hartree,bohr");
  const last = (file: string) =>
    Number(readFileSync(path(file), "utf8").trim().split("\n").at(-1)!.split(/\s+/)[2]);
  expect(last("nn/learning-curve.out") / HARTREE / last("out/learning-curve.out")).toBeCloseTo(1, 7);
});
