import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../../test/shared.ts";
import { descriptors } from "../../descriptors/table.ts";
import { createDevice } from "../../device/device.ts";
import { readFitsnapJson } from "../../io/fitsnap/json.ts";
import { parseNpy } from "../../io/npy.ts";
import { compose } from "../../potentials/compose.ts";
import { linear } from "../../regressors/linear/linear.ts";
import { volume } from "../../structure/cell.ts";
import { unit } from "../../structure/units.ts";

const folder = shared("datasets/fitsnap_Ta");

interface Config {
  readonly group: string;
  readonly file: string;
  readonly natoms: number;
  readonly energy_row: number;
  readonly force_row: number;
  readonly stress_row: number;
}

async function structureOf({ group, file }: Config) {
  const bytes = readFileSync(`${folder}/JSON/${group}/${file}`);
  const stream = new Response(bytes).body! as unknown as Parameters<typeof readFitsnapJson>[0];
  const { value } = await readFitsnapJson(stream, file).next();
  return value!.structure;
}

describe.skipIf(!folder)("rows of FitSNAP's tantalum matrix, one configuration of each group", () => {
  it("are ours to 1e-9 of the largest number of the row", async () => {
    const reference = parseNpy(readFileSync(`${folder}/20May21_Standard/Descriptors.npy`), "Descriptors")
      .values as Float64Array;
    const { configs } = JSON.parse(readFileSync(`${folder}/20May21_Standard/row_map.json`, "utf8")) as {
      configs: Config[];
    };
    const device = createDevice({ bytes: 2 ** 26 });
    const see = descriptors["snap"];
    const options = see.options.parse({ twojmax: 6, cutoff: 4.67637, rfac0: 0.99363, bzero: false });
    const zero = new Float64Array(30);
    const statistics = { count: 1, mean: zero, deviation: zero, min: zero, max: zero };
    const plain = { quadratic: false, bias: true };
    const regressor = linear.build(plain, [30], linear.initialise(plain, [statistics], 1, 1), device);
    const { design } = compose(see.build(options, [73], device), regressor, device);
    const first = configs.filter(({ group }, k) => configs.findIndex((c) => c.group === group) === k);
    expect(first).toHaveLength(12);
    for (const config of first) {
      const { natoms: n, energy_row, force_row, stress_row } = config;
      // oxlint-disable-next-line no-await-in-loop -- one file after another
      const structure = await structureOf(config);
      const rows = new Float64Array((7 + 3 * n) * 31);
      design!.fill(structure, rows, 31);
      const bar = 1 / unit("pressure", "LAMMPS bar") / volume(structure.cell!);
      const compare = (own: number, theirs: number, factor: number) => {
        const [a, b] = [
          rows.subarray(own * 31, own * 31 + 31),
          reference.subarray(theirs * 31, theirs * 31 + 31),
        ];
        const size = Math.max(...b.map(Math.abs));
        b.forEach((x, k) => expect(Math.abs(factor * a[k] - x)).toBeLessThan(1e-9 * size + 1e-12 * factor));
      };
      compare(0, energy_row, 1 / n);
      for (let k = 0; k < 3 * n; k++) compare(1 + k, force_row + k, 1);
      for (let k = 0; k < 6; k++) compare(1 + 3 * n + k, stress_row + k, bar);
    }
  });
});
