import { join } from "node:path";
import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { displacement, velocitySpectrum } from "../../run/analysis/correlation.ts";
import type { Series } from "../../run/analysis/correlation.ts";
import { AngularDistribution, RadialDistribution } from "../../run/analysis/distribution.ts";
import type { Curve } from "../../run/analysis/distribution.ts";
import { elementsOf, masses as massesOf, symbolOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import { count, positive, present, withCommons } from "../command.ts";
import { refuseExisting, stem, writeWhole } from "../files.ts";
import { createProgress } from "../progress.ts";
import { curveFigure } from "../report/figures.ts";
import { escape, page, section } from "../report/page.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { bytes, show, textTable } from "../table.ts";

interface Flags extends UnitFlags {
  readonly output?: string;
  readonly cutoff: number;
  readonly angles?: number;
  readonly interval?: number;
  readonly skip: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit analyse: distributions, diffusion and spectra of a trajectory. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit analyse start-md/trajectory.xyz", "radial distributions, diffusion, vibrational spectrum"],
      ["surfit analyse start-md/trajectory.xyz --skip 200 --angles 2.8", "after equilibration; with angles"],
    ]),
  )
    .argument(
      "<trajectory>",
      "frames at even intervals, positions not wrapped into the cell, as surfit md writes",
    )
    .option("-o, --output <folder>", "where the tables and analysis.html go (default: <trajectory>-analysis)")
    .option("--cutoff <Å>", "of the radial distributions", positive, 8)
    .option("--angles <Å>", "longest bond of angular distributions (default: none)", positive)
    .option("--interval <fs>", "between frames (default: from their time_fs)", positive)
    .option("--skip <frames>", "to leave out at the start", count, 0)
    .option("--force", "overwrite the folder's files")
    .action(run);
}

/** One part of the analysis: a table in a file, and a figure. */
interface Part {
  readonly file: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
}

async function run(file: string, flags: Flags): Promise<void> {
  const all = await readStructures([file], flags);
  const frames = all.slice(flags.skip);
  if (frames.length === 0) throw invalid("--skip", `fewer than the ${all.length} frames`, flags.skip);
  const folder = flags.output ?? `${stem(file)}-analysis`;
  const progress = createProgress();
  const size = frames[0].structure.positions.byteLength * 2 * frames.length;
  progress.report(`${frames.length} frames of ${frames[0].structure.numbers.length} atoms, ${bytes(size)}`);
  const parts: Part[] = [...distributions(frames, flags, (done) => progress.update(done, "distributions"))];
  const rows: string[][] = [];
  const moving = frames.length >= 16 ? seriesOf(frames, flags.interval, file) : undefined;
  const elements = elementsOf(frames[0].structure.numbers);
  const diffusion: Record<string, { diffusion: number; error: number }> = {};
  if (moving) {
    progress.update(null, "displacements");
    const found = elements.map((z) => ({ z, ...displacement(moving.positions, atomsOf(frames[0], z)) }));
    for (const { z, diffusion: D, error } of found) {
      diffusion[symbolOf(z)] = { diffusion: D, error };
      // 1 Å²/fs is 10⁻⁵ m²/s.
      rows.push([`diffusion of ${symbolOf(z)}`, `${show(1e-5 * D)} m²/s`, `± ${show(1e-5 * error)}`]);
    }
    const curves = found.map((f) => ({ name: symbolOf(f.z), x: f.times, y: f.msd }));
    parts.push({ file: "msd.txt", title: "Mean squared displacement", x: "time (fs)", y: "Å²", curves });
    const spectrum = moving.velocities && spectrumOf(moving.velocities, frames[0]);
    if (spectrum) {
      rows.push(["temperature of the velocities", `${show(spectrum.temperature)} K`, ""]);
      const curve = { name: "all atoms", x: spectrum.wavenumbers, y: spectrum.density };
      const axes = { x: "wavenumber (cm⁻¹)", y: "density of states (cm)" };
      parts.push({
        file: "spectrum.txt",
        title: "Vibrational spectrum of the velocities",
        ...axes,
        curves: [curve],
      });
    }
  }
  progress.done();
  for (const part of parts) refuseExisting(join(folder, part.file), flags.force);
  refuseExisting(join(folder, "analysis.html"), flags.force);
  for (const part of parts) {
    // oxlint-disable-next-line no-await-in-loop -- small files, one after another
    await writeWhole(join(folder, part.file), tableOf(part));
  }
  await writeWhole(join(folder, "analysis.html"), html(file, parts));
  const text = [
    ...(rows.length ? [textTable(["quantity", "value", "error"], rows), ""] : []),
    `${folder}/: ${parts.map((p) => p.file).join(", ")}, analysis.html`,
    ...(moving ? [] : ["fewer than 16 frames: no diffusion, no spectrum"]),
    ...(moving && !moving.velocities ? ["no velocities in the frames: no spectrum"] : []),
  ].join("\n");
  present({ text, json: { folder, frames: frames.length, diffusion, parts } }, flags.json);
}

