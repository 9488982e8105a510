import type { MolecularDescriptor } from "../descriptors/molecular/descriptor.ts";
import { pullback, pushforward } from "../descriptors/molecular/descriptor.ts";
import { Random } from "../math/random.ts";
import type { Structure } from "../structure/structure.ts";

/** A descriptor of whole molecules and a molecule to try it on. */
export interface MolecularSubject {
  readonly descriptor: MolecularDescriptor;
  readonly structure: Structure;
  readonly seed: number;
  /** It sees where the molecule is: the laws of translation and rotation do not hold. */
  readonly fixed?: boolean;
}

const STEP = 1e-5;
const TOLERANCE = 1e-7;

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, k) => sum + x * b[k], 0);

function demandEqual(law: string, a: Float64Array, b: Float64Array, tolerance: number): void {
  const size = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (!(size > 1e-3)) throw new Error(`${law}: nothing to compare, values up to ${size}`);
  const off = a.reduce((most, x, t) => Math.max(most, Math.abs(x - b[t])), 0);
  if (!(off <= tolerance * Math.max(1, size))) throw new Error(`${law}: off by ${off}, values up to ${size}`);
}

/** Every law that a descriptor of whole molecules has to obey, by name; each throws with figures where it does not. */
export const molecularLaws: Readonly<Record<string, (subject: MolecularSubject) => void>> = {
  "moving and turning the molecule changes nothing": ({ descriptor, structure, fixed }) => {
    if (fixed) return;
    const before = descriptor.forward(structure.positions).slice();
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const turned = structure.positions.slice();
    for (let i = 0; i < turned.length; i += 3) {
      const [x, y, z] = turned.subarray(i, i + 3);
      const [u, v] = [c * x - s * y, s * x + c * y];
      turned.set([c * u + s * z + 3, v - 5, c * z - s * u + 1], i);
    }
    demandEqual("invariance", before, descriptor.forward(turned), 1e-12);
  },

  "the Jacobian is the slope of the features": ({ descriptor, structure, seed }) => {
    const { positions } = structure;
    const tangent = new Random(seed, "tangent").normals(new Float64Array(positions.length));
    const dx = new Float64Array(descriptor.size);
    pushforward(descriptor.jacobian(positions).rows, tangent, dx);
    const at = (step: number) => descriptor.forward(positions.map((x, k) => x + step * tangent[k])).slice();
    const [up, down] = [at(STEP), at(-STEP)];
    demandEqual(
      "slope",
      dx,
      up.map((x, t) => (x - down[t]) / (2 * STEP)),
      TOLERANCE,
    );
  },

  "pullback is the transpose of pushforward": ({ descriptor, structure, seed }) => {
    const random = new Random(seed, "adjoint");
    const tangent = random.normals(new Float64Array(structure.positions.length));
    const weights = random.normals(new Float64Array(descriptor.size));
    const { rows } = descriptor.jacobian(structure.positions);
    const dx = new Float64Array(descriptor.size);
    pushforward(rows, tangent, dx);
    const gradient = new Float64Array(tangent.length);
    pullback(rows, weights, gradient);
    demandEqual(
      "adjointness",
      Float64Array.of(dot(dx, weights)),
      Float64Array.of(dot(gradient, tangent)),
      1e-11,
    );
    if (!descriptor.pullback) return;
    const own = new Float64Array(tangent.length);
    descriptor.forward(structure.positions);
    descriptor.pullback(weights, own);
    demandEqual("its own pullback", gradient, own, 1e-12);
  },

  "only active coordinates count": ({ descriptor, structure }) => {
    const { rows } = descriptor.jacobian(structure.positions);
    const active = new Set(descriptor.active);
    for (let k = 0; k < rows.starts[descriptor.size]; k++)
      if (rows.values[k] !== 0 && !active.has(rows.columns[k]))
        throw new Error(`a feature depends on coordinate ${rows.columns[k]}, which is not active`);
  },

  "features agree with those beside the Jacobian, and input is left untouched": ({
    descriptor,
    structure,
  }) => {
    const before = structure.positions.slice();
    const alone = descriptor.forward(structure.positions).slice();
    demandEqual("features", alone, descriptor.jacobian(structure.positions).features, 0);
    if (before.some((x, k) => x !== structure.positions[k])) throw new Error("positions were changed");
    if (descriptor.labels.length !== descriptor.size)
      throw new Error(`${descriptor.labels.length} labels of ${descriptor.size} features`);
  },
};
