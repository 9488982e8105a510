import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { main, workplace } from "./command.ts";

const { folder, surfit } = workplace("free-energy");
const path = (name: string) => join(folder, name);

function json(...args: readonly string[]) {
  const { code, stdout, stderr } = surfit(...args, "--json");
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return JSON.parse(stdout) as Record<string, never>;
}

const well = (barrier: number) =>
  `elements: [H]\nterms:\n  - { type: double-well, barrier: ${barrier}, distance: 0.6, stiffness: 5 }\n`;

beforeAll(() => {
  writeFileSync(path("well.yaml"), well(0.1));
  writeFileSync(path("higher.yaml"), well(0.13));
  writeFileSync(path("atom.xyz"), "1\nProperties=species:S:1:pos:R:3\nH -0.6 0 0\n");
});

const words = (text: string): string[] => text.split(" ");

const dynamics = ["--ensemble", "nvt", "--timestep", "1", "--friction", "30"];

const flags = (output: string): string[] =>
  words(
    "umbrella well.yaml atom.xyz --variable x(1) --from -0.6 --to 0.6 --windows 3 --k 0.7 --time 4 " +
      `--equilibration 0.5 ${dynamics.join(" ")} -o ${output}`,
  );

/** Wavenumber of a hydrogen atom on a spring of k, eV/Å²; √(eV/Å²/amu) are 521.4708 cm⁻¹. */
const wave = (k: number): number => 521.4708 * Math.sqrt(k / 1.008);

describe("surfit rate", { timeout: 60_000 }, () => {
  test("over the double well: (k_BT/h) 2 sinh(ħω/2k_BT) e^{−ΔE/k_BT}", () => {
    writeFileSync(path("top.xyz"), "1\nProperties=species:S:1:pos:R:3\nH 0 0 0\n");
    const { minima, wavenumbers } = json(
      ...words("rate well.yaml top.xyz atom.xyz --temperature 900"),
    ) as unknown as {
      readonly minima: readonly {
        readonly rate: number;
        readonly energy: number;
        readonly freeEnergy: number;
      }[];
      readonly wavenumbers: readonly number[];
    };
    // k = 8 ΔE/h² in the well, −4 ΔE/h² on top.
    expect(wavenumbers[0]).toBeCloseTo(-wave(0.4 / 0.36), 1);
    const kT = 8.617333262e-5 * 900;
    const half = (1.239841984e-4 * wave(0.8 / 0.36)) / 2 / kT;
    const rate = ((2.083661912e10 * 900 * 2 * (Math.exp(half) - Math.exp(-half))) / 2) * Math.exp(-0.1 / kT);
    expect(Math.abs(minima[0].rate / rate - 1)).toBeLessThan(1e-4);
    expect(minima[0].energy).toBeCloseTo(0.1, 12);
  });

  test("vibrations in a field are no gas's: F = ½ Σ ħω and k_BT Σ ln(1 − e^{−ħω/k_BT})", () => {
    const { wavenumbers, thermochemistry } = json(...words("vibrations well.yaml atom.xyz")) as unknown as {
      readonly wavenumbers: readonly number[];
      readonly thermochemistry: { readonly freeEnergy: number };
    };
    expect(wavenumbers).toHaveLength(3);
    const kT = 8.617333262e-5 * 298.15;
    const quanta = wavenumbers.map((w) => 1.239841984e-4 * w);
    const F = quanta.reduce((sum, e) => sum + e / 2 + kT * Math.log(1 - Math.exp(-e / kT)), 0);
    expect(thermochemistry.freeEnergy).toBeCloseTo(F, 8);
    const idle = surfit(...words("vibrations well.yaml atom.xyz --symmetry 2 --step 0.01"));
    expect([idle.code, idle.stderr]).toEqual([1, expect.stringMatching(/--symmetry.*\n.*--step/)]);
  });

  test("what is no saddle point, or no minimum, is refused", () => {
    const { code, stderr } = surfit(...words("rate well.yaml atom.xyz atom.xyz"));
    expect([code, stderr]).toEqual([1, expect.stringContaining("a saddle point: one imaginary mode")]);
  });
});

/** Of a profile of fifteen bins, the middle above the wells. */
const rise = (F: readonly number[]) => F[7] - (F[1] + F[13]) / 2;

