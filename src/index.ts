// The public names, one line each, in the order of the sentence:
// structures → neighbours → descriptor → regressor → energy, forces, stress; fit; run.

export type { AtomArray, Frame, InfoValue, Structure } from "./structure/structure.ts";
export { massOf, numberOf, symbolOf } from "./structure/elements.ts";
export { AMU_A2_FS2, BOHR, HARTREE, kB, unit } from "./structure/units.ts";
export { repeat, strain, volume, wrap } from "./structure/cell.ts";
export { findNeighbours, type Neighbours } from "./structure/neighbours.ts";
export { NeighbourList } from "./structure/neighbour-list.ts";
export { PairAccumulator, pairStatistics, type PairStatistics } from "./structure/statistics.ts";
export { Random } from "./math/random.ts";

export * as formula from "./formula/expression.ts";
export { gradient, tangent } from "./formula/derivative.ts";
export { evaluate } from "./formula/javascript.ts";
export { createDevice, type Device, type Kernel, type KernelSpec, type Precision } from "./device/device.ts";
export {
  createPool,
  type Job,
  type Pool,
  type Start,
  type Task,
  type Tasks,
  type Thread,
} from "./device/pool.ts";
export { serve, type Port } from "./device/serve.ts";
export { startWorkers, workerPort } from "./device/start.ts";
export { tasks } from "./tasks.ts";

export type { KernelMethod } from "./kernels/kernel.ts";
export { KernelFunction, type KernelOptions } from "./kernels/function.ts";
export { kernels } from "./kernels/table.ts";
export type { Descriptor, DescriptorMethod, Features } from "./descriptors/descriptor.ts";
export { environments, type Environments } from "./descriptors/environments.ts";
export { sumDescriptor } from "./descriptors/loops/sum.ts";
export { densityDescriptor, type DensityCentre } from "./descriptors/density/density.ts";
export { Monomials, type Polynomial } from "./descriptors/density/monomials.ts";
export { descriptors } from "./descriptors/table.ts";
export type { MolecularDescriptor, MolecularMethod } from "./descriptors/molecular/descriptor.ts";
export { molecularDescriptors } from "./descriptors/molecular/table.ts";
export { SoapAverage, type Averaging } from "./descriptors/soap/average.ts";
export { soapParts, type SoapParts } from "./descriptors/soap/parts.ts";
export type { FeatureStatistics, Regressor, RegressorMethod } from "./regressors/regressor.ts";
export { regressors } from "./regressors/table.ts";

export type * from "./potentials/potential.ts";
export { potentials } from "./potentials/table.ts";
export { compose } from "./potentials/compose.ts";
export { sum } from "./potentials/sum.ts";
export { readBias, umbrella, wall, type Bias } from "./potentials/bias/bias.ts";
export { Hills } from "./potentials/bias/hills.ts";
export { readVariable, type Variable } from "./potentials/bias/variable.ts";
export { buildPotential, buildTrainable } from "./potentials/build.ts";
export { ParallelPotential } from "./potentials/parallel.ts";
export { ExtrapolationGuard } from "./potentials/extrapolation/guard.ts";
export type { Extrapolation, Guard, Guarded } from "./potentials/extrapolation/grader.ts";
export { findGuard } from "./potentials/extrapolation/find.ts";
export { GradedPotential } from "./potentials/extrapolation/graded.ts";
export { graders } from "./potentials/extrapolation/table.ts";
export type { Grader, GradeMethod } from "./potentials/extrapolation/grader.ts";
export type { ElementRecord, TrainingRecord } from "./potentials/extrapolation/record.ts";

export { minimiseWith, type Box, type Found, type Search } from "./math/derivative-free.ts";
export { evolutionSearch } from "./math/cma-es.ts";
export { interpolationSearch } from "./math/quadratic-interpolation.ts";

export { fitSchema, type FitOptions } from "./fit/options.ts";
export { prepareFit, type Preparation, type PreparedFit } from "./fit/prepare.ts";
export { runFit, type FitResult } from "./fit/fit.ts";
export type { Report } from "./fit/trainer.ts";
export { propose, type Proposal } from "./fit/proposal/proposal.ts";
export { rememberTraining } from "./fit/record.ts";
export { Doctor, examine, type Diagnosis } from "./fit/doctor/doctor.ts";
export { unitFindings } from "./fit/doctor/assumption.ts";
export type { Candidates, Selection, SelectionMethod } from "./fit/selection/method.ts";
export { selectionMethods } from "./fit/selection/table.ts";
export type { Finding } from "./fit/doctor/finding.ts";

