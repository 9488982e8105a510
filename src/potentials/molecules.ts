import type { Structure } from "../structure/structure.ts";
import type { Batch } from "./potential.ts";

/** Structures of a batch for models of whole molecules: nothing else is kept. */
export class Molecules implements Batch {
  readonly list: readonly Structure[];
  readonly atoms: number;
  readonly bytes = 0;

  constructor(list: readonly Structure[]) {
    this.list = list;
    this.atoms = list.reduce((sum, { numbers }) => sum + numbers.length, 0);
  }

  get structures(): number {
    return this.list.length;
  }
}
