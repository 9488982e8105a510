import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { elasticConstants } from "../../run/elastic.ts";
import type { Elastic } from "../../run/elastic.ts";
import { EXIT, MODEL, positive, present, withCommons } from "../command.ts";
import { evaluateOnce, openModel, placing } from "../engine.ts";
import { createProgress } from "../progress.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";
import { EV_A3_IN_GPA } from "../../structure/units.ts";
import { show, textTable } from "../table.ts";

interface Flags extends UnitFlags {
  readonly strain: number;
  readonly relax: boolean;
  readonly json?: boolean;
}

/** surfit elastic: elastic constants of a relaxed crystal. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      [
        "surfit relax model.surfit crystal.xyz --cell full --fmax 1e-4 -o relaxed.xyz",
        "first, the crystal at rest",
      ],
      ["surfit elastic model.surfit relaxed.xyz", "C_ij, bulk and shear modulus, stability"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame is a relaxed crystal")
    .option("--strain <x>", "of the differences", positive, 0.001)
    .option("--no-relax", "keep the atoms where the strain puts them")
    .action(run);
}

/** Strain beyond which differences are no derivatives. */
const LARGEST = 0.05;

/** Stress that is still rest, GPa. */
const STILL = 0.1;

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  const { potential } = await openModel(modelFile);
  const [{ structure, place }] = await readStructures([file], flags);
  const { stress } = evaluateOnce(potential, structure, place);
  const progress = createProgress();
  const watch = (done: number) => progress.update(done, "strained cells");
  const { strain, relax } = flags;
  if (strain > LARGEST) throw invalid("--strain", `at most ${LARGEST}`, strain);
  const found = placing(place, () => elasticConstants(structure, potential, { strain, relax, watch }));
  progress.done();
  const left = Math.max(0, ...Array.from(stress ?? [], Math.abs)) * EV_A3_IN_GPA;
  const warning =
    left > STILL
      ? [`warning: a stress of ${show(left)} GPa is left: relax the cell first (surfit relax --cell full)`]
      : [];
  const exitCode = found.stable ? EXIT.ok : EXIT.numerical;
  present(
    { text: [describe(found), ...warning].join("\n"), json: { place, ...found }, exitCode },
    flags.json,
  );
}

const NAMES = ["xx", "yy", "zz", "yz", "xz", "xy"];

/** Two decimals, no −0. */
const round = (x: number): string => (Math.round(100 * x) / 100 + 0).toFixed(2);

function describe({ constants, asymmetry, bulk, shear, young, poisson, stable }: Elastic): string {
  const rows = NAMES.map((name, i) => [
    name,
    ...NAMES.map((_, j) => (j < i ? "" : round(constants[6 * i + j]))),
  ]);
  return [
    textTable(["C (GPa)", ...NAMES], rows),
    "",
    `bulk modulus ${bulk.toFixed(2)}, shear ${shear.toFixed(2)}, Young ${young.toFixed(2)} GPa, Poisson ${poisson.toFixed(3)} (means of Voigt and Reuss)`,
    `${stable ? "stable" : "NOT stable: an eigenvalue is not positive"}; C_ij and C_ji differ by up to ${show(asymmetry)} GPa`,
  ].join("\n");
}
