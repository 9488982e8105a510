import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import type { Socket } from "node:net";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import {
  decodeForces,
  decodePositions,
  encodeForces,
  encodePositions,
  HEAD,
  head,
  wordOf,
} from "../src/outside/ipi-messages.ts";
import { main, workplace } from "./command.ts";

const { folder, surfit } = workplace("outside");

const json = (...args: readonly string[]) => {
  const { code, stdout, stderr } = surfit(...args, "--json");
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as unknown;
};

/** surfit serve beside the test. */
function serving(...args: readonly string[]) {
  const child = spawn(process.execPath, [main, "serve", ...args], { cwd: folder });
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, stderr })),
  );
  return { ended };
}

const answers = (command: string, ...args: readonly string[]): boolean => {
  const { error, status } = spawnSync(command, args, { timeout: 60_000 });
  return !error && status === 0;
};

beforeAll(() => {
  const argon = `3\npbc="F F F"\nAr 0 0 0\nAr 3.9 0 0\nAr 0.2 3.7 0.1\n`;
  const crystal = argon.replace('pbc="F F F"', 'Lattice="9 0 0 1 9 0 0 0.5 10" pbc="T T T"');
  writeFileSync(join(folder, "ar.xyz"), argon);
  writeFileSync(join(folder, "crystal.xyz"), crystal);
  writeFileSync(join(folder, "water.xyz"), "3\n\nO 0 0 0.117\nH 0 0.757 -0.471\nH 0 -0.757 -0.471\n");
  const pairs = "pairs: { Ar-Ar: { epsilon: 0.0104, sigma: 3.4 } }";
  const terms = `[{ type: lennard-jones, cutoff: 8.5, ending: switched, ${pairs} }]`;
  const bond = "depth: 4.4, alpha: 1.9, distance: 1.27";
  const morse = `{ type: morse, cutoff: 4, pairs: { H-Cl: { ${bond} }, H-H: { ${bond} }, Cl-Cl: { ${bond} } } }`;
  const charged = `[${morse}, { type: charges, charges: { H: 0.3, Cl: -0.3 } }]`;
  writeFileSync(join(folder, "hcl.yaml"), `elements: [H, Cl]\nterms: ${charged}\n`);
  writeFileSync(join(folder, "hcl.xyz"), "2\n\nH 0 0 0\nCl 0 0 1.27\n");
  writeFileSync(join(folder, "lj.yaml"), `elements: [Ar]\nterms: ${terms}\n`);
});

describe("messages of i-PI", () => {
  const positions = Float64Array.of(0.1, -2, 3, 4, 5.5, -6);
  const cell = Float64Array.of(9, 0, 0, 1, 8, 0, -1, 0.5, 7);

  test("positions and forces come back as they were sent", () => {
    const sent = encodePositions(cell, positions);
    expect(wordOf(sent.subarray(0, HEAD))).toBe("POSDATA");
    const back = decodePositions(sent.slice(HEAD));
    back.positions.forEach((x, k) => expect(x).toBeCloseTo(positions[k], 14));
    back.cell.forEach((x, k) => expect(x).toBeCloseTo(cell[k], 14));
    const virial = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const answer = decodeForces(
      encodeForces({ energy: -3.5, forces: positions, virial }, "text").slice(HEAD),
    );
    expect(answer.energy).toBeCloseTo(-3.5, 14);
    answer.virial.forEach((x, k) => expect(x).toBeCloseTo(virial[k], 13));
  });

  test("matrices stand by columns: the first number after the first is the second row's", () => {
    const view = new DataView(encodePositions(cell, positions).buffer);
    expect(view.getFloat64(HEAD + 8, true) * 0.529177210544).toBeCloseTo(1, 12);
  });
});

/** All numbers of a document, in order. */
const flat = (x: unknown) =>
  JSON.stringify(x)
    .match(/-?\d+\.?\d*(?:e-?\d+)?/g)!
    .map(Number);

