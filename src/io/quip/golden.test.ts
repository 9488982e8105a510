import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { atomFeatures, difference } from "../../descriptors/golden.fixture.ts";
import { environments } from "../../descriptors/environments.ts";
import { soap } from "../../descriptors/soap/soap.ts";
import { createDevice } from "../../device/device.ts";
import { buildPotential } from "../../potentials/build.ts";
import { findNeighbours } from "../../structure/neighbours.ts";
import type { Structure } from "../../structure/structure.ts";
import { readGapFiles } from "./folder.node.ts";
import { readGap } from "./read.ts";

/** What test/golden/quip.py had gap_fit and QUIP make of our own data. */
const place = (name: string) => fileURLToPath(new URL(`../../../test/golden/quip/${name}`, import.meta.url));

interface Stored {
  readonly numbers: number[];
  readonly positions: number[][];
  readonly cell: number[][] | null;
  readonly energy: number;
  readonly forces: number[][];
  readonly virial: number[][] | null;
}

const golden = JSON.parse(readFileSync(place("quip.json"), "utf8")) as {
  silicon: Stored[];
  ethanol: Stored[];
  molecule: { numbers: number[]; positions: number[][] };
  spectra: Record<string, { values: number[][]; gradient: number[][] }>;
};

const structureOf = ({
  numbers,
  positions,
  cell,
}: Omit<Stored, "energy" | "forces" | "virial">): Structure => ({
  numbers: Uint8Array.from(numbers),
  positions: Float64Array.from(positions.flat()),
  cell: cell && Float64Array.from(cell.flat()),
  pbc: cell ? [true, true, true] : [false, false, false],
});

const device = createDevice({ bytes: 2 ** 27 });

describe.each(["silicon", "ethanol"] as const)("a GAP of gap_fit: %s", (name) => {
  it("energies, forces and virials as QUIP has them, to 1e-9", async () => {
    const files = await readGapFiles(place(`${name}.xml`));
    const potential = buildPotential(readGap(files[`${name}.xml`], `${name}.xml`, files), device);
    const largest = golden[name].flatMap(({ forces }) => forces.flat().map(Math.abs));
    expect(Math.max(...largest)).toBeGreaterThan(0.1);
    for (const stored of golden[name]) {
      const structure = structureOf(stored);
      const n = structure.numbers.length;
      const out = { energy: 0, forces: new Float64Array(3 * n), virial: new Float64Array(9) };
      potential.evaluate(structure, findNeighbours(structure, potential.cutoff), out);
      expect(Math.abs(out.energy - stored.energy)).toBeLessThan(1e-9);
      expect(difference([[...out.forces]], [stored.forces.flat()])).toBeLessThan(1e-9);
      if (stored.virial) expect(difference([[...out.virial]], [stored.virial.flat()])).toBeLessThan(1e-8);
    }
  });
});

describe("GAPs that are not read", () => {
  it.each([
    [
      'gap_version="1769700636"',
      'gap_version="1400000000"',
      /ethanol\.xml:3: gap_version: expected 1426512068/,
    ],
    ['do_core="F"', 'do_core="T"', /do_core: expected F; potentials that a GAP adds to are not read/],
    [
      'init_args="IP GAP',
      'init_args="Sum init_args_pot1={IP Glue} init_args_pot2={IP GAP',
      /init_args: expected IP GAP/,
    ],
    ["n_max=3", "n_max=3 xml_version=1", /xml_version: expected options that are read/],
    ["Z1=6 Z2=1", "Z1=6 Z2=1 only_intra=T", /ethanol\.xml:125: only_intra: expected options that are read/],
    ["nu_R=2", "R_mix=T", /R_mix: expected false.*true/],
    ["n_max=3", "n_max=3 radial_basis=POLY", /radial_basis: expected EQUISPACED_GAUSS.*POLY/],
    ["Z=6 Z1=8 Z2=1", "Z=6 Z1=0 Z2=1", /Z1: expected an atomic number; 0, any element, is not read/],
    ["n_species=3", "n_species=2", /species_Z: expected 2 atomic numbers.*8 1 6/],
    ['covariance_type="2"', 'covariance_type="3"', /covariance_type: expected 2 \(dot_product\)/],
    ['signal_mean=".000', 'signal_mean=".100', /signal_mean: expected 0/],
  ])("%s → %s", (from, to, message) => {
    const text = readFileSync(place("ethanol.xml"), "utf8");
    expect(text).toContain(from);
    expect(() => readGap(text.replaceAll(from, to), "ethanol.xml", {})).toThrow(message);
  });
});

/** Options that say what the words of QUIP's command line say; the rest is common. */
const said: Readonly<Record<string, object>> = {
  plain: {},
  order: { neighbours: ["O", "H"] },
  central_weight: { centre: 0.3 },
  central_reference_all_species: { everywhere: true },
  cutoff_dexp: { weighting: { type: "pow", r0: 1.5, m: 3, c: 0.5, d: 0.5 } },
  "eight functions": { neighbours: ["H"], everywhere: true, nmax: 8, lmax: 4 },
  "one element, nu_S=1": { neighbours: ["H"], everywhere: true, compression: { radial: 2, elements: 1 } },
};

const compressionOf = (name: string): object => {
  const orders = /^nu_R=(\d) nu_S=(\d)$/.exec(name);
  return orders ? { compression: { radial: Number(orders[1]), elements: Number(orders[2]) } } : said[name];
};

describe("SOAP as QUIP has it", () => {
  it.each(Object.keys(golden.spectra))("%s: values and derivatives to 1e-11", (name) => {
    const d = soap.build(
      soap.options.parse({
        cutoff: 3,
        nmax: 3,
        lmax: 2,
        sigma: 0.5,
        fade: { type: "cosine", width: 0.8 },
        basis: "equispaced",
        convention: "quip",
        ...compressionOf(name),
      }),
      [1, 6, 8],
      device,
    );
    const structure = structureOf({ ...golden.molecule, cell: null });
    const { values, gradient } = golden.spectra[name];
    const rows = atomFeatures(d, device, structure);
    const oxygen = golden.molecule.numbers.flatMap((z, i) => (z === 8 ? [i] : []));
    expect(
      difference(
        oxygen.map((i) => rows[i]),
        values,
      ),
    ).toBeLessThan(1e-13);
    const env = environments([{ structure, neighbours: findNeighbours(structure, 3) }], [1, 6, 8], 3);
    const c = env.centre.indexOf(0);
    const first = env.offsets[3 * c];
    const pairs = env.offsets[3 * c + 3] - first;
    const slopes = new Float64Array(3 * pairs * d.size(2));
    d.jacobian(env, c, slopes);
    const p = env.neighbour.indexOf(1, first) - first;
    const own = [0, 1, 2].map((k) =>
      Array.from({ length: d.size(2) }, (_, t) => slopes[(t * pairs + p) * 3 + k]),
    );
    expect(Math.max(...gradient.flat().map(Math.abs))).toBeGreaterThan(1e-4);
    expect(difference(own, gradient)).toBeLessThan(1e-11);
  });
});
