import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import type { Model } from "../potential.ts";
import type { Sum } from "../sum.ts";
import type { Guard, Guarded } from "./grader.ts";
import { ExtrapolationGuard } from "./guard.ts";

const isGuarded = (potential: object): potential is Guarded => "guard" in potential;

/** What grades structures by what the model, or a part of its potential, remembers of the training data; null where nothing does. */
export function findGuard(model: Model, potential: Sum, device: Device): Guard | null {
  const own = potential.parts.find((part) => isGuarded(part.potential))?.potential;
  return own && isGuarded(own) ? own.guard : ExtrapolationGuard.of(model, device);
}

/** The same; a model without memory is an InputError. */
export function demandGuard(model: Model, potential: Sum, device: Device, place = "model"): Guard {
  const guard = findGuard(model, potential, device);
  if (guard) return guard;
  throw invalid(place, "a model that remembers its training data (fit it again)", "one that does not");
}
