import type { Model, Potential } from "../../potentials/potential.ts";
import { volume } from "../../structure/cell.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import { toLammps, writeData } from "./data-file.ts";
import { expectedText, inputText, testStructure } from "./example.ts";
import type { Expected } from "./example.ts";
import type { Files } from "./script.ts";
import { writePotential } from "./write.ts";

/** What a folder for LAMMPS is made of beside the model. */
export interface ExportOptions {
  /** Stem of the names of the potential's files. */
  readonly name?: string;
  /** First line of every file. */
  readonly title?: string;
  /** What energy and forces are given for; a distorted crystal of the elements by default. */
  readonly structure?: Structure;
}

/** A folder ready to run, and what LAMMPS will say there. */
export interface LammpsFolder {
  readonly files: Files;
  /** pair_style and pair_coeff lines, as in potential.lammps. */
  readonly commands: readonly string[];
  readonly expected: Expected;
}

/**
 * The files with which an unmodified LAMMPS computes a model: the potential, an input, a structure, its energy and forces.
 * `potential` is the model's own, from `buildPotential`.
 */
export function writeLammps(model: Model, potential: Potential, options: ExportOptions = {}): LammpsFolder {
  const {
    name = "potential",
    title = "written by surfit",
    structure = testStructure(model.elements),
  } = options;
  const { files, commands } = writePotential(model, name, title);
  const frame = toLammps(structure);
  const expected = evaluate(potential, frame.structure);
  const lines = [`# ${title}`, ...commands].join("\n");
  return {
    files: {
      ...files,
      "potential.lammps": `${lines}\n`,
      "in.lammps": inputText(frame.structure.pbc[0], title),
      "data.lammps": writeData(frame, model.elements, title),
      "expected.json": expectedText(model.elements, expected),
    },
    commands,
    expected,
  };
}

function evaluate(potential: Potential, structure: Structure): Expected {
  const n = structure.numbers.length;
  const out = { energy: 0, forces: new Float64Array(3 * n), virial: new Float64Array(9) };
  potential.evaluate(structure, findNeighbours(structure, potential.cutoff), out);
  const V = structure.pbc[0] ? volume(structure.cell!) : 0;
  return { energy: out.energy, forces: out.forces, ...(V > 0 && { stress: out.virial.map((w) => -w / V) }) };
}
