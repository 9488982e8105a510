import { cur } from "./cur.ts";
import { energyWindow } from "./energy-window.ts";
import { farthest } from "./farthest.ts";
import { maxvol } from "./maxvol.ts";
import type { SelectionMethod } from "./method.ts";
import { stride } from "./stride.ts";

/** Every way to choose frames by name. */
export const selectionMethods: Readonly<Record<string, SelectionMethod>> = {
  stride,
  farthest,
  cur,
  maxvol,
  "energy-window": energyWindow,
};
