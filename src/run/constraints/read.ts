import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { parseParts, Reader } from "../../potentials/bias/parse.ts";
import { Variable, refuseDegrees } from "../../potentials/bias/variable.ts";
import { covalentRadius } from "../../structure/elements.ts";
import { nearestImage } from "../../structure/nearest-image.ts";
import type { Structure } from "../../structure/structure.ts";
import type { Fixed } from "./constraints.ts";
import type { Bond } from "./fixed-bond.ts";
import type { Held } from "./fixed-variable.ts";

/** Atoms closer than this many sums of covalent radii are bonded. */
const REACH = 1.3;

/** Every hydrogen with its nearest atom that is none, where that is near enough for a bond. */
export function bondsToHydrogen(structure: Structure): Bond[] {
  const { numbers, positions } = structure;
  const nearest = nearestImage(structure);
  const d = new Float64Array(3);
  const atoms = [...numbers.keys()];
  return atoms
    .filter((i) => numbers[i] === 1)
    .flatMap((i) => {
      let [best, bonded] = [REACH, -1];
      for (const j of atoms) {
        if (numbers[j] === 1) continue;
        for (let k = 0; k < 3; k++) d[k] = positions[3 * j + k] - positions[3 * i + k];
        nearest(d, 0);
        const radii = (covalentRadius(1) ?? NaN) + (covalentRadius(numbers[j]) ?? NaN);
        const share = Math.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2) / radii;
        if (share < best) [best, bonded] = [share, j];
      }
      return bonded < 0 ? [] : [{ atoms: [bonded, i] as const }];
    });
}

/** Reads "1-2,3-4=1.09" (atoms from 1 on, lengths in Å) or "hydrogens". */
export function readFixedBonds(text: string, structure: Structure, place = "fixed bonds"): Bond[] {
  if (text.trim() === "hydrogens") {
    const bonds = bondsToHydrogen(structure);
    if (bonds.length === 0) throw invalid(place, "a structure with hydrogen that is bonded", "none");
    return bonds;
  }
  return text.split(",").map((word) => {
    const found = /^\s*([1-9]\d*)\s*-\s*([1-9]\d*)\s*(?:=\s*(\d*\.?\d+)\s*)?$/.exec(word);
    if (!found) throw invalid(place, 'bonds as "1-2,3-4=1.09" or "hydrogens"', word);
    const [, i, j, length] = found;
    return { atoms: [Number(i) - 1, Number(j) - 1] as const, ...(length && { length: Number(length) }) };
  });
}

/** Reads "distance(1,2)-distance(3,4)=0.5", or without a value the one of the structure. */
function readHeld(text: string, device: Device, place: string): Held {
  const reader = new Reader(text, place);
  const parts = parseParts(reader);
  const named = text.slice(0, reader.at);
  const value = reader.take(/=/) && reader.number("the value at which it is held");
  if (!reader.done) reader.fail('"=" and a value, or the end');
  const variable = new Variable(named.trim(), parts, device);
  if (typeof value !== "number") return { variable };
  refuseDegrees(variable, value, place);
  return { variable, value };
}

const isVariable = (text: string): boolean => text.includes("(");

/** Reads what is to be held fixed: bonds as `readFixedBonds` does, variables with or without a value. */
export function readFixed(
  texts: readonly string[],
  structure: Structure,
  device: Device,
  place = "constraints",
): Required<Fixed> {
  return {
    fixedBonds: texts
      .filter((text) => !isVariable(text))
      .flatMap((text) => readFixedBonds(text, structure, place)),
    held: texts.filter(isVariable).map((text) => readHeld(text, device, place)),
  };
}
