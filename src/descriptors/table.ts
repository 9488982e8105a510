import { ace } from "./ace/ace.ts";
import { acsf } from "./acsf/acsf.ts";
import { ani } from "./ani/ani.ts";
import { joined } from "./joined/joined.ts";
import { angle3b } from "./kernel-sums/angle-3b.ts";
import { distance2b } from "./kernel-sums/distance-2b.ts";
import { snap } from "./snap/snap.ts";
import { soap } from "./soap/soap.ts";
import { symmetryFunctions } from "./symmetry-functions/symmetry-functions.ts";
import type { DescriptorMethod } from "./descriptor.ts";

const single: Readonly<Record<string, DescriptorMethod>> = {
  ace,
  acsf,
  "angle-3b": angle3b,
  ani,
  "distance-2b": distance2b,
  snap,
  soap,
  "symmetry-functions": symmetryFunctions,
};

/** Every descriptor by name; each is held to the laws of laws/descriptor.ts. */
export const descriptors: Readonly<Record<string, DescriptorMethod>> = { ...single, joined: joined(single) };
