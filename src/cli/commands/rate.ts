import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { hessian } from "../../run/hessian.ts";
import { harmonic, idealGas } from "../../run/thermochemistry.ts";
import { activation, wigner } from "../../run/transition-state.ts";
import type { Activation, Stationary } from "../../run/transition-state.ts";
import { vibrations } from "../../run/vibrations.ts";
import type { Frame } from "../../structure/structure.ts";
import { MODEL, positive, present, withCommons } from "../command.ts";
import { evaluateOnce, openModel } from "../engine.ts";
import type { Engine } from "../engine.ts";
import { createProgress } from "../progress.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags {
  readonly temperature: number;
  readonly pressure: number;
  readonly step: number;
  readonly json?: boolean;
}

/** surfit rate: free energy of activation and rate from a saddle point and the minima that it joins. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      [
        "surfit rate model.surfit saddle/saddle.xyz saddle/minima.xyz --temperature 450",
        "from what surfit saddle --irc wrote",
      ],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<saddle>", "file whose first frame is the saddle point")
    .argument("<minima>", "file of the minima, each a start of the reaction")
    .option("--temperature <K>", "of the thermochemistry", positive, 298.15)
    .option("--pressure <Pa>", "of the gas", positive, 101325)
    .option("--step <Å>", "displacement of the differences", positive, 0.005)
    .action(run);
}

/** Largest force at which a structure still counts as stationary, eV/Å. */
const STILL = 0.02;

/** A structure with its modes, or why it cannot be one. */
interface Point extends Stationary {
  readonly place: string;
  readonly wavenumbers: Float64Array;
  readonly strongest: number;
}

async function run(modelFile: string, top: string, bottom: string, flags: Flags): Promise<void> {
  const engine = await openModel(modelFile);
  const [saddle] = await readStructures([top], flags);
  const minima = await readStructures([bottom], flags);
  const progress = createProgress();
  const frames = [saddle, ...minima];
  const [own, ...starts] = frames.map((frame, k) => {
    const watch = (done: number) => progress.update((k + done) / frames.length, `modes of ${frame.place}`);
    return pointOf(frame, engine, flags, watch);
  });
  progress.done();
  check(own, 1, "a saddle point: one imaginary mode");
  for (const start of starts) check(start, 0, "a minimum: no imaginary mode");
  const { temperature } = flags;
  const found = starts.map((start) => activation(own, start, temperature));
  const tunnelling = wigner(own.wavenumbers[0], temperature);
  const text = [
    describe(found, starts, flags),
    "",
    `imaginary mode ${(-own.wavenumbers[0]).toFixed(1)}i cm⁻¹; tunnelling makes it ${show(tunnelling)} times faster (Wigner)`,
    ...[own, ...starts].flatMap(({ place, strongest }) =>
      strongest > STILL ? [`warning: ${place}: a force of ${show(strongest)} eV/Å is left`] : [],
    ),
  ].join("\n");
  const json = {
    temperature,
    wavenumbers: [...own.wavenumbers],
    tunnelling,
    minima: found.map((activated, k) => ({
      place: starts[k].place,
      ...activated,
      wavenumbers: [...starts[k].wavenumbers],
    })),
  };
  present({ text, json }, flags.json);
}

function pointOf(
  { structure, place }: Frame,
  { potential }: Engine,
  { temperature, pressure, step }: Flags,
  watch: (done: number) => void,
): Point {
  const { energy, forces } = evaluateOnce(potential, structure, place);
  const H = hessian(structure, potential, { step, watch });
  const { wavenumbers } = vibrations(structure, H, { external: potential.external });
  // Atoms that are bound to a solid or to space do not fly or turn.
  const thermochemistry =
    structure.pbc.some(Boolean) || potential.external
      ? harmonic(wavenumbers, temperature)
      : idealGas(structure, wavenumbers, { temperature, pressure });
  const strongest = forces.reduce((most, f) => Math.max(most, Math.abs(f)), 0);
  return { place, energy, thermochemistry, wavenumbers, strongest };
}

function check({ wavenumbers, place }: Point, imaginary: number, expected: string): void {
  const own = wavenumbers.filter((w) => w < 0);
  if (own.length !== imaginary)
    throw invalid(
      place,
      expected,
      own.length === 0 ? "none" : Array.from(own, (w) => `${show(-w)}i`).join(", "),
    );
}

function describe(found: readonly Activation[], starts: readonly Point[], { temperature }: Flags): string {
  const row = (name: string, of: (a: Activation) => string) => [name, ...found.map(of)];
  return textTable(
    [`${temperature} K, eV`, ...starts.map(({ place }) => `from ${place}`)],
    [
      row("energy ΔE‡", (a) => a.energy.toFixed(4)),
      row("with zero-point energy", (a) => a.groundState.toFixed(4)),
      row("enthalpy ΔH‡", (a) => a.enthalpy.toFixed(4)),
      row("T ΔS‡", (a) => (temperature * a.entropy).toFixed(4)),
      row("free energy ΔG‡", (a) => a.freeEnergy.toFixed(4)),
      row("rate (1/s)", (a) => a.rate.toExponential(3)),
    ],
  );
}
