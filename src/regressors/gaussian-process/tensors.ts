import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { packedNumbers, type Triangle } from "../../math/triangle.ts";

/** Cholesky's factor of the covariance of n observations in the device's memory. */
export function placeFactor(given: Float64Array, n: number, { memory }: Device): Triangle {
  const length = packedNumbers(n);
  if (given.length !== length)
    throw invalid("tensor factor", `${length} numbers for ${n} observations`, `${given.length}`);
  const address = memory.alloc(8 * length);
  memory.f64(address, length).set(given);
  return { address, n, stride: 0 };
}

/** The arrays of the observed molecules, of `width` coordinates each, checked. */
export function readObserved(
  tensors: Readonly<Record<string, Float64Array>>,
  width: number,
  active: Int32Array,
) {
  const { positions, energies, gradients, coordinates = null } = tensors;
  const N = (positions?.length ?? 0) / width;
  if (!positions || N === 0 || !Number.isInteger(N))
    throw invalid(
      "tensor positions",
      `some times ${width} numbers`,
      positions ? `${positions.length}` : "none",
    );
  for (const [name, list] of Object.entries({ energies, gradients })) {
    if (!list) throw invalid(`tensor ${name}`, "numbers of molecules", "none");
    const stray = list.find((i, k) => !Number.isInteger(i) || i < 0 || i >= N || (k > 0 && i <= list[k - 1]));
    if (stray !== undefined)
      throw invalid(`tensor ${name}`, `ascending numbers of ${N} molecules, from 0 on`, stray);
  }
  const known = new Set<number>(active);
  const unknown = coordinates?.find((c) => !known.has(c));
  if (unknown !== undefined || (coordinates && coordinates.length % Math.max(1, gradients.length) !== 0))
    throw invalid(
      "tensor coordinates",
      "equally many active coordinates of each molecule",
      unknown ?? "others",
    );
  return { positions, energies, gradients, coordinates };
}
