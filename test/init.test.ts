import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../src/math/random.ts";
import { workplace } from "./command.ts";

const { folder, surfit } = workplace("init");

/** Distorted water: no O has an O. */
beforeAll(() => {
  const random = new Random(1, "init");
  const shake = () => (0.2 * (random.uniform() - 0.5)).toFixed(6);
  const at = (x: number, y: number) => `${x + Number(shake())} ${y + Number(shake())} ${shake()}`;
  const frames = Array.from(
    { length: 40 },
    () =>
      `3\nProperties=species:S:1:pos:R:3 energy=${-2000 + Number(shake())} pbc="F F F"\nO ${at(0, 0)}\nH ${at(0.96, 0)}\nH ${at(-0.24, 0.93)}\n`,
  );
  writeFileSync(join(folder, "water.xyz"), frames.join(""));
});

describe("surfit init", () => {
  test("proposes functions, draws them, and the fit takes them", () => {
    const made = surfit("init", "water.xyz", "--size", "small", "--units", "eV,Å", "--json");
    expect(made).toMatchObject({ code: 0 });
    const said = JSON.parse(made.stdout) as {
      kept: Record<string, number>;
      microsecondsPerAtom: number;
      candidates: Record<string, { label: string; reason: string }[]>;
    };
    expect(said.microsecondsPerAtom).toBeGreaterThan(0);
    expect(said.candidates["O"].every(({ label }) => !label.endsWith("O"))).toBe(true);
    const page = readFileSync(join(folder, "water.html"), "utf8");
    expect(page.match(/<svg/g)!.length).toBe(3 + 2 + 2);
    expect(page).not.toMatch(/(src|href)="http/);
    const plan = surfit("fit", "water.yaml", "--dry-run", "--epochs", "1", "--threads", "1", "--json");
    expect(plan).toMatchObject({ code: 0 });
    const { configuration } = JSON.parse(plan.stdout) as {
      configuration: { model: { descriptor: { name: string; functions: Record<string, unknown[]> } } };
    };
    const { name, functions } = configuration.model.descriptor;
    expect(name).toBe("symmetry-functions");
    expect([functions["H"].length, functions["O"].length]).toEqual([said.kept["H"], said.kept["O"]]);
  });

  test("keeps so many, and overwrites only when told to", () => {
    const made = surfit(
      "init",
      "water.xyz",
      "--features",
      "9",
      "-o",
      "nine.yaml",
      "--page",
      "n.html",
      "--json",
    );
    expect(JSON.parse(made.stdout)).toMatchObject({ kept: { H: 9, O: 9 } });
    expect(surfit("init", "water.xyz", "-o", "nine.yaml")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nine.yaml"),
    });
    expect(surfit("init", "water.xyz", "-o", "nine.txt")).toMatchObject({ code: 1 });
    expect(surfit("init", "--help").stdout).toContain("surfit init data.xyz --features 60");
  });
});
