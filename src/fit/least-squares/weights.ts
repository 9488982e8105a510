import { invalid } from "../../error.ts";
import { volume } from "../../structure/cell.ts";
import { unit } from "../../structure/units.ts";
import type { Frame } from "../../structure/structure.ts";
import type { TrainingOptions } from "../options.ts";

/** Factors of one frame's rows: of the total energy (eV), of forces (eV/Å), of the virial (eV). */
export interface RowWeights {
  readonly energy: number;
  readonly forces: number;
  /** Off-diagonal components count once or twice: see `twice`. */
  readonly virial: number;
  /** Factor of yz, xz, xy beside `virial`. */
  readonly shear: number;
}

/** 1 eV/Å³ in bar, as FitSNAP has it from LAMMPS. */
const BAR = 1 / unit("pressure", "LAMMPS bar");

/**
 * With weights of groups: FitSNAP's rows, w_E E/n (eV per atom), w_F F (eV/Å), w_S σ (bar; six components, each once).
 * Without: the loss of loss.ts at its final weights, √(w λ_E/n) E, √(w λ_F/3n) F, √(w λ_S/9n) W with the off-diagonal
 * components twice. With expected errors: gap_fit's rows, E/(σ_E √n), F/σ_F, W/(σ_W √n) (six components, each once).
 * `weight` is the frame's own.
 */
export function rowWeights(
  { structure, configType, place }: Frame,
  weight: number,
  { weights }: TrainingOptions,
): RowWeights {
  const n = structure.numbers.length;
  const root = Math.sqrt(weight);
  if (Object.keys(weights.sigma).length > 0) {
    const sigma = weights.sigma[configType ?? ""] ?? weights.sigma["default"];
    if (!sigma)
      throw invalid(
        `${place}: config_type`,
        `one of training.weights.sigma (${Object.keys(weights.sigma).join(", ")}), which has no default`,
        configType ?? "none",
      );
    const each = Math.sqrt(n);
    return {
      energy: root / (sigma.energy * each),
      forces: root / sigma.forces,
      virial: root / (sigma.stress * each),
      shear: 1,
    };
  }
  if (Object.keys(weights.groups).length === 0)
    return {
      energy: root * Math.sqrt(weights.energyEnd / n),
      forces: root * Math.sqrt(weights.forces / (3 * n)),
      virial: root * Math.sqrt(weights.stress / (9 * n)),
      shear: Math.SQRT2,
    };
  const group = weights.groups[configType ?? ""];
  if (!group)
    throw invalid(
      `${place}: config_type`,
      `one of training.weights.groups (${Object.keys(weights.groups).join(", ")})`,
      configType ?? "none",
    );
  return {
    energy: (root * group.energy) / n,
    forces: root * group.forces,
    virial: structure.cell ? (root * group.stress * BAR) / volume(structure.cell) : 0,
    shear: 1,
  };
}
