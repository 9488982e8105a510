import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { FunctionBuilder, Op, ValueType } from "./assembler.ts";
import { ModuleBuilder, supports } from "./assembler.ts";
import { scalar, vector } from "./opcodes.ts";

type Numeric = (...args: number[]) => number | bigint;

const build = (
  params: ValueType[],
  result: ValueType,
  body: (f: FunctionBuilder) => void,
  memory?: WebAssembly.Memory,
): Numeric => {
  const module = new ModuleBuilder();
  if (memory) module.importMemory(memory.buffer instanceof SharedArrayBuffer);
  body(module.function("f", params, [result]));
  const instance = new WebAssembly.Instance(
    new WebAssembly.Module(module.bytes()),
    memory && { env: { memory } },
  );
  return instance.exports.f as Numeric;
};

test("constants of every type and sign survive the encoding", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double(),
      (i, l, d) => {
        expect(build([], "i32", (f) => f.i32(i))()).toBe(i);
        expect(build([], "i64", (f) => f.i64(l))()).toBe(l);
        expect(build([], "f64", (f) => f.f64(d))()).toBe(d);
        expect(build([], "f32", (f) => f.f32(d))()).toBe(Math.fround(d));
      },
    ),
    { seed: 1, numRuns: 100 },
  );
});

test("a loop with a branch sums 0 … n-1", () => {
  const sum = build(["i32"], "i32", (f) => {
    const i = f.local("i32");
    const s = f.local("i32");
    f.for(i, f.param(0), 1, () => f.get(s).get(i).op("i32.add").set(s));
    f.get(s);
  });
  expect([0, 1, 10, 1000].map((n) => sum(n))).toEqual([0, 0, 45, 499500]);
});

test("nested blocks and if reach the label they name", () => {
  const sign = build(["f64"], "i32", (f) => {
    const out = f.local("i32");
    f.block((outer) => {
      f.block(() => {
        f.get(0).f64(0).op("f64.lt");
        f.if(() => f.i32(-1).set(out).br(outer));
        f.get(0).f64(0).op("f64.gt");
        f.if(
          () => f.i32(1),
          () => f.i32(0),
          "i32",
        ).set(out);
        f.br(outer);
      });
      f.i32(99).set(out);
    });
    f.get(out);
  });
  expect([-3, 0, 5].map((x) => sign(x))).toEqual([-1, 0, 1]);
});

/** Signature of each instruction by its name, so that the engine's validator checks every opcode of the tables. */
const signature = (name: Op): [ValueType[], ValueType | null] | null => {
  const [type, verb] = name.split(".") as [string, string];
  if (verb === undefined) return null;
  const from = /(?:wrap|trunc|extend|convert|promote|demote|reinterpret)_([if](?:32|64))(?:_|$)/.exec(
    verb,
  )?.[1];
  if (/^(?:[if](?:32|64))$/.test(type)) {
    const t = type as ValueType;
    if (from) return [[from as ValueType], t];
    if (verb === "eqz") return [[t], "i32"];
    if (/^(?:eq|ne|[lg][te](?:_[su])?)$/.test(verb)) return [[t, t], "i32"];
    if (/^(?:clz|ctz|popcnt|abs|neg|ceil|floor|trunc|nearest|sqrt)$/.test(verb)) return [[t], t];
    return [[t, t], t];
  }
  if (verb === "splat")
    return [[({ i32x4: "i32", i64x2: "i64", f32x4: "f32", f64x2: "f64" } as const)[type]!], "v128"];
  if (/any_true|all_true|bitmask/.test(verb)) return [["v128"], "i32"];
  if (/^sh[lr]/.test(verb)) return [["v128", "i32"], "v128"];
  if (/bitselect|relaxed_n?madd/.test(verb)) return [["v128", "v128", "v128"], "v128"];
  const unary = /^(?:not|abs|neg|ceil|floor|trunc|nearest|sqrt|extend_|convert_|promote_|demote_|trunc_sat_)/;
  if (unary.test(verb)) return [["v128"], "v128"];
  return [["v128", "v128"], "v128"];
};

test.each([...Object.keys(scalar), ...Object.keys(vector)].filter((n) => n.includes(".")) as Op[])(
  "%s is accepted with its operands",
  (name) => {
    const [params, result] = signature(name)!;
    const module = new ModuleBuilder();
    const f = module.function("f", params, result ? [result] : []);
    params.forEach((_, i) => f.get(i));
    f.op(name);
    expect(WebAssembly.validate(module.bytes())).toBe(true);
  },
);

