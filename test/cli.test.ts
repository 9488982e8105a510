import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { strToU8, zipSync } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import { formatFrame } from "../src/io/extxyz.ts";
import { Random } from "../src/math/random.ts";
import { findNeighbours } from "../src/structure/neighbours.ts";
import type { Structure } from "../src/structure/structure.ts";
import { cluster, morse } from "./potentials.ts";
import { main, workplace } from "./command.ts";

const { folder, path, surfit } = workplace("cli");

/** The command ended well; if not, what it said stands in the failure. */
const done = ({ code, stderr }: { code: number | null; stderr: string }) =>
  expect([code, stderr]).toEqual([0, expect.any(String)]);

function json(...args: readonly string[]) {
  const { code, stdout, stderr } = surfit(...args, "--json");
  done({ code, stderr });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const potential = morse();

/** A cluster of five argon atoms shaken by 0.15 Å, labelled by a Morse potential. */
function frame(random: Random): string {
  const base = cluster();
  const structure: Structure = { ...base, positions: base.positions.map((x) => x + 0.15 * random.normal()) };
  const out = { energy: -5, forces: new Float64Array(15), virial: new Float64Array(9) };
  potential.evaluate(structure, findNeighbours(structure, potential.cutoff), out);
  const { energy, forces } = out;
  return formatFrame({ structure, energy, forces, configType: "gas", info: {}, arrays: {}, place: "" });
}

const frames = (n: number, seed: number) => {
  const random = new Random(seed, "cli");
  return Array.from({ length: n }, () => frame(random)).join("");
};

/** A little-endian .npy array. */
function npy(shape: readonly number[], values: readonly number[]): Uint8Array {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`.padEnd(117);
  const text = strToU8(`${header}\n`);
  const start = [0x93, ...strToU8("NUMPY"), 1, 0, text.length, 0, ...text];
  return Uint8Array.from([...start, ...new Uint8Array(Float64Array.from(values).buffer)]);
}

/** An .npz archive of one argon cluster with an energy and no word on units. */
const argonArchive = (): Uint8Array =>
  zipSync({
    "z.npy": npy([5], [18, 18, 18, 18, 18]),
    "R.npy": npy([1, 5, 3], [...cluster().positions]),
    "E.npy": npy([1], [-5]),
  });

const quick = ["--threads", "2", "--set", "model.regressor={name: neural-network, layers: [6]}"];

beforeAll(() => {
  writeFileSync(path("data.xyz"), frames(40, 1));
  writeFileSync(path("other.xyz"), frames(5, 2));
  writeFileSync(path("one.xyz"), frames(1, 3));
  const made = surfit("fit", "data.xyz", "-o", "run", "--epochs", "3", ...quick);
  done(made);
});

describe("help and errors", () => {
  test("the front page lists every command, each has a page with an example", () => {
    const page = surfit("--help");
    expect(page.code).toBe(0);
    for (const name of [
      "fit",
      "doctor",
      "select",
      "test",
      "predict",
      "relax",
      "md",
      "convert",
      "import",
      "export",
      "demo",
    ])
      expect(page.stdout).toMatch(new RegExp(`^ +${name} `, "m"));
    expect(surfit().stdout).toBe(page.stdout);
    const md = surfit("md", "--help");
    expect(md.stdout).toContain("--timestep <fs>");
    expect(md.stdout).toContain("$ surfit md");
    expect(surfit("fit", "--help").stdout).toMatch(/training\.rate = 0\.\d+/);
    expect(surfit("--version").stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("wrong usage is 2, with a suggestion; unusable input is 1, one line per problem, no stack", () => {
    const typo = surfit("doktor");
    expect([typo.code, typo.stderr]).toEqual([2, expect.stringContaining("Did you mean doctor?")]);
    expect(surfit("md", "a", "b", "--time", "-1").code).toBe(2);
    writeFileSync(path("bad.yaml"), "data: data.xyz\ntraining:\n  epochs: -3\n  bach: 5\n");
    const bad = surfit("fit", "bad.yaml");
    expect(bad.code).toBe(1);
    expect(bad.stderr.trim().split("\n")).toEqual([
      expect.stringContaining("bad.yaml:3:11 training.epochs: expected"),
      expect.stringContaining("bad.yaml:4:3 training.bach: expected a known option (did you mean batch?)"),
    ]);
    const method = surfit("fit", "data.xyz", "--set", "model.regressor.hidden=[6]");
    expect([method.code, method.stderr]).toEqual([
      1,
      expect.stringContaining("model.regressor.hidden: expected one of"),
    ]);
    writeFileSync(path("cut.xyz"), frames(2, 5).slice(0, -40));
    const cut = surfit("doctor", "cut.xyz");
    expect([cut.code, cut.stderr]).toEqual([1, expect.stringMatching(/^surfit: invalid cut\.xyz:\d+/)]);
    const asked = surfit("test", "nothing.surfit", "data.xyz", "--json");
    expect(JSON.parse(asked.stdout)).toMatchObject({
      error: "InputError",
      problems: [{ place: "nothing.surfit" }],
    });
  });

  test("a finished run is not overwritten", () => {
    const again = surfit("fit", "data.xyz", "-o", "run", "--epochs", "3");
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("--force")]);
    mkdirSync(path("kept"));
    const writers = {
      "model.surfit": ["fit", "data.xyz", "-o", "kept", "--epochs", "1"],
      checkpoint: ["demo", "-o", "kept", "--time", "1"],
      "report.html": ["test", "run/model.surfit", "one.xyz", "--report", "kept/report.html"],
    };
    for (const [name, command] of Object.entries(writers)) {
      writeFileSync(path(`kept/${name}`), "mine");
      const { code, stderr } = surfit(...command);
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining(`kept/${name}: expected a new path (or --force)`),
      ]);
      expect(readFileSync(path(`kept/${name}`), "utf8")).toBe("mine");
      rmSync(path(`kept/${name}`));
    }
  });
});

describe("fit", () => {
  test("leaves everything that a reader needs", () => {
    const { names, rows } = curveOf("run");
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).toHaveLength(names.length);
    const metrics = readFileSync(path("run/metrics.jsonl"), "utf8").trim().split("\n");
    expect(metrics.map((line) => (JSON.parse(line) as { epoch: number }).epoch)).toEqual([1, 2, 3]);
    expect(readFileSync(path("run/train.log"), "utf8")).toMatch(/^epoch 2\/3 .*valid RMSE E .* meV\/atom/m);
    const split = JSON.parse(readFileSync(path("run/split.json"), "utf8")) as Record<string, number[]>;
    expect(
      Object.values(split)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 40 }, (_, k) => k));
    const predicted = gunzipSync(readFileSync(path("run/predicted-test.xyz.gz"))).toString();
    expect(predicted).toContain("REF_energy=");
    expect(existsSync(path("run/checkpoint"))).toBe(true);
    const page = readFileSync(path("run/report.html"), "utf8");
    expect(page).toContain("<svg");
    expect(page).not.toMatch(/<script|<link|src=|@import|url\(/);
    expect(page.length).toBeLessThan(2e6);
  });

  test("ends well on a file with a reference and a calculator's results, and predicts on what it wrote", () => {
    const text = readFileSync(path("data.xyz"), "utf8");
    writeFileSync(
      path("mace.xyz"),
      text
        .replaceAll(" energy=", " energy=1 REF_energy=")
        .replaceAll(":forces:R:3", ":REF_forces:R:3:forces:R:3")
        .replaceAll(/^Ar.*$/gm, "$& 0 0 0"),
    );
    const result = json("fit", "mace.xyz", "-o", "mace", "--epochs", "1", ...quick);
    expect(result["notes"]).toContain('mace.xyz: energy from "REF_energy"; there is also "energy"');
    json("predict", "mace/model.surfit", "mace/predicted-test.xyz.gz", "-o", "mace/again.xyz");
    expect(readFileSync(path("mace/again.xyz"), "utf8")).toBe(
      gunzipSync(readFileSync(path("mace/predicted-test.xyz.gz"))).toString(),
    );
  });

  test("refuses units that nobody stated and the numbers deny, and reads them when they are stated", () => {
    const ethanol = fileURLToPath(new URL("../data/ethanol.xyz.gz", import.meta.url));
    json("convert", ethanol, "few.xyz", "--every", "20");
    const text = readFileSync(path("few.xyz"), "utf8");
    const hartree = text.replace(/ energy=(\S+)/g, (_, e) => ` energy=${Number(e) / 27.211386245981}`);
    writeFileSync(path("unstated.xyz"), hartree);
    const refused = surfit("fit", "unstated.xyz", "-o", "refused", "--dry-run");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /unstated\.xyz units: expected units stated by you: --units .*in Hartree, not eV/,
    );
    const units = ["--units", "Hartree,Å", "--force-unit", "eV/Å"];
    const stated = json("fit", "unstated.xyz", "-o", "stated", "--dry-run", ...units, ...quick) as {
      configuration: { data: { units: object } };
    };
    expect(stated.configuration.data.units).toEqual({ energy: "Hartree", length: "Å", force: "eV/Å" });
    const declared = hartree.replaceAll(
      " energy=",
      ' energy_unit=Hartree length_unit=Å force_unit="eV/Å" energy=',
    );
    writeFileSync(path("declared.xyz"), declared);
    expect(json("fit", "declared.xyz", "-o", "stated", "--dry-run", ...quick)).toMatchObject({
      configuration: { data: { units: { energy: "Hartree", length: "Å" } } },
    });
  });

  test("does the same job from its own fit.yaml, to the bit", () => {
    expect(readFileSync(path("run/fit.yaml"), "utf8")).toMatch(/units:\n +energy: eV .*\n +length: Å /);
    done(surfit("fit", "run/fit.yaml", "-o", "again"));
    expect(tensorsOf("again")).toEqual(tensorsOf("run"));
    expect(readFileSync(path("again/fit.yaml"), "utf8")).toBe(readFileSync(path("run/fit.yaml"), "utf8"));
  });

  test("errors of the training frames are those of the labels that are there", () => {
    const energies = frames(20, 7)
      .replaceAll(":forces:R:3", "")
      .replaceAll(/^(Ar(?: \S+){3}).*$/gm, "$1");
    writeFileSync(path("energies.xyz"), energies);
    done(surfit("fit", "data.xyz", "energies.xyz", "-o", "half", "--epochs", "2", ...quick));
    const { names, rows } = curveOf("half");
    const column = (name: string) => rows.map((row) => Number(row[names.indexOf(name)]));
    for (const name of ["RMSEpa_Etrain_pu", "MAE_Etest_pu", "RMSE_Ftrain_pu", "MAE_Ftest_pu"])
      for (const error of column(name)) expect(error).toBeGreaterThan(0);

    expect(readFileSync(path("half/train.log"), "utf8")).toContain("train RMSE F");
  });

  test("--dry-run prints the plan and writes nothing", () => {
    const plan = surfit("fit", "data.xyz", "-o", "dry", "--dry-run", ...quick);
    expect(plan.stdout).toMatch(/frames +32 train, 4 validation, 4 test/);
    expect(plan.stdout).toMatch(/memory +about/);
    expect(existsSync(path("dry"))).toBe(false);
  });

  test("a test file of its own is the test set", () => {
    const result = json("fit", "data.xyz", "--test", "other.xyz", "-o", "held", "--epochs", "1", ...quick);
    expect(result["frames"]).toEqual({ train: 36, validation: 4, test: 5 });
  });

  test("goes on after kill -9 and after SIGTERM, and ends in the bits of a run without a break", async () => {
    const options = ["--epochs", "60", "--checkpoint-every", "0.01", ...quick];
    done(surfit("fit", "data.xyz", "-o", "whole", ...options));
    const killed = await interrupt(["fit", "data.xyz", "-o", "broken", ...options], "broken", "SIGKILL");
    expect(killed.signal).toBe("SIGKILL");
    const asked = await interrupt(["fit", "data.xyz", "-o", "broken", "--resume"], "broken", "SIGTERM");
    expect([asked.code, asked.stderr]).toEqual([143, expect.stringContaining("--resume")]);
    expect(existsSync(path("broken/model.surfit"))).toBe(false);
    done(surfit("fit", "data.xyz", "-o", "broken", "--resume"));
    expect(tensorsOf("broken")).toEqual(tensorsOf("whole"));
    const { names, rows } = curveOf("broken");
    expect(rows.map(([epoch]) => Number(epoch))).toEqual(Array.from({ length: 60 }, (_, k) => k + 1));
    // All but the seconds.
    const timeless = (run: string) =>
      curveOf(run).rows.map((row) => row.toSpliced(names.indexOf("seconds"), 1));
    expect(timeless("broken")).toEqual(timeless("whole"));
  });
});

/** Names and words of the columns of a run's learning curve. */
function curveOf(run: string): { names: string[]; rows: string[][] } {
  const text = readFileSync(path(`${run}/learning-curve.out`), "utf8");
  const lines = text.trim().split("\n");
  const names = /^# +(epoch .*)$/m.exec(text)![1].trim().split(/\s+/);
  return { names, rows: lines.filter((l) => !l.startsWith("#")).map((l) => l.trim().split(/\s+/)) };
}

/** The raw numbers of a model file: everything after the JSON header of the safetensors layout. */
function tensorsOf(run: string): Buffer {
  const file = readFileSync(path(`${run}/model.surfit`));
  return file.subarray(8 + Number(file.readBigUInt64LE(0)));
}

/** Starts a fit and sends the signal after some checkpoints were written. */
function interrupt(args: readonly string[], run: string, signal: "SIGKILL" | "SIGTERM") {
  return new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    const log = path(`${run}/learning-curve.out`);
    const lines = () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").length : 0);
    const before = lines();
    const timer = setInterval(() => {
      if (lines() < before + 12 || !existsSync(path(`${run}/checkpoint`))) return;
      clearInterval(timer);
      child.kill(signal);
    }, 5);
    child.on("exit", (code, by) => {
      clearInterval(timer);
      resolve({ code, signal: by, stderr });
    });
  });
}

const sorted = (text: string) => text.split("\n").map((line) => line.split(" ").toSorted().join(" "));

describe("use", () => {
  const model = "run/model.surfit";

  test("test and predict agree with each other", () => {
    const judged = json("test", model, "other.xyz") as { frames: number; all: { energy: { rmse: number } } };
    const predicted = json("predict", model, "other.xyz", "-o", "predicted.xyz") as unknown as {
      energy: number;
    }[];
    const references = [...readFileSync(path("other.xyz"), "utf8").matchAll(/ energy=(\S+)/g)].map((m) =>
      Number(m[1]),
    );
    const square = predicted.reduce((sum, p, k) => sum + (p.energy - references[k]) ** 2, 0) / 5;
    expect(judged.frames).toBe(5);
    // Only a fit knows what training saw: here it is the training data themselves.
    expect(surfit("test", model, "data.xyz").stdout).toContain("On 40 frames the RMSE");
    expect(readFileSync(path("run/result.json"), "utf8")).toContain("that training never saw");
    expect(judged.all.energy.rmse).toBeCloseTo(Math.sqrt(square), 10);
    const again = json(
      "test",
      "run/model.surfit",
      "predicted.xyz",
      "--energy-key",
      "energy",
      "--forces-key",
      "forces",
    );
    expect((again as typeof judged).all.energy.rmse).toBeLessThan(1e-10);
  });

  test("md writes trajectory and table, and a restarted run ends in the same bits", () => {
    const settings = ["--ensemble", "nvt", "--temperature", "50", "--timestep", "2", "--every", "10"];
    const whole = json("md", model, "one.xyz", "-o", "whole-md", "--time", "0.4", ...settings);
    expect(whole).toMatchObject({ atoms: 5, steps: 200, drift: { slope: expect.any(Number) } });
    json("md", model, "one.xyz", "-o", "part-md", "--time", "0.2", ...settings);
    json("md", model, "one.xyz", "-o", "part-md", "--time", "0.4", "--restart", ...settings);
    for (const name of ["trajectory.xyz", "thermo.txt"])
      expect(readFileSync(path(`part-md/${name}`), "utf8")).toBe(
        readFileSync(path(`whole-md/${name}`), "utf8"),
      );
    expect(readFileSync(path("whole-md/trajectory.xyz"), "utf8").match(/Properties/g)).toHaveLength(21);
    const other = surfit("md", model, "one.xyz", "-o", "part-md", "--restart", "--temperature", "60");
    expect(other.code).toBe(1);
  });

  test("archives without units are read when the units are stated, and only then", () => {
    writeFileSync(path("argon.npz"), argonArchive());
    const refused = surfit("predict", model, "argon.npz");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--units kcal/mol,Å")]);
    const outputs = { predict: [], md: ["-o", "npz-md", "--time", "0.001"], relax: ["-o", "npz.xyz"] };
    for (const [name, rest] of Object.entries(outputs))
      done(surfit(name, model, "argon.npz", ...rest, "--units", "eV,Å"));
    const fit = surfit("fit", "argon.npz", "-o", "npz", "--dry-run");
    expect([fit.code, fit.stderr]).toEqual([1, expect.stringContaining("argon.npz units")]);
  });

  test("relax lowers the energy", () => {
    const { frames } = json("relax", model, "one.xyz", "-o", "relaxed.xyz", "--fmax", "0.05") as {
      frames: { start: number; energy: number; maxForce: number }[];
    };
    expect(frames[0].energy).toBeLessThan(frames[0].start);
    expect(frames[0].maxForce).toBeLessThanOrEqual(0.05);
    // Labels of the start say nothing about the minimum.
    expect(readFileSync(path("relaxed.xyz"), "utf8")).not.toContain("REF_");
  });

  test("an n2p2 folder becomes a model, the model a folder, input.data frames", () => {
    for (const folder of ["nnp", "h2", "out"]) mkdirSync(path(folder));
    const nn = `number_of_elements 1\nelements H\natom_energy H -0.5\ncutoff_type 2\nscale_symmetry_functions
global_hidden_layers_short 1\nglobal_nodes_short 1\nglobal_activation_short t l\nsymfunction_short H 2 H 0.1 0 6\n`;
    writeFileSync(path("nnp/input.nn"), nn);
    writeFileSync(path("nnp/scaling.data"), "1 1 0 1 0.3 0.1\n");
    writeFileSync(path("nnp/weights.001.data"), "0.7\n-0.1\n-0.2\n0.05\n");
    writeFileSync(
      path("h2/input.data"),
      `begin\natom 0 0 0 H 0 0 0 0 0\natom 1.4 0 0 H 0 0 0 0 0\nenergy 0\ncharge 0\nend\n`,
    );
    json("import", "nnp", "h2.surfit", "--units", "Hartree,bohr");
    const { lammps } = json("export", "--to", "n2p2", "h2.surfit", "again") as { lammps: string[] };
    expect(lammps[0]).toMatch(
      /^pair_style hdnnp 3\.17506\d dir "again" cflength 1\.8897261\d+ cfenergy 0\.0367493\d+$/,
    );
    expect(surfit("export", "--to", "n2p2", "h2.surfit", "again").stderr).toContain("it exists already");
    json("import", "again", "h2-again.surfit", "--units", "Hartree,bohr");
    const predict = (m: string) =>
      (json("predict", m, "h2/input.data", "--units", "Hartree,bohr") as unknown as { energy: number }[])[0]
        .energy;
    // G = exp(−0.1 r²) tanh³(1 − r/6), scaled from 0 to 1 as it is.
    const G = Math.exp(-0.196) * Math.tanh(1 - 1.4 / 6) ** 3;
    const expected = 2 * 27.211386245981 * (-0.5 - 0.2 * Math.tanh(0.7 * G - 0.1) + 0.05);
    expect(predict("h2.surfit")).toBeCloseTo(expected, 10);
    expect(predict("h2-again.surfit")).toBeCloseTo(expected, 10);
    json("convert", "data.xyz", "out/input.data", "--to-units", "Hartree,bohr");
    expect(surfit("convert", "h2/input.data", "raw.xyz").stderr).toContain("an energy unit given by you");
    // The file that surfit wrote declares its units.
    json("convert", "out/input.data", "back.xyz");
    const energies = (file: string) =>
      [...readFileSync(path(file), "utf8").matchAll(/energy=(\S+)/g)].map(([, e]) => Number(e));
    energies("data.xyz").forEach((e, k) => expect(energies("back.xyz")[k]).toBeCloseTo(e, 9));
  });

  test("import and export ACE: a .yace file gives python-ace's energy, and comes back", () => {
    const yace = fileURLToPath(new URL("golden/ace/linear.yace", import.meta.url));
    const [expected] = JSON.parse(readFileSync(new URL("golden/ace.json", import.meta.url), "utf8")).filter(
      (g: { file: string }) => g.file === "linear.yace",
    );
    const { numbers, positions, energy } = expected as Record<string, number[]> & { energy: number };
    const atoms = numbers.map(
      (z, i) => `${z === 1 ? "H" : "O"} ${positions.slice(3 * i, 3 * i + 3).join(" ")}`,
    );
    writeFileSync(path("oh.xyz"), `${numbers.length}\nProperties=species:S:1:pos:R:3\n${atoms.join("\n")}\n`);
    json("import", yace, "oh.surfit");
    const { lammps } = json("export", "--to", "yace", "oh.surfit", "oh.yace") as { lammps: string[] };
    expect(lammps).toEqual(["pair_style pace", "pair_coeff * * oh.yace H O"]);
    json("import", "oh.yace", "oh-again.surfit");
    for (const model of ["oh.surfit", "oh-again.surfit"]) {
      const [found] = json("predict", model, "oh.xyz") as unknown as { energy: number }[];
      expect(Math.abs(found.energy / energy - 1)).toBeLessThan(1e-12);
    }
  });

  test("doctor judges, convert keeps every number", () => {
    const diagnosis = json("doctor", "data.xyz") as { frames: number; verdict: string };
    expect(diagnosis.frames).toBe(40);
    expect(["ok", "note", "warn"]).toContain(diagnosis.verdict);
    expect(json("convert", "data.xyz", "copy.xyz.gz")).toMatchObject({ read: 40, written: 40 });
    const copy = gunzipSync(readFileSync(path("copy.xyz.gz"))).toString();
    // The order of the keys on a comment line has no meaning.
    expect(sorted(copy)).toEqual(sorted(readFileSync(path("data.xyz"), "utf8")));
    json("convert", "data.xyz", "hartree.xyz", "--units", "Hartree,bohr");
    const [first] = readFileSync(path("hartree.xyz"), "utf8")
      .match(/energy=(\S+)/)!
      .slice(1)
      .map(Number);
    const original = Number(readFileSync(path("data.xyz"), "utf8").match(/energy=(\S+)/)![1]);
    expect(first / original).toBeCloseTo(27.211386245981, 9);
  });
});
