import type { Device } from "../../device/device.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import type { Descriptor, DescriptorMethod } from "../descriptor.ts";
import { reach as reachOf } from "../reach.ts";
import { SoapAverage } from "./average.ts";
import { SoapDescriptor } from "./descriptor.ts";
import { options, type SoapOptions } from "./options.ts";
import { soapParts } from "./parts.ts";

/** Smooth overlap of atomic positions, Bartók 2013: DOI 10.1103/PhysRevB.87.184115. */
export const soap: DescriptorMethod<SoapOptions> = {
  name: "soap",
  summary: "Power spectrum of the Gaussian-smeared neighbour density (SOAP, Bartók 2013)",
  options,
  resolve,
  build,
  averaged: (given, elements, device) => new SoapAverage(soapParts(given, elements, device), "inner", device),
};

const SIZES = { small: [4, 3], medium: [8, 4], large: [10, 8] } as const;
const LONGEST = 5;

/** Numbers for what was left to auto. */
export function resolve({ size = "medium", ...given }: SoapOptions, statistics: PairStatistics): SoapOptions {
  const cutoff = given.cutoff === "auto" ? Math.min(LONGEST, reachOf(statistics).radial) : given.cutoff;
  const [n, l] = SIZES[size];
  const nmax = given.nmax === "auto" ? n : given.nmax;
  const lmax = given.lmax === "auto" ? l : given.lmax;
  const { fade } = given;
  const width = fade.width === "auto" ? Math.min(1, given.reach ?? cutoff) : fade.width;
  return { ...given, cutoff, nmax, lmax, fade: { ...fade, width } };
}

function build(given: SoapOptions, elements: readonly number[], device: Device): Descriptor {
  const { shape, expansion, power, labels } = soapParts(given, elements, device);
  return new SoapDescriptor(shape, expansion, power, labels, device);
}
