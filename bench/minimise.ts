/**
 * Force calls of relaxations and of paths beside ASE's on the same surfaces, from the same places, to the same force: ASE
 * asks this process for energies and forces through a pipe, so both see the same numbers. Prints the tables of docs/paths.md.
 *
 *     node bench/minimise.ts [clusters] [crystals] [cells] [bands]
 *
 * ASE is that of the variable SURFIT_PYTHON, or of python3 on the path.
 */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { createDevice } from "../src/device/device.ts";
import { Random } from "../src/math/random.ts";
import { buildTerm } from "../src/potentials/build.ts";
import type { Evaluation, Potential } from "../src/potentials/potential.ts";
import { band } from "../src/run/path/band.ts";
import { straight } from "../src/run/path/interpolation.ts";
import { relaxCell } from "../src/run/cell-relaxation.ts";
import { bfgs, fire, lbfgs, preconditioned, relax } from "../src/run/relax.ts";
import type { Descent, RelaxOptions } from "../src/run/relax.ts";
import type { Simulation } from "../src/run/simulation.ts";
import { strain } from "../src/structure/cell.ts";
import { NeighbourList } from "../src/structure/neighbour-list.ts";
import type { Structure } from "../src/structure/structure.ts";

const device = createDevice({ bytes: 2 ** 27 });
const term = (type: string, options: object, elements: readonly number[]): Potential =>
  buildTerm({ type, options, tensors: {} }, elements, device);

/** What a program needed. */
interface Count {
  readonly calls: number;
  /** eV. */
  readonly energy: number;
  readonly converged: boolean;
}

/** The same potential, and how often it was asked. */
function counted(potential: Potential): { readonly potential: Potential; calls: number } {
  const { cutoff, elements, external } = potential;
  const out = {
    calls: 0,
    potential: {
      cutoff,
      elements,
      ...(external && { external }),
      evaluate(...given: Parameters<Potential["evaluate"]>) {
        out.calls++;
        potential.evaluate(...given);
      },
    },
  };
  return out;
}

const PYTHON = process.env["SURFIT_PYTHON"] ?? "python3";

const ASE = `
import json, sys
import numpy as np
import ase.optimize, ase.optimize.precon
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms
from ase.mep import NEB

class Asked(Calculator):
    implemented_properties = ["energy", "forces"]
    calls = 0
    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        Asked.calls += 1
        print(json.dumps({"positions": atoms.positions.ravel().tolist()}), flush=True)
        got = json.loads(sys.stdin.readline())
        self.results = {"energy": got["energy"], "forces": np.reshape(got["forces"], (-1, 3))}

given = json.loads(sys.stdin.readline())
def image(positions):
    atoms = Atoms(numbers=given["numbers"], positions=np.reshape(positions, (-1, 3)), cell=given["cell"], pbc=given["pbc"])
    atoms.calc = Asked()
    if given["fixed"]: atoms.set_constraint(FixAtoms(given["fixed"]))
    return atoms
how = getattr(ase.optimize, given["method"], None) or getattr(ase.optimize.precon, given["method"])
images = [image(p) for p in given["images"]]
what = images[0] if len(images) == 1 else NEB(images, climb=True, k=given["spring"], method="improvedtangent")
try:
    converged = bool(how(what, logfile=None, **given["options"]).run(fmax=given["fmax"], steps=given["steps"]))
except Exception as error:
    print(error, file=sys.stderr)
    converged = False
calls = Asked.calls
print(json.dumps({"calls": calls, "energy": max(float(i.get_potential_energy()) for i in images), "converged": converged}), flush=True)
`;

/** What ASE is to do. */
interface Task {
  readonly structure: Structure;
  readonly method: string;
  readonly options?: object;
  readonly fmax: number;
  readonly steps: number;
  readonly fixed?: readonly number[];
  /** Positions of the images of a band. */
  readonly path?: readonly Float64Array[];
  readonly spring?: number;
}

const absent = spawnSync(PYTHON, ["-c", "import ase"]).status !== 0;

/** ASE's count; null where there is no ASE. */
async function withAse(potential: Potential, task: Task): Promise<Count | null> {
  if (absent) return null;
  const { structure, method, options = {}, fmax, steps, fixed = [], spring = 0 } = task;
  const { numbers, cell, pbc, positions } = structure;
  const child = spawn(PYTHON, ["-W", "ignore", "-c", ASE], { stdio: ["pipe", "pipe", "ignore"] });
  const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
  say({
    numbers: [...numbers],
    cell: cell && [0, 3, 6].map((k) => [...cell.subarray(k, k + 3)]),
    pbc,
    images: (task.path ?? [positions]).map((p) => [...p]),
    method,
    options,
    fmax,
    steps,
    fixed,
    spring,
  });
  const list = new NeighbourList(potential.cutoff, 0.5);
  for await (const line of createInterface({ input: child.stdout })) {
    const heard = JSON.parse(line) as Count & { positions?: number[] };
    if (!heard.positions) return heard;
    const now = { ...structure, positions: Float64Array.from(heard.positions) };
    const out: Evaluation = {
      energy: 0,
      forces: new Float64Array(heard.positions.length),
      virial: new Float64Array(9),
    };
    potential.evaluate(now, list.update(now), out);
    say({ energy: out.energy, forces: [...out.forces] });
  }
  throw new Error(`${PYTHON} ended before its time`);
}

