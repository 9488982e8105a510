import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

/** Which folders of src a folder may import (itself always). The arrows of the design, in the order of the sentence. */
const base = ["formula", "device", "math", "structure"];
const allowed: Record<string, readonly string[]> = {
  formula: [],
  math: ["formula"],
  structure: ["math"],
  device: ["formula"],
  kernels: ["formula", "math", "device"],
  descriptors: base,
  regressors: [...base, "kernels", "descriptors"],
  potentials: [...base, "kernels", "descriptors", "regressors"],
  io: ["structure", "math", "potentials"],
  fit: [...base, "kernels", "descriptors", "regressors", "potentials"],
  run: [...base, "potentials"],
  outside: [...base, "potentials"],
  laws: [...base, "kernels", "descriptors", "regressors", "potentials", "io", "fit", "run"],
  cli: [
    ...base,
    "kernels",
    "descriptors",
    "regressors",
    "potentials",
    "io",
    "fit",
    "run",
    "outside",
    "laws",
    "",
  ],
};
/** Files directly in src that every folder may import. */
const everywhere = ["src/error.ts", "src/schema.ts", "src/zod.ts"];
/** Data tables may be longer than the limit; nothing else. */
const tables = ["src/structure/elements.ts"];
const lineLimit = 500;

const files = globSync("{src,test,bench}/**/*.ts").sort();
const sources = files.filter((f) => f.startsWith("src/") && !f.endsWith(".test.ts"));

interface Import {
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const pattern =
    /(?:^|\n)(?:import|export)\s+(type\s+)?(?:[^;"']*?\sfrom\s+)?"([^"]+)"|import\("([^"]+)"\)/g;
  return [...text.matchAll(pattern)].map((m) => ({ to: m[2] ?? m[3], typeOnly: m[1] !== undefined }));
}

const resolve = (file: string, to: string) => normalize(join(dirname(file), to));
const folder = (file: string) => (file.split("/").length > 2 ? file.split("/")[1] : "");
const local = (file: string) => importsOf(file).filter((i) => i.to.startsWith("."));

const lines = (file: string) => readFileSync(file, "utf8").split("\n").length;

function reachable(start: string): Set<string> {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const i of local(file)) if (!i.typeOnly) visit(resolve(file, i.to));
  };
  visit(start);
  return seen;
}

function cycle(graph: Map<string, string[]>): string[] {
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const visit = (node: string): string[] => {
    if (state.get(node) === "done") return [];
    if (state.get(node) === "open") return [...path.slice(path.indexOf(node)), node];
    state.set(node, "open");
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const found = visit(next);
      if (found.length > 0) return found;
    }
    path.pop();
    state.set(node, "done");
    return [];
  };
  for (const node of graph.keys()) {
    const found = visit(node);
    if (found.length > 0) return found;
  }
  return [];
}

describe("architecture", () => {
  it("imports follow the arrows", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const from = folder(file);
      if (from === "") continue;
      for (const { to, typeOnly } of local(file)) {
        const target = resolve(file, to);
        const into = folder(target);
        if (into === from || everywhere.includes(target)) continue;
        // The contracts of neighbouring layers may be named as types by the layer that fulfils them.
        if (typeOnly && into !== "cli" && (allowed[into] ?? []).every((f) => f !== from)) continue;
        if (!(allowed[from] ?? []).includes(into)) wrong.push(`${file} → ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("has no import cycles", () => {
    const graph = new Map(
      sources.map((f) => [
        f,
        local(f)
          .filter((i) => !i.typeOnly)
          .map((i) => resolve(f, i.to)),
      ]),
    );
    expect(cycle(graph)).toEqual([]);
  });

  it("every import exists", () => {
    const missing = files.flatMap((f) =>
      local(f)
        .map((i) => resolve(f, i.to))
        .filter((t) => !existsSync(t))
        .map((t) => `${f} → ${t}`),
    );
    expect(missing).toEqual([]);
  });

  it(`no file exceeds ${lineLimit} lines, and the median is near 150`, () => {
    expect(files.filter((f) => !tables.includes(f) && lines(f) > lineLimit)).toEqual([]);
    const sorted = sources.map(lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(220);
  });

  it("what the browser loads uses no Node built-in and no eval", () => {
    const wrong = [...reachable("src/index.ts")].flatMap((f) => {
      const text = readFileSync(f, "utf8");
      const builtins = importsOf(f).filter(
        (i) => !i.typeOnly && (i.to.startsWith("node:") || f.endsWith(".node.ts")),
      );
      const evals = /\beval\(|new Function\(|(?<![\w#-])process\.|\bBuffer\./.test(text)
        ? ["eval, process or Buffer"]
        : [];
      return [...builtins.map((i) => i.to), ...evals].map((what) => `${f}: ${what}`);
    });
    expect(wrong).toEqual([]);
  });

  it("every method has a docs page", async () => {
    const { descriptors } = await import("../src/descriptors/table.ts");
    const { regressors } = await import("../src/regressors/table.ts");
    const { potentials } = await import("../src/potentials/table.ts");
    const { molecularDescriptors } = await import("../src/descriptors/molecular/table.ts");
    const pages = [
      ...Object.keys(descriptors).map((n) => `docs/descriptors/${n}.md`),
      ...Object.keys(molecularDescriptors).map((n) => `docs/descriptors/${n}.md`),
      ...Object.keys(regressors).map((n) => `docs/regressors/${n}.md`),
      ...Object.keys(potentials).map((n) => `docs/potentials/${n}.md`),
    ];
    expect(pages.filter((p) => !existsSync(p))).toEqual([]);
  });

  it("links in the documentation lead somewhere", () => {
    const pages = [...globSync("*.md"), ...globSync("docs/**/*.md"), ...globSync("data/*.md")];
    const broken = pages.flatMap((page) =>
      [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map((m) => m[1])
        .filter((to) => !existsSync(resolve(page, to)))
        .map((to) => `${page} → ${to}`),
    );
    expect(broken).toEqual([]);
  });

  it("no method is told by its name outside its own table", () => {
    const methods =
      /["'](acsf|ani|neural-network|zbl|isolated-atoms|composed|lennard-jones|morse|stillinger-weber|mueller-brown|double-well|leps)["']/;
    const wrong = sources
      .filter((f) => !f.endsWith("table.ts") && !f.startsWith("src/cli/"))
      .filter((f) =>
        readFileSync(f, "utf8")
          .split("\n")
          .some((l) => /===|!==|case\s/.test(l) && methods.test(l)),
      );
    expect(wrong).toEqual([]);
  });
});
