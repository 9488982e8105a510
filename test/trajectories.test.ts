import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readFrames, readLabelled, writeFrames } from "../src/io/files.node.ts";
import { findFormat } from "../src/io/table.ts";
import { inverse } from "../src/structure/cell.ts";
import type { Frame } from "../src/structure/structure.ts";
import {
  TIME,
  close,
  collect,
  expected,
  golden,
  main,
  parse,
  problems,
  read,
  sameStructure,
  textOf,
} from "./format-files.ts";
import type { Read } from "./format-files.ts";
import { lammps } from "./lammps.ts";

const folder = mkdtempSync(join(tmpdir(), "surfit-formats-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Products of a distance, a velocity, a force and the lattice vectors, which do not change when all turn together. */
const products = (f: Frame) => {
  const { positions: r } = f.structure;
  const d = Float64Array.from({ length: 3 }, (_, k) => r[3 + k] - r[k]);
  const v = f.arrays["velocities"].values as Float64Array;
  const vectors = [
    d,
    v.subarray(0, 3),
    f.forces!.subarray(3, 6),
    ...[0, 3, 6].map((k) => f.structure.cell!.subarray(k, k + 3)),
  ];
  return vectors.flatMap((a) => vectors.map((b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]));
};

describe("LAMMPS", () => {
  const data = findFormat("data.lammps");
  const dump = findFormat("a.dump");

  it("data: style full, elements by mass, tilts, velocities, unordered", async () => {
    const [frame] = await read("data.lammps");
    sameStructure(frame, expected["data.lammps"][0]);
    close(frame.arrays["velocities"].values as Float64Array, expected["data.lammps"][0].velocities, 1e-14);
    expect([...(frame.arrays["charges"].values as Float64Array)]).toEqual([-0.82, 0.41, 0.41]);
  });

  it("data: elements by Atom Type Labels, by the comment of a mass, as given; styles without a comment", async () => {
    const text = textOf("data.lammps").replace("15.9994", "1.5");
    expect(await problems(parse(data, text))).toContain("the element of type 1");
    const numbers = async (t: string, types?: string[]) => [
      ...(await parse(data, t, { types }))[0].structure.numbers,
    ];
    expect(await numbers(text, ["S", "H"])).toEqual([16, 1, 1]);
    expect(await numbers(text.replace("1 1.5", "1 1.5 # S"))).toEqual([16, 1, 1]);
    const labels = text.replace("Masses", "Atom Type Labels\n\n1 S\n2 H\n\nMasses");
    expect(await numbers(labels)).toEqual([16, 1, 1]);
    expect(await numbers(textOf("data.lammps").replace(" # full", ""))).toEqual([8, 1, 1]);
    const charge = textOf("data.lammps")
      .replace("Atoms # full", "Atoms")
      .replace(/ 0 0 0$/gm, "");
    expect(await numbers(charge)).toEqual([8, 1, 1]);
    expect(await problems(parse(data, charge.replace(/^(\d) 1 (\d) /gm, "$1 $2 ")))).toContain(
      "6 columns, which charge and molecular would have",
    );
    expect(await problems(parse(data, text.replace("units = metal", "units = lj")))).toContain(
      "units metal or real",
    );
    expect(await problems(parse(data, text.replace("3 atoms", "4 atoms")))).toContain(
      "expected 4 atoms in a section",
    );
  });

  it("data: charges and velocities survive; a molecule stands in a box of its own", async () => {
    const [frame] = await read("data.lammps");
    const path = join(folder, "data.lammps");
    await writeFrames(path, [frame]);
    const [back] = await collect(readFrames(path));
    expect(back.structure).toEqual(frame.structure);
    expect(back.arrays["charges"]).toEqual(frame.arrays["charges"]);
    close(
      back.arrays["velocities"].values as Float64Array,
      [...(frame.arrays["velocities"].values as Float64Array)],
      1e-17,
    );
    await writeFrames(path, [
      { ...frame, structure: { ...frame.structure, cell: null, pbc: [false, false, false] } },
    ]);
    expect((await collect(readFrames(path)))[0].structure.pbc).toEqual([false, false, false]);
  });

  it("dump: scaled places in a tilted box, unwrapped ones, flags, forces, velocities", async () => {
    const [tilted, brick] = await read("run.lammpstrj");
    const [first, second] = expected["run.lammpstrj"];
    // ASE does not add the box's origin to scaled places; its bounds are reached by all corners.
    sameStructure(tilted, { ...first, positions: first.positions.map((x, k) => x - (k % 3 ? 0 : 0.5)) });
    close(tilted.arrays["velocities"].values as Float64Array, first.velocities, 1e-14);
    close(tilted.arrays["forces"].values as Float64Array, first.forces);
    sameStructure(brick, second);
    expect([tilted.info["step"], brick.info["step"]]).toEqual([100, 200]);
    const text = textOf("run.lammpstrj").replaceAll("element", "kind");
    expect(await problems(parse(dump, text))).toContain("file:1: expected a column element or mass");
    expect([
      ...(await parse(dump, text.slice(0, text.indexOf("ITEM: TIMESTEP\n200")), { types: ["Ta", "O"] }))[0]
        .structure.numbers,
    ]).toEqual([73, 8, 73]);
    expect(await problems(parse(dump, textOf("run.lammpstrj").replace("0.7 0.8", "0.7 x")))).toContain(
      "numbers for ys",
    );
    expect(await problems(parse(dump, textOf("run.lammpstrj").replace("3 1 W 0.7", "3 W 0.7")))).toContain(
      "file:12: expected 12 columns",
    );
  });

  it("dump: a frame in any cell keeps its distances, and forces and velocities turn with it", async () => {
    const [, frame] = (await readLabelled(golden("formats/ase.traj"))).frames;
    const path = join(folder, "turned.dump");
    await writeFrames(path, [frame]);
    const [back] = (await readLabelled(path)).frames;
    expect(back.structure.pbc).toEqual(frame.structure.pbc);
    close(products(back), products(frame), 1e-10);
  });
});

describe("ASE's trajectories", () => {
  const traj = findFormat("a.traj");

  it("what ASE has in its own file", async () => {
    const { frames } = await readLabelled(golden("formats/ase.traj"));
    expected["ase.traj"].forEach((wanted, k) => {
      sameStructure(frames[k], wanted);
      expect(frames[k].energy).toBe(wanted.energy);
      close(frames[k].forces, wanted.forces, 1e-300);
      close(frames[k].arrays["velocities"].values as Float64Array, wanted.velocities, TIME);
      const s = frames[k].stress;
      close(s && [0, 4, 8, 5, 2, 1].map((i) => s[i]), wanted.stress, 1e-300);
    });
    expect(frames[1].configType).toBe("second");
    expect(frames[1].info["constraints"]).toContain("FixAtoms");
  });

  it("extended XYZ to a trajectory and back keeps all that it holds", async () => {
    const { frames } = await readLabelled(golden("formats/ase.traj"));
    const [xyz, there, back] = ["a.xyz", "a.traj", "b.xyz"].map((name) => join(folder, name));
    await writeFrames(xyz, frames);
    for (const [from, to] of [
      [xyz, there],
      [there, back],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [main, "convert", from, to], {
        encoding: "utf8",
      });
      expect([status, stderr]).toEqual([0, ""]);
    }
    const [a, b] = await Promise.all([xyz, back].map((path) => readLabelled(path)));
    a.frames.forEach((frame, k) => {
      const { arrays, place: _, ...rest } = frame;
      const { arrays: others, place: __, ...same } = b.frames[k];
      expect(same).toEqual(rest);
      expect(Object.keys(others).toSorted()).toEqual(Object.keys(arrays).toSorted());
      close(
        others["velocities"].values as Float64Array,
        [...(arrays["velocities"].values as Float64Array)],
        1e-15,
      );
    });
  });

  it("a file cut anywhere, and a file of something else, is refused", async () => {
    const whole = readFileSync(golden("formats/ase.traj"));
    const cut = (n: number) => problems(collect(traj.read!([whole.subarray(0, n)], "file")));
    for (const n of [0, 7, 40, 60, 1000, whole.length - 1]) expect(await cut(n)).toMatch(/^invalid file/);
    const other = whole.slice();
    other.write("GPAW-Something  ", 8);
    expect(await problems(collect(traj.read!([other], "file")))).toContain("a ULM file of ASE-Trajectory");
  });
});

const lmp = lammps();
describe.skipIf(!lmp)("LAMMPS itself (needs lmp)", () => {
  it("reads our data file, and we read its data file and dumps", async () => {
    const [water] = await read("data.lammps");
    const frame: Frame = {
      ...water,
      arrays: { velocities: water.arrays["velocities"], charges: water.arrays["charges"] },
    };
    await writeFrames(join(folder, "in.lmp"), [frame]);
    const input = `units metal
atom_style charge
box tilt large
read_data in.lmp
pair_style zero 3.0
pair_coeff * *
write_data out.lmp
write_dump all custom plain.dump id type element x y z vx vy vz q modify sort id element H O format float %.17g
write_dump all custom scaled.dump id mass xs ys zs modify format float %.17g
write_dump all atom atom.dump
`;
    writeFileSync(join(folder, "in.formats"), input);
    const run = spawnSync(lmp!, ["-in", "in.formats", "-log", "none", "-nocite"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect([run.status, run.status === 0 ? "" : run.stdout]).toEqual([0, ""]);
    const wanted = { ...expected["data.lammps"][0] };
    for (const [name, options] of [
      ["out.lmp", {}],
      ["plain.dump", {}],
      ["scaled.dump", {}],
      ["atom.dump", { types: ["H", "O"] }],
    ] as const) {
      const [back] = await collect(readFrames(join(folder, name), undefined, options));
      const digits = name === "atom.dump" ? 1e-4 : 1e-13;
      expect([...back.structure.numbers]).toEqual(wanted.numbers);
      close(back.structure.cell!, wanted.cell!, 1e-13);
      const inv = inverse(back.structure.cell!);
      wanted.positions.forEach((_, k) => {
        if (k % 3) return;
        const d = [0, 1, 2].map((c) => back.structure.positions[k + c] - wanted.positions[k + c]);
        for (const c of [0, 1, 2]) {
          const f = d[0] * inv[c] + d[1] * inv[3 + c] + d[2] * inv[6 + c];
          expect(Math.abs(f - Math.round(f))).toBeLessThan(digits);
        }
      });
      if (name !== "out.lmp" && name !== "plain.dump") continue;
      close(back.arrays["velocities"].values as Float64Array, wanted.velocities, 1e-14);
      expect(back.arrays["charges"]).toEqual(frame.arrays["charges"]);
    }
  });
});

const python = process.env["SURFIT_PYTHON"] ?? "python3";
const ase = spawnSync(python, ["-c", "import ase"]).status === 0;
describe.skipIf(!ase)("ASE (needs a python3 with ase)", () => {
  it("reads what we write", async () => {
    const { frames } = await readLabelled(golden("formats/ase.traj"));
    const [crystal] = await read("wurtzite.cif");
    const [water] = await read("data.lammps");
    await writeFrames(join(folder, "ours.traj"), frames);
    await writeFrames(join(folder, "ours.dump"), frames.slice(1));
    await writeFrames(join(folder, "ours.vasp"), [crystal]);
    await writeFrames(join(folder, "ours.lmp"), [water]);
    const script = `
import json, sys
from ase.io import read
from ase.units import fs
def plain(a):
    calc = a.calc.results if a.calc else {}
    return {"numbers": a.numbers.tolist(), "positions": a.positions.ravel().tolist(),
        "cell": a.cell.array.ravel().tolist() if a.cell.rank else None, "pbc": a.pbc.tolist(),
        "velocities": (a.get_velocities()*fs).ravel().tolist(), "energy": calc.get("energy"),
        "forces": [float(x) for x in calc["forces"].ravel()] if "forces" in calc else None,
        "stress": [float(x) for x in calc["stress"]] if "stress" in calc else None,
        "constraints": len(a.constraints)}
out = {n: [plain(a) for a in read(n, ":", **o)] for n, o in {"ours.traj": {}, "ours.vasp": {},
    "ours.lmp": dict(format="lammps-data", units="metal"), "ours.dump": dict(format="lammps-dump-text")}.items()}
json.dump(out, sys.stdout)`;
    writeFileSync(join(folder, "read.py"), script);
    const run = spawnSync(python, ["read.py"], { cwd: folder, encoding: "utf8" });
    expect([run.status, run.stderr]).toEqual([0, expect.any(String)]);
    const found = JSON.parse(run.stdout) as Record<string, (Read & { constraints: number })[]>;
    frames.forEach((frame, k) => {
      const seen = found["ours.traj"][k];
      sameStructure(frame, seen);
      expect(seen.energy).toBe(frame.energy);
      close(frame.forces, seen.forces, 1e-300);
      close(frame.arrays["velocities"].values as Float64Array, seen.velocities, TIME);
      expect(seen.constraints).toBe(k === 1 ? 1 : 0);
    });
    sameStructure(crystal, found["ours.vasp"][0]);
    sameStructure(water, found["ours.lmp"][0]);
    close(water.arrays["velocities"].values as Float64Array, found["ours.lmp"][0].velocities, 1e-14);
    const turned = findFormat("a.dump").adapt!(frames[1]);
    const { cell } = turned.structure;
    close(cell!, found["ours.dump"][0].cell!, 1e-12);
    close(turned.structure.positions, found["ours.dump"][0].positions, 1e-12);
    close(turned.forces, found["ours.dump"][0].forces, 1e-12);
  });
});

it("convert says what a format has no place for", async () => {
  const { frames } = await readLabelled(golden("formats/ase.traj"));
  const columns = { own: { kind: "real", width: 1, values: Float64Array.of(1, 2, 3) } } as const;
  const [from, to] = [join(folder, "lost.xyz"), join(folder, "lost.lmp")];
  const crystal = { ...frames[1].structure, pbc: [true, true, true] as const };
  await writeFrames(from, [
    { ...frames[1], structure: crystal, arrays: { ...frames[1].arrays, ...columns } },
  ]);
  const run = spawnSync(process.execPath, [main, "convert", from, to, "--json"], { encoding: "utf8" });
  const { lost } = JSON.parse(run.stdout) as { lost: string[] };
  expect(lost.toSorted()).toEqual([
    "config_type",
    "constraints",
    "energy",
    "forces",
    "initial_charges",
    "matrix",
    "own",
    "stress",
  ]);
});
