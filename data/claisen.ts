/**
 * The Claisen rearrangement of allyl vinyl ether to 4-pentenal: path, saddle point and thermal samples along it, all
 * with GFN2-xTB. Makes claisen.xyz.gz and claisen-path.xyz (extended XYZ; eV, Å, eV/Å). Needs the program xtb (6.5.1 was
 * used). Every step writes to runs/claisen and finds there what the step before has written:
 *
 *     node data/claisen.ts path            both minima, band, saddle point, reaction coordinate: 1 min
 *     node data/claisen.ts sample 0/2 &    restrained dynamics in windows along the path: 8 min on each of two cores
 *     node data/claisen.ts sample 1/2 &
 *     node data/claisen.ts assemble        farthest points of the samples, labelled
 *     node data/claisen.ts explore model.surfit    a second round, in which a model from the first does the dynamics;
 *     node data/claisen.ts assemble                then again
 *     node data/claisen.ts extend model.surfit     a third round: what a fit to these meets at 300 to 600 K, added: 3 min
 *     node data/claisen.ts modes                   minima and saddle point displaced along their modes, added
 *     node data/claisen.ts check           forces against differences of energies
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  Random,
  band,
  buildPotential,
  createDevice,
  evenDistances,
  findNeighbours,
  hessian,
  laidOver,
  langevin,
  lbfgs,
  prfo,
  profileOf,
  reactionCoordinate,
  readModel,
  relax,
  straight,
  sum,
  thermalVelocities,
  vibrations,
} from "../src/index.ts";
import type { Frame, InfoValue, Potential, Structure } from "../src/index.ts";
import { readFrames, readLabelled, writeFrames, xtb } from "../src/node.ts";
import { readBias } from "../src/potentials/bias/bias.ts";
import { readVariable } from "../src/potentials/bias/variable.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const scratch = `${here}../runs/claisen/`;

/** CH2=CH–CH2–O–CH=CH2, numbered along the chain from 1 on. */
const [FORMS, PARTS] = ["distance(1,6)", "distance(3,4)"];

/** A chair of six with the hydrogens where cyclohexane has them: equatorial on CH, both on CH2. */
function chair(): Structure {
  const numbers = [6, 6, 6, 8, 6, 6];
  const positions: number[] = [];
  const at = (k: number, radius: number, height: number) => {
    const [angle, side] = [(k * Math.PI) / 3, k % 2 ? 1 : -1];
    positions.push(radius * Math.cos(angle), radius * Math.sin(angle), side * height);
  };
  for (let k = 0; k < 6; k++) at(k, 1.6, 0.3);
  for (const k of [0, 1, 2, 4, 5]) {
    at(k, 2.62, -0.05);
    numbers.push(1);
  }
  for (const k of [0, 2, 5]) {
    at(k, 1.6, 1.38);
    numbers.push(1);
  }
  return { numbers: Uint8Array.from(numbers), positions: Float64Array.from(positions), ...MOLECULE };
}

const MOLECULE = { cell: null, pbc: [false, false, false] as const };

const device = createDevice();
/** r(C–O) − r(C–C), Å: −3.6 in the ether, −0.35 at the saddle point, 2.9 in the aldehyde. */
const XI = `${PARTS} - ${FORMS}`;
const variable = readVariable(XI, device);
const xi = (structure: Structure): number => variable.evaluate(structure);

const frameOf = (
  structure: Structure,
  rest: Partial<Frame> & { info?: Record<string, InfoValue> } = {},
): Frame => ({
  structure,
  info: {},
  arrays: {},
  place: "claisen",
  ...rest,
});

async function load(file: string): Promise<Structure[]> {
  const found: Structure[] = [];
  for await (const { structure } of readFrames(file)) found.push(structure);
  return found;
}

/** Where the search starts: the chair with both bonds held at a length. */
function held(potential: Potential, forming: number, parting: number): Structure {
  const pull = sum(
    potential,
    readBias(`umbrella(${FORMS}; ${forming}; k=20)`, device),
    readBias(`umbrella(${PARTS}; ${parting}; k=20)`, device),
  );
  return relax(lbfgs(chair(), pull), chair(), { fmax: 0.05, steps: 300 }).structure;
}

