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