const again = (...more: string[]) =>
  json(...flags("onto"), ...words("--jobs 2 --every 10 --bins 15 --restart"), ...more)["onto"] as {
    readonly frames: number;
    readonly forces: number;
    readonly perturbed: { readonly spread: number };
  };

describe("surfit umbrella", { timeout: 200_000 }, () => {
  test("windows, their overlap and both profiles; a kill and --restart end in the same bits", async () => {
    const { profile, overlaps, loose, centres } = json(...flags("um"), "--jobs", "2") as unknown as {
      readonly profile: {
        readonly mbar: { readonly energies: readonly number[]; readonly errors: readonly number[] };
      };
      readonly overlaps: readonly number[];
      readonly loose: readonly number[];
      readonly centres: readonly number[];
    };
    expect(centres).toHaveLength(3);
    expect(loose).toEqual([]);
    expect(Math.min(...overlaps)).toBeGreaterThan(0.03);
    const { energies, errors } = profile.mbar;
    const middle = energies.length / 2;
    expect(Math.abs(energies[middle] - 0.1)).toBeLessThan(4 * errors[middle] + 0.005);
    expect(readFileSync(path("um/free-energy.html"), "utf8")).toContain("overlap with next");

    const child = spawn(process.execPath, [main, ...flags("killed")], { cwd: folder, stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("close", resolve));
    while (!existsSync(path("killed/window-02/thermo.txt")) && child.exitCode === null)
      // oxlint-disable-next-line no-await-in-loop -- waits for the second window
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(existsSync(path("killed/free-energy.txt"))).toBe(false);
    json(...flags("killed"), "--restart");
    expect(readFileSync(path("killed/free-energy.txt"), "utf8")).toBe(
      readFileSync(path("um/free-energy.txt"), "utf8"),
    );
  });

  test("--fixed: the slope V′ of the double well at each place, and its integral", () => {
    const held = words("umbrella well.yaml atom.xyz --variable x(1) --from -0.6 --to 0 --windows 4 --fixed");
    const rest = words("--time 0.2 --equilibration 0.05 --record 2 --jobs 2 -o held");
    const { slopes, profile } = json(...held, ...rest, ...dynamics) as unknown as {
      readonly slopes: readonly { readonly mean: number; readonly error: number }[];
      readonly profile: { readonly s: readonly number[]; readonly energies: readonly number[] };
    };
    // The atom's other directions do not know of x: the slope has no noise.
    profile.s.forEach((x, k) => {
      expect(Math.abs(slopes[k].mean - (0.4 / 0.6) * ((x / 0.6) ** 3 - x / 0.6))).toBeLessThan(1e-9);
      expect(Math.abs(profile.energies[k] - 0.1 * ((x / 0.6) ** 2 - 1) ** 2)).toBeLessThan(1e-9);
    });
    expect(readFileSync(path("held/free-energy.html"), "utf8")).toContain("dF/ds (eV/unit)");
  });

  test("--onto: the profile of a higher barrier from the frames of the lower one", () => {
    const { profile, onto } = json(
      ...flags("onto"),
      ...words("--jobs 2 --every 10 --bins 15 --onto higher.yaml"),
    ) as unknown as {
      readonly profile: { readonly mbar: { readonly energies: readonly number[] } };
      readonly onto: { readonly frames: number; readonly perturbed: Record<string, number[]> };
    };
    expect(onto.frames).toBeGreaterThan(1000);
    const { energies } = onto.perturbed;
    const { energies: own } = profile.mbar;
    // The difference of both surfaces depends on x alone: what frames there are hardly matters.
    expect(Math.abs(rise(energies) - rise(own) - 0.03)).toBeLessThan(0.002);
  });

  test("--restart --onto: another surface, and frames that were added, are evaluated anew", () => {
    const own = again("--onto", "well.yaml");
    expect(own.perturbed.spread).toBeLessThan(1e-12);
    expect(own.forces).toBeLessThan(1e-12);
    expect(again("--onto", "higher.yaml", "--time", "4.1").frames).toBe(own.frames + 3 * 10);
  });

  test("a window without a value after its equilibration is an error", () => {
    const { code, stderr } = surfit(...flags("rare"), ...words("--record 4001 --force"));
    expect([code, stderr]).toEqual([1, expect.stringContaining("values after 0.5 ps")]);
  });

  test("an old folder is not overwritten", () => {
    const { code, stderr } = surfit(...flags("um"));
    expect(code).toBe(1);
    expect(stderr).toContain("--force");
  });
});