function minimum(structure: Structure, potential: Potential): Structure {
  const found = relax(lbfgs(structure, potential), structure, { fmax: 0.002, steps: 1000 });
  if (!found.converged) throw new Error(`an end that does not relax: ${found.maxForce} eV/Å`);
  return found.structure;
}

const BAND = { configType: "band" };

async function path(): Promise<void> {
  const potential = xtb();
  const [from, to] = [
    minimum(held(potential, 3.2, 1.43), potential),
    minimum(held(potential, 1.55, 3.2), potential),
  ];
  const line = straight(from.positions, laidOver(from, to), 17);
  const bent = evenDistances(from, line, device);
  const neb = band(from, bent, () => potential);
  const state = neb.init();
  const history: Frame[] = [];
  const keep = () =>
    history.push(
      ...state.images.map(({ positions }) => frameOf({ ...from, positions: positions.slice() }, BAND)),
    );
  keep();
  while (state.step < 400 && !(state.maxForce < 0.05 && state.climbing >= 0)) {
    neb.step(state);
    if (state.step % 4 === 0) keep();
    if (state.step % 10 === 0) console.log(`band, step ${state.step}: ${state.maxForce.toFixed(3)} eV/Å`);
  }
  await writeFrames(`${scratch}band.xyz`, history);
  const profile = profileOf(state.images);
  const places = state.images.map(({ positions }) => xi({ ...from, positions }).toFixed(2));
  console.log(`band: barrier ${profile.forward.toFixed(4)} eV, ξ = ${places.join(" ")}`);
  const guess = { ...from, positions: state.images[state.climbing].positions };
  await refine(guess, potential, [from, to]);
}

async function refine(guess: Structure, potential: Potential, ends: readonly Structure[]): Promise<void> {
  const search = prfo(guess, potential);
  const found = search.init();
  while (found.maxForce > 3e-4 && found.step < 200) search.step(found);
  const saddle = { ...guess, positions: found.positions.slice() };
  const H = hessian(saddle, potential);
  const { wavenumbers, modes } = vibrations(saddle, H);
  console.log(
    `saddle: ${found.maxForce.toExponential(1)} eV/Å, ${Array.from(wavenumbers.slice(0, 3), (w) => w.toFixed(1)).join(", ")} cm⁻¹`,
  );
  const sides = ([-1, 1] as const).map((side) => {
    const walk = reactionCoordinate(saddle, potential, H, modes[0], side);
    const state = walk.init();
    const images: Structure[] = [];
    while (!state.ended && state.step < 1000) {
      walk.step(state);
      images.push({ ...saddle, positions: state.positions.slice() });
    }
    return images;
  });
  // The ether first.
  sides.sort((a, b) => xi(a.at(-1)!) - xi(b.at(-1)!));
  const minima = sides.map((images) => minimum(images.at(-1)!, potential));
  for (const [k, end] of minima.entries())
    console.log(`end ${k}: ξ = ${xi(end).toFixed(3)}, band's end ${xi(ends[k]).toFixed(3)}`);
  const whole = [minima[0], ...sides[0].toReversed(), saddle, ...sides[1], minima[1]];
  await writeFrames(
    `${scratch}irc.xyz`,
    whole.map((s) => frameOf(s)),
  );
  const names = ["ether", "saddle", "aldehyde"];
  const labelled = [minima[0], saddle, minima[1]].map((s, k) =>
    label(s, potential, { configType: names[k] }),
  );
  for (const { energy, configType } of labelled) console.log(configType, energy! - labelled[0].energy!, "eV");
  await writeFrames(`${here}claisen-path.xyz`, labelled);
}

const [FIRST, LAST, APART] = [-3.4, 2.8, 0.2];
const windows = Math.round((LAST - FIRST) / APART) + 1;
const TEMPERATURES = [300, 600];

