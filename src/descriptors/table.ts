import { ace } from "./ace/ace.ts";
import { acsf } from "./acsf/acsf.ts";
import { ani } from "./ani/ani.ts";
import { snap } from "./snap/snap.ts";
import { soap } from "./soap/soap.ts";
import { symmetryFunctions } from "./symmetry-functions/symmetry-functions.ts";
import type { DescriptorMethod } from "./descriptor.ts";

/** Every descriptor by name; each is held to the laws of laws/descriptor.ts. */
export const descriptors: Readonly<Record<string, DescriptorMethod>> = {
  ace,
  acsf,
  ani,
  snap,
  soap,
  "symmetry-functions": symmetryFunctions,
};
