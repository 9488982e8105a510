import type { Plan } from "../../fit/plan.ts";
import type { PreparedFit } from "../../fit/prepare.ts";
import { wholeMethod } from "../../fit/whole/table.ts";
import { formulaOf, symbolOf } from "../../structure/elements.ts";
import { pairName } from "../../structure/statistics.ts";
import { bytes, duration, show, textTable } from "../table.ts";

/** Distinct formulas of the data, the most frequent first. */
export function compositions({ dataset }: PreparedFit): string {
  const counts = new Map<string, number>();
  for (const { structure } of dataset.frames) {
    const formula = formulaOf(structure.numbers);
    counts.set(formula, (counts.get(formula) ?? 0) + 1);
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, 4).map(([formula]) => formula);
  return shown.join(", ") + (sorted.length > 4 ? ` and ${sorted.length - 4} more` : "");
}

/** What a fit is going to do, as a table: counts, model, time, memory. */
export function planTable(prepared: PreparedFit, threads: number): string {
  const { dataset, plan, learned, statistics, resolved } = prepared;
  const { frames } = plan;
  const { descriptor, regressor } = resolved.model;
  const total = Object.values(plan.bytes).reduce((a, b) => a + b, 0);
  const labels = Object.entries(dataset.labelled).map(([label, n]) => `${n} ${label}`);
  const whole = wholeMethod(regressor.name) !== undefined;
  const features = whole
    ? [`${learned.sizes[0]} of the molecule`]
    : dataset.elements.map((z, e) => `${symbolOf(z)} ${learned.sizes[e]}`);
  const closest = Object.entries(statistics.shortest)
    .sort((a, b) => a[1] - b[1])
    .slice(0, 4)
    .map(([pair, r]) => `${pairName(pair)} ${r.toFixed(2)} Å`);
  const rows = [
    ["frames", `${frames.train} train, ${frames.validation} validation, ${frames.test} test`],
    ["systems", `${compositions(prepared)}; ${dataset.atoms} atoms in all`],
    ["labels", labels.join(", ")],
    ["shortest distances", closest.join(", ")],
    ["neighbours", `${show(statistics.meanNeighbours)} per atom within ${statistics.cutoff} Å`],
    ["model", `${descriptor.name} + ${regressor.name}, ${plan.parameters} parameters`],
    ["features", features.join(", ")],
    ...courseRows(plan, `${threads} ${threads === 1 ? "thread" : "threads"}`),
    ...matrixRow(plan, whole),
    ["memory", `about ${bytes(Math.round(total))}`],
  ];
  return textTable(["plan", ""], rows);
}

/** How the parameters are found: epochs, or one system of equations. */
function courseRows({ design, epochs, stepsPerEpoch, seconds, secondsPerEpoch }: Plan, threads: string) {
  if (!design)
    return [
      ["training", `${epochs} epochs of ${stepsPerEpoch} steps, ${threads}`],
      ["time", `about ${duration(seconds)} (${show(1000 * secondsPerEpoch)} ms per epoch, measured)`],
    ];
  const folds = design.folds > 1 ? `, ${design.folds} parts left out in turn` : "";
  return [
    ["equations", `${design.rows} rows × ${design.columns} columns in closed form${folds}, ${threads}`],
    ["time", `about ${duration(seconds)}${stagesOf(design)}`],
  ];
}

/** Stages of a solution that count. */
function stagesOf({ stages = [], seconds }: NonNullable<Plan["design"]>): string {
  const told = stages.filter((stage) => stage.seconds > 0.02 * seconds);
  if (told.length < 2) return " (operations counted, rates measured)";
  return ` (${told.map((stage) => `${stage.name} ${duration(stage.seconds)}`).join(", ")})`;
}

/** What a matrix of parameters by parameters takes, where the optimiser has one. */
function matrixRow({ blocks, design, bytes: { matrix } }: Plan, whole: boolean): string[][] {
  const what = whole ? "the covariance and its factor" : "blocks of rows and what they are reduced to";
  if (design) return [["matrix", `${what}, ${bytes(Math.round(matrix))}`]];
  if (blocks.length === 0) return [];
  const shape = blocks.length === 1 ? "one block" : `${blocks.length} blocks`;
  return [["matrix", `${shape} of at most ${Math.max(...blocks)}² numbers, ${bytes(Math.round(matrix))}`]];
}

/** Energies of the isolated atoms and where they come from. */
export function atomRows({ known }: PreparedFit): string[][] {
  const { options, sources } = known.isolatedAtoms;
  return Object.entries(options.energies).map(([symbol, energy]) => [
    symbol,
    energy.toFixed(6),
    sources[symbol] ?? "",
  ]);
}
