import type { RawPoints } from "../../regressors/gaussian-process/points.ts";

/** The observations that a smaller process is made of, evenly spread. */
export function thinned(
  raw: RawPoints,
  labels: Float64Array,
  most: number,
): { raw: RawPoints; labels: Float64Array } {
  const { energies, gradients, coordinates: M, features: D } = raw;
  const share = Math.min(1, most / labels.length);
  const some = (count: number) => {
    const kept = share === 1 ? count : Math.max(Math.min(count, 1), Math.floor(count * share));
    return Array.from({ length: kept }, (_, k) => Math.floor(((k + 0.5) * count) / kept));
  };
  const [e, g] = [some(energies.length), some(gradients.length)];
  const slopes = new Float64Array(g.length * M * D);
  g.forEach((from, to) => slopes.set(raw.slopes.subarray(from * M * D, (from + 1) * M * D), to * M * D));
  const own = Float64Array.from([
    ...e.map((k) => labels[k]),
    ...g.flatMap((k) => [...labels.subarray(energies.length + k * M, energies.length + (k + 1) * M)]),
  ]);
  return {
    raw: {
      ...raw,
      slopes,
      energies: Int32Array.from(e, (k) => energies[k]),
      gradients: Int32Array.from(g, (k) => gradients[k]),
    },
    labels: own,
  };
}