/** Frames of Langevin dynamics that is held near ξ, from the point of the path next to it. */
function restrained(
  images: readonly Structure[],
  target: number,
  potential: Potential,
  plan: { T: number; seed: number; k: number; settle: number; frames: number; every: number },
): Structure[] {
  const off = images.map((s) => Math.abs(xi(s) - target));
  const start = images[off.indexOf(Math.min(...off))];
  const { T, seed, k, settle, frames, every } = plan;
  const velocities = thermalVelocities(start, T, { seed });
  const run = langevin(start, sum(potential, readBias(`umbrella(${XI}; ${target}; k=${k})`, device)), {
    timestep: 1,
    temperature: T,
    friction: 0.02,
    velocities,
    seed,
  });
  const state = run.init();
  const kept: Structure[] = [];
  for (let step = 1; step <= settle + frames * every; step++) {
    run.step(state);
    if (step > settle && (step - settle) % every === 0)
      kept.push({ ...start, positions: state.positions.slice() });
  }
  return kept;
}

async function sample(shard: string): Promise<void> {
  const [part, parts] = shard.split("/").map(Number);
  const images = await load(`${scratch}irc.xyz`);
  const potential = xtb();
  for (let w = part; w < windows; w += parts) {
    const file = `${scratch}window-${String(w).padStart(2, "0")}.xyz`;
    if (existsSync(file)) continue;
    const kept = TEMPERATURES.flatMap((T) =>
      restrained(images, FIRST + w * APART, potential, {
        T,
        seed: 100 * w + T,
        k: 4,
        settle: 60,
        frames: 24,
        every: 12,
      }).map((s) => frameOf(s, { configType: `md${T}` })),
    );
    await writeFrames(file, kept);
    console.log(`window ${w} of ${windows}`);
  }
}

/** Positions as they are written, 1e-4 Å: the labels belong to these. */
const rounded = (s: Structure): Structure => ({
  ...s,
  positions: s.positions.map((x) => to(x, 4)),
});

/** ξ in bins of 0.2 Å: what is held out together. */
const binOf = (s: Structure): string =>
  `w${String(Math.min(windows, Math.max(0, Math.round((xi(s) - FIRST) / APART)))).padStart(2, "0")}`;

function evaluated(structure: Structure, potential: Potential) {
  const out = {
    energy: 0,
    forces: new Float64Array(structure.positions.length),
    virial: new Float64Array(9),
  };
  potential.evaluate(structure, findNeighbours(structure, 0), out);
  return out;
}

const to = (x: number, digits: number): number => Math.round(x * 10 ** digits) / 10 ** digits;

function label(structure: Structure, potential: Potential, rest: Partial<Frame>): Frame {
  const s = rounded(structure);
  const { energy, forces } = evaluated(s, potential);
  return frameOf(s, { energy: to(energy, 6), forces: forces.map((f) => to(f, 4)), ...rest });
}

/** Dynamics with a model of the first round: longer, so that the molecule turns about its bonds. */
async function explore(file: string): Promise<void> {
  const images = await load(`${scratch}irc.xyz`);
  const model = buildPotential(readModel(await readFile(file)), device);
  const kept: Frame[] = [];
  for (let w = 0; w < windows; w++)
    for (const T of TEMPERATURES)
      for (const s of restrained(images, FIRST + w * APART, model, { T, seed: 7 + 100 * w + T, ...LONG }))
        kept.push(frameOf(s, { configType: `explored${T}` }));
  await writeFrames(`${scratch}explored.xyz`, kept);
  console.log(`${kept.length} frames`);
}

/** Where the third round looks: all along, and closer about the saddle point. */
const THERMAL = [
  { targets: places(-3.7, 2.9, 0.15), temperatures: [450, 600], k: 8, frames: 24 },
  { targets: places(-0.8, 0.1, 0.1), temperatures: [300, 450], k: 20, frames: 20 },
];

function places(from: number, to: number, apart: number): number[] {
  return Array.from({ length: Math.round((to - from) / apart) + 1 }, (_, k) => from + k * apart);
}

