import type { Potential } from "../potentials/potential.ts";
import type { Structure } from "../structure/structure.ts";
import { invalid } from "../error.ts";
import { cellRescaling, martynaTobiasKlein } from "./barostats.ts";
import type { CellMotion } from "./barostats.ts";
import type { Fixed } from "./constraints/constraints.ts";
import { langevin, verlet } from "./dynamics.ts";
import type { Dynamics } from "./dynamics.ts";
import { berendsen, bussi, noseHoover } from "./thermostats.ts";
import type { Ramp } from "./schedule.ts";

/** Everything that any ensemble can be told; each takes what it needs; what is held fixed goes with constant volume. */
export interface EnsembleOptions extends Fixed {
  /** fs. */
  readonly timestep: number;
  /** [n, 3], Å/fs. */
  readonly velocities: Float64Array;
  readonly seed: number;
  /** K. */
  readonly temperature: Ramp;
  /** γ of Langevin dynamics, 1/fs. */
  readonly friction: number;
  /** Time constant of other thermostats, fs. */
  readonly period: number;
  /** GPa. */
  readonly pressure: Ramp;
  /** Time constant of a barostat, fs. */
  readonly pressurePeriod: number;
  readonly cell: CellMotion;
  /** Of the substance, about, 1/GPa: sets the pace of stochastic cell rescaling. */
  readonly compressibility?: number;
}

/** What only some ensembles heed. */
export type Heeded = "friction" | "period" | "pressure" | "pressurePeriod" | "compressibility" | "cell";

/** A way to run dynamics. */
export interface Ensemble {
  readonly summary: string;
  /** Which of these options count. */
  readonly heeds: readonly Heeded[];
  /** Whether the cell changes. */
  readonly barostat: boolean;
  /** Whether its energies fluctuate as those of a system at one temperature do: heat capacities follow from them. */
  readonly canonical: boolean;
  /** What the user should know before using it. */
  readonly warning?: string;
  make(structure: Structure, potential: Potential, options: EnsembleOptions): Dynamics;
}

/** A quantity that must not change during a run. */
function constant(name: string, ramp: Ramp): number {
  if (typeof ramp === "number") return ramp;
  throw invalid(name, "one value: this ensemble bears no ramp", `${ramp.from}..${ramp.to}`);
}

/** Ensembles by name. */
export const ensembles: Readonly<Record<string, Ensemble>> = {
  nve: {
    summary: "constant energy, velocity Verlet",
    heeds: [],
    barostat: false,
    canonical: false,
    make: (structure, potential, options) => {
      constant("temperature", options.temperature);
      return verlet(structure, potential, options);
    },
  },
  nvt: {
    summary: "constant temperature, Langevin BAOAB; bears ramps",
    heeds: ["friction"],
    barostat: false,
    canonical: true,
    make: (structure, potential, options) => langevin(structure, potential, options),
  },
  "nose-hoover": {
    summary: "constant temperature, Nosé–Hoover chain",
    heeds: ["period"],
    barostat: false,
    canonical: true,
    make: (structure, potential, options) =>
      noseHoover(structure, potential, {
        ...options,
        temperature: constant("temperature", options.temperature),
      }),
  },
  bussi: {
    summary: "constant temperature, stochastic velocity rescaling; bears ramps",
    heeds: ["period"],
    barostat: false,
    canonical: true,
    make: bussi,
  },
  berendsen: {
    summary: "weak coupling, for starting up only; bears ramps",
    heeds: ["period"],
    barostat: false,
    canonical: false,
    warning: "berendsen samples no ensemble: use it to start up, and another one to measure",
    make: berendsen,
  },
  npt: {
    summary: "constant pressure and temperature, Martyna–Tobias–Klein",
    heeds: ["period", "pressure", "pressurePeriod", "cell"],
    barostat: true,
    canonical: true,
    make: (structure, potential, options) =>
      martynaTobiasKlein(structure, potential, {
        ...options,
        temperature: constant("temperature", options.temperature),
        pressure: constant("pressure", options.pressure),
      }),
  },
  "npt-rescaling": {
    summary: "constant pressure and temperature, stochastic cell rescaling, isotropic",
    heeds: ["period", "pressure", "pressurePeriod", "compressibility"],
    barostat: true,
    canonical: true,
    make: (structure, potential, options) =>
      cellRescaling(structure, potential, {
        ...options,
        temperature: constant("temperature", options.temperature),
      }),
  },
};
