// Models of every kind that a .yace file can hold, with random numbers: what ace.py has python-ace evaluate.
import { mkdirSync, writeFileSync } from "node:fs";
import { ace } from "../../src/descriptors/ace/ace.ts";
import { createDevice } from "../../src/device/device.ts";
import { writeYace } from "../../src/io/ace/write.ts";
import { Random } from "../../src/math/random.ts";
import type { Model } from "../../src/potentials/potential.ts";

const device = createDevice({ bytes: 2 ** 26 });
const elements = [1, 8];
const orders = [
  { n: 4, l: 0 },
  { n: 2, l: 2 },
  { n: 2, l: 1, degree: 2 },
];
const radial = {
  "H-H": { cutoff: 3.1 },
  "O-H": { cutoff: 3.6, lambda: 3 },
  "H-O": { cutoff: 3.6, lambda: 3 },
};
const inner = { radius: 1.3, width: 0.5 };
const core = { strength: 30, exponent: 2 };

const cases: Record<string, { see: Record<string, unknown>; learn: Record<string, unknown> }> = {
  linear: { see: { orders, smoothing: 0.7, bonds: radial }, learn: { name: "linear" } },
  power: {
    see: { orders, radial: "ChebPow", lambda: 2.5, core },
    learn: { name: "embedding", type: "FinnisSinclair", core: true, coreCutoff: 6, coreWidth: 5.5 },
  },
  bessel: {
    see: { orders, radial: "SBessel", inner, core },
    learn: {
      name: "embedding",
      core: true,
      densities: [
        { weight: 1, exponent: 1 },
        { weight: -1, exponent: 0.7 },
      ],
    },
  },
  steps: { see: { orders, radial: "ChebLinear", inner }, learn: { name: "linear" } },
};

const draw = (random: Random, n: number): Float64Array =>
  random.normals(new Float64Array(n)).map((x) => 0.02 * x);

interface Density {
  readonly weight: number;
  readonly exponent: number;
}

const square: readonly Density[] = [
  { weight: 1, exponent: 1 },
  { weight: 1, exponent: 0.5 },
];

/** Random numbers of element e with `size` features. */
function numbersOf(learn: Record<string, unknown>, size: number, e: number, random: Random) {
  if (learn.name === "linear") return { [`${e}.coefficients`]: draw(random, size + 1) };
  const K = size - (learn.core === true ? 1 : 0);
  const densities = (learn.densities as readonly Density[] | undefined) ?? square;
  return {
    [`${e}.bias`]: draw(random, 1),
    [`${e}.weights`]: draw(random, K * densities.length),
    [`${e}.scale`]: new Float64Array(K).fill(1),
    [`${e}.functions`]: Float64Array.from(densities.flatMap((d) => [d.weight, d.exponent])),
    [`${e}.core`]: Float64Array.of(Number(learn.coreCutoff ?? 1e5), Number(learn.coreWidth ?? 250)),
  };
}

const folder = process.argv[2] ?? ".";
mkdirSync(folder, { recursive: true });
for (const [name, { see, learn }] of Object.entries(cases)) {
  const options = ace.options.parse({ cutoff: 4, ...see });
  const descriptor = ace.build(options, elements, device);
  const random = new Random(4, name);
  const tensors = elements.map((_, e) => numbersOf(learn, descriptor.size(e), e, random));
  const learned = {
    type: "composed",
    options: { descriptor: { name: "ace", ...options }, regressor: learn },
    tensors: Object.assign({}, ...tensors) as Record<string, Float64Array>,
  };
  const known = { type: "isolated-atoms", options: { energies: { H: -13.6, O: -432 } }, tensors: {} };
  const model: Model = { elements, terms: [known, learned], provenance: {} };
  writeFileSync(`${folder}/${name}.yace`, writeYace(model));
}
