import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { writeFrames } from "../../io/files.node.ts";
import { broadened, infraredIntensities } from "../../run/infrared.ts";
import type { Response } from "../../run/hessian.ts";
import { harmonic, idealGas } from "../../run/thermochemistry.ts";
import type { Thermochemistry } from "../../run/thermochemistry.ts";
import { vibrations } from "../../run/vibrations.ts";
import type { Vibrations } from "../../run/vibrations.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import { E_A_IN_DEBYE } from "../../structure/units.ts";
import { withCharges, withChargesOf } from "../charges.ts";
import type { ChargesFlag } from "../charges.ts";
import { atLeastOne, MODEL, positive, present, refuseIdle, withCommons } from "../command.ts";
import { evaluateOnce, openModel } from "../engine.ts";
import type { Answer, Engine } from "../engine.ts";
import { refuseExisting, writeWhole } from "../files.ts";
import { exactly, forceConstants, withHessian, withThreads } from "../force-constants.ts";
import type { HessianFlag, ThreadsFlag } from "../force-constants.ts";
import { massesOf, withMasses } from "../masses.ts";
import type { MassesFlag } from "../masses.ts";
import { createProgress } from "../progress.ts";
import { standalone } from "../report/figures.ts";
import { spectrumFigure } from "../report/spectrum.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags, ThreadsFlag, HessianFlag, ChargesFlag, MassesFlag {
  readonly output?: string;
  readonly spectrum?: string;
  readonly width: number;
  readonly step: number;
  readonly temperature: number;
  readonly pressure: number;
  readonly symmetry: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit vibrations: normal modes, infrared intensities and thermochemistry of a relaxed structure. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit vibrations model.surfit relaxed.xyz", "wavenumbers, zero-point energy, thermochemistry"],
      ["surfit vibrations model.surfit relaxed.xyz -o modes.xyz", "modes as frames with displacements"],
      ["surfit vibrations model.surfit water.xyz --symmetry 2 --temperature 373", "of the gas"],
      ["surfit vibrations xtb water.xyz --spectrum ir", "infrared spectrum: ir.svg and ir.txt"],
      ["surfit vibrations model.surfit water.xyz --masses H=2.014102", "of heavy water"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame is a minimum or a saddle point")
    .option("-o, --output <file>", "one frame for each mode, with its displacements as a column")
    .option(
      "--spectrum <name>",
      "draw the infrared spectrum to <name>.svg, and its curve to <name>.txt; the model must give a dipole",
    )
    .option("--width <cm⁻¹>", "full width at half maximum of the spectrum's bands", positive, 20)
    .option("--step <Å>", "displacement of the differences", positive, 0.005)
    .option("--temperature <K>", "of the thermochemistry", positive, 298.15)
    .option("--pressure <Pa>", "of the gas", positive, 101325)
    .option("--symmetry <n>", "symmetry number of the molecule", atLeastOne, 1)
    .option("--force", "overwrite the output")
    .action(run);
  withThreads(withHessian(withMasses(withCharges(command))));
}

/** Largest force at which a structure still counts as stationary, eV/Å. */
const STILL = 0.02;

async function run(modelFile: string, file: string, flags: Flags, command: Command): Promise<void> {
  refuseIdle(command, [["width", "--spectrum", flags.spectrum !== undefined]]);
  const drawn = flags.spectrum ? [`${flags.spectrum}.svg`, `${flags.spectrum}.txt`] : [];
  for (const name of [flags.output, ...drawn]) if (name) refuseExisting(name, flags.force);
  const [frame] = await readStructures([file], flags);
  const engine = withChargesOf(await openModel(modelFile), flags, frame);
  const { structure, place } = frame;
  const masses = massesOf(flags, structure);
  const answer = evaluateOnce(engine.potential, structure, place);
  if (flags.spectrum && !answer.dipole) refuseSpectrum(modelFile);
  const { hessian, dipoleSlopes, exact } = await responseOf(modelFile, engine, structure, flags);
  const modes = vibrations(structure, hessian, { masses, external: engine.potential.external });
  const intensities = dipoleSlopes && infraredIntensities(modes, dipoleSlopes);
  const { temperature, pressure, symmetry } = flags;
  // Atoms that are bound to a solid or to space do not fly or turn.
  const bound = structure.pbc.some(Boolean) || engine.potential.external;
  refuseIdle(command, [
    ["pressure", "a molecule that is free", !bound],
    ["symmetry", "a molecule that is free", !bound],
    ["step", "--hessian differences, or a dipole", !exact || dipoleSlopes !== undefined],
  ]);
  const thermochemistry = bound
    ? harmonic(modes.wavenumbers, temperature)
    : idealGas(structure, modes.wavenumbers, { temperature, pressure, symmetry, masses });
  if (flags.output) await writeFrames(flags.output, modeFrames(frame, modes, intensities));
  if (intensities && flags.spectrum) await drawSpectrum(drawn, modes, intensities, flags);
  const { wavenumbers, rigid, reducedMasses, zeroPointEnergy } = modes;
  const json = {
    place,
    energy: answer.energy,
    hessian: exact ? "exact" : "differences",
    ...(answer.dipole && { dipole: answer.dipole }),
    wavenumbers,
    ...(intensities && { intensities }),
    reducedMasses,
    rigid,
    zeroPointEnergy,
    thermochemistry,
  };
  const text = [
    modeTable(modes, intensities),
    "",
    thermoTable(thermochemistry, flags, bound),
    "",
    ...remarks(answer, modes, exact, flags),
    ...(drawn.length > 0 ? [drawn.join(", ")] : []),
  ].join("\n");
  present({ text, json }, flags.json);
}

