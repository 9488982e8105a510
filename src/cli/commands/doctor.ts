import type { Command } from "commander";
import { Doctor } from "../../fit/doctor/doctor.ts";
import type { Diagnosis } from "../../fit/doctor/doctor.ts";
import { present, withCommons } from "../command.ts";
import { createProgress } from "../progress.ts";
import { labelOptions, readAllLabelled, withLabels } from "../structures.ts";
import type { LabelFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends LabelFlags {
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** surfit doctor: what is wrong with a data set. */
export function define(command: Command): void {
  withLabels(
    withCommons(command, [
      ["surfit doctor data.xyz", "ranges, distances, duplicates, units, consistency, outliers"],
      ["surfit doctor data.xyz --strict", "exit code 1 when something is wrong, for scripts"],
    ]).argument("<data...>", "files of labelled structures"),
  )
    .option("--strict", "exit code 1 when a finding is an error")
    .action(run);
}

const VERDICTS: Readonly<Record<Diagnosis["verdict"], string>> = {
  ok: "healthy: nothing speaks against learning from these data",
  note: "healthy, with remarks",
  warn: "look at the warnings before you trust a fit to these data",
  error: "do not fit these data before the errors are mended",
};

async function run(files: string[], flags: Flags): Promise<void> {
  const { frames, notes } = await readAllLabelled(files, labelOptions(flags));
  const progress = createProgress();
  const doctor = new Doctor();
  for (const [k, frame] of frames.entries()) {
    progress.update(k / frames.length, `frame ${k} of ${frames.length}`);
    doctor.add(frame);
  }
  progress.done();
  const diagnosis = doctor.result();
  const exitCode = flags.strict && diagnosis.verdict === "error" ? 1 : 0;
  present({ text: describe(diagnosis, notes), json: { ...diagnosis, notes }, exitCode }, flags.json);
}

function describe(d: Diagnosis, notes: readonly string[]): string {
  const labels = Object.entries(d.labelled).map(([label, n]) => `${n} ${label}`);
  const types = Object.entries(d.configTypes).map(([type, n]) => `${type} ${n}`);
  return [
    `${d.frames} frames, ${d.atoms} atoms; labels: ${labels.join(", ")}`,
    ...(types.length ? [`config_type: ${types.join(", ")}`] : []),
    ...notes,
    "",
    elementTable(d),
    "",
    compositionTable(d),
    "",
    distanceTable(d),
    "",
    findingTable(d),
    "",
    `Verdict: ${VERDICTS[d.verdict]}.`,
  ].join("\n");
}

function elementTable({ elements }: Diagnosis): string {
  const rows = elements.map((e) => [
    e.symbol,
    String(e.atoms),
    e.energy === null ? "–" : e.energy.toFixed(4),
    e.source ?? "–",
    e.forceRms === null ? "–" : show(e.forceRms),
    e.forceMax === null ? "–" : show(e.forceMax),
    e.forceMaxPlace ?? "",
  ]);
  return textTable(["element", "atoms", "E0 (eV)", "source", "force RMS (eV/Å)", "max", "at"], rows);
}

function compositionTable({ compositions }: Diagnosis): string {
  const most = 12;
  const rows = compositions
    .slice(0, most)
    .map((c) => [c.formula, String(c.frames), c.min.toFixed(4), c.max.toFixed(4), show(c.deviation)]);
  const rest = compositions.length > most ? `\n… and ${compositions.length - most} more compositions` : "";
  return textTable(["composition", "frames", "min (eV/atom above E0)", "max", "deviation"], rows) + rest;
}

function distanceTable({ shortest }: Diagnosis): string {
  const rows = Object.entries(shortest).map(([pair, s]) => [pair, s.distance.toFixed(3), s.place]);
  return textTable(["pair", "shortest (Å)", "at"], rows);
}

function findingTable({ findings }: Diagnosis): string {
  const lines = findings.flatMap((f) => [
    `${f.severity.toUpperCase().padEnd(5)}  ${f.check}: ${f.message}`,
    ...(f.cure ? [`       → ${f.cure}`] : []),
    ...(f.places.length ? [`       at ${f.places.join(", ")}`] : []),
  ]);
  return lines.join("\n");
}
