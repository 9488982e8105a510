import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Frame } from "../structure/structure.ts";
import { dataHash, Sha256 } from "./hash.ts";

const text = (s: string) => new TextEncoder().encode(s);

describe("SHA-256", () => {
  it("gives the published digests", () => {
    expect(new Sha256().digest()).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(new Sha256().update(text("abc")).digest()).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("equals Node's on any bytes, in any pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (pieces) => {
        const ours = new Sha256();
        const theirs = createHash("sha256");
        for (const piece of pieces) {
          ours.update(piece);
          theirs.update(piece);
        }
        expect(ours.digest()).toBe(theirs.digest("hex"));
      }),
      { seed: 1 },
    );
  });
});

const frame = (extra: Partial<Frame> = {}): Frame => ({
  structure: {
    numbers: Uint8Array.of(1, 1),
    positions: Float64Array.of(0, 0, 0, 0.7, 0, 0),
    cell: null,
    pbc: [false, false, false],
  },
  info: {},
  arrays: {},
  place: "x:1",
  ...extra,
});

describe("data hash", () => {
  it("sees every label, and the order, but not the place", () => {
    const plain = dataHash([frame()]);
    expect(dataHash([frame({ place: "y:2" })])).toBe(plain);
    const variants = [
      frame({ energy: 0 }),
      frame({ energy: 1 }),
      frame({ forces: new Float64Array(6) }),
      frame({ stress: new Float64Array(9) }),
    ].map((f) => dataHash([f]));
    expect(new Set([plain, ...variants]).size).toBe(5);
    const [a, b] = [frame({ energy: 1 }), frame({ energy: 2 })];
    expect(dataHash([a, b])).not.toBe(dataHash([b, a]));
  });
});