/** Force constants and derivatives of the dipole; those of the dipole are differences in any case. */
async function responseOf(
  modelFile: string,
  engine: Engine,
  structure: Structure,
  flags: Flags,
): Promise<Response & { readonly exact: boolean }> {
  const exact = exactly(modelFile, engine.potential, structure, flags);
  if (exact && !engine.potential.dipole) return { hessian: exact, exact: true };
  const progress = createProgress();
  const watch = (done: number) => progress.update(done, "force constants");
  const found = await forceConstants(modelFile, engine, structure, flags, { step: flags.step, watch });
  progress.done();
  return { ...found, ...(exact && { hessian: exact }), exact: exact !== null };
}

/** What the tables do not say. */
function remarks(
  { dipole, forces }: Answer,
  { rigid }: Vibrations,
  exact: boolean,
  { step }: Flags,
): string[] {
  const strongest = forces.reduce((most, f) => Math.max(most, Math.abs(f)), 0);
  return [
    ...(dipole ? [dipoleLine(dipole)] : []),
    `force constants: ${exact ? "second derivatives of the model's formulas" : `differences of forces, ${step} Å`}`,
    `motions of the whole, before they were projected out: ${[...rigid].map((w) => w.toFixed(1)).join(", ")} cm⁻¹`,
    ...(strongest > STILL
      ? [`warning: a force of ${show(strongest)} eV/Å is left: relax first, these are not normal modes`]
      : []),
  ];
}

function refuseSpectrum(modelFile: string): never {
  throw invalid("--spectrum", "a model that gives a dipole (xtb, pyscf), or --charges", modelFile);
}

const dipoleLine = (dipole: Float64Array): string =>
  `dipole moment ${show(E_A_IN_DEBYE * Math.hypot(...dipole), 4)} D, ${[...dipole].map((x) => x.toFixed(4)).join(" ")} e Å`;

/** Writes the curve and the figure. */
async function drawSpectrum(
  [svg, txt]: readonly string[],
  { wavenumbers }: Vibrations,
  intensities: Float64Array,
  { width }: Flags,
): Promise<void> {
  const spectrum = broadened(wavenumbers, intensities, { width });
  const rows = Array.from(
    spectrum.wavenumbers,
    (w, k) => `${w.toFixed(2)} ${spectrum.absorption[k].toPrecision(6)}`,
  );
  const head = `# wavenumber (cm-1)  absorption (km/mol cm), Lorentzian bands of ${width} cm-1`;
  await writeWhole(svg, standalone(spectrumFigure(spectrum, { wavenumbers, intensities }).svg));
  await writeWhole(txt, `${[head, ...rows].join("\n")}\n`);
}

function modeTable(
  { wavenumbers, reducedMasses }: Vibrations,
  intensities: Float64Array | undefined,
): string {
  const rows = [...wavenumbers].map((w, k) => [
    String(k + 1),
    w < 0 ? `${(-w).toFixed(2)}i` : w.toFixed(2),
    reducedMasses[k].toFixed(3),
    ...(intensities ? [intensities[k].toFixed(2)] : []),
  ]);
  const head = ["mode", "wavenumber (cm⁻¹)", "reduced mass (amu)"];
  return textTable([...head, ...(intensities ? ["infrared (km/mol)"] : [])], rows);
}

function thermoTable(t: Thermochemistry, { temperature, pressure }: Flags, bound: boolean): string {
  const kind = bound ? "harmonic" : `ideal gas at ${pressure} Pa`;
  return textTable(
    [`${kind}, ${temperature} K`, "eV"],
    [
      ["zero-point energy", t.zeroPointEnergy.toFixed(5)],
      ["internal energy U − E", t.internalEnergy.toFixed(5)],
      ...(bound ? [] : [["enthalpy H − E", t.enthalpy.toFixed(5)]]),
      ["T S", (temperature * t.entropy).toFixed(5)],
      ["heat capacity (meV/K)", (1000 * t.heatCapacity).toFixed(5)],
      [bound ? "Helmholtz energy F − E" : "Gibbs energy G − E", t.freeEnergy.toFixed(5)],
    ],
  );
}

const modeFrames = (
  { structure, place }: Frame,
  { modes, wavenumbers }: Vibrations,
  intensities: Float64Array | undefined,
): Frame[] =>
  modes.map((values, k) => ({
    structure,
    info: {
      mode: k + 1,
      wavenumber: wavenumbers[k],
      ...(intensities && { infrared_intensity: intensities[k] }),
    },
    arrays: { displacement: { kind: "real", width: 3, values } },
    place: `${place} mode ${k + 1}`,
  }));
