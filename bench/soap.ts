/**
 * SOAP: values and products with derivatives of the features per atom, and what of the SIMD peak that is; then beside
 * dscribe and QUIP, the same crystal and options in one run, on one core. They are those of the variable SURFIT_PYTHON,
 * or of python3 on the path (pip install dscribe quippy-ase).
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { EnvironmentsBuilder } from "../src/descriptors/environments.ts";
import type { Descriptor } from "../src/descriptors/descriptor.ts";
import type { Environments } from "../src/descriptors/environments.ts";
import { soap } from "../src/descriptors/soap/soap.ts";
import { createDevice } from "../src/device/device.ts";
import { readGapFiles } from "../src/io/quip/folder.node.ts";
import { readGap } from "../src/io/quip/read.ts";
import { Random } from "../src/math/random.ts";
import { buildPotential } from "../src/potentials/build.ts";
import { repeat } from "../src/structure/cell.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import type { Structure } from "../src/structure/structure.ts";
import { fastest } from "./fastest.ts";
import { measurePeak } from "./peak.ts";

const ROUNDS = 40;
const device = createDevice({ bytes: 2 ** 30 });
const random = new Random(1, "soap");
const peak = measurePeak("f64", device.memory);
const diamond: Structure = {
  numbers: Uint8Array.of(14, 14),
  positions: Float64Array.of(0, 0, 0, 1.3575, 1.3575, 1.3575),
  cell: Float64Array.of(0, 2.715, 2.715, 2.715, 0, 2.715, 2.715, 2.715, 0),
  pbc: [true, true, true],
};

/** Rattled silicon whose atoms are called by `elements` at random. */
function crystal(elements: readonly number[]): Structure {
  const s = repeat(diamond, [5, 5, 5]);
  return {
    ...s,
    numbers: s.numbers.map((_, k) => elements[k % elements.length]),
    positions: s.positions.map((x) => x + 0.1 * random.normal()),
  };
}

/** Multiplications and additions of one atom: forward, and its product with derivatives. */
function operations(nmax: number, lmax: number, S: number, neighbours: number): [number, number] {
  const L = (lmax + 1) ** 2;
  const N = S * nmax;
  const radial = 14 * nmax * (lmax + 1);
  const forward = neighbours * (radial + 5 * L + 2 * nmax * L) + 2 * N * N * L;
  // Polynomials with slopes, two products per neighbour, harmonics with three derivatives.
  const backward = neighbours * (2 * radial + 4 * nmax * L + 16 * L) + 2 * N * N * L;
  return [forward, backward];
}

function room(env: Environments, size: number) {
  const counts = env.elements.map((_, e) => env.starts[e + 1] - env.starts[e]);
  const pointers = counts.map((count) => device.memory.alloc(8 * count * size));
  return { counts, pointers, matrices: counts.map((n, e) => device.memory.f64(pointers[e], n * size)) };
}

for (const [nmax, lmax] of [
  [8, 6],
  [8, 8],
])
  for (const elements of [[14], [8, 14], [1, 8, 14], [1, 6, 8, 14]]) {
    const structure = crystal(elements);
    const [n, S] = [structure.numbers.length, elements.length];
    const d = soap.build(soap.options.parse({ cutoff: 5, nmax, lmax }), elements, device);
    const surroundings = [{ structure, neighbours: findNeighbours(structure, d.cutoff) }];
    const env = new EnvironmentsBuilder(elements, d.cutoff).build(surroundings);
    const [G, W] = [room(env, d.size(0)), room(env, d.size(0))];
    for (const matrix of W.matrices) random.normals(matrix);
    const gradient = new Float64Array(3 * env.neighbour.length);
    const pairs = Array.from({ length: n }, (_, c) => env.offsets[(c + 1) * S] - env.offsets[c * S]);
    const rows = new Float64Array(3 * Math.max(...pairs) * d.size(0));
    const times = [
      fastest(() => d.forward(env, G), ROUNDS),
      fastest(() => d.pullback(env, W, gradient), ROUNDS),
      fastest(() => {
        for (let c = 0; c < 20; c++) d.jacobian(env, c, rows);
      }, ROUNDS),
    ];
    const neighbours = env.neighbour.length / n;
    const work = operations(nmax, lmax, S, neighbours);
    const micro = (k: number, atoms = n) => ((1000 * times[k]) / atoms).toFixed(1);
    const share = (k: number) => `${((100 * work[k] * n) / times[k] / 1e6 / peak).toFixed(0)} %`;
    console.log(
      `SOAP ${nmax}, ${lmax}, ${S} elements (${d.size(0)} features, ${neighbours.toFixed(0)} neighbours), µs per atom: ` +
        `values ${micro(0)} (${(work[0] / 1000).toFixed(0)} kflop, ${share(0)} of the SIMD peak), ` +
        `product with derivatives ${micro(1)} (${(work[1] / 1000).toFixed(0)} kflop, ${share(1)}), ` +
        `all derivatives ${micro(2, 20)}`,
    );
  }
console.log(`SIMD peak: ${peak.toFixed(1)} GFLOP/s`);

