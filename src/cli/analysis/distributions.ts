import { AngularDistribution, RadialDistribution } from "../../run/analysis/distribution.ts";
import type { Frame } from "../../structure/structure.ts";
import type { Findings, Part } from "./findings.ts";

/** How far radial distributions reach, and the longest bond of angular ones, Å. */
export interface Reach {
  readonly cutoff: number;
  readonly angles?: number;
}

/** Radial and, where they are asked for, angular distributions. */
export function distributions(
  frames: readonly Frame[],
  { cutoff, angles }: Reach,
  watch: (done: number) => void,
): Findings {
  const radial = new RadialDistribution(cutoff);
  const angular = angles === undefined ? undefined : new AngularDistribution(angles);
  for (const [k, { structure }] of frames.entries()) {
    radial.add(structure);
    angular?.add(structure);
    watch(k / frames.length);
  }
  const { cell, pbc } = frames[0].structure;
  const y = cell && pbc.every(Boolean) ? "g(r)" : "neighbours per Å";
  const parts: Part[] = [
    { file: "rdf.txt", title: "Radial distribution", x: "r (Å)", y, curves: radial.result },
  ];
  if (angular)
    parts.push({
      file: "adf.txt",
      title: "Angular distribution",
      x: "angle (°)",
      y: "per degree",
      curves: angular.result,
    });
  return { parts };
}
