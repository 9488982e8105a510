import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The LAMMPS of the variable LMP, or `lmp`; undefined where it is absent or lacks one of the pair styles. */
export function lammps(...styles: string[]): string | undefined {
  const command = process.env["LMP"] ?? "lmp";
  const help = spawnSync(command, ["-h"], { encoding: "utf8" });
  if (help.status !== 0) return undefined;
  const pairs = /\* Pair styles:([^*]*)/.exec(help.stdout)?.[1].split(/\s+/) ?? [];
  return styles.every((style) => pairs.includes(style)) ? command : undefined;
}

/** What a run of the exported input printed. */
export interface LammpsResult {
  /** eV. */
  readonly energy: number;
  /** pxx pyy pzz pxy pxz pyz, bar. */
  readonly pressure: readonly number[];
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
}

/** Runs in.lammps on files in a folder of its own. */
export function runLammps(command: string, files: Readonly<Record<string, string>>): LammpsResult {
  const folder = mkdtempSync(join(tmpdir(), "surfit-lammps-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const run = spawnSync(command, ["-in", "in.lammps", "-log", "none", "-nocite"], {
      cwd: folder,
      encoding: "utf8",
    });
    if (run.status !== 0) throw new Error(`LAMMPS: ${run.stdout.slice(-800)} ${run.stderr.slice(-400)}`);
    return parse(run.stdout, readFileSync(join(folder, "forces.dump"), "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function parse(log: string, dump: string): LammpsResult {
  const lines = log.split("\n");
  const head = lines.findIndex((line) => /^\s*Step\s+Atoms\s+PotEng/.test(line));
  const [, , energy, ...pressure] = lines[head + 1].trim().split(/\s+/).map(Number);
  const rows = dump.trim().split("\n").slice(9);
  const forces = rows.flatMap((row) => row.trim().split(/\s+/).slice(5).map(Number));
  return { energy, pressure, forces: Float64Array.from(forces) };
}
