import type { ZodType } from "zod";
import type { FeaturePart, Features } from "../descriptors/descriptor.ts";
import type { Device } from "../device/device.ts";

/** Mean, spread and range of each feature over the training data, one entry per element, arrays [size]. */
export interface FeatureStatistics {
  readonly count: number;
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/** φ of a regressor whose atomic energies are E = Σ_k θ_k φ_k(G), for fits in closed form. */
export interface LinearBasis {
  /** φ of element e are the columns starts[e] … starts[e+1] of a row; the order of the parameters. */
  readonly starts: readonly number[];
  /** ADDS φ(G) of one centre of element e, G [size], to row [P]. */
  addValues(e: number, G: Float64Array, row: Float64Array): void;
  /** ADDS dG·∂φ/∂G to row [P]. */
  addSlopes(e: number, G: Float64Array, dG: Float64Array, row: Float64Array): void;
  /**
   * The same for `count` directions dG [count, size] at once, where that is faster: rows of the element's own columns
   * [count, starts[e+1] − starts[e]], valid until the next call.
   */
  slopeRows?(e: number, G: Float64Array, dG: Float64Array, count: number): Float64Array;
}

/** Energies that depend on the features only through `size` combinations y = Gᵀ W of them. */
export interface Combination {
  readonly size: number;
  /** W of each element, [features, size], live. */
  readonly weights: readonly Float64Array[];
  /** y → energies and ∂ΣE/∂y, for prediction. */
  readonly rest: Pick<Regressor, "forward" | "pullback">;
  /** Brings W up to date, where it is made of the parameters and not they themselves. */
  readonly refresh?: () => void;
}

/** Features → atomic energies, with the derivatives that forces and training need. */
export interface Regressor {
  /** All trainable numbers, [P], in the device's memory; changing them takes effect at the next call. */
  readonly parameters: Float64Array;
  /** Which parameters weight decay applies to (weights yes, biases no): 1 or 0, [P]. */
  readonly decays: Uint8Array;
  /** Where each element's own parameters start, ascending, P last; absent where elements share them. */
  readonly starts?: readonly number[];
  /** Where energies are linear in the parameters. */
  readonly basis?: LinearBasis;
  /** Where energies depend on few combinations of the features. */
  readonly combination?: Combination;
  /** Upper triangular R [P, P]: a fit in closed form adds |R θ|², the prior of a Gaussian process, to its squares. */
  prior?(): Float64Array;
  /** Overwrites energies [centres], eV. */
  forward(G: Features, energies: Float64Array): void;
  /** Overwrites energies and dEdG with ∂ΣE/∂G. */
  pullback(G: Features, energies: Float64Array, dEdG: Features): void;
  /**
   * ADDS Σ_c seed_c ∂E_c/∂θ + ∂/∂θ Σ_c dG_c·∂E_c/∂G_c to gradient [P]; dG null leaves the second sum out.
   * The second sum is the force part: exact, and needs no second derivative of the descriptor.
   */
  parameterGradient(G: Features, seeds: Float64Array, dG: Features | null, gradient: Float64Array): void;
  /** Overwrites out with dG·∂²E/∂G∂G of every row, where the second derivatives are to be had. */
  curvature?(G: Features, dG: Features, out: Features): void;
  /** Fixed arrays (scaling, …) and trainable ones by name, views of the live numbers, for the model file. */
  readonly tensors: Readonly<Record<string, Float64Array>>;
}

/** Surroundings of atoms of one element from which a regressor may choose representative ones. */
export interface Surveyed {
  /** Features of up to some ten thousand training atoms, [count, size]. */
  readonly rows: Float64Array;
  readonly count: number;
  /** What the features are made of. */
  readonly parts: readonly FeaturePart[];
}

/** Chooses `count` of the rows [n, width] by a method of selection; ascending numbers of rows. */
export type Choose = (method: string, rows: Float64Array, width: number, count: number) => readonly number[];

/** Arrays by name. */
type Tensors = Readonly<Record<string, Float64Array>>;

/** What the table of regressors holds. */
export interface RegressorMethod<Options = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly options: ZodType<Options>;
  /** Energies are linear in the parameters whatever the options: fitted in closed form unless told otherwise. */
  readonly linear?: boolean;
  /** Seeded starting tensors, from the options and the statistics of the training features. */
  initialise(
    options: Options,
    statistics: readonly FeatureStatistics[],
    /** Standard deviation of the learned energy per atom, eV: the scale of the output. */
    energyScale: number,
    seed: number,
    /** Mean of the learned energy per atom, eV; 0 by default. */
    energyShift?: number,
  ): Record<string, Float64Array>;
  /** Starting tensors made of training environments, beside those of `initialise`; one entry per element. */
  represent?(
    options: Options,
    surveyed: readonly Surveyed[],
    choose: Choose,
    seed: number,
  ): Record<string, Float64Array>;
  /** The same with at most `count` representative environments of each element, for trials. */
  thin?(tensors: Tensors, count: number): Tensors;
  /** Tensors that say what those of another regressor say, for a fit that goes on from it; undefined where they cannot. */
  adopt?(
    options: Options,
    from: { readonly name: string; readonly options: unknown; readonly tensors: Tensors },
    statistics: readonly FeatureStatistics[],
    seed: number,
  ): Record<string, Float64Array> | undefined;
  /** What the user should know before fitting with these options and features, one sentence each. */
  remarks?(
    options: Options,
    statistics: readonly FeatureStatistics[],
    symbols: readonly string[],
  ): readonly string[];
  build(
    options: Options,
    sizes: readonly number[],
    tensors: Readonly<Record<string, Float64Array>>,
    device: Device,
  ): Regressor;
}
