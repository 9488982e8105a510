import { describe, expect, test } from "vitest";
import { z } from "zod";
import { InputError } from "./error.ts";
import {
  closest,
  helpLines,
  listOptions,
  markdownTable,
  readOverride,
  readYaml,
  readYamlWith,
  validate,
  writeYaml,
} from "./schema.ts";

const schema = z.strictObject({
  seed: z.int().min(0).default(1).meta({ help: "seed of everything drawn at random" }),
  cutoff: z.number().positive().default(6).meta({ unit: "Å", help: "reach of an atom" }),
  training: z
    .strictObject({
      lr: z.number().positive().lte(1).default(0.001).meta({ help: "learning rate" }),
      schedule: z.enum(["cosine", "plateau"]).default("cosine"),
      decay: z.number().nullable().default(null),
    })
    .prefault({}),
  descriptor: z
    .discriminatedUnion("name", [
      z.strictObject({
        name: z.literal("acsf"),
        eta: z.union([z.literal("auto"), z.array(z.number())]).default("auto"),
      }),
      z.strictObject({
        name: z.literal("ani"),
        shifts: z.int().min(2).default(16).meta({ help: "radial shells" }),
      }),
    ])
    .prefault({ name: "acsf" }),
  keys: z.record(z.string(), z.string()).optional(),
});

function problems(job: () => unknown) {
  try {
    job();
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("validation", () => {
  test("completes the defaults", () => {
    expect(validate(schema, {})).toEqual({
      seed: 1,
      cutoff: 6,
      training: { lr: 0.001, schedule: "cosine", decay: null },
      descriptor: { name: "acsf", eta: "auto" },
    });
  });

  test("reports all problems at once, with line, column, expected and found", () => {
    const yaml = [
      "seed: 1.5",
      "cutoff: -1   # too short",
      "training:",
      "  lr: fast",
      "  schedul: cosine",
      "descriptor: { name: ani, shifts: 1 }",
      "",
    ].join("\n");
    expect(problems(() => readYaml(schema, yaml, "fit.yaml"))).toEqual([
      { place: "fit.yaml:1:7 seed", expected: "an integer ≥ 0", found: "1.5" },
      { place: "fit.yaml:2:9 cutoff", expected: "a number > 0 in Å", found: "-1" },
      { place: "fit.yaml:4:7 training.lr", expected: "a number > 0, ≤ 1", found: '"fast"' },
      {
        place: "fit.yaml:5:3 training.schedul",
        expected: "a known option (did you mean schedule?)",
        found: "schedul",
      },
      { place: "fit.yaml:6:34 descriptor.shifts", expected: "an integer ≥ 2", found: "1" },
    ]);
  });

  test("points into the alternative that was meant, and names the alternatives when none was", () => {
    const inner = problems(() => readYaml(schema, "descriptor:\n  name: acsf\n  eta: [1, x]\n", "f.yaml"));
    expect(inner).toEqual([{ place: "f.yaml:3:12 descriptor.eta.1", expected: "a number", found: '"x"' }]);
    const outer = problems(() => readYaml(schema, "descriptor:\n  name: soup\n", "f.yaml"));
    expect(outer[0].place).toBe("f.yaml:2:9 descriptor.name");
    expect(outer[0].expected).toContain("acsf");
    expect(outer[0].expected).toContain("ani");
  });

  test("a file that is not YAML says where", () => {
    const [first] = problems(() => readYaml(schema, "seed: 1\nseed: 2\n", "fit.yaml"));
    expect(first.place).toBe("fit.yaml:2:1");
    expect(problems(() => readYaml(schema, "training: [1\n", "fit.yaml"))[0].place).toMatch(
      /^fit\.yaml:\d+:\d+$/,
    );
  });

  test("overrides are laid over the file and are blamed by their own path", () => {
    const [path, value] = readOverride("training.lr=0.5");
    expect(readYamlWith(schema, "seed: 7\n", "f.yaml", { [path]: value }).training.lr).toBe(0.5);
    expect(problems(() => readYamlWith(schema, "seed: 7\n", "f.yaml", { "training.lr": 5 }))[0].place).toBe(
      "training.lr",
    );
    expect(() => readOverride("training.lr")).toThrow("path=value");
  });
});

test("a table without a name is judged as the one that is meant by default", () => {
  const usual = z.discriminatedUnion("name", [
    z.strictObject({ name: z.literal("acsf"), cutoff: z.number().positive() }),
    z.strictObject({ name: z.literal("ani").default("ani"), cutoff: z.enum(["cosine", "tanh"]) }),
  ]);
  const found = problems(() =>
    validate(z.strictObject({ descriptor: usual }), { descriptor: { cutoff: 5 } }),
  );
  expect(found).toMatchObject([{ place: "descriptor.cutoff", expected: "cosine | tanh", found: "5" }]);
});

describe("writing", () => {
  test("the resolved configuration reads back unchanged and carries the help", () => {
    const full = validate(schema, {
      descriptor: { name: "acsf", eta: [0.1, 1e-7, 3] },
      keys: { energy: "REF_energy" },
    });
    const yaml = writeYaml(schema, full, "made by surfit");
    expect(readYaml(schema, yaml, "fit.yaml")).toEqual(full);
    expect(yaml).toMatch(/^# made by surfit\n/);
    expect(yaml).toContain("cutoff: 6 # Å; reach of an atom");
    expect(yaml).toContain("eta: [0.1, 1e-7, 3]");
  });

  test("help and Markdown list every option once, with bounds and defaults", () => {
    const paths = listOptions(schema).map((o) => o.path);
    expect(paths).toEqual([
      "seed",
      "cutoff",
      "training.lr",
      "training.schedule",
      "training.decay",
      "descriptor.name",
      "descriptor.eta",
      "descriptor.shifts",
      "keys",
    ]);
    expect(helpLines(schema).join("\n")).toMatch(/cutoff = 6 +Å; reach of an atom; \(number > 0\)/);
    expect(markdownTable(schema)).toContain("| `training.decay` | number \\| null | null |");
    expect(markdownTable(schema)).toContain("| `training.schedule` | cosine \\| plateau | cosine |");
  });
});

test("typo suggestions are close or absent", () => {
  expect(closest("trian", ["train", "test"])).toBe("train");
  expect(closest("energy", ["forces", "stress"])).toBeUndefined();
});
