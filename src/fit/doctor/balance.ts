import type { Frame } from "../../structure/structure.ts";
import { brief, finding, type Finding } from "./finding.ts";

/** Sum of forces per atom above this is noticed, eV/Å: converged codes stay below. */
const NET = 2e-3;
/** Torque over Σ|r||F| above this is noticed. */
const TORQUE = 1e-2;
/** Frames beyond the limit, as a part of all, that make it a warning. */
const MANY = 0.05;

interface Excess {
  readonly place: string;
  readonly value: number;
}

/** Forces on the whole system, and torques on molecules: both vanish on a true potential energy surface. */
export class Balance {
  #frames = 0;
  #molecules = 0;
  #netMax = 0;
  #torqueMax = 0;
  readonly #net: Excess[] = [];
  readonly #torque: Excess[] = [];

  add({ structure, forces, place }: Frame): void {
    if (!forces) return;
    const n = structure.numbers.length;
    this.#frames++;
    const sum = [0, 1, 2].map((k) => columnSum(forces, k));
    const net = Math.hypot(...sum) / n;
    this.#netMax = Math.max(this.#netMax, net);
    if (net > NET) this.#net.push({ place, value: net });
    if (structure.pbc.some(Boolean) || n < 2) return;
    this.#molecules++;
    const torque = relativeTorque(structure.positions, forces);
    this.#torqueMax = Math.max(this.#torqueMax, torque);
    if (torque > TORQUE) this.#torque.push({ place, value: torque });
  }

  findings(): Finding[] {
    if (this.#frames === 0) return [];
    const found = [
      say(
        "net force",
        this.#net,
        this.#frames,
        this.#netMax,
        "eV/Å per atom",
        "tighten the convergence and the grids of the calculation, or subtract the mean force if an external field is meant",
      ),
    ];
    if (this.#molecules > 0)
      found.push(
        say(
          "torque",
          this.#torque,
          this.#molecules,
          this.#torqueMax,
          "of Σ|r||F|",
          "look whether positions and forces belong to the same orientation: some programs turn the molecule to its standard orientation",
        ),
      );
    return found;
  }
}

const columnSum = (x: Float64Array, k: number): number => {
  let sum = 0;
  for (let i = k; i < x.length; i += 3) sum += x[i];
  return sum;
};

/** |Σ (r − c) × F| / Σ |r − c||F| with the mean position c. */
function relativeTorque(r: Float64Array, F: Float64Array): number {
  const n = r.length / 3;
  const c = [0, 1, 2].map((k) => columnSum(r, k) / n);
  const torque = [0, 0, 0];
  let scale = 0;
  for (let i = 0; i < r.length; i += 3) {
    const [x, y, z] = [r[i] - c[0], r[i + 1] - c[1], r[i + 2] - c[2]];
    const [u, v, w] = F.subarray(i, i + 3);
    torque[0] += y * w - z * v;
    torque[1] += z * u - x * w;
    torque[2] += x * v - y * u;
    scale += Math.hypot(x, y, z) * Math.hypot(u, v, w);
  }
  return scale > 0 ? Math.hypot(...torque) / scale : 0;
}

function say(
  check: string,
  excess: readonly Excess[],
  frames: number,
  max: number,
  unit: string,
  cure: string,
): Finding {
  const message = `${check} up to ${brief(max)} ${unit}; ${excess.length} of ${frames} frames are above the limit`;
  if (excess.length === 0) return finding(check, "ok", message);
  const places = excess.toSorted((a, b) => b.value - a.value).map((e) => e.place);
  return finding(check, excess.length > MANY * frames ? "warn" : "note", message, cure, places);
}