type Method = (s: Structure, p: Potential, o?: RelaxOptions) => Simulation<Descent>;
const ours = { fire, lbfgs, bfgs, preconditioned } satisfies Record<string, Method>;

function withSurfit(
  name: keyof typeof ours,
  potential: Potential,
  { structure, fmax, steps, fixed = [] }: Omit<Task, "method">,
): Count {
  const asked = counted(potential);
  const simulation = (ours[name] as Method)(structure, asked.potential, { fixed });
  const { energy, converged } = relax(simulation, structure, { fmax, steps });
  return { calls: asked.calls, energy, converged };
}

/** The count, marked when it did not end well or in another minimum than the first. */
const cell = (count: Count | null, first?: Count): string =>
  count === null
    ? "–"
    : `${count.calls}${count.converged ? "" : " !"}${first && Math.abs(first.energy - count.energy) > 1e-4 ? " *" : ""}`;

/** Random Lennard-Jones clusters, no atoms closer than 0.85 σ. */
function cluster(atoms: number): Structure {
  const random = new Random(atoms, "case");
  const places: number[][] = [];
  while (places.length < atoms) {
    const place = [0, 1, 2].map(() => 1.2 * Math.cbrt(atoms) * random.uniform());
    if (places.every((p) => Math.hypot(p[0] - place[0], p[1] - place[1], p[2] - place[2]) > 0.85))
      places.push(place);
  }
  return {
    numbers: new Uint8Array(atoms).fill(18),
    positions: Float64Array.from(places.flat()),
    cell: null,
    pbc: [false, false, false],
  };
}

const pairs = [
  ["fire", "FIRE"],
  ["lbfgs", "LBFGS"],
  ["bfgs", "BFGSLineSearch"],
] as const;

async function clusters(): Promise<void> {
  const potential = term("lennard-jones", { cutoff: 50, pairs: { "Ar-Ar": { epsilon: 1, sigma: 1 } } }, [18]);
  const rows: string[][] = [];
  for (const atoms of [4, 7, 13, 20, 38]) {
    const task = { structure: cluster(atoms), fmax: 1e-3, steps: 3000 };
    const row = [`${atoms} atoms`];
    for (const [mine, theirs] of pairs) {
      const count = withSurfit(mine, potential, task);
      // oxlint-disable-next-line no-await-in-loop -- one process at a time
      row.push(cell(count), cell(await withAse(potential, { ...task, method: theirs }), count));
    }
    rows.push(row);
  }
  const head = pairs.flatMap(([mine, theirs]) => [`surfit ${mine}`, `ASE ${theirs}`]);
  print("Random Lennard-Jones clusters to 1e-3 ε/σ", ["case", ...head], rows);
}

/** Lattice sites times `repeat`, atoms moved at random. */
function crystal(
  z: number,
  a: number,
  sites: readonly (readonly number[])[],
  repeat: readonly number[],
  rattle: number,
): Structure {
  const random = new Random(1, "crystal");
  const positions: number[] = [];
  for (let x = 0; x < repeat[0]; x++)
    for (let y = 0; y < repeat[1]; y++)
      for (let k = 0; k < repeat[2]; k++)
        for (const site of sites)
          positions.push(...[x, y, k].map((t, c) => a * (t + site[c]) + rattle * random.normal()));
  return {
    numbers: new Uint8Array(positions.length / 3).fill(z),
    positions: Float64Array.from(positions),
    cell: Float64Array.of(a * repeat[0], 0, 0, 0, a * repeat[1], 0, 0, 0, a * repeat[2]),
    pbc: [true, true, true],
  };
}

const FACES = [
  [0, 0, 0],
  [0, 0.5, 0.5],
  [0.5, 0, 0.5],
  [0.5, 0.5, 0],
];
const DIAMOND = [...FACES, ...FACES.map((p) => p.map((x) => x + 0.25))];

/** Silicon with a vacancy. */
function vacancy(n: number): Structure {
  const whole = crystal(14, 5.431, DIAMOND, [n, n, n], 0.1);
  return { ...whole, numbers: whole.numbers.slice(1), positions: whole.positions.slice(3) };
}

/** A slab of copper with an atom on it; the lowest layer is to stay. */
function slab(n: number, layers: number) {
  const whole = crystal(29, 3.615, FACES, [n, n, layers], 0.1);
  const height = 3.615 * layers;
  const positions = Float64Array.of(...whole.positions, 1.8, 1.8, height + 1.8);
  const box = whole.cell!.slice();
  box[8] = height + 20;
  const fixed = [...whole.numbers.keys()].filter((i) => whole.positions[3 * i + 2] < 0.9);
  const structure: Structure = {
    numbers: new Uint8Array(positions.length / 3).fill(29),
    positions,
    cell: box,
    pbc: [true, true, false],
  };
  return { structure, fixed };
}