/** Thermal frames of dynamics with a model of the second round, labelled and added: what sampling with a fit meets. */
async function extend(file: string): Promise<void> {
  const images = await load(`${scratch}irc.xyz`);
  const model = buildPotential(readModel(await readFile(file)), device);
  const potential = xtb();
  const { frames: before } = await readLabelled(`${here}claisen.xyz.gz`);
  const frames = before.filter(({ configType }) => !configType?.startsWith("thermal"));
  for (const [part, { targets, temperatures, k, frames: count }] of THERMAL.entries())
    for (const [w, target] of targets.entries())
      for (const T of temperatures) {
        const plan = { T, k, frames: count, seed: 10_000 * (part + 1) + 10 * w + T / 150, ...SPACED };
        for (const s of restrained(images, target, model, plan)) {
          const info = { window: binOf(rounded(s)) };
          frames.push(label(s, potential, { configType: `thermal${T}`, info }));
        }
      }
  await keep(frames);
}

/** Å, of all coordinates together; further along the softest modes, which go on turning. */
const [STRIDE, FAR, SOFT] = [0.02, [0.1, 0.2], 6];

/** Both minima and the saddle point, displaced by 0.02 Å along each of their modes, both ways, by up to 0.2 Å along the softest: forces that tell their force constants. */
async function modes(): Promise<void> {
  const potential = xtb();
  const { frames: before } = await readLabelled(`${here}claisen.xyz.gz`);
  const frames = before.filter(({ configType }) => configType !== "mode");
  for (const structure of await load(`${here}claisen-path.xyz`)) {
    const found = vibrations(structure, hessian(structure, potential));
    for (const [k, mode] of found.modes.entries())
      for (const stride of [STRIDE, ...(k < SOFT ? FAR : [])].flatMap((far) => [-far, far])) {
        const length = Math.sqrt(mode.reduce((sum, x) => sum + x * x, 0));
        const positions = structure.positions.map((x, c) => x + (stride * mode[c]) / length);
        const s = rounded({ ...structure, positions });
        frames.push(label(s, potential, { configType: "mode", info: { window: binOf(s) } }));
      }
  }
  await keep(frames);
}

const SPACED = { settle: 300, every: 60 };

const RATTLED = { configType: "rattled" };
const shaken = (s: Structure, width: number, random: Random): Structure => ({
  ...s,
  positions: s.positions.map((x) => x + width * random.normal()),
});

const LONG = { k: 15, settle: 100, frames: 40, every: 50 };

/**
 * Images of the band on its way, each third; every fourth point of the path, as it is and displaced at random by 0.03 and
 * 0.05 Å in each coordinate; the saddle point displaced by 0.02 and 0.04 Å.
 */
async function alongPath(): Promise<Frame[]> {
  const images = await load(`${scratch}irc.xyz`);
  const random = new Random(5, "rattle");
  const band = (await load(`${scratch}band.xyz`)).filter((_, k) => k % 3 === 0);
  const along = images
    .filter((_, k) => k % 4 === 0)
    .flatMap((s) =>
      [0, 0.03, 0.05].map((width) =>
        frameOf(width ? shaken(s, width, random) : s, width ? RATTLED : { configType: "path" }),
      ),
    );
  const top = (await load(`${here}claisen-path.xyz`))[1];
  const about = Array.from({ length: 40 }, (_, k) => shaken(top, k % 2 ? 0.02 : 0.04, random));
  return [...band.map((s) => frameOf(s, BAND)), ...along, ...about.map((s) => frameOf(s, RATTLED))];
}

const CHOSEN = 1100;
/** eV above the ether: what lies higher has come apart. */
const HIGHEST = 6;

const byXi = (a: Frame, b: Frame) => xi(a.structure) - xi(b.structure);

