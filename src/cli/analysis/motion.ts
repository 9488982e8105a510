import { blockAverage } from "../../run/analysis/blocks.ts";
import { displacement, velocitySpectrum } from "../../run/analysis/correlation.ts";
import { elementsOf, masses as massesOf, symbolOf } from "../../structure/elements.ts";
import { dot } from "../../math/minimise.ts";
import { kineticEnergy, temperature } from "../../run/observe.ts";
import { rigidMotions } from "../../run/rigid.ts";
import type { Frame, Structure } from "../../structure/structure.ts";
import { show } from "../table.ts";
import type { Findings } from "./findings.ts";
import type { Motions } from "./series.ts";

const atomsOf = ({ structure }: Frame, z: number): number[] =>
  Array.from(structure.numbers.keys()).filter((i) => structure.numbers[i] === z);

/** Mean squared displacements and self-diffusion of every element. */
export function diffusion({ positions }: Motions, first: Frame): Findings {
  const found = elementsOf(first.structure.numbers).map((z) => ({
    name: symbolOf(z),
    ...displacement(positions, atomsOf(first, z)),
  }));
  const curves = found.map(({ name, times, msd }) => ({ name, x: times, y: msd }));
  return {
    parts: [{ file: "msd.txt", title: "Mean squared displacement", x: "time (fs)", y: "Å²", curves }],
    // 1 Å²/fs is 10⁻⁵ m²/s.
    rows: found.map(({ name, diffusion: D, error }) => [
      `diffusion of ${name}`,
      `${show(1e-5 * D)} m²/s`,
      `± ${show(1e-5 * error)}`,
    ]),
    json: {
      diffusion: Object.fromEntries(
        found.map(({ name, diffusion: D, error }) => [name, { diffusion: D, error }]),
      ),
    },
  };
}

/** Share of the kinetic energy below which a motion of the whole was taken away. */
const STILL = 1e-8;

/** Velocities that carry temperature: motions of the whole do not where the run was freed of them. */
function freedomOf(structure: Structure, velocities: Float64Array): number {
  const masses = massesOf(structure.numbers);
  const p = velocities.map((v, i) => v * Math.sqrt(masses[Math.floor(i / 3)]));
  const all = dot(p, p);
  const still = rigidMotions(structure, masses).filter((u) => dot(u, p) ** 2 < STILL * all);
  return p.length - still.length;
}

/** Spectrum of the velocities, and their temperature. */
export function velocities({ velocities: series }: Motions, frames: readonly Frame[]): Findings {
  if (!series) return { notes: ["no velocities in the frames: no spectrum of them"] };
  const { structure } = frames[frames.length >> 1];
  const { numbers } = structure;
  const masses = massesOf(numbers);
  const found = velocitySpectrum(series, masses, Array.from(numbers.keys()));
  const { wavenumbers, density, times, correlation } = found;
  const freedom = freedomOf(structure, series.frames[frames.length >> 1]);
  const T = blockAverage(series.frames.map((v) => temperature(kineticEnergy(masses, v), freedom)));
  return {
    parts: [
      {
        file: "spectrum.txt",
        title: "Vibrational spectrum of the velocities",
        x: "wavenumber (cm⁻¹)",
        y: "density of states (cm)",
        curves: [{ name: "all atoms", x: wavenumbers, y: density }],
      },
      {
        file: "vacf.txt",
        title: "Velocity autocorrelation",
        x: "time (fs)",
        y: "⟨v·v(t)⟩/⟨v²⟩",
        curves: [{ name: "all atoms", x: times, y: correlation }],
      },
    ],
    rows: [["temperature of the velocities", `${show(T.mean, 4)} K`, `± ${show(T.error)}`]],
    json: { velocityTemperature: T },
  };
}
