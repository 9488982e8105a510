/** Radial functions of a neighbour of one element around a centre of another. */
export interface AceBond {
  /** R_n and l up to these; base functions g_1 … g_base. */
  readonly nradmax: number;
  readonly lmax: number;
  readonly base: number;
  readonly radial: string;
  /** λ of the base functions. */
  readonly lambda: number;
  /** R_nl = Σ_k coefficients[n][l][k] g_k. */
  readonly coefficients: readonly (readonly (readonly number[])[])[];
  /** p and λ of the core repulsion p exp(−λ r²)/r. */
  readonly prehc: number;
  readonly lambdahc: number;
  /** Å */
  readonly cutoff: number;
  readonly dcut: number;
  readonly innerCutoff: number;
  readonly innerWidth: number;
  readonly innerType: string;
}

/** E = E0 + Σ_p w_p F(ρ_p; m_p) of one element. */
export interface AceEmbedding {
  readonly type: string;
  /** w₁, m₁, w₂, m₂, … */
  readonly parameters: readonly number[];
  readonly coreCutoff: number;
  readonly coreWidth: number;
}

/** ρ_p gets Σ_i c_ip Re Π_t A(mus_t, ns_t, ls_t, ms_it). */
export interface AceFunction {
  readonly mus: readonly number[];
  /** From 1; of one factor: the base function, of more: the radial function. */
  readonly ns: readonly number[];
  readonly ls: readonly number[];
  readonly ms: readonly (readonly number[])[];
  /** One row per row of ms, one number per density. */
  readonly c: readonly (readonly number[])[];
  /** Where it stands. */
  readonly place: string;
}

/** A potential in the C-tilde form of pacemaker and LAMMPS's pair_style pace; eV, Å. */
export interface AceFile {
  readonly elements: readonly string[];
  readonly E0: readonly number[];
  /** By element. */
  readonly embeddings: readonly AceEmbedding[];
  /** By centre and neighbour. */
  readonly bonds: readonly (readonly AceBond[])[];
  /** By centre. */
  readonly functions: readonly (readonly AceFunction[])[];
}
