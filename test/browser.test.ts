import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as surfit from "../src/index.ts";
import { startThreads } from "../src/node.ts";
import { job, type JobResult } from "./browser/job.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const chrome = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
const quiet = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
/** WebAssembly may be compiled; eval, inline scripts, blobs and other hosts may not. */
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

function serve(folder: string, isolated: boolean): Promise<Server> {
  const server = createServer((request, response) => {
    const path = join(folder, new URL(request.url ?? "/", "http://page").pathname);
    const file = existsSync(path) && statSync(path).isDirectory() ? join(path, "index.html") : path;
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const isolation = {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    };
    response.writeHead(200, {
      "Content-Type": types[extname(file)] ?? "application/octet-stream",
      "Content-Security-Policy": policy,
      ...(isolated && isolation),
    });
    response.end(readFileSync(file));
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

// Where the suite is the judge, nothing is left out for want of a browser.
const required = Boolean(process.env["CI"]) && process.env["CI"] !== "false";

it.runIf(required)("there is a Chromium to test with (CHROMIUM names one)", () => {
  expect(chrome).toBeDefined();
});

describe.skipIf(!chrome)("the library in a browser (needs Chromium)", () => {
  // Inside node_modules, so that the built package finds its dependencies.
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "surfit-page-"));
  let browser: Browser;
  let node: JobResult;

  beforeAll(async () => {
    const tsc = join(root, "node_modules/.bin/tsc");
    execFileSync(tsc, ["-p", "tsconfig.build.json", "--outDir", join(folder, "package")], { cwd: root });
    await build({
      root: join(root, "test/browser"),
      logLevel: "warn",
      resolve: { alias: { surfit: join(folder, "package/index.js") } },
      build: { outDir: join(folder, "page"), emptyOutDir: true, target: "es2024", modulePreload: false },
      worker: { format: "es" },
    });
    browser = await chromium.launch({ executablePath: chrome, args: quiet });
    node = await job(surfit, startThreads());
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    { isolated: true, threads: 2 },
    { isolated: false, threads: 1 },
  ])(
    "fits and evaluates with the bits of Node, isolated: $isolated",
    async ({ isolated, threads }) => {
      const server = await serve(join(folder, "page"), isolated);
      try {
        const page = await browser.newPage();
        const errors: string[] = [];
        page.on("pageerror", (e) => errors.push(e.message));
        const address = server.address();
        if (address === null || typeof address === "string") throw new Error("no port");
        await page.goto(`http://127.0.0.1:${address.port}/`);
        const result = await page.evaluate(() => window.runJob());
        expect(errors).toEqual([]);
        expect(await page.evaluate(() => window.violations)).toEqual([]);
        expect(result.shared).toBe(isolated);
        expect(result.threads).toBe(threads);
        expect(result.relative).toBeLessThan(50);
        expect({ ...result, threads: 0, shared: false }).toEqual({ ...node, threads: 0, shared: false });
        await page.close();
      } finally {
        server.close();
      }
    },
    120_000,
  );
});