const doubles = [1.5, -2.25, 3.5, 1e3, -0.5, 7.75];
const arithmetic: [string, (a: number, b: number) => number][] = [
  ["add", (a, b) => a + b],
  ["sub", (a, b) => a - b],
  ["mul", (a, b) => a * b],
  ["div", (a, b) => a / b],
  ["min", Math.min],
  ["max", Math.max],
  ["pmin", (a, b) => (b < a ? b : a)],
  ["pmax", (a, b) => (a < b ? b : a)],
  ["sqrt", (_, b) => Math.sqrt(b)],
  ["abs", (_, b) => Math.abs(b)],
  ["neg", (_, b) => -b],
  ["floor", (_, b) => Math.floor(b)],
  ["ceil", (_, b) => Math.ceil(b)],
  ["trunc", (_, b) => Math.trunc(b)],
];

test.each(arithmetic)("f64x2.%s, f32x4.%s and f64.%s compute what they say", (verb, js) => {
  const unary = js.length === 2 && /sqrt|abs|neg|floor|ceil|trunc/.test(verb);
  for (const a of doubles)
    for (const b of doubles) {
      const wide = build([], "f64", (f) => {
        if (!unary) f.f64x2(0, a);
        f.f64x2(0, b)
          .op(`f64x2.${verb}` as Op)
          .lane("f64x2.extract_lane", 1);
      })();
      expect(wide).toBe(js(a, b));
      const narrow = build([], "f32", (f) => {
        if (!unary) f.f32x4(0, 0, 0, a);
        f.f32x4(0, 0, 0, b)
          .op(`f32x4.${verb}` as Op)
          .lane("f32x4.extract_lane", 3);
      })();
      expect(narrow).toBe(Math.fround(js(a, b)));
    }
});

test("comparison masks select lanes", () => {
  const less = build([], "f64", (f) =>
    f
      .f64x2(10, 20)
      .f64x2(30, 40)
      .f64x2(1, 5)
      .f64x2(2, 4)
      .op("f64x2.lt")
      .op("v128.bitselect")
      .lane("f64x2.extract_lane", 1),
  );
  expect(less()).toBe(40);
});

test("integer lanes shift, add and shuffle", () => {
  expect(
    build([], "i64", (f) =>
      f.i64x2(-8n, 3n).i32(1).op("i64x2.shr_s").i64x2(1n).op("i64x2.add").lane("i64x2.extract_lane", 0),
    )(),
  ).toBe(-3n);
  expect(
    build([], "i32", (f) => f.i32x4(1, 2, 3, -16).i32(28).op("i32x4.shr_u").lane("i32x4.extract_lane", 3))(),
  ).toBe(15);
  const swapped = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
  expect(
    build([], "f64", (f) => f.f64x2(1, 2).f64x2(3, 4).shuffle(swapped).lane("f64x2.extract_lane", 1))(),
  ).toBe(3);
});

test.each([false, true])("loads, stores, copy and fill on a memory with shared = %s", (shared) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
  const numbers = new Float64Array(memory.buffer);
  numbers.set([1, 2, 3, 4]);
  const result = build(
    [],
    "f64",
    (f) => {
      f.i32(32)
        .i32(0)
        .mem("v128.load", 8, 3)
        .i32(0)
        .mem("v128.load64_splat", 24)
        .op("f64x2.mul")
        .mem("v128.store");
      f.i32(0).i32(32).mem("v128.load").laneMem("v128.store64_lane", 1, 48);
      f.i32(64).i32(32).i32(16).copy();
      f.i32(72).i32(0).i32(8).fill();
      f.i32(64).mem("f64.load");
    },
    memory,
  );
  expect(result()).toBe(8);
  expect([...numbers.subarray(4, 10)]).toEqual([8, 12, 12, 0, 8, 0]);
});

test("functions of a module call one another", () => {
  const module = new ModuleBuilder();
  const square = module.function(null, ["f64"], ["f64"]);
  square.get(0).get(0).op("f64.mul");
  module.function("fourth", ["f64"], ["f64"]).get(0).call(square).call(square);
  const { fourth } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes())).exports;
  expect((fourth as (x: number) => number)(3)).toBe(81);
});

test("this engine has SIMD and threads; fused multiply-add is one rounding where it is there", () => {
  expect(supports()).toMatchObject({ simd: true, threads: true });
  if (!supports().relaxedSimd) return;
  const e = 2 ** -30;
  const product = build([], "f64", (f) =>
    f
      .f64x2(1 + e)
      .f64x2(1 - e)
      .f64x2(-1)
      .op("f64x2.relaxed_madd")
      .lane("f64x2.extract_lane", 0),
  )();
  expect([0, -(e * e)]).toContain(product);
});