describe("surfit and surfit through a socket", () => {
  test("energies, forces and stress are those of the potential itself", async () => {
    for (const file of ["ar.xyz", "crystal.xyz"]) {
      const direct = json("predict", "lj.yaml", file);
      const name = join(folder, `${file}.socket`);
      const served = serving("lj.yaml", file, "--unix", name);
      const through = json("predict", `socket:${name}`, file);
      const [a, b] = [flat(direct), flat(through)];
      expect(b).toHaveLength(a.length);
      b.forEach((x, k) => expect(Math.abs(x - a[k])).toBeLessThan(1e-13 * (1 + Math.abs(a[k]))));
      // oxlint-disable-next-line no-await-in-loop -- one after another
      expect((await served.ended).code).toBe(0);
    }
  }, 60_000);

  test("what it labels counts as reference: earlier labels are no labels any more", async () => {
    json("predict", "lj.yaml", "ar.xyz", "-o", "first.xyz");
    const name = join(folder, "labels.socket");
    const served = serving("lj.yaml", "ar.xyz", "--unix", name);
    json("predict", `socket:${name}`, "first.xyz", "-o", "second.xyz");
    const [first, second] = ["first.xyz", "second.xyz"].map((file) =>
      readFileSync(join(folder, file), "utf8"),
    );
    const energy = /[ "]energy=(\S+)/.exec(first)![1];
    expect(second).toContain(`before_energy=${energy}`);
    expect(second).toContain("before_forces:R:3");
    expect(second).not.toContain("REF_");
    expect((await served.ended).code).toBe(0);
  }, 60_000);

  test("a dipole that stands behind the forces gives the same infrared intensity", async () => {
    const name = join(folder, "dipole.socket");
    const served = serving("hcl.yaml", "hcl.xyz", "--unix", name);
    interface Modes {
      readonly dipole: readonly number[];
      readonly wavenumbers: readonly number[];
      readonly intensities: readonly number[];
    }
    const run = ["hcl.xyz", "--hessian", "differences"];
    const through = json("vibrations", `socket:${name}`, ...run) as Modes;
    const direct = json("vibrations", "hcl.yaml", ...run) as Modes;
    expect((await served.ended).code).toBe(0);
    expect(direct.intensities[0]).toBeGreaterThan(50);
    for (const key of ["dipole", "wavenumbers", "intensities"] as const)
      direct[key].forEach((x, k) =>
        expect(Math.abs(through[key][k] - x)).toBeLessThan(1e-7 * (1 + Math.abs(x))),
      );
    expect(surfit("vibrations", "hcl.yaml", ...run, "--charges", "H=1,Cl=-1").stderr).toContain("of its own");
  }, 60_000);

  test("a relaxation through the socket ends in the same minimum", async () => {
    const name = join(folder, "relax.socket");
    const served = serving("lj.yaml", "ar.xyz", "--unix", name);
    interface Frames {
      readonly frames: readonly { readonly energy: number }[];
    }
    const through = json("relax", `socket:${name}`, "ar.xyz", "-o", "a.xyz", "--fmax", "1e-5") as Frames;
    const direct = json("relax", "lj.yaml", "ar.xyz", "-o", "b.xyz", "--fmax", "1e-5") as Frames;
    expect(through.frames[0].energy).toBeCloseTo(direct.frames[0].energy, 10);
    expect((await served.ended).code).toBe(0);
  }, 60_000);
});

/** A server that does with its first client what a test wants. */
function badServer(port: string, talk: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    talk(socket);
  });
  server.listen(port);
  return server;
}

