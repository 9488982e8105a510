import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { main, workplace } from "./command.ts";

const { folder, surfit: run } = workplace("restart");
const path = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(path(name), "utf8");

const atom = (x: number) => `1\nProperties=species:S:1:pos:R:3\nH ${x} 0 0\n`;

beforeAll(() => {
  writeFileSync(
    path("well.yaml"),
    "elements: [H]\nterms:\n  - { type: double-well, barrier: 0.1, distance: 0.6, stiffness: 5 }\n",
  );
  writeFileSync(path("atoms.xyz"), atom(-0.6) + atom(0.6));
  const pairs = "pairs: { Ar-Ar: { epsilon: 0.0104, sigma: 3.4 } }";
  const terms = `[{ type: lennard-jones, cutoff: 6, ending: switched, ${pairs} }]`;
  writeFileSync(path("lj.yaml"), `elements: [Ar]\nterms: ${terms}\n`);
  const sites = [0, 0, 0, 0.5, 0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0.5];
  const rows = [0, 1, 2, 3].flatMap((k) =>
    [0, 1].map((z) => `Ar ${[0, 1, 2].map((c) => 5.4 * (sites[3 * k + c] + (c === 2 ? z : 0))).join(" ")}`),
  );
  writeFileSync(path("crystal.xyz"), `8\nLattice="5.4 0 0 0 5.4 0 0 0 10.8"\n${rows.join("\n")}\n`);
  writeFileSync(path("cluster.xyz"), `4\n\nAr 0 0 0\nAr 3.8 0 0\nAr 1.9 3.3 0\nAr 1.8 1.1 3.2\n`);
});

const words = (text: string): string[] => text.split(" ");

function surfit(...args: readonly string[]): string {
  const { code, stdout, stderr } = run(...args);
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  return stdout;
}

/** Runs a command and kills it and all that it has started, outright, as soon as all these files are there. */
async function killed(args: readonly string[], files: readonly string[]): Promise<void> {
  const options = { cwd: folder, stdio: "ignore", detached: true } as const;
  const child = spawn(process.execPath, [main, ...args], options);
  const ended = new Promise((resolve) => child.on("close", (_, signal) => resolve(signal)));
  while (!files.every((file) => existsSync(path(file))) && child.exitCode === null)
    // oxlint-disable-next-line no-await-in-loop -- waits for the files
    await new Promise((resolve) => setTimeout(resolve, 5));
  process.kill(-child.pid!, "SIGKILL");
  expect(await ended).toBe("SIGKILL");
}

describe("runs that were killed outright go on to the same bits", { timeout: 200_000 }, () => {
  test.each([
    ["nvt", "cluster.xyz", "--constrain distance(1,2)-distance(3,4)"],
    ["npt", "crystal.xyz", "--cell full --pressure 0.1"],
  ])("%s", async (ensemble, file, more) => {
    const run = words(
      `md lj.yaml ${file} --ensemble ${ensemble} ${more} --temperature 20 --timestep 4 --time 24 --every 50`,
    );
    const often = [...run, ...words(`--checkpoint 0.05 -o ${ensemble}-killed`)];
    surfit(...run, "-o", ensemble);
    await killed(often, [`${ensemble}-killed/checkpoint`]);
    surfit(...often, "--restart");
    for (const name of readdirSync(path(ensemble)).filter((own) => own !== "checkpoint"))
      expect(read(`${ensemble}-killed/${name}`)).toBe(read(`${ensemble}/${name}`));
    const finished = readFileSync(path(`${ensemble}/checkpoint`));
    expect(readFileSync(path(`${ensemble}-killed/checkpoint`)).equals(finished)).toBe(true);
  });

  test("walkers that lay hills together, whichever got further", async () => {
    const metadynamics = ["--metadynamics", "x(1); width=0.1; height=0.008; every=50; factor=6"];
    const run = [
      ...words("md well.yaml atoms.xyz --ensemble nvt --timestep 1 --friction 30 --time 12 --every 0"),
      ...words("--walkers 2 --bins 20"),
      ...metadynamics,
    ];
    const found = JSON.parse(surfit(...run, "-o", "walkers", "--json")) as Found;
    const often = [...run, ...words("--checkpoint 0.05 -o walkers-killed")];
    await killed(
      often,
      [1, 2].map((k) => `walkers-killed/walker-0${k}/checkpoint`),
    );
    surfit(...often, "--restart");
    const files = [1, 2].flatMap((k) =>
      ["thermo.txt", "variables.txt", "hills.log"].map((file) => `walker-0${k}/${file}`),
    );
    for (const file of [...files, "hills.txt", "free-energy.txt"])
      expect(read(`walkers-killed/${file}`)).toBe(read(`walkers/${file}`));
    expect(read("walkers/hills.txt").trimEnd().split("\n")).toHaveLength(1 + 2 * 240);
    // From both sides, over a barrier of 0.1 eV.
    const { centres, fromHills } = found.freeEnergy;
    const at = (x: number) => {
      const off = Object.values(centres).map((c) => Math.abs(c - x));
      return fromHills[off.indexOf(Math.min(...off))];
    };
    expect(Math.abs(at(0) - at(-0.6) - 0.1)).toBeLessThan(0.035);
    expect(Math.abs(at(0.6) - at(-0.6))).toBeLessThan(0.035);
  });

  test("walkers of their own: seeds one after another, the same as alone", () => {
    const run = words("md well.yaml atoms.xyz --ensemble nvt --time 0.2 --seed 5");
    surfit(...run, "--walkers", "2", "-o", "two");
    writeFileSync(path("second.xyz"), read("atoms.xyz").split("\n").slice(3).join("\n"));
    surfit(...words("md well.yaml second.xyz --ensemble nvt --time 0.2 --seed 6 -o alone"));
    expect(read("two/walker-02/thermo.txt")).toBe(read("alone/thermo.txt"));
    expect(read("two/walker-01/thermo.txt")).not.toBe(read("alone/thermo.txt"));
  });
});

interface Found {
  readonly freeEnergy: {
    readonly centres: Readonly<Record<string, number>>;
    readonly fromHills: Readonly<Record<number, number>>;
  };
}
