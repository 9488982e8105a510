import type { Command } from "commander";
import { writeFrames } from "../../io/files.node.ts";
import { hessian } from "../../run/hessian.ts";
import { harmonic, idealGas } from "../../run/thermochemistry.ts";
import type { Thermochemistry } from "../../run/thermochemistry.ts";
import { vibrations } from "../../run/vibrations.ts";
import type { Vibrations } from "../../run/vibrations.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import { count, positive, present, withCommons } from "../command.ts";
import { evaluateOnce, openModel } from "../engine.ts";
import { refuseExisting } from "../files.ts";
import { createProgress } from "../progress.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags {
  readonly output?: string;
  readonly step: number;
  readonly temperature: number;
  readonly pressure: number;
  readonly symmetry: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** surfit vibrations: normal modes and thermochemistry of a relaxed structure. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit vibrations model.surfit relaxed.xyz", "wavenumbers, zero-point energy, thermochemistry"],
      ["surfit vibrations model.surfit relaxed.xyz -o modes.xyz", "modes as frames with displacements"],
      ["surfit vibrations model.surfit water.xyz --symmetry 2 --temperature 373", "of the gas"],
    ]),
  )
    .argument("<model>", "model file")
    .argument("<structure>", "file whose first frame is a minimum or a saddle point")
    .option("-o, --output <file>", "one frame for each mode, with its displacements as a column")
    .option("--step <Å>", "displacement of the differences", positive, 0.005)
    .option("--temperature <K>", "of the thermochemistry", positive, 298.15)
    .option("--pressure <Pa>", "of the gas", positive, 101325)
    .option("--symmetry <n>", "symmetry number of the molecule", count, 1)
    .option("--force", "overwrite the output")
    .action(run);
}

/** Largest force at which a structure still counts as stationary, eV/Å. */
const STILL = 0.02;

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  if (flags.output) refuseExisting(flags.output, flags.force);
  const { potential } = await openModel(modelFile);
  const [frame] = await readStructures([file], flags);
  const { structure, place } = frame;
  const { forces, energy } = evaluateOnce(potential, structure, place);
  const strongest = forces.reduce((most, f) => Math.max(most, Math.abs(f)), 0);
  const progress = createProgress();
  const watch = (done: number) => progress.update(done, "force constants");
  const H = hessian(structure, potential, { step: flags.step, watch });
  progress.done();
  const found = vibrations(structure, H, { external: potential.external });
  const periodic = structure.pbc.some(Boolean);
  const { temperature, pressure, symmetry } = flags;
  const thermo = periodic
    ? harmonic(found.wavenumbers, temperature)
    : idealGas(structure, found.wavenumbers, { temperature, pressure, symmetry });
  if (flags.output) await writeFrames(flags.output, modeFrames(frame, found));
  const warning =
    strongest > STILL
      ? [`warning: a force of ${show(strongest)} eV/Å is left: relax first, these are not normal modes`]
      : [];
  const text = [
    modeTable(found),
    "",
    thermoTable(thermo, flags, periodic),
    "",
    `motions of the whole, before they were projected out: ${[...found.rigid].map((w) => w.toFixed(1)).join(", ")} cm⁻¹`,
    ...warning,
  ].join("\n");
  const { wavenumbers, rigid, reducedMasses, zeroPointEnergy } = found;
  present(
    {
      text,
      json: { place, energy, wavenumbers, reducedMasses, rigid, zeroPointEnergy, thermochemistry: thermo },
    },
    flags.json,
  );
}

function modeTable({ wavenumbers, reducedMasses }: Vibrations): string {
  const rows = [...wavenumbers].map((w, k) => [
    String(k + 1),
    w < 0 ? `${(-w).toFixed(2)}i` : w.toFixed(2),
    reducedMasses[k].toFixed(3),
  ]);
  return textTable(["mode", "wavenumber (cm⁻¹)", "reduced mass (amu)"], rows);
}

function thermoTable(t: Thermochemistry, { temperature, pressure }: Flags, periodic: boolean): string {
  const kind = periodic ? "harmonic" : `ideal gas at ${pressure} Pa`;
  return textTable(
    [`${kind}, ${temperature} K`, "eV"],
    [
      ["zero-point energy", t.zeroPointEnergy.toFixed(5)],
      ["internal energy U − E", t.internalEnergy.toFixed(5)],
      ...(periodic ? [] : [["enthalpy H − E", t.enthalpy.toFixed(5)]]),
      ["T S", (temperature * t.entropy).toFixed(5)],
      ["heat capacity (meV/K)", (1000 * t.heatCapacity).toFixed(5)],
      [periodic ? "Helmholtz energy F − E" : "Gibbs energy G − E", t.freeEnergy.toFixed(5)],
    ],
  );
}

const modeFrames = (frame: Frame, { modes, wavenumbers }: Vibrations): Frame[] =>
  modes.map((values, k) => ({
    structure: frame.structure satisfies Structure,
    info: { mode: k + 1, wavenumber: wavenumbers[k] },
    arrays: { displacement: { kind: "real", width: 3, values } },
    place: `${frame.place} mode ${k + 1}`,
  }));