async function crystals(): Promise<void> {
  const sw = term("stillinger-weber", {}, [14]);
  const copper = term(
    "lennard-jones",
    { cutoff: 6, ending: "shifted", pairs: { "Cu-Cu": { epsilon: 0.4093, sigma: 2.338 } } },
    [29],
  );
  const cases: [string, Potential, Pick<Task, "structure" | "fixed">][] = [
    ...[3, 6].map((n): (typeof cases)[number] => {
      const structure = vacancy(n);
      return [`silicon, ${structure.numbers.length} atoms, a vacancy`, sw, { structure }];
    }),
    ...[4, 8].map((n): (typeof cases)[number] => {
      const made = slab(n, n);
      return [`copper, ${made.structure.numbers.length} atoms, a slab with an adatom`, copper, made];
    }),
  ];
  const rows: string[][] = [];
  for (const [name, potential, what] of cases) {
    const task = { ...what, fmax: 1e-3, steps: 2000 };
    const counts = (["fire", "lbfgs", "preconditioned"] as const).map((m) => withSurfit(m, potential, task));
    const theirs: (Count | null)[] = [];
    for (const method of ["FIRE", "LBFGS", "PreconLBFGS"])
      // oxlint-disable-next-line no-await-in-loop -- one process at a time
      theirs.push(await withAse(potential, { ...task, method }));
    rows.push([name, ...counts.flatMap((count, k) => [cell(count, counts[2]), cell(theirs[k], counts[2])])]);
  }
  const head = ["surfit fire", "ASE FIRE", "surfit lbfgs", "ASE LBFGS"];
  print(
    "Atoms off their places by 0.1 Å, to 1e-3 eV/Å",
    ["case", ...head, "surfit preconditioned", "ASE PreconLBFGS"],
    rows,
  );
}

/** Atoms and cell together; ASE's filters stop by another measure of the stress, so their counts would not compare. */
function cells(): void {
  const sw = term("stillinger-weber", {}, [14]);
  const rows = [3, 6].map((n) => {
    const bent = strain(vacancy(n), [0.05, 0.025, 0, 0.025, -0.05, 0, 0, 0, 0.025]);
    const calls = [false, true].map((precondition) => {
      const asked = counted(sw);
      const until = { fmax: 1e-3, smax: 1e-3, steps: 500, precondition };
      const { converged } = relaxCell(bent, asked.potential, until);
      return `${asked.calls}${converged ? "" : " !"}`;
    });
    return [`silicon, ${bent.numbers.length} atoms, a vacancy`, ...calls];
  });
  const title = "The same with the cell bent by 5 %, to 1e-3 eV/Å and 1e-3 GPa";
  print(title, ["case", "surfit lbfgs", "surfit preconditioned"], rows);
}

/** Two minima of Müller–Brown. */
const ENDS = [
  [-0.5582236346330243, 1.4417258418046688, 0],
  [0.6234994049308766, 0.0280377585286857, 0],
];

async function bands(): Promise<void> {
  const plane = term("mueller-brown", { stiffness: 100 }, [1]);
  const structure: Structure = {
    numbers: Uint8Array.of(1),
    positions: Float64Array.from(ENDS[0]),
    cell: null,
    pbc: [false, false, false],
  };
  const rows: string[][] = [];
  for (const images of [9, 13]) {
    const [a, b] = ENDS.map((p) => Float64Array.from(p));
    const path = straight(a, b, images);
    const row = [`${images} images`];
    for (const [mine, theirs] of [
      ["fire", "FIRE"],
      ["lbfgs", "LBFGS"],
    ] as const) {
      const options = { spring: 1000, maxMove: 0.05, climbBelow: Infinity, method: mine };
      const simulation = band(structure, path, () => plane, options);
      const state = simulation.init();
      while (state.maxForce > 1e-3 && state.step < 3000) simulation.step(state);
      const energy = Math.max(...state.images.map((image) => image.energy));
      const count = { calls: state.evaluations, energy, converged: state.maxForce <= 1e-3 };
      const task = { structure, path, method: theirs, options: { maxstep: 0.05 }, fmax: 1e-3, steps: 3000 };
      // oxlint-disable-next-line no-await-in-loop -- one process at a time
      row.push(cell(count), cell(await withAse(plane, { ...task, spring: 1000 }), count));
    }
    rows.push(row);
  }
  print(
    "A climbing band on Müller–Brown, to 1e-3",
    ["case", "surfit fire", "ASE FIRE", "surfit lbfgs", "ASE LBFGS"],
    rows,
  );
}

function print(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  process.stdout.write(`${title}\n\n${lines.join("\n")}\n\n`);
}

const parts = { clusters, crystals, cells, bands };
const asked = process.argv.slice(2);
for (const [name, part] of Object.entries(parts))
  // oxlint-disable-next-line no-await-in-loop -- one after another
  if (asked.length === 0 || asked.includes(name)) await part();
process.stdout.write(
  "* ended in another minimum; ! did not converge" +
    (absent ? "; no ASE: SURFIT_PYTHON names one" : "") +
    "\n",
);
