import { expect, test } from "vitest";
import { configure } from "./configuration.ts";

test("every flag that says how labels are read stands in the configuration", async () => {
  const { options } = await configure(["a.xyz"], {
    energyKey: "e",
    gradientKey: "g",
    virialKey: "w",
    units: "Hartree,bohr",
    stressUnit: "GPa",
    stressSign: "pressure",
    virialSign: "Vσ",
    skip: true,
  });
  expect(options.data).toEqual({
    files: "a.xyz",
    energy: "e",
    gradient: "g",
    virial: "w",
    units: { energy: "Hartree", length: "bohr", stress: "GPa" },
    stressSign: "pressure",
    virialSign: "Vσ",
    skip: true,
  });
  const silent = await configure(["a.xyz"], { set: ["data.units.force=eV/bohr"] });
  expect(silent.options.data.units).toEqual({ force: "eV/bohr" });
  await expect(configure(["a.xyz"], { units: "Hartree" })).rejects.toThrow("--units");
});

test("files that are sets of their own leave no choice of how to split", async () => {
  const { options } = await configure(["a.xyz"], { test: ["b.xyz"] });
  expect(options.split).toMatchObject({ method: "file", test: ["b.xyz"], validation: 0.1 });
  expect((await configure(["a.xyz"], { test: ["b.xyz"], split: "file" })).options).toEqual(options);
  await expect(configure(["a.xyz"], { test: ["b.xyz"], split: "random" })).rejects.toThrow(
    "invalid --split: expected file where --test or --validation names files, or neither, got random",
  );
});
