/** What every descriptor, potential, integrator and file format must pass: functions that throw with their figures. */
export { descriptorLaws, type DescriptorLaw, type Subject } from "./descriptor.ts";
export * from "./kernel.ts";
export * from "./molecular.ts";
export * from "./potential.ts";
export * from "./integrator.ts";
export * from "./format.ts";
export type { Finding } from "./finding.ts";
