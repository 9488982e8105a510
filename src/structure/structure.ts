/** Atoms in space. Internal units throughout: Å, eV, eV/Å, eV/Å³, amu, fs, K, e. */
export interface Structure {
  /** Atomic numbers, [n]. */
  readonly numbers: Uint8Array;
  /** Cartesian positions, [n, 3], Å; atoms need not be inside the cell. */
  readonly positions: Float64Array;
  /** Rows are lattice vectors, [3, 3], Å; null for a molecule. */
  readonly cell: Float64Array | null;
  readonly pbc: readonly [boolean, boolean, boolean];
}

/** A per-frame value of an extended XYZ comment line: scalar, vector or matrix (rows). */
export type InfoValue = string | number | boolean | readonly InfoValue[];

/** A per-atom column of an extended XYZ file, [n, width]. */
export interface AtomArray {
  readonly kind: "real" | "integer" | "logical" | "string";
  readonly width: number;
  readonly values: Float64Array | Int32Array | Uint8Array | readonly string[];
}

/** A structure with its labels, all optional, in internal units. */
export interface Frame {
  readonly structure: Structure;
  /** Total energy, eV. */
  readonly energy?: number;
  /** [n, 3], eV/Å. */
  readonly forces?: Float64Array;
  /** [3, 3], eV/Å³, ASE sign: (1/V) dE/dε, tension positive. */
  readonly stress?: Float64Array;
  readonly configType?: string;
  /** Everything else the file said, under the file's own keys, untouched. */
  readonly info: Readonly<Record<string, InfoValue>>;
  readonly arrays: Readonly<Record<string, AtomArray>>;
  /** Where the frame came from, "water.xyz:120", for error messages. */
  readonly place: string;
}
