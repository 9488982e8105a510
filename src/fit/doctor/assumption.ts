import type { Frame } from "../../structure/structure.ts";
import { pairStatistics } from "../../structure/statistics.ts";
import { Consistency } from "./consistency.ts";
import type { Finding } from "./finding.ts";
import { BONDED, bondRatio, distanceFindings, energyUnitFindings, forceUnitFindings } from "./units.ts";

/** Frames whose distances are looked at, spread over the data, and how far neighbours are looked for, Å. */
const SAMPLE = 100;
const REACH = 5;
/** Atoms of ordinary frames never come this close, as a part of their covalent radii: nm, or fractions of a cell. */
const COLLAPSED = 0.3;
/** Elements that make no bonds. */
const NOBLE = [2, 10, 18, 36, 54, 86];

/**
 * What speaks against data being in eV and Å, for those whose units nobody stated. An error leaves no doubt: total
 * energies of all electrons in another unit, a slope of energy against work that is the ratio of two units, atoms of
 * every frame nowhere near a bond or inside each other. A warning may have another cause.
 */
export function unitFindings(frames: readonly Frame[]): Finding[] {
  const consistency = new Consistency();
  for (const frame of frames) consistency.add(frame);
  const energies = frames.flatMap(({ structure: { numbers }, energy }) =>
    energy === undefined ? [] : [{ numbers, energy }],
  );
  const slope = consistency
    .findings()
    .map((f) =>
      f.severity === "error" && consistency.betrayed === null ? { ...f, severity: "warn" as const } : f,
    );
  const all = [
    ...energyUnitFindings(energies),
    ...forceUnitFindings(forceRms(frames)),
    ...slope,
    ...lengthFindings(frames),
  ];
  return all.filter(({ severity }) => severity === "error" || severity === "warn");
}

function forceRms(frames: readonly Frame[]): number {
  let [sum, count] = [0, 0];
  for (const { forces = [] } of frames) {
    for (const f of forces) sum += f * f;
    count += forces.length;
  }
  return Math.sqrt(sum / count);
}

/** Distances in the ordinary frame: one frame in which atoms overlap says nothing about the unit. */
function lengthFindings(frames: readonly Frame[]): Finding[] {
  const stride = Math.max(1, Math.floor(frames.length / SAMPLE));
  const closest: { pair: string; distance: number; place: string; ratio: number }[] = [];
  for (let f = 0; f < frames.length; f += stride) {
    const { structure, place } = frames[f];
    const { shortest } = pairStatistics([structure], REACH);
    const pairs = Object.entries(shortest).map(([pair, distance]) => {
      return { pair, distance, place, ratio: bondRatio(pair, distance) };
    });
    if (pairs.length > 0) closest.push(pairs.reduce((a, b) => (b.ratio < a.ratio ? b : a)));
  }
  if (closest.length === 0) return [];
  closest.sort((a, b) => a.ratio - b.ratio);
  const [least, middle] = [closest[0], closest[closest.length >> 1]];
  const bonding = !closest.some(({ pair }) => pair.split("-").some((z) => NOBLE.includes(Number(z))));
  const shown = middle.ratio < COLLAPSED ? middle : least;
  const doubtless = middle.ratio < COLLAPSED || (least.ratio > BONDED.far && bonding);
  return distanceFindings({ [shown.pair]: shown }).map((f) =>
    f.severity === "warn" && doubtless ? { ...f, severity: "error" } : f,
  );
}
