import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { writeModel } from "../src/index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}test/.snippets`;

interface Snippet {
  readonly title: string;
  readonly code: string;
}

/** Blocks marked "ts run" are programs; they run in a folder that holds a model file. */
const snippets: Snippet[] = ["README.md", ...globSync("docs/**/*.md")].flatMap((page) =>
  [...readFileSync(page, "utf8").matchAll(/```ts run\n([\s\S]*?)```/g)].map((m, k) => ({
    title: `${page}, block ${k + 1}`,
    code: m[1],
  })),
);

describe("programs in the documentation", () => {
  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    const term = { type: "isolated-atoms", options: { energies: { H: -13, O: -430 } }, tensors: {} };
    writeFileSync(`${folder}/model.surfit`, writeModel({ elements: [1, 8], terms: [term], provenance: {} }));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("there are some", () => {
    expect(snippets.length).toBeGreaterThan(1);
  });

  it.each(snippets)("$title runs", async ({ title, code }) => {
    const file = `${folder}/${title.replaceAll(/\W+/g, "-")}.ts`;
    writeFileSync(file, code.replaceAll('"model.surfit"', `"${folder}/model.surfit"`));
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    try {
      await import(/* @vite-ignore */ file);
      expect(log).toHaveBeenCalled();
    } finally {
      log.mockRestore();
    }
  });
});
