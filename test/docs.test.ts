import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as surfit from "../src/index.ts";
import * as node from "../src/node.ts";

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
    writeFileSync(
      `${folder}/model.surfit`,
      surfit.writeModel({ elements: [1, 8], terms: [term], provenance: {} }),
    );
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("find the names that the pages speak of", () => {
    const spoken =
      "applyLabels Doctor examine KeySurvey laws PairAccumulator planLabels serve startWorkers sumDescriptor";
    expect(Object.keys(surfit)).toEqual(expect.arrayContaining([...spoken.split(" "), "workerPort"]));
    expect(Object.keys(node)).toEqual(expect.arrayContaining(["startThreads", "threadPort"]));
    const files = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { files: string[] };
    // The demo's data and the pages that the help names go with the package.
    expect(files.files).toEqual(expect.arrayContaining(["data", "docs", "dist"]));
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
