import { AngularDistribution, RadialDistribution } from "../../run/analysis/distribution.ts";
import type { Curve } from "../../run/analysis/distribution.ts";
import type { Frame } from "../../structure/structure.ts";
import type { Findings, Part } from "./findings.ts";

/** How far radial distributions reach, and the longest bond of angular ones, Å. */
export interface Reach {
  readonly cutoff: number;
  readonly angles?: number;
}

/** Whether there is such a pair at all: a molecule with one oxygen has no O–O. */
const isSeen = ({ y }: Curve): boolean => y.some((value) => value > 0);

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
    { file: "rdf.txt", title: "Radial distribution", x: "r (Å)", y, curves: radial.result.filter(isSeen) },
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