export type { Simulation } from "./run/simulation.ts";
export { langevin, verlet, type Motion } from "./run/dynamics.ts";
export { Constraints, type Fixed } from "./run/constraints/constraints.ts";
export type { Bond } from "./run/constraints/fixed-bond.ts";
export type { Held } from "./run/constraints/fixed-variable.ts";
export { bondsToHydrogen, readFixedBonds } from "./run/constraints/read.ts";
export { hillsProfile, type HillsProfile } from "./run/free-energy/hills-profile.ts";
export { metadynamics, multipleWalkers, walker } from "./run/free-energy/metadynamics.ts";
export type { MetadynamicsOptions, Walker } from "./run/free-energy/metadynamics.ts";
export { integrateSlopes, slopeOf, weightedMean } from "./run/free-energy/mean-force.ts";
export { perturb, type Perturbed } from "./run/free-energy/perturbation.ts";
export { readMetadynamics } from "./run/free-energy/told.ts";
export { reweight, type Reweighted, type Sampled } from "./run/free-energy/reweight.ts";
export { umbrellas, type Umbrellas, type Window } from "./run/free-energy/windows.ts";
export { degreesOfFreedom, thermalVelocities } from "./run/velocities.ts";
export { drift, kineticEnergy, pressure, temperature } from "./run/observe.ts";
export { bfgs, fire, lbfgs, preconditioned, relax } from "./run/relax.ts";
export { blockAverage, blockVariance } from "./run/analysis/blocks.ts";
export { displacement, velocitySpectrum } from "./run/analysis/correlation.ts";
export { dielectricConstant, dipoleSpectrum } from "./run/analysis/dipole.ts";
export { fluctuations, type Fluctuations } from "./run/analysis/fluctuations.ts";
export { AngularDistribution, RadialDistribution } from "./run/analysis/distribution.ts";
export { cellRelaxation, relaxCell } from "./run/cell-relaxation.ts";
export { elasticConstants, type Elastic } from "./run/elastic.ts";
export { ensembles, type Ensemble, type EnsembleOptions } from "./run/ensembles.ts";
export { basinHopping } from "./run/basin-hopping.ts";
export { conformerSearch, type Conformer } from "./run/conformers/conformers.ts";
export { findRotors, moleculeOf, type Molecule, type Rotor } from "./run/conformers/rotors.ts";
export { band, type BandState } from "./run/path/band.ts";
export { evenDistances, laidOver, straight } from "./run/path/interpolation.ts";
export { profileOf, type Profile } from "./run/path/profile.ts";
export { reactionCoordinate } from "./run/path/reaction-coordinate.ts";
export { string } from "./run/path/string.ts";
export { dimer } from "./run/saddle/dimer.ts";
export { prfo } from "./run/saddle/prfo.ts";
export { exactHessian, hessian, response, responseBy, type Response } from "./run/hessian.ts";
export { displacementsBy, type Displacements } from "./run/displacements.ts";
export { meshWavenumbers, phonons, phononsFrom, supercellOf, type Phonons } from "./run/phonons.ts";
export { vibrations, type Vibrations } from "./run/vibrations.ts";
export { broadened, infraredIntensities, type Spectrum } from "./run/infrared.ts";
export { harmonic, idealGas, type Thermochemistry } from "./run/thermochemistry.ts";
export { activation, wigner, type Activation } from "./run/transition-state.ts";

export { formats } from "./io/table.ts";
export { readExtxyz, writeExtxyz } from "./io/extxyz.ts";
export type { Format } from "./io/format.ts";
export { KeySurvey, type LabelKeys } from "./io/label-keys.ts";
export { applyLabels, planLabels, type LabelOptions, type LabelPlan } from "./io/labels.ts";
export type { BaselineKeys } from "./io/baseline.ts";
export { readModel, writeModel } from "./io/model.ts";
export { readFitsnapInput } from "./io/fitsnap/input.ts";
export { readPotential as readLammps, readSnap } from "./io/lammps/read.ts";
export { writeLammps } from "./io/lammps/export.ts";
export { readAce } from "./io/ace/read.ts";
export { readSgdml } from "./io/sgdml/read.ts";
export { readGap } from "./io/quip/read.ts";
export { writeYace } from "./io/ace/write.ts";
export { readN2p2 } from "./io/n2p2/read.ts";
export { writeN2p2 } from "./io/n2p2/write.ts";

export * as laws from "./laws/index.ts";

export { InputError, NumericalError } from "./error.ts";