async function assemble(): Promise<void> {
  const pool: Frame[] = [];
  const parts = Array.from({ length: windows }, (_, w) => `window-${String(w).padStart(2, "0")}.xyz`);
  for (const part of [
    "band.xyz",
    ...parts,
    ...(existsSync(`${scratch}explored.xyz`) ? ["explored.xyz"] : []),
  ])
    for await (const frame of readFrames(scratch + part)) pool.push(frame);
  await writeFrames(`${scratch}pool.xyz`, pool);
  const words = [
    "select",
    `${scratch}pool.xyz`,
    "-o",
    `${scratch}chosen.xyz`,
    "--count",
    `${CHOSEN}`,
    "--force",
  ];
  const run = spawnSync(process.execPath, [`${here}../src/cli/main.ts`, ...words], { stdio: "inherit" });
  if (run.status !== 0) throw new Error("surfit select failed");
  const frames = await alongPath();
  for await (const frame of readFrames(`${scratch}chosen.xyz`)) frames.push(frame);
  const potential = xtb();
  const all = frames.map(({ structure, configType, info }) =>
    label(structure, potential, {
      configType: configType ?? (info.config_type as string),
      info: { window: binOf(structure) },
    }),
  );
  await keep(all);
}

async function keep(all: readonly Frame[]): Promise<void> {
  const least = Math.min(...all.map(({ energy }) => energy!));
  if (!Number.isFinite(least)) throw new Error("a frame without an energy");
  const low = all.filter(({ energy }) => energy! - least < HIGHEST);
  const marked = marks(low.toSorted(byXi));
  await writeFrames(`${here}claisen.xyz.gz`, marked);
  const count = (part: string) => marked.filter(({ info }) => info["part"] === part).length;
  console.log(
    `${count("core")} and ${count("fit")} frames to fit, ${count("rest")} others, ${count("test")} to test; ` +
      `${all.length - low.length} left out above ${HIGHEST} eV`,
  );
}

/** Windows that no fit sees. */
const TEST = new Set(["w05", "w12", "w19", "w26"]);
/** What kernels are fitted to: the path and the modes; a third of the modes does for a start. */
const SHARE: Readonly<Record<string, number>> = { path: 1, mode: 1 };
const CORE: Readonly<Record<string, number>> = { path: 1, mode: 3 };

/** Tells each frame which part of the set it is of: test (whole windows of ξ), core and fit (path and modes) or rest. */
function marks(frames: readonly Frame[]): Frame[] {
  const seen: Record<string, number> = {};
  const partOf = ({ configType = "", info }: Frame): string => {
    if (TEST.has(String(info["window"]))) return "test";
    const k = (seen[configType] = (seen[configType] ?? 0) + 1);
    if (k % (CORE[configType] ?? Infinity) === 0) return "core";
    return k % (SHARE[configType] ?? Infinity) === 0 ? "fit" : "rest";
  };
  return frames.map((frame) => ({ ...frame, info: { ...frame.info, part: partOf(frame) } }));
}

/** Forces against central differences of energies, 0.002 Å. */
async function check(): Promise<void> {
  const potential = xtb();
  let k = 0;
  for await (const { structure } of readFrames(`${here}claisen.xyz.gz`)) {
    if (k++ % 211 !== 100) continue;
    const at = (7 * k) % structure.positions.length;
    const [up, down] = [1, -1].map((side) => {
      const positions = structure.positions.slice();
      positions[at] += 0.002 * side;
      return evaluated({ ...structure, positions }, potential).energy;
    });
    const off = evaluated(structure, potential).forces[at] - (down - up) / 0.004;
    console.log(`frame ${k - 1}, coordinate ${at}: ${(1000 * off).toFixed(3)} meV/Å`);
  }
}

mkdirSync(scratch, { recursive: true });
const [step, argument] = process.argv.slice(2);
const steps: Record<string, () => Promise<void>> = {
  path,
  sample: () => sample(argument ?? "0/1"),
  assemble,
  explore: () => explore(argument),
  extend: () => extend(argument),
  modes,
  check,
};
if (!steps[step]) throw new Error(`a step: ${Object.keys(steps).join(", ")}`);
await steps[step]();