function* distributions(
  frames: readonly Frame[],
  flags: Flags,
  watch: (done: number) => void,
): Generator<Part> {
  const radial = new RadialDistribution(flags.cutoff);
  const angular = flags.angles === undefined ? undefined : new AngularDistribution(flags.angles);
  for (const [k, { structure }] of frames.entries()) {
    radial.add(structure);
    angular?.add(structure);
    watch(k / frames.length);
  }
  const { cell, pbc } = frames[0].structure;
  const y = cell && pbc.every(Boolean) ? "g(r)" : "neighbours per Å";
  yield { file: "rdf.txt", title: "Radial distribution", x: "r (Å)", y, curves: radial.result };
  if (angular)
    yield {
      file: "adf.txt",
      title: "Angular distribution",
      x: "angle (°)",
      y: "per degree",
      curves: angular.result,
    };
}

const atomsOf = ({ structure }: Frame, z: number): number[] =>
  Array.from(structure.numbers.keys()).filter((i) => structure.numbers[i] === z);

/** Positions and, where there are any, velocities at even intervals. */
function seriesOf(frames: readonly Frame[], given: number | undefined, file: string) {
  const [first, second] = frames.map((f) => f.info["time_fs"]);
  const interval =
    given ?? (typeof first === "number" && typeof second === "number" ? second - first : undefined);
  if (interval === undefined || !(interval > 0))
    throw invalid(file, "frames with time_fs, or --interval", interval === undefined ? "no times" : interval);
  for (const [k, frame] of frames.entries()) {
    const time = frame.info["time_fs"];
    const expected = typeof first === "number" ? first + k * interval : undefined;
    if (given === undefined && Math.abs((time as number) - expected!) > 1e-3 * interval)
      throw invalid(frame.place, `the time ${expected} fs, at even intervals`, time);
    if (frame.structure.numbers.length !== frames[0].structure.numbers.length)
      throw invalid(
        frame.place,
        `${frames[0].structure.numbers.length} atoms`,
        frame.structure.numbers.length,
      );
  }
  const positions: Series = { interval, frames: frames.map((f) => f.structure.positions) };
  const velocities = frames.flatMap((f) => {
    const found = f.arrays["velocities"];
    return found?.width === 3 && found.values instanceof Float64Array ? [found.values] : [];
  });
  return {
    positions,
    velocities: velocities.length === frames.length ? { interval, frames: velocities } : undefined,
  };
}

function spectrumOf(series: Series, { structure: { numbers } }: Frame) {
  const atoms = Array.from(numbers.keys());
  return velocitySpectrum(series, massesOf(numbers), atoms);
}

function tableOf({ x, y, curves }: Part): string {
  const head = `# ${[x, ...curves.map((c) => `${c.name} ${y}`)].map((t) => t.replaceAll(" ", "_")).join(" ")}`;
  const rows = Array.from(curves[0]?.x ?? [], (v, k) => [v, ...curves.map((c) => c.y[k])].join(" "));
  return `${[head, ...rows].join("\n")}\n`;
}

const html = (title: string, parts: readonly Part[]): string =>
  page(
    title,
    `<h1>${escape(title)}</h1>`,
    ...parts.map(({ title: heading, curves, x, y }) =>
      section(heading, `<figure>${curveFigure(curves, x, y).svg}</figure>`),
    ),
  );