const PROGRAMS = `
import json, sys, time
import numpy as np
from ase import Atoms
given = json.load(sys.stdin)
atoms = Atoms(given["numbers"], np.reshape(given["positions"], (-1, 3)), cell=np.reshape(given["cell"], (3, 3)), pbc=True)
species = sorted(set(given["numbers"]))
found = {}
def timed(run, rounds=4):
    best = 1e9
    for _ in range(rounds):
        start = time.perf_counter()
        value = run()
        best = min(best, time.perf_counter() - start)
    return 1e6 * best / len(atoms), value
try:
    from dscribe.descriptors import SOAP
    d = SOAP(species=species, r_cut=5.0, n_max=8, l_max=6, sigma=0.5, periodic=True)
    t, v = timed(lambda: d.create(atoms))
    found["dscribe"] = {"values": t, "row": v[0].tolist()}
except ImportError:
    pass
try:
    from quippy.descriptors import Descriptor
    from quippy.potential import Potential
    words = "soap cutoff=5.0 cutoff_transition_width=1.0 n_max=8 l_max=6 atom_sigma=0.5 normalise=F n_Z=1 central_reference_all_species=F"
    all = "{" + " ".join(map(str, species)) + "}"
    ds = [Descriptor(f"{words} Z={z} n_species={len(species)} species_Z={all}") for z in species]
    t, v = timed(lambda: [d.calc(atoms) for d in ds])
    g, _ = timed(lambda: [d.calc(atoms, grad=True) for d in ds], 2)
    k = species.index(given["numbers"][0])
    found["QUIP"] = {"values": t, "derivatives": g, "row": v[k]["data"][0][:-1].tolist()}
    if species == [14]:
        p = Potential(param_filename=given["gap"])
        atoms.calc = p
        def energy():
            atoms.positions += 0.0
            p.reset()
            return atoms.get_potential_energy(), atoms.get_forces()
        t, (e, f) = timed(energy)
        found["QUIP"]["gap"] = t
        found["QUIP"]["energy"] = float(e)
except ImportError:
    pass
print("RESULT" + json.dumps(found))
`;

interface Beside {
  readonly values: number;
  readonly derivatives?: number;
  readonly row: number[];
  readonly gap?: number;
  readonly energy?: number;
}

const gap = fileURLToPath(new URL("../test/golden/quip/silicon.xml", import.meta.url));

function programs(structure: Structure): Record<string, Beside> {
  const { numbers, positions, cell } = structure;
  const given = { numbers: [...numbers], positions: [...positions], cell: [...cell!], gap };
  const env = { ...process.env, OMP_NUM_THREADS: "1" };
  const python = process.env["SURFIT_PYTHON"] ?? "python3";
  const options = { input: JSON.stringify(given), encoding: "utf8", env, maxBuffer: 2 ** 27 } as const;
  const { stdout } = spawnSync(python, ["-c", PROGRAMS], options);
  const line = stdout.split("\n").find((text) => text.startsWith("RESULT"));
  return line ? (JSON.parse(line.slice("RESULT".length)) as Record<string, Beside>) : {};
}

/** Microseconds per atom of values and of the product with derivatives, and the features of the first atom. */
function own(structure: Structure, elements: readonly number[], given: object) {
  const options = soap.options.parse({ cutoff: 5, nmax: 8, lmax: 6, sigma: 0.5, ...given });
  const d: Descriptor = soap.build(options, elements, device);
  const surroundings = [{ structure, neighbours: findNeighbours(structure, d.cutoff) }];
  const env = new EnvironmentsBuilder(elements, d.cutoff).build(surroundings);
  const [G, W] = [room(env, d.size(0)), room(env, d.size(0))];
  const gradient = new Float64Array(3 * env.neighbour.length);
  const n = structure.numbers.length;
  const values = (1000 * fastest(() => d.forward(env, G), ROUNDS)) / n;
  const product = (1000 * fastest(() => d.pullback(env, W, gradient), ROUNDS)) / n;
  const e = elements.indexOf(structure.numbers[0]);
  return { values, product, row: G.matrices[e].subarray(0, d.size(0)) };
}

const difference = (a: ArrayLike<number>, b: readonly number[]): string =>
  Math.max(...b.map((x, t) => Math.abs(x - a[t]))).toExponential(0);

const LIKE: Readonly<Record<string, object>> = {
  dscribe: {
    convention: "dscribe",
    fade: { type: "hard" },
    reach: 5 + 0.5 * Math.sqrt(-2 * Math.log(1e-3)),
  },
  QUIP: { basis: "equispaced", convention: "quip", fade: { type: "cosine", width: 1 } },
};

for (const elements of [[14], [8, 14], [1, 8, 14]]) {
  const structure = crystal(elements);
  for (const [name, beside] of Object.entries(programs(structure))) {
    const like = elements.length === 1 && name === "QUIP" ? { ...LIKE[name], everywhere: true } : LIKE[name];
    const { values, product, row } = own(structure, elements, like);
    console.log(
      `beside ${name}, ${elements.length} elements, µs per atom: values ${values.toFixed(1)}, there ${beside.values.toFixed(0)}, ratio ${(values / beside.values).toFixed(3)}` +
        (beside.derivatives === undefined
          ? ""
          : `; with derivatives ${(values + product).toFixed(1)} (multiplied), there ${beside.derivatives.toFixed(0)} (all)`) +
        `; largest difference of values ${difference(row, beside.row)}`,
    );
    if (beside.gap === undefined) continue;
    const files = await readGapFiles(gap);
    const potential = buildPotential(readGap(files["silicon.xml"], "silicon.xml", files), device);
    const out = {
      energy: 0,
      forces: new Float64Array(3 * structure.numbers.length),
      virial: new Float64Array(9),
    };
    const neighbours = findNeighbours(structure, potential.cutoff);
    const time = fastest(() => {
      out.energy = 0;
      out.forces.fill(0);
      potential.evaluate(structure, neighbours, out);
    }, ROUNDS);
    const micro = (1000 * time) / structure.numbers.length;
    console.log(
      `GAP with distance_2b, angle_3b, soap 4, 3, µs per atom: ${micro.toFixed(1)}, QUIP ${beside.gap.toFixed(0)}, ratio ${(micro / beside.gap).toFixed(3)}; energies differ by ${Math.abs(out.energy - beside.energy!).toExponential(0)} eV`,
    );
  }
}
