import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Model } from "../potentials/potential.ts";
import { readModel, writeModel } from "./model.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

const model: Model = {
  elements: [1, 8],
  terms: [
    { type: "isolated-atoms", options: { energies: { H: -13.6, O: 0.1 + 0.2 } }, tensors: {} },
    {
      type: "composed",
      options: { cutoff: 5, names: ["a", null, true] },
      tensors: { "w.0": Float64Array.of(1 / 3, -0, 5e-324, 1.7976931348623157e308), b: new Float64Array(0) },
    },
  ],
  provenance: { seed: 1, note: 'Å, ünï "q"' },
};

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

/** The layout rules, read from the description of the format and not from our reader. */
function dissect(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true);
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + size));
  const { __metadata__: metadata, ...entries } = JSON.parse(text) as Header & {
    __metadata__: Record<string, unknown>;
  };
  return { size, text, metadata, entries, data: bytes.subarray(8 + size) };
}

/** The same file with another header. */
function withHeader(bytes: Uint8Array, change: (header: string) => string): Uint8Array {
  const { text, data } = dissect(bytes);
  const header = new TextEncoder().encode(change(text));
  const out = new Uint8Array(8 + header.length + data.length);
  new DataView(out.buffer).setUint32(0, header.length, true);
  out.set(header, 8);
  out.set(data, 8 + header.length);
  return out;
}

const refused = (bytes: Uint8Array) => expect(() => readModel(bytes, "m.surfit"));

const term = (options: unknown, x = 1) => ({
  ...model,
  terms: [{ type: "t", options, tensors: { x: Float64Array.of(x) } }],
});

