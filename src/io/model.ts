import { z } from "zod";
import { invalid } from "../error.ts";
import type { Model, Term } from "../potentials/potential.ts";
import { symbolOf } from "../structure/elements.ts";

/** Version of what stands in the header; a reader for every released version stays. */
const VERSION = "1";

/** Entry of one array in the header of a safetensors file. */
const entry = z.strictObject({
  dtype: z.literal("F64"),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

const terms = z.array(
  z.strictObject({ type: z.string(), options: z.unknown(), tensors: z.array(z.string()) }),
);

/** Everything but the arrays; safetensors allows only text values here. */
const metadata = z.looseObject({
  format: z.literal("surfit"),
  version: z.literal(VERSION),
  elements: z.string(),
  terms: z.string(),
  provenance: z.string(),
});

/**
 * A model as a file in the safetensors layout: length of the header (8 bytes, little-endian), JSON header, raw
 * little-endian f64 arrays "<term>.<name>"; https://github.com/huggingface/safetensors. Nothing in it is executed.
 */
export function writeModel(model: Model): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadataOf(model) };
  const arrays: Float64Array[] = [];
  let at = 0;
  for (const [t, { tensors }] of model.terms.entries())
    for (const [name, values] of Object.entries(tensors)) {
      const end = at + values.byteLength;
      header[`${t}.${name}`] = { dtype: "F64", shape: [values.length], data_offsets: [at, end] };
      arrays.push(values);
      at = end;
    }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const head = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + head + at).fill(0x20, 8, 8 + head);
  bytes.set(text, 8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(head), true);
  let to = 8 + head;
  for (const array of arrays) for (const x of array) view.setFloat64((to += 8) - 8, x, true);
  return bytes;
}

function metadataOf({ elements, terms, provenance }: Model): Record<string, string> {
  const plain = terms.map(({ type, options, tensors }) => ({ type, options, tensors: Object.keys(tensors) }));
  return {
    format: "surfit",
    version: VERSION,
    units: "eV, Å, eV/Å, eV/Å³",
    symbols: elements.map(symbolOf).join(" "),
    elements: JSON.stringify(elements),
    terms: JSON.stringify(plain),
    provenance: JSON.stringify(provenance),
  };
}

/** Reads what `writeModel` wrote, to the bit; `place` names the file in errors. */
export function readModel(bytes: Uint8Array, place = "model"): Model {
  const header = headerOf(bytes, place);
  const found = metadata.safeParse(header.json["__metadata__"]);
  if (!found.success)
    throw invalid(
      place,
      `a model of surfit, format version ${VERSION}`,
      briefly(header.json["__metadata__"]),
    );
  const meta = found.data;
  const list = terms.safeParse(parse(meta.terms, place));
  const elements = z.array(z.int().min(1).max(118)).safeParse(parse(meta.elements, place));
  if (!list.success)
    throw invalid(`${place}: terms`, "type, options and tensors of each term", briefly(meta.terms));
  if (!elements.success) throw invalid(`${place}: elements`, "atomic numbers", meta.elements);
  return {
    elements: elements.data,
    terms: list.data.map(({ type, options, tensors }, t): Term => {
      const read = tensors.map((name) => [name, tensor(bytes, header, `${t}.${name}`, place)] as const);
      return { type, options, tensors: Object.fromEntries(read) };
    }),
    provenance: parse(meta.provenance, place) as Model["provenance"],
  };
}

interface Header {
  readonly json: Readonly<Record<string, unknown>>;
  /** Where the arrays begin, bytes. */
  readonly data: number;
}

const briefly = (x: unknown): string => (JSON.stringify(x) ?? "nothing").slice(0, 80);

function headerOf(bytes: Uint8Array, place: string): Header {
  const size = bytes.length < 8 ? NaN : Number(viewOf(bytes).getBigUint64(0, true));
  if (!(size <= bytes.length - 8))
    throw invalid(
      place,
      "a safetensors file",
      `${bytes.length} bytes that are none, or the file was cut off`,
    );
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + size));
  const json = parse(text, place);
  if (json === null || typeof json !== "object") throw invalid(place, "a safetensors file", briefly(json));
  return { json: json as Header["json"], data: 8 + size };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw invalid(place, "a safetensors file with a JSON header", (error as Error).message);
  }
}

function tensor(bytes: Uint8Array, { json, data }: Header, name: string, place: string): Float64Array {
  const found = entry.safeParse(json[name]);
  if (!found.success) throw invalid(`${place}: ${name}`, "an array of f64", briefly(json[name]));
  const [from, to] = found.data.data_offsets;
  const count = found.data.shape.reduce((a, b) => a * b, 1);
  if (to - from !== 8 * count || data + to > bytes.length)
    throw invalid(`${place}: ${name}`, `${8 * count} bytes`, `${Math.min(to, bytes.length - data) - from}`);
  const view = viewOf(bytes);
  return Float64Array.from({ length: count }, (_, i) => view.getFloat64(data + from + 8 * i, true));
}
