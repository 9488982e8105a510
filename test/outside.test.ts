import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  decodeForces,
  decodePositions,
  encodeForces,
  encodePositions,
  HEAD,
  head,
  wordOf,
} from "../src/outside/ipi-messages.ts";

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "surfit-outside-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const surfit = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { code: status, stdout, stderr };
};

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
    expect(await code).toBe(3);
    expect(stderr).toContain('"HELLO WORLD!" instead of READY');
  }, 30_000);

  test("what is asked of surfit serve is checked", () => {
    expect(surfit("serve", "lj.yaml", "ar.xyz").stderr).toContain("either --address or --unix");
    expect(surfit("serve", "lj.yaml", "ar.xyz", "--address", "localhost:99999").stderr).toContain("a port");
    expect(surfit("predict", "xtb:gfn7", "ar.xyz").stderr).toMatch(/gfn0, gfn1|program xtb/);
    expect(surfit("predict", "pyscf:b3lyp", "ar.xyz").stderr).toContain("pyscf:method/basis");
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

const python = process.env["SURFIT_PYTHON"] ?? "python3";

describe.skipIf(!answers(python, "-c", "import pyscf"))("PySCF (needs a python3 with pyscf)", () => {
  interface Golden {
    readonly symbols: readonly string[];
    readonly positions: readonly (readonly number[])[];
    readonly dipole: readonly number[];
    readonly wavenumbers: readonly number[];
    readonly intensities: readonly number[];
  }
  test("water's infrared spectrum is that of coupled perturbed Hartree–Fock", () => {
    const golden = JSON.parse(
      readFileSync(new URL("./golden/pyscf-infrared.json", import.meta.url), "utf8"),
    ) as Golden;
    const rows = golden.symbols.map((s, i) => `${s} ${golden.positions[i].join(" ")}`);
    writeFileSync(join(folder, "pyscf.xyz"), `3\n\n${rows.join("\n")}\n`);
    const found = json("vibrations", "pyscf:hf/6-31g*", "pyscf.xyz") as Omit<Golden, "symbols">;
    found.dipole.forEach((x, k) => expect(Math.abs(x - golden.dipole[k])).toBeLessThan(1e-7));
    found.wavenumbers.forEach((w, k) => expect(Math.abs(w - golden.wavenumbers[k])).toBeLessThan(0.5));
    found.intensities.forEach((a, k) => expect(Math.abs(a / golden.intensities[k] - 1)).toBeLessThan(1e-3));
  }, 120_000);
});

describe.skipIf(!answers(python, "-c", "import ase"))("ASE (needs a python3 with ase)", () => {
  test("relaxes a cluster through its socket calculator", () => {
    const name = `surfit-ase-${process.pid}`;
    const script = `
import subprocess, sys
from ase.io import read
from ase.calculators.socketio import SocketIOCalculator
from ase.optimize import BFGS
atoms = read("ar.xyz")
with SocketIOCalculator(unixsocket="${name}") as calc:
    child = subprocess.Popen([sys.argv[1], sys.argv[2], "serve", "lj.yaml", "ar.xyz", "--unix", "${name}"], stdout=subprocess.DEVNULL)
    atoms.calc = calc
    BFGS(atoms, logfile=None).run(fmax=1e-5)
    print(repr(float(atoms.get_potential_energy())))
print(child.wait(30))
`;
    const run = spawnSync(python, ["-c", script, process.execPath, main], { cwd: folder, encoding: "utf8" });
    const [energy, code] = run.stdout.trim().split("\n").map(Number);
    // Three argon atoms: three bonds.
    expect(code).toBe(0);
    expect(energy).toBeLessThan(-0.03);
  }, 120_000);
});

describe.skipIf(!answers("i-pi", "--help"))("i-PI (needs the program i-pi)", () => {
  test("runs path-integral dynamics on a model", async () => {
    const name = `surfit-ipi-${process.pid}`;
    const bohr = 0.529177210544;
    const rows = ["0 0 0", "3.9 0 0", "0.2 3.7 0.1"].map(
      (r) =>
        `Ar ${r
          .split(" ")
          .map((x) => Number(x) / bohr)
          .join(" ")}`,
    );
    writeFileSync(
      join(folder, "init.xyz"),
      `3\n# CELL(abcABC): 100 100 100 90 90 90 cell{atomic_unit} positions{atomic_unit}\n${rows.join("\n")}\n`,
    );
    writeFileSync(
      join(folder, "input.xml"),
      `<simulation verbosity="quiet"><output prefix="pi"><properties stride="1" filename="out"> [ step, conserved, potential, kinetic_cv ] </properties></output>
<total_steps>10</total_steps><prng><seed>1</seed></prng>
<ffsocket name="s" mode="unix"><address>${name}</address></ffsocket>
<system><initialize nbeads="4"><file mode="xyz">init.xyz</file><velocities mode="thermal" units="kelvin">30</velocities></initialize>
<forces><force forcefield="s"/></forces>
<motion mode="dynamics"><dynamics mode="nvt"><timestep units="femtosecond">2</timestep><thermostat mode="pile_g"><tau units="femtosecond">100</tau></thermostat></dynamics></motion>
<ensemble><temperature units="kelvin">30</temperature></ensemble></system></simulation>`,
    );
    const server = spawn("i-pi", ["input.xml"], { cwd: folder });
    const served = serving("lj.yaml", "ar.xyz", "--unix", name);
    await new Promise((resolve) => server.on("close", resolve));
    expect((await served.ended).code).toBe(0);
    const rowsOut = readFileSync(join(folder, "pi.out"), "utf8")
      .trim()
      .split("\n")
      .filter((l) => !l.startsWith("#"));
    expect(rowsOut.length).toBeGreaterThanOrEqual(10);
    // Hartree: three bonds of 0.0104 eV at most.
    for (const row of rowsOut) expect(Number(row.trim().split(/\s+/)[2])).toBeGreaterThan(-0.0032 / 2.7);
  }, 120_000);
});
