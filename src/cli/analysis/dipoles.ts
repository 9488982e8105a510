import { createDevice } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { buildTerm } from "../../potentials/build.ts";
import { dielectricConstant, dipoleSpectrum } from "../../run/analysis/dipole.ts";
import type { DipoleSeries } from "../../run/analysis/dipole.ts";
import { volume } from "../../structure/cell.ts";
import { elementsOf } from "../../structure/elements.ts";
import type { Frame } from "../../structure/structure.ts";
import { E_A_IN_DEBYE } from "../../structure/units.ts";
import { chargesTerm } from "../charges.ts";
import { spectrumFigure } from "../report/spectrum.ts";
import { show } from "../table.ts";
import type { Findings } from "./findings.ts";

/** Dipoles of all frames: their own, or those of given charges; undefined where there are none. */
export function dipolesOf(frames: readonly Frame[], charges: string | undefined): Float64Array[] | undefined {
  const own = frames.map(ownDipole);
  const told = own.filter((mu) => mu !== undefined);
  if (charges === undefined) return told.length === frames.length ? told : undefined;
  if (told.length > 0)
    throw invalid("--charges", "frames without a dipole of their own", `${told.length} frames with one`);
  const [first] = frames;
  const device = createDevice();
  const term = buildTerm(chargesTerm(charges, first), elementsOf(first.structure.numbers), device);
  const none = { cutoff: 0, offsets: new Int32Array(0), index: new Int32Array(0), shift: new Int32Array(0) };
  return frames.map(({ structure }) => {
    const dipole = new Float64Array(3);
    const out = { energy: 0, forces: new Float64Array(0), virial: new Float64Array(9), dipole };
    term.evaluate(structure, none, out);
    return dipole;
  });
}

/** The dipole of a frame's comment line, e Å; one that is no vector of three numbers is an InputError. */
function ownDipole({ info, place }: Frame): Float64Array | undefined {
  const found = info["dipole"];
  if (found === undefined) return undefined;
  if (Array.isArray(found) && found.length === 3 && found.every((x) => typeof x === "number"))
    return Float64Array.from(found);
  throw invalid(`${place} dipole`, "three numbers in e Å", JSON.stringify(found));
}

/** Infrared spectrum of the dipole's motion. */
export function infrared(series: DipoleSeries, T: number | undefined): Findings {
  if (T === undefined) return { notes: ["no velocities and no --temperature: no infrared spectrum"] };
  const { wavenumbers, absorption, times, correlation } = dipoleSpectrum(series, T);
  return {
    parts: [
      {
        file: "infrared.txt",
        title: `Infrared absorption at ${show(T)} K`,
        x: "wavenumber (cm⁻¹)",
        y: "absorption (km/mol cm)",
        curves: [{ name: "dipole", x: wavenumbers, y: absorption }],
        draw: () => spectrumFigure({ wavenumbers, absorption }).svg,
      },
      {
        file: "dipole.txt",
        title: "Autocorrelation of the dipole",
        x: "time (fs)",
        y: "⟨δμ·δμ(t)⟩ (e² Å²)",
        curves: [{ name: "dipole", x: times, y: correlation }],
      },
    ],
  };
}

/** Dielectric constant of a periodic box, or the dipole of a molecule. */
export function dielectric(
  frames: readonly Frame[],
  dipoles: readonly Float64Array[],
  T: number | undefined,
): Findings {
  const bulk = frames.every(({ structure: { cell, pbc } }) => cell !== null && pbc.every(Boolean));
  const size = dipoles.reduce((sum, mu) => sum + Math.hypot(...mu) / dipoles.length, 0);
  const row = ["mean dipole", `${show(E_A_IN_DEBYE * size)} D`, ""] as const;
  const json = { meanDipole: size };
  if (!bulk) return { rows: [row], json };
  if (T === undefined) return { rows: [row], json, notes: ["no --temperature: no dielectric constant"] };
  if (dipoles.length < 64)
    return { rows: [row], json, notes: ["fewer than 64 frames: no dielectric constant"] };
  const V = frames.reduce((sum, { structure }) => sum + volume(structure.cell!) / frames.length, 0);
  const { constant, mean, size: whole } = dielectricConstant(dipoles, V, T);
  return {
    rows: [
      row,
      ["dielectric constant (nuclei, tin foil)", show(constant.mean), `± ${show(constant.error)}`],
      ["|⟨M⟩|/√⟨M²⟩, 0 in the end", show(Math.hypot(...mean) / whole), ""],
    ],
    json: { ...json, dielectricConstant: constant },
  };
}
