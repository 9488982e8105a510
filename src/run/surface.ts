import type { Evaluation, Potential } from "../potentials/potential.ts";
import { invalid } from "../error.ts";
import { NeighbourList } from "../structure/neighbour-list.ts";
import type { Structure } from "../structure/structure.ts";

/** A point on the potential energy surface: plain data, part of every checkpoint. */
export interface Point {
  /** [n, 3], Å. */
  readonly positions: Float64Array;
  /** [n, 3], eV/Å. */
  readonly forces: Float64Array;
  /** −dE/dε, [3, 3], eV. */
  readonly virial: Float64Array;
  /** eV. */
  energy: number;
  /** Dipole moment, [3], e Å, where the potential tells one. */
  dipole?: Float64Array;
  /** Rows are lattice vectors, [3, 3], Å; null without periodicity. */
  readonly cell: Float64Array | null;
  /** Positions at which the neighbour list was made, [n, 3], Å: the order of its pairs decides the last bit. */
  readonly reference: Float64Array;
  /** The cell at which it was made. */
  readonly referenceCell: Float64Array | null;
}

/** Energy, forces and virial of moving atoms in a cell that may change, with a neighbour list that is kept as long as it holds. */
export interface Surface {
  readonly structure: Structure;
  /** A point at the structure's own positions, evaluated. */
  start(): Point;
  /** Overwrites energy, forces and virial for the point's positions and cell. */
  evaluate(point: Point): void;
  /** How often the neighbour list was made. */
  rebuilds(): number;
}

const same = (a: Float64Array | null, b: Float64Array | null): boolean => {
  if (!a || !b) return a === b;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/** The surface that a potential spans for one set of atoms; skin in Å. */
export function createSurface(structure: Structure, potential: Potential, skin = 0.5): Surface {
  checkElements(structure, potential);
  let list = new NeighbourList(potential.cutoff, skin);
  /** The point at which the present list was made. */
  let made: Pick<Point, "reference" | "referenceCell"> | null = null;
  let rebuilds = 0;

  /** A list made where the point's own list was made, so that a resumed run sums in the same order. */
  function restore(point: Point): void {
    const { reference, referenceCell } = point;
    if (made && same(made.reference, reference) && same(made.referenceCell, referenceCell)) return;
    list = new NeighbourList(potential.cutoff, skin);
    list.update({ ...structure, positions: reference, cell: referenceCell });
    made = { reference: reference.slice(), referenceCell: referenceCell && referenceCell.slice() };
  }

  function evaluate(point: Point): void {
    restore(point);
    const now = { ...structure, positions: point.positions, cell: point.cell };
    const before = list.rebuilds;
    const neighbours = list.update(now);
    if (list.rebuilds > before) {
      point.reference.set(point.positions);
      if (point.cell) point.referenceCell!.set(point.cell);
      made = { reference: point.positions.slice(), referenceCell: point.cell && point.cell.slice() };
      rebuilds++;
    }
    point.forces.fill(0);
    point.virial.fill(0);
    const { forces, virial } = point;
    if (potential.dipole) point.dipole ??= new Float64Array(3);
    point.dipole?.fill(0);
    const out: Evaluation = { energy: 0, forces, virial, ...(point.dipole && { dipole: point.dipole }) };
    potential.evaluate(now, neighbours, out);
    point.energy = out.energy;
    if (!potential.dipole) delete point.dipole;
  }

  function start(): Point {
    const { positions, cell } = structure;
    const point = {
      positions: positions.slice(),
      forces: new Float64Array(positions.length),
      virial: new Float64Array(9),
      energy: 0,
      cell: cell && cell.slice(),
      reference: positions.slice(),
      referenceCell: cell && cell.slice(),
    };
    evaluate(point);
    return point;
  }

  return { structure, start, evaluate, rebuilds: () => rebuilds };
}

function checkElements(structure: Structure, potential: Potential): void {
  const known = potential.elements;
  if (!known) return;
  const strange = [...new Set(structure.numbers)].filter((z) => !known.includes(z));
  if (strange.length)
    throw invalid(
      "structure",
      `atomic numbers ${known.join(", ")} that the potential knows`,
      strange.join(", "),
    );
}
