import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { markdownTable } from "../schema.ts";
import { fitSchema } from "./options.ts";

describe("options of a fit", () => {
  it("need nothing but data, and know every default", () => {
    const options = fitSchema.parse({ data: "a.xyz" });
    expect(options.data.files).toBe("a.xyz");
    expect(options.training.optimiser).toBe("auto");
    expect(fitSchema.parse(options)).toEqual(options);
  });

  it("refuse what they do not know", () => {
    expect(() => fitSchema.parse({ data: "a.xyz", traning: {} })).toThrow("traning");
    expect(() => fitSchema.parse({ data: "a.xyz", training: { rate: -1 } })).toThrow();
  });

  it("stand in docs/fit.md as they are declared", () => {
    const page = readFileSync(new URL("../../docs/fit.md", import.meta.url), "utf8");
    expect(page).toContain(markdownTable(fitSchema).trim());
  });
});
