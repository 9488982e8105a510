import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createDevice } from "../device/device.ts";
import { readFrames } from "../io/files.node.ts";
import { testStructure } from "../io/lammps/example.ts";
import { ExtrapolationGuard } from "../potentials/extrapolation/guard.ts";
import type { Model } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { readStructures } from "./structures.ts";

/** A structure for another program to compute, and where it is from. */
export interface Specimen {
  readonly structure: Structure;
  readonly origin: string;
}

/** The frames that a fit has written beside its model, in eV and Å. */
const TRAINED = "predicted-train.xyz.gz";
/** Frames that are looked through. */
const LOOKED = 200;

/** The user's structure, or a training frame of the run that the model lies in, or a crystal near the training data. */
export async function specimenFor(model: Model, modelFile: string, given?: string): Promise<Specimen> {
  if (given !== undefined) {
    const [{ structure, place }] = await readStructures([given], {});
    return { structure, origin: place };
  }
  return (await trainingFrame(modelFile)) ?? nearestCrystal(model);
}

/** The training frame with the most elements; LAMMPS takes those that are periodic in all directions or in none. */
async function trainingFrame(modelFile: string): Promise<Specimen | undefined> {
  const path = join(dirname(modelFile), TRAINED);
  if (!existsSync(path)) return undefined;
  let [best, most, looked] = [undefined as Specimen | undefined, 0, 0];
  for await (const { structure, place } of readFrames(path)) {
    const kinds = new Set(structure.numbers).size;
    const whole = new Set(structure.pbc).size === 1 && structure.numbers.length > 1;
    if (whole && kinds > most) [best, most] = [{ structure, origin: place }, kinds];
    if (++looked === LOOKED) break;
  }
  return best;
}

/** Sizes of the test crystal that are tried. */
const SCALES = Array.from({ length: 16 }, (_, k) => 0.9 + 0.05 * k);

/** The test crystal at the distances at which it leaves the training data least; as it is where nothing is remembered. */
function nearestCrystal({ elements, ...model }: Model): Specimen {
  const origin = "a distorted crystal";
  const guard = ExtrapolationGuard.of({ elements, ...model }, createDevice());
  if (!guard) return { structure: testStructure(elements), origin };
  const by = guard.names[0];
  const tried = SCALES.map((scale) => {
    const structure = testStructure(elements, scale);
    return { structure, grade: Math.max(...guard.grade(structure)[by]) };
  });
  const { structure } = tried.reduce((a, b) => (b.grade < a.grade ? b : a));
  return { structure, origin };
}
