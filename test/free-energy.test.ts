import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "surfit-free-energy-"));
const path = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const surfit = (...args: readonly string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: "utf8" });

function json(...args: readonly string[]) {
  const { status, stdout, stderr } = surfit(...args, "--json");
  expect([status, stderr]).toEqual([0, expect.any(String)]);
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
    const { energies, errors } = onto.perturbed;
    const middle = 7;
    const low = Math.min(...energies.slice(0, 5));
    expect(Math.abs(energies[middle] - low - 0.13)).toBeLessThan(3 * errors[middle] + 0.006);
    expect(Math.abs(profile.mbar.energies[middle] - 0.1)).toBeLessThan(3 * errors[middle] + 0.006);
  });

  test("an old folder is not overwritten", () => {
    const { status, stderr } = surfit(...flags("um"));
    expect(status).toBe(1);
    expect(stderr).toContain("--force");
  });
});
