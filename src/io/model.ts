import { invalid } from "../error.ts";
import type { Model, Term } from "../potentials/potential.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import type { Safetensors, Tensor } from "./safetensors.ts";

/** Version of the model file that is written; every version from 1 on is read. */
const MODEL_VERSION = 1;

const FORMAT = "surfit";
const UNITS = { energy: "eV", length: "Å", mass: "amu", time: "fs", charge: "e" };

/**
 * A model as bytes in the safetensors layout: metadata format, version, units, elements, terms (type, options, names of
 * tensors) and provenance as JSON text, tensors named "<term index>.<name>". Data only, nothing that can be executed.
 * The same model gives the same bytes.
 */
export function writeModel(model: Model): Uint8Array {
  const tensors = new Map<string, Tensor>();
  const terms = model.terms.map(({ type, options, tensors: own }, k) => {
    for (const [name, values] of Object.entries(own)) {
      const bad = values.findIndex((x) => !Number.isFinite(x));
      if (bad >= 0)
        throw invalid(`term ${k} (${type}) ${name}[${bad}]`, "a finite number", String(values[bad]));
      tensors.set(`${k}.${name}`, { shape: [values.length], values });
    }
    return { type, options: plain(options, `term ${k} (${type}) options`), tensors: Object.keys(own) };
  });
  const metadata = {
    format: FORMAT,
    version: String(MODEL_VERSION),
    units: JSON.stringify(UNITS),
    elements: JSON.stringify(model.elements),
    terms: JSON.stringify(terms),
    provenance: JSON.stringify(model.provenance),
  };
  return encodeSafetensors({ metadata, tensors });
}

/** JSON would turn NaN, Infinity, functions and class instances into something else without a word: refuse them. */
function plain(value: unknown, place: string): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean" || value === undefined)
    return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw invalid(place, "finite numbers", String(value));
    return value;
  }
  if (Array.isArray(value)) return value.map((v, k) => plain(v, `${place}[${k}]`));
  const prototype: unknown = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null)
    throw invalid(place, "plain data (numbers, text, lists, records)", Object.prototype.toString.call(value));
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v, `${place}.${key}`)]));
}

/** The model in a file's bytes, checked throughout; `file` is its name for error messages. */
export function readModel(bytes: Uint8Array, file = "model"): Model {
  const contents = decodeSafetensors(bytes, file);
  const { metadata } = contents;
  if (metadata.format !== FORMAT)
    throw invalid(
      file,
      "a surfit model",
      metadata.format ? `a file of format ${metadata.format}` : "tensors only",
    );
  const version = Number(metadata.version);
  if (!Number.isInteger(version) || version < 1)
    throw invalid(`${file} version`, "a whole number", metadata.version);
  if (version > MODEL_VERSION)
    throw invalid(`${file} version`, `at most ${MODEL_VERSION}: a newer surfit is needed`, version);
  const units = json(metadata, "units", file);
  if (JSON.stringify(units) !== JSON.stringify(UNITS))
    throw invalid(`${file} units`, JSON.stringify(UNITS), metadata.units);
  return {
    elements: readElements(json(metadata, "elements", file), file),
    terms: readTerms(json(metadata, "terms", file), contents, file),
    provenance: recordOf(json(metadata, "provenance", file), `${file} provenance`),
  };
}

function json(metadata: Safetensors["metadata"], key: string, file: string): unknown {
  const text = metadata[key];
  if (text === undefined) throw invalid(`${file} ${key}`, "metadata of a surfit model", "none");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`${file} ${key}`, "JSON", (error as Error).message);
  }
}

function recordOf(value: unknown, place: string): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw invalid(place, "a record", JSON.stringify(value));
  return value as Record<string, unknown>;
}

function readElements(value: unknown, file: string): number[] {
  const good =
    Array.isArray(value) &&
    value.every((z, k) => Number.isInteger(z) && z >= 1 && z <= 118 && (k === 0 || z > value[k - 1]));
  if (!good) throw invalid(`${file} elements`, "ascending atomic numbers", JSON.stringify(value));
  return value as number[];
}

function readTerms(value: unknown, { tensors }: Safetensors, file: string): Term[] {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(`${file} terms`, "a list of terms", JSON.stringify(value));
  const claimed = new Set<string>();
  const terms = value.map((entry: unknown, k): Term => {
    const place = `${file} terms[${k}]`;
    const { type, options, tensors: names } = recordOf(entry, place);
    if (typeof type !== "string" || type === "")
      throw invalid(`${place} type`, "a name", JSON.stringify(type));
    if (!Array.isArray(names) || !names.every((n) => typeof n === "string"))
      throw invalid(`${place} tensors`, "names", JSON.stringify(names));
    const own = names.map((name): [string, Float64Array] => {
      const values = tensors.get(`${k}.${name}`)?.values;
      if (!(values instanceof Float64Array))
        throw invalid(`${place} ${name}`, "a tensor F64", values ? "another type" : "none");
      const bad = values.findIndex((x) => !Number.isFinite(x));
      if (bad >= 0) throw invalid(`${place} ${name}[${bad}]`, "a finite number", String(values[bad]));
      claimed.add(`${k}.${name}`);
      return [name, values];
    });
    return { type, options, tensors: Object.fromEntries(own) };
  });
  for (const name of tensors.keys())
    if (!claimed.has(name))
      throw invalid(`${file} tensor ${name}`, "tensors that a term names", "one that none does");
  return terms;
}
