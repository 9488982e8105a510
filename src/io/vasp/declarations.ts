import type { InfoValue } from "../../structure/structure.ts";

/** Units and sign of VASP's numbers, in the words that the labels understand. */
export const declarations = (stress: boolean): Record<string, InfoValue> => ({
  energy_unit: "eV",
  length_unit: "Å",
  ...(stress && { stress_unit: "kbar", stress_sign: "pressure" }),
});
