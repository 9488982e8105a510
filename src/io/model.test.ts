import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Model } from "../potentials/potential.ts";
import { readModel, writeModel } from "./model.ts";

const model: Model = {
  elements: [1, 8],
  terms: [
    { type: "isolated-atoms", options: { energies: { H: -13.6, O: 0.1 + 0.2 } }, tensors: {} },
    {
      type: "composed",
      options: { cutoff: 5 },
      tensors: { w: Float64Array.of(1 / 3, -0, 5e-324), b: new Float64Array(0) },
    },
  ],
  provenance: { seed: 1, note: "Å, ünï" },
};

test("what is read is what was written, to the bit", () => {
  const doubles = fc.array(fc.double(), { maxLength: 20 });
  fc.assert(
    fc.property(
      doubles,
      fc.dictionary(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      (x, options) => {
        const one = {
          ...model,
          terms: [{ type: "t", options: { ...options }, tensors: { x: Float64Array.from(x) } }],
        };
        const back = readModel(writeModel(one));
        expect(back.terms[0].tensors["x"]).toEqual(Float64Array.from(x));
        expect(back.terms[0].options).toEqual(JSON.parse(JSON.stringify(options)));
      },
    ),
    { seed: 1, numRuns: 50 },
  );
  expect(readModel(writeModel(model))).toEqual(model);
});

test("the file is in the safetensors layout", () => {
  const bytes = writeModel(model);
  const size = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + size))) as Record<string, unknown>;
  expect(size % 8).toBe(0);
  expect(header["1.w"]).toEqual({ dtype: "F64", shape: [3], data_offsets: [0, 24] });
  expect(Object.values(header["__metadata__"] as object).every((v) => typeof v === "string")).toBe(true);
  expect(new Float64Array(bytes.slice(8 + size).buffer)[0]).toBe(1 / 3);
});

test("what is no model, or half of one, is refused with its name", () => {
  const bytes = writeModel(model);
  expect(() => readModel(new Uint8Array(3), "m.surfit")).toThrow(
    "invalid m.surfit: expected a safetensors file",
  );
  expect(() => readModel(new TextEncoder().encode("not a model at all"), "m")).toThrow("safetensors");
  expect(() => readModel(bytes.subarray(0, bytes.length - 8), "m")).toThrow("m: 1.w");
  const other = new TextDecoder("latin1").decode(bytes).replace('"format":"surfit"', '"format":"others"');
  expect(() =>
    readModel(
      Uint8Array.from(other, (c) => c.charCodeAt(0)),
      "m",
    ),
  ).toThrow("a model of surfit");
});