describe("model files", () => {
  it("give back the same model to the bit, and the same bytes for the same model", () => {
    expect(readModel(writeModel(model))).toEqual(model);
    expect(Object.is(readModel(writeModel(model)).terms[1].tensors["w.0"][1], -0)).toBe(true);
    expect(writeModel(readModel(writeModel(model)))).toEqual(writeModel(model));
    expect(readModel(Buffer.from(writeModel(model)))).toEqual(model);
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const tensors = fc.dictionary(
      fc.string(),
      fc.array(number, { maxLength: 9 }).map((x) => Float64Array.from(x)),
    );
    const options = fc.dictionary(
      fc.string().filter((k) => k !== "__proto__"),
      number,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(tensors, options), { minLength: 1, maxLength: 3 }), (list) => {
        const terms = list.map(([own, o]) => ({
          type: "t",
          options: JSON.parse(JSON.stringify(o)) as unknown,
          tensors: own,
        }));
        const back = readModel(writeModel({ ...model, terms }));
        expect(back.terms).toEqual(terms);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it("follow the rules of the safetensors layout", () => {
    const { size, text, metadata, entries, data } = dissect(writeModel(model));
    expect([size % 8, text[0]]).toEqual([0, "{"]);
    expect(Object.values(metadata).every((v) => typeof v === "string")).toBe(true);
    expect(metadata).toMatchObject({ format: "surfit", version: "1", elements: "[1,8]" });
    expect(entries).toEqual({
      "1.w.0": { dtype: "F64", shape: [4], data_offsets: [0, 32] },
      "1.b": { dtype: "F64", shape: [0], data_offsets: [32, 32] },
    });
    expect(data.length).toBe(32);
    expect(new DataView(data.buffer, data.byteOffset).getFloat64(0, true)).toBe(1 / 3);
  });

  it("refuse what is no model or a damaged one, with the file's name", () => {
    const good = writeModel(model);
    const changed = (from: string | RegExp, to: string) => {
      const bytes = withHeader(good, (h) => h.replace(from, to));
      expect(bytes).not.toEqual(good);
      return refused(bytes);
    };
    refused(new Uint8Array(3)).toThrow("invalid m.surfit: expected a model file, got 3 bytes");
    refused(new TextEncoder().encode("# not a model at all")).toThrow("got another kind of file");
    for (let at = 0; at < good.length; at += 7) refused(good.subarray(0, at)).toThrow("invalid m.surfit");
    refused(Uint8Array.from([...good, 0])).toThrow("expected 32 bytes of data, got 33");
    changed('"format":"surfit"', '"format":"pt"').toThrow("expected a surfit model, got a file of format pt");
    changed('"format":"surfit",', "").toThrow("a surfit model, got tensors only");
    changed('"version":"1"', '"version":"2"').toThrow(
      "m.surfit version: expected at most 1: a newer surfit is needed, got 2",
    );
    changed("eV", "Ha").toThrow("m.surfit units");
    changed("[1,8]", "[8,1]").toThrow("ascending atomic numbers, got [8,1]");
    changed('"data_offsets":[0,32]', '"data_offsets":[0,24]').toThrow("32 bytes for its shape, got 24");
    changed('"data_offsets":[0,32]', '"data_offsets":[8,40]').toThrow(
      "tensor 1.w.0: expected 40 bytes of data, got 32",
    );
    changed('"shape":[4]', '"shape":[2,-2]').toThrow("shape");
    changed('"F64","shape":[4]', '"BF16","shape":[4]').toThrow("dtype: expected one of F64");
    changed('"F64","shape":[4]', '"I32","shape":[8]').toThrow(
      "terms[1] w.0: expected a tensor F64, got another type",
    );
    changed('"1.b"', '"2.b"').toThrow("terms[1] b: expected a tensor F64, got none");
    changed(String.raw`\"tensors\":[\"w.0\",\"b\"]`, String.raw`\"tensors\":[\"w.0\"]`).toThrow(
      "tensor 1.b: expected tensors that a term names",
    );
    changed(/\}$|\}(?= *$)/, "]").toThrow("a JSON header");
    changed('"__metadata__":{', '"__metadata__":{"x":1,').toThrow("__metadata__.x: expected text");
    const nan = good.slice();
    nan.fill(0xff, good.length - 8);
    refused(nan).toThrow("terms[1] w.0[3]: expected a finite number, got NaN");
  });

  it("hold numbers and plain data only", () => {
    expect(() => writeModel(term({}, NaN))).toThrow("term 0 (t) x[0]: expected a finite number, got NaN");
    expect(() => writeModel(term({ a: { b: Infinity } }))).toThrow(
      "term 0 (t) options.a.b: expected finite numbers",
    );
    expect(() => writeModel(term({ a: Float64Array.of(1) }))).toThrow("options.a: expected plain data");
    expect(() => writeModel(term({ a: () => 1 }))).toThrow("options.a: expected plain data");
  });
});

describe("safetensors", () => {
  it("reads a file of the reference implementation", () => {
    const path = fileURLToPath(new URL("../../test/golden/reference.safetensors", import.meta.url));
    const { metadata, tensors } = decodeSafetensors(new Uint8Array(readFileSync(path)), path);
    expect(metadata).toEqual({ who: "the reference implementation", 'odd "key"': "Å" });
    expect(Object.fromEntries(tensors)).toEqual({
      a: { shape: [3], values: Uint8Array.of(1, 2, 255) },
      b: { shape: [2, 3], values: Float64Array.of(0.1, -0, 5e-324, 1e308, 1 / 3, 2) },
      c: { shape: [2], values: Float32Array.of(0.5, -1.5) },
      d: { shape: [2], values: Int32Array.of(-2147483648, 7) },
    });
    expect(decodeSafetensors(encodeSafetensors({ metadata, tensors }), "again")).toEqual({
      metadata,
      tensors,
    });
  });

  it("refuses arrays that overlap, leave holes or have another size than they say", () => {
    const tensors = new Map([
      ["a", { shape: [2], values: Float64Array.of(1, 2) }],
      ["b", { shape: [2], values: Float64Array.of(3, 4) }],
    ]);
    const bytes = encodeSafetensors({ metadata: {}, tensors });
    const hole = withHeader(bytes, (h) => h.replace("[0,16]", "[16,32]"));
    expect(() => decodeSafetensors(hole, "f")).toThrow(
      "f tensor a: expected data from byte 0 on, got from 16 on",
    );
    expect(() =>
      encodeSafetensors({
        metadata: {},
        tensors: new Map([["a", { shape: [3], values: Float64Array.of(1) }]]),
      }),
    ).toThrow("tensor a");
  });
});
