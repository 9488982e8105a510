/**
 * Time of emitted formulas: the angular functions of descriptors forward, backward and along a direction, per triplet;
 * elementary functions per element; against the interpreter and the engine's own functions.
 */
import { angularTerm } from "../src/descriptors/acsf/terms.ts";
import { compileAngular } from "../src/descriptors/loops/angular.ts";
import { ROWS } from "../src/descriptors/loops/triplets.ts";
import { createDevice } from "../src/device/device.ts";
import type { Device } from "../src/device/device.ts";
import { gradient } from "../src/formula/derivative.ts";
import { cos, exp, log, logistic, sin, softplus, tanh, variable } from "../src/formula/expression.ts";
import type { Expr } from "../src/formula/expression.ts";
import type { Kernel, KernelSpec } from "../src/formula/kernel.ts";
import { referenceKernel } from "../src/formula/kernel.ts";
import { program } from "../src/formula/program.ts";
import { fastest } from "./fastest.ts";

/** The seven narrow angular functions on an oxygen of n2p2's water potential (η in Bohr⁻², λ, ζ). */
const water = [
  [0.2, 1, 1],
  [0.07, 1, 1],
  [0.07, -1, 1],
  [0.03, 1, 1],
  [0.03, -1, 1],
  [0.01, 1, 4],
  [0.01, -1, 4],
] as const;
/** A large set: every η with every λ and ζ. */
const large = Array.from(
  { length: 96 },
  (_, t) => [0.02 * 1.3 ** Math.floor(t / 8), t % 2 ? 1 : -1, [1, 2, 4, 16][(t >> 1) % 4]] as const,
);

const device = createDevice();
const single = createDevice({ memory: device.memory, precision: "f32" });
/** Elements per call: as many as the descriptors' loops hand over at once. */
const LANES = 256;
const inputs = device.memory.alloc(ROWS * 8 * LANES);
const outputs = device.memory.alloc(6 * 8 * LANES);
const weights = device.memory.alloc(8 * 128);
const sums = device.memory.alloc(8 * 128);
device.memory.f64(weights, 128).fill(0.7);
const x = device.memory.f64(inputs, ROWS * LANES);

/** Distances, and what stands for functions of them, in the format of a device. */
function fill({ precision }: Device): void {
  const y = precision === "f64" ? x : device.memory.f32(inputs, ROWS * LANES);
  for (let i = 0; i < y.length; i++) y[i] = i % 7 === 0 ? 3.9 : 2 + 3 * ((i * 0.618034) % 1);
  for (let i = 2 * LANES; i < 3 * LANES; i++) y[i] *= y[i];
}

/** Nanoseconds per element of the fastest of several rounds. */
function nanoseconds(run: () => void, elements: number, calls = 40): number {
  const several = () => {
    for (let k = 0; k < calls; k++) run();
  };
  return (1e6 * fastest(several, 40)) / (elements * calls);
}

const runs =
  (kernel: Kernel, bytes = 8) =>
  () =>
    kernel.run(LANES, inputs, bytes * LANES, weights, outputs, sums);
const columns = (...cells: (string | number)[]) =>
  console.log(
    cells
      .map((c, i) => (typeof c === "number" ? c.toFixed(2) : c)[i ? "padStart" : "padEnd"](i ? 12 : 26))
      .join(""),
  );

function angular(): void {
  columns("ns per triplet", "forward", "pullback", "pushforward", "emit, ms");
  for (const [name, set] of [
    ["7 narrow (water)", water],
    ["96 narrow", large],
  ] as const) {
    const terms = set.map(([eta, lambda, zeta]) =>
      angularTerm({ type: "G4", eta, lambda, zeta, shift: 0 }, { type: "cosine", radius: 6.36 }),
    );
    for (const on of [device, single]) {
      fill(on);
      const start = performance.now();
      const [{ forward, pullback, pushforward }] = compileAngular(terms, on).pieces;
      const emit = performance.now() - start;
      const bytes = on === device ? 8 : 4;
      const times = [forward, pullback, pushforward].map((k) => nanoseconds(runs(k, bytes), LANES));
      columns(`${name}, ${on.precision}`, ...times, emit);
    }
  }
}

const z = variable("z");
const specOf = (name: string, outputs: readonly Expr[]): KernelSpec => ({
  name,
  varying: ["z"],
  uniform: [],
  elementwise: outputs,
});

function elementaries(): void {
  columns("ns per element", "emitted", "plain", "with f′", "Math", "Math/emitted", "interpreted", "ops/ns");
  const plain = createDevice({ memory: device.memory, deterministic: true });
  const functions = { exp, log, sin, cos, tanh, logistic, softplus };
  const y = new Float64Array(LANES);
  for (const [name, f] of Object.entries(functions)) {
    const spec = specOf(name, [f(z)]);
    const emitted = nanoseconds(runs(device.compile(spec)), LANES);
    const exact = nanoseconds(runs(plain.compile(spec)), LANES);
    const both = nanoseconds(runs(device.compile(specOf(name, [f(z), ...gradient(f(z), [z])]))), LANES);
    const own = (Math as unknown as Record<string, ((x: number) => number) | undefined>)[name];
    const loop = (g: (x: number) => number) => () => {
      for (let i = 0; i < LANES; i++) y[i] = g(x[i]);
    };
    const math = own ? nanoseconds(loop(own), LANES) : NaN;
    const interpreted = nanoseconds(runs(referenceKernel(spec, device.memory.memory)), LANES, 1);
    columns(name, emitted, exact, both, math, math / emitted, interpreted, operations(spec) / emitted);
  }
}

/** Operations of the loop on one element, before additions and products are fused. */
function operations(spec: KernelSpec): number {
  const { order, invariant } = program(spec);
  return order.filter((y) => y.op !== "variable" && !invariant.has(y)).length;
}

angular();
fill(device);
elementaries();