describe("peers that fail", () => {
  const cases: Record<string, { talk: (socket: Socket) => void; said: string }> = {
    "leaves at once": { talk: (s) => s.end(), said: "closed the connection" },
    "talks nonsense": {
      talk: (s) => void s.write("GET / HTTP/1.1\r\n\r\n"),
      said: "no message of the protocol",
    },
    "is silent": { talk: () => undefined, said: "said nothing for 1 s" },
    "has other atoms": {
      talk: (s) => void s.write(encodePositions(null, new Float64Array(6))),
      said: "2 atoms, the template 3",
    },
    "announces garbage": {
      talk: (s) => void s.write(Uint8Array.from([...head("INIT"), 0, 0, 0, 0, 255, 255, 255, 127])),
      said: "announces a text",
    },
    "asks before it sends": { talk: (s) => void s.write(head("GETFORCE")), said: "before it sent positions" },
  };
  test.each(Object.keys(cases))(
    "a server that %s: an error, not a hang",
    async (name) => {
      const place = join(folder, `${name.replaceAll(" ", "-")}.bad`);
      const server = badServer(place, cases[name].talk);
      const { code, stderr } = await serving("lj.yaml", "ar.xyz", "--unix", place, "--timeout", "1").ended;
      server.close();
      expect(stderr).toContain(cases[name].said);
      expect(code).toBe(5);
    },
    30_000,
  );

  test("no server: an error that says where", async () => {
    const { code, stderr } = await serving(
      "lj.yaml",
      "ar.xyz",
      "--unix",
      join(folder, "none"),
      "--wait",
      "0.5",
    ).ended;
    expect(code).toBe(5);
    expect(stderr).toContain("nobody listens at");
  }, 30_000);

  test("a client that talks nonsense: an error, not a hang", async () => {
    const name = join(folder, "client.bad");
    const child = spawn(process.execPath, [main, "predict", `socket:${name}`, "ar.xyz"], { cwd: folder });
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    const code = new Promise((resolve) => child.on("close", resolve));
    const knock = (): void => {
      const socket = createConnection(name, () => socket.write("HELLO WORLD!"));
      socket.on("error", () => setTimeout(knock, 50));
    };
    knock();
    expect(await code).toBe(5);
    expect(stderr).toContain('"HELLO WORLD!" instead of READY');
  }, 30_000);

  test("what is asked of surfit serve is checked", () => {
    expect(surfit("serve", "lj.yaml", "ar.xyz").stderr).toContain("either --address or --unix");
    expect(surfit("serve", "lj.yaml", "ar.xyz", "--address", "localhost:99999").stderr).toContain("a port");
    expect(surfit("predict", "xtb:gfn7", "ar.xyz").stderr).toMatch(/gfn0, gfn1|program xtb/);
    expect(surfit("predict", "pyscf:b3lyp", "ar.xyz").stderr).toContain("pyscf:method/basis");
    for (const words of ["charge=", "charge=1=2", "charge=0.5"])
      expect(surfit("predict", `xtb:${words}`, "ar.xyz").stderr).toContain("charge=<whole number>");
  }, 30_000);
});

const hasXtb = answers("xtb", "--version");

