// npm run lesson claisen: the commands of lessons/claisen.md, one after another, from the project's folder.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { commandsOf } from "./lesson.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean" }, force: { type: "boolean" }, output: { type: "string" } },
});
const names = readdirSync(`${root}lessons`).flatMap((file) => /^(.*)\.md$/.exec(file)?.[1] ?? []);
const [name] = positionals;
if (!names.includes(name)) {
  console.error(
    `npm run lesson <name> [-- --quick] [--force] [--output folder]; lessons: ${names.join(", ")}`,
  );
  process.exit(2);
}
if (values.output !== undefined && !existsSync(values.output)) {
  console.error(`--output: expected a folder, found nothing of the name ${values.output}`);
  process.exit(2);
}

const hasXtb = spawnSync("xtb", ["--version"]).error === undefined;
const place = `lessons/${name}.md`;
const begun = performance.now();
const since = (start: number): string => ((performance.now() - start) / 1000).toFixed(0);
for (const { words, quick } of commandsOf(readFileSync(`${root}${place}`, "utf8"), place)) {
  if (values.quick && quick === null) continue;
  if (words.includes("xtb") && !hasXtb) {
    console.log(`\n$ surfit ${words.join(" ")}\nleft out: the program xtb is not installed`);
    continue;
  }
  const shortened = values.quick ? (quick ?? []) : [];
  const forced = values.force && words.includes("-o") ? ["--force"] : [];
  const all = [...words, ...shortened, ...forced].map((word) =>
    values.output === undefined ? word : word.replace(/^runs\//, `${values.output}/`),
  );
  console.log(`\n$ surfit ${all.join(" ")}`);
  const from = performance.now();
  const { status } = spawnSync(process.execPath, [`${root}src/cli/main.ts`, ...all], {
    cwd: root,
    stdio: "inherit",
  });
  console.log(`(${since(from)} s)`);
  if (status !== 0) process.exit(status ?? 1);
}
console.log(`\nin all: ${since(begun)} s`);
