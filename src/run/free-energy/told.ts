import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { Hills } from "../../potentials/bias/hills.ts";
import { parseVariables, Reader } from "../../potentials/bias/parse.ts";
import { Variable } from "../../potentials/bias/variable.ts";
import type { MetadynamicsOptions } from "./metadynamics.ts";

/** Metadynamics as a text tells it. */
export interface Told extends Omit<MetadynamicsOptions, "temperature"> {
  readonly hills: Hills;
}

/** Reads "distance(1,2); width=0.1; height=0.02; every=500; factor=10"; of several variables "a, b; width=0.1,0.3; …". */
export function readMetadynamics(text: string, device: Device, place = "metadynamics"): Told {
  const reader = new Reader(text, place);
  const variables = parseVariables(reader).map(
    (found) => new Variable(found.text.trim(), found.parts, device),
  );
  const given: Record<string, number[]> = {};
  while (reader.take(/;/)) {
    const name = reader.need(/width|height|every|factor/, "width=, height=, every= or factor=");
    reader.need(/=/, '"="');
    const values = [reader.positive()];
    while (reader.take(/,/)) values.push(reader.positive());
    given[name] = values;
  }
  if (!reader.done) reader.fail('";" or the end');
  const one = (name: string, standard?: number): number => {
    const values = given[name] ?? (standard === undefined ? [] : [standard]);
    if (values.length !== 1)
      throw invalid(`${place} ${name}`, "one positive number", values.join(",") || "none");
    return values[0];
  };
  const { width = [] } = given;
  if (width.length !== variables.length)
    throw invalid(
      `${place} width`,
      `one for each of ${variables.length} variables`,
      width.join(",") || "none",
    );
  return {
    hills: new Hills(variables, width, device),
    height: one("height"),
    every: one("every", 500),
    biasFactor: one("factor", 10),
  };
}
