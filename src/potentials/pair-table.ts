import { z } from "../zod.ts";
import type { Device } from "../device/device.ts";
import { invalid, NumericalError } from "../error.ts";
import { pairKey, pairName } from "../structure/statistics.ts";
import { CubicSpline } from "../math/cubic-spline.ts";
import { PairSum, type Bend, type Curve } from "./pair-sum.ts";
import type { PotentialMethod } from "./potential.ts";

const table = z.strictObject({
  cutoff: z
    .number()
    .positive()
    .meta({ unit: "Å", help: "No energy from here on; at most the last distance" }),
});

const pairTableOptions = z.strictObject({
  pairs: z
    .record(z.string().regex(/^\d+-\d+$/), table.nullable())
    .meta({ help: "Cutoff of each pair of atomic numbers, as in 2-74; null: no energy" }),
});

export type PairTableOptions = z.infer<typeof pairTableOptions>;

type Tensors = Readonly<Record<string, Float64Array>>;

/** Names of the numbers of a pair: distances (Å), energies (eV), slopes dE/dr at both ends (eV/Å). */
export const tableNames = (pair: string) => ({
  r: `${pair}.r`,
  energy: `${pair}.energy`,
  slopes: `${pair}.slopes`,
});

/** The spline through the numbers of a pair. */
function tableSpline(pair: string, tensors: Tensors): CubicSpline {
  const names = tableNames(pair);
  const [r, energy, slopes] = [tensors[names.r], tensors[names.energy], tensors[names.slopes]];
  if (!r || !energy || !slopes)
    throw invalid(`pair-table ${pairName(pair)}`, "distances, energies and slopes", Object.keys(tensors));
  return new CubicSpline(r, energy, slopes[0], slopes[1]);
}

/** Energies of pairs from tables: cubic splines in r with given slopes at both ends; below the first distance an error. */
export class PairTable extends PairSum {
  constructor(options: PairTableOptions, elements: readonly number[], tensors: Tensors, device: Device) {
    const S = elements.length;
    const outer = new Float64Array(S * S);
    const splines: (CubicSpline | undefined)[] = [];
    elements.forEach((Zi, a) =>
      elements.forEach((Zj, b) => {
        const key = pairKey(Zi, Zj);
        const pair = options.pairs[key];
        if (pair === undefined)
          throw invalid("pair-table.pairs", `a cutoff of ${pairName(key)}, or null`, "none");
        if (pair === null) return;
        const spline = tableSpline(key, tensors);
        if (pair.cutoff > spline.last)
          throw invalid(`pair-table.pairs.${key}.cutoff`, `at most ${spline.last}`, pair.cutoff);
        outer[a * S + b] = pair.cutoff;
        splines[a * S + b] = spline;
      }),
    );
    /** Calls `write` with the pair and its spline after the spline has been evaluated there. */
    const each = (
      a: number,
      b: number,
      room: Float64Array,
      n: number,
      write: (k: number, s: CubicSpline) => void,
    ) => {
      const spline = splines[a * S + b]!;
      for (let k = 0; k < n; k++) {
        const r = room[k];
        if (r < spline.first)
          throw new NumericalError(
            `${pairName(pairKey(elements[a], elements[b]))} at ${r} Å: the table starts at ${spline.first} Å`,
          );
        spline.evaluate(r);
        write(k, spline);
      }
    };
    const curve: Curve = (a, b, n, buffer, capacity) => {
      const room = device.memory.f64(buffer, 3 * capacity);
      each(a, b, room, n, (k, { value, slope }) => {
        room[capacity + k] = value;
        room[2 * capacity + k] = slope;
      });
    };
    const bend: Bend = (a, b, n, buffer, capacity) => {
      const room = device.memory.f64(buffer, 3 * capacity);
      each(a, b, room, n, (k, { slope, bend: second }) => {
        room[capacity + k] = slope;
        room[2 * capacity + k] = second;
      });
    };
    super(elements, outer, curve, bend, device);
  }
}

/** Energies of pairs of atoms from tables. */
export const pairTable: PotentialMethod<PairTableOptions> = {
  name: "pair-table",
  summary: "Energies of pairs of atoms from tables, as LAMMPS's pair_style table",
  options: pairTableOptions,
  build: (options, elements, tensors, device) => new PairTable(options, elements, tensors, device),
};