/** xtb's own wavenumbers and infrared intensities (km/mol) at its own minimum. */
function own(file: string): { wavenumbers: number[]; intensities: number[] } {
  const run = spawnSync("xtb", [file, "--ohess", "vtight", "--acc", "0.01"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
  const text = run.stdout.slice(run.stdout.lastIndexOf("projected vibrational frequencies"));
  const rows = text.split("\n").filter((l) => l.startsWith("eigval"));
  const all = rows.flatMap((l) => l.slice(8).trim().split(/\s+/).map(Number));
  const spectrum = readFileSync(join(folder, "vibspectrum"), "utf8").split("\n");
  const lines = spectrum.flatMap((l) => {
    const found = /^ *\d+ +a +(-?[\d.]+) +([\d.]+) /.exec(l);
    return found ? [Number(found[2])] : [];
  });
  return { wavenumbers: all.filter((w) => Math.abs(w) > 1), intensities: lines };
}

describe.skipIf(!hasXtb)("xtb (needs the program xtb)", () => {
  interface Modes {
    readonly wavenumbers: readonly number[];
    readonly intensities: readonly number[];
  }
  test.each(["water.xyz", "ethanol.xyz"])(
    "%s has xtb's own frequencies within 2 cm⁻¹, and its infrared intensities",
    (file) => {
      const frames = spawnSync(
        "gzip",
        ["-dc", fileURLToPath(new URL("../data/ethanol.xyz.gz", import.meta.url))],
        {
          encoding: "utf8",
        },
      ).stdout.split("\n");
      if (file === "ethanol.xyz") writeFileSync(join(folder, file), `${frames.slice(0, 11).join("\n")}\n`);
      json("relax", "xtb", file, "-o", `relaxed-${file}`, "--fmax", "2e-4");
      const found = json("vibrations", "xtb", `relaxed-${file}`, "--threads", "2") as Modes;
      const { wavenumbers, intensities } = found;
      // Two processes at once give the bits of one.
      expect(json("vibrations", "xtb", `relaxed-${file}`, "--threads", "1")).toEqual(found);
      const plain = readFileSync(join(folder, `relaxed-${file}`), "utf8")
        .split("\n")
        .map((l, k) => (k === 1 ? "" : l.split(/\s+/).slice(0, 4).join(" ")))
        .join("\n");
      writeFileSync(join(folder, "plain.xyz"), plain);
      const expected = own("plain.xyz");
      expect(wavenumbers).toHaveLength(expected.wavenumbers.length);
      wavenumbers.forEach((w, k) => expect(Math.abs(w - expected.wavenumbers[k])).toBeLessThan(2));
      expect(intensities).toHaveLength(expected.intensities.length);
      expect(Math.max(...intensities)).toBeGreaterThan(50);
      // xtb displaces by 0.0026 Å, and modes close to each other mix: 1 % and 0.3 km/mol.
      intensities.forEach((a, k) =>
        expect(Math.abs(a - expected.intensities[k])).toBeLessThan(0.3 + 0.01 * expected.intensities[k]),
      );
    },
    120_000,
  );

  test("a periodic structure is refused", () => {
    expect(surfit("predict", "xtb", "crystal.xyz").stderr).toContain("a molecule");
  }, 30_000);
});

/** Ethanol's first frame and a model of it, fitted to 180 frames of our own in two seconds. */
function fitEthanol(): void {
  const data = fileURLToPath(new URL("../data/ethanol.xyz.gz", import.meta.url));
  const lines = spawnSync("gzip", ["-dc", data], { encoding: "utf8" }).stdout.split("\n");
  writeFileSync(join(folder, "frames.xyz"), `${lines.slice(0, 180 * 11).join("\n")}\n`);
  const atoms = lines.slice(2, 11).map((line) => line.split(/\s+/).slice(0, 4));
  writeFileSync(join(folder, "start.xyz"), `9\n\n${atoms.map((row) => row.join(" ")).join("\n")}\n`);
  const settings = ["name=symmetric-gradient-domain", "length=14", "permutations=none"];
  const model = settings.flatMap((setting) => ["--set", `model.regressor.${setting}`]);
  const { code, stderr } = surfit(
    "fit",
    "frames.xyz",
    "-o",
    "ethanol",
    "--descriptor",
    "inverse-distances",
    ...model,
  );
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
}

const python = process.env["SURFIT_PYTHON"] ?? "python3";
const hasAse = answers(python, "-c", "import ase");
/** Beside the interpreter, or on the PATH. */
const besides = join(dirname(python), "i-pi");
const ipi = isAbsolute(besides) && existsSync(besides) ? besides : "i-pi";
const hasIpi = answers(ipi, "--help");

describe.skipIf(!hasAse && !hasIpi)("a fitted model of ethanol for other programs", () => {
  beforeAll(fitEthanol, 60_000);

  test.skipIf(!hasAse)(
    "ASE relaxes it through its socket calculator (needs a python3 with ase)",
    () => {
      const name = `surfit-ase-${process.pid}`;
      const script = `
import subprocess, sys
from ase.io import read, write
from ase.calculators.socketio import SocketIOCalculator
from ase.optimize import BFGS
atoms = read("start.xyz")
with SocketIOCalculator(unixsocket="${name}") as calc:
    child = subprocess.Popen([sys.argv[1], sys.argv[2], "serve", "ethanol/model.surfit", "start.xyz", "--unix", "${name}"], stdout=subprocess.DEVNULL)
    atoms.calc = calc
    print(repr(float(atoms.get_potential_energy())))
    print(BFGS(atoms, logfile=None).run(fmax=1e-3, steps=300))
    print(repr(float(atoms.get_potential_energy())))
    write("by-ase.xyz", atoms, format="xyz", fmt="%.15f")
print(child.wait(30))
`;
      const run = spawnSync(python, ["-c", script, process.execPath, main], {
        cwd: folder,
        encoding: "utf8",
      });
      expect([run.status, run.status === 0 ? "" : run.stderr]).toEqual([0, ""]);
      const [before, converged, after, code] = run.stdout.trim().split("\n");
      expect([converged, code]).toEqual(["True", "0"]);
      expect(Number(after)).toBeLessThan(Number(before) - 0.1);
      // What ASE has ended at is a minimum of the model itself, and the one that surfit finds from there.
      const own = json("relax", "ethanol/model.surfit", "by-ase.xyz", "-o", "own.xyz", "--fmax", "1e-3") as {
        readonly frames: readonly { readonly energy: number; readonly steps: number }[];
      };
      expect(own.frames[0].steps).toBe(0);
      const [{ energy }] = json("predict", "ethanol/model.surfit", "start.xyz") as { energy: number }[];
      // Differences: 4210 eV make the programs' Hartrees tell.
      const gained = own.frames[0].energy - energy;
      expect(Math.abs(gained - (Number(after) - Number(before)))).toBeLessThan(1e-7);
      const { wavenumbers } = json("vibrations", "ethanol/model.surfit", "by-ase.xyz") as {
        readonly wavenumbers: readonly number[];
      };
      expect(wavenumbers).toHaveLength(21);
      expect(Math.min(...wavenumbers)).toBeGreaterThan(150);
    },
    120_000,
  );

  test.skipIf(!hasIpi)(
    "i-PI runs path integrals on it (needs the program i-pi)",
    async () => {
      const name = `surfit-ipi-${process.pid}`;
      const bohr = 0.529177210544;
      const rows = readFileSync(join(folder, "start.xyz"), "utf8")
        .trim()
        .split("\n")
        .slice(2)
        .map((row) => row.split(" ").map((word, k) => (k === 0 ? word : Number(word) / bohr)));
      const cell = "100 100 100 90 90 90 cell{atomic_unit} positions{atomic_unit}";
      writeFileSync(
        join(folder, "init.xyz"),
        `9\n# CELL(abcABC): ${cell}\n${rows.map((row) => row.join(" ")).join("\n")}\n`,
      );
      writeFileSync(
        join(folder, "input.xml"),
        `<simulation verbosity="quiet"><output prefix="pi"><properties stride="1" filename="out"> [ step, conserved{electronvolt}, potential{electronvolt}, kinetic_cv{electronvolt} ] </properties></output>
<total_steps>20</total_steps><prng><seed>1</seed></prng>
<ffsocket name="s" mode="unix"><address>${name}</address></ffsocket>
<system><initialize nbeads="4"><file mode="xyz">init.xyz</file><velocities mode="thermal" units="kelvin">300</velocities></initialize>
<forces><force forcefield="s"/></forces>
<motion mode="dynamics"><dynamics mode="nvt"><timestep units="femtosecond">0.25</timestep><thermostat mode="pile_g"><tau units="femtosecond">100</tau></thermostat></dynamics></motion>
<ensemble><temperature units="kelvin">300</temperature></ensemble></system></simulation>`,
      );
      const server = spawn(ipi, ["input.xml"], { cwd: folder });
      const served = serving("ethanol/model.surfit", "start.xyz", "--unix", name);
      await new Promise((resolve) => server.on("close", resolve));
      expect((await served.ended).code).toBe(0);
      const out = readFileSync(join(folder, "pi.out"), "utf8")
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("#"))
        .map((line) => line.trim().split(/\s+/).map(Number));
      expect(out).toHaveLength(21);
      const [{ energy }] = json("predict", "ethanol/model.surfit", "start.xyz") as { energy: number }[];
      // All beads start where the file has the atoms; the programs' electronvolts differ in the eighth digit.
      expect(Math.abs(out[0][2] / energy - 1)).toBeLessThan(2e-7);
      for (const [, conserved, potential] of out) {
        expect(Math.abs(conserved - out[0][1])).toBeLessThan(0.03);
        expect(Math.abs(potential - energy)).toBeLessThan(3);
      }
    },
    120_000,
  );
});
