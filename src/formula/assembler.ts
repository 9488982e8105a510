import { lane, laneMemory, scalar, scalarMemory, vector, vectorMemory } from "./opcodes.ts";

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

/** An instruction without immediates, "f64x2.mul". */
export type Op = keyof typeof scalar | keyof typeof vector;
export type LaneOp = keyof typeof lane;
export type MemoryOp = keyof typeof scalarMemory | keyof typeof vectorMemory;
export type LaneMemoryOp = keyof typeof laneMemory;

/** A local variable or parameter: its index in the function. */
export type Local = number & { readonly brand?: "local" };
/** Where `br` goes: the depth of the block that was opened. */
export type Label = number & { readonly brand?: "label" };

const codes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const VOID = 0x40;
const SIMD = 0xfd;

/** LEB128 of an unsigned integer below 2³². */
const unsigned = (value: number): number[] => {
  const out: number[] = [];
  let rest = value >>> 0;
  for (; rest > 0x7f; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return [...out, rest];
};

/** LEB128 of a signed integer of up to 64 bits. */
const signed = (value: bigint): number[] => {
  const out: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const byte = Number(rest & 0x7fn);
    const last = rest >> 6n === 0n || rest >> 6n === -1n;
    out.push(last ? byte : byte | 0x80);
    if (last) return out;
  }
};

const text = (s: string): number[] => {
  const bytes = new TextEncoder().encode(s);
  return [...unsigned(bytes.length), ...bytes];
};

const list = (items: readonly number[][]): number[] => [...unsigned(items.length), ...items.flat()];

/** The bytes of a number or a typed array, little-endian. */
const floatBytes = (values: ArrayLike<number>, kind: "f32" | "f64"): Uint8Array => {
  const size = kind === "f64" ? 8 : 4;
  const view = new DataView(new ArrayBuffer(size * values.length));
  for (let i = 0; i < values.length; i++) {
    if (kind === "f64") view.setFloat64(8 * i, values[i], true);
    else view.setFloat32(4 * i, values[i], true);
  }
  return new Uint8Array(view.buffer);
};

/**
 * The body of one WebAssembly function, written instruction by instruction on the operand stack; every method
 * returns the function itself. `f.get(x).get(y).op("f64.add").set(z)` is z = x + y.
 */
export class FunctionBuilder {
  readonly index: number;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  private readonly locals: ValueType[] = [];
  private readonly code: number[] = [];
  private depth = 0;

  constructor(index: number, params: readonly ValueType[], results: readonly ValueType[]) {
    this.index = index;
    this.params = params;
    this.results = results;
  }

  /** The i-th parameter. */
  param(i: number): Local {
    if (i >= this.params.length)
      throw new RangeError(`function has ${this.params.length} parameters, not ${i + 1}`);
    return i;
  }

  /** A new local variable, zero at first. */
  local(type: ValueType): Local {
    return this.params.length + this.locals.push(type) - 1;
  }

  get(local: Local): this {
    return this.emit(0x20, unsigned(local));
  }

  set(local: Local): this {
    return this.emit(0x21, unsigned(local));
  }

  /** Sets the local and leaves the value on the stack. */
  tee(local: Local): this {
    return this.emit(0x22, unsigned(local));
  }

  op(name: Op): this {
    if (name in scalar) return this.emit(scalar[name as keyof typeof scalar]);
    return this.emit(SIMD, unsigned(vector[name as keyof typeof vector]));
  }

  i32(value: number): this {
    return this.emit(0x41, signed(BigInt(value | 0)));
  }

  i64(value: bigint): this {
    return this.emit(0x42, signed(BigInt.asIntN(64, value)));
  }

  f32(value: number): this {
    return this.emit(0x43, floatBytes([value], "f32"));
  }

  f64(value: number): this {
    return this.emit(0x44, floatBytes([value], "f64"));
  }

  /** A constant f64x2; one number fills both lanes. */
  f64x2(a: number, b = a): this {
    return this.v128(floatBytes([a, b], "f64"));
  }

  /** A constant f32x4; one number fills all lanes. */
  f32x4(a: number, b = a, c = a, d = a): this {
    return this.v128(floatBytes([a, b, c, d], "f32"));
  }

  /** A constant i64x2; one number fills both lanes. */
  i64x2(a: bigint, b = a): this {
    return this.v128(new Uint8Array(new BigInt64Array([a, b].map((x) => BigInt.asIntN(64, x))).buffer));
  }

  /** A constant i32x4; one number fills all lanes. */
  i32x4(a: number, b = a, c = a, d = a): this {
    return this.v128(new Uint8Array(new Int32Array([a, b, c, d]).buffer));
  }

  /** A constant vector of 16 bytes. */
  v128(bytes: Uint8Array): this {
    return this.emit(SIMD, [0x0c, ...bytes]);
  }

  /** The bytes `lanes` (16 numbers below 32) of the two vectors on the stack. */
  shuffle(lanes: readonly number[]): this {
    if (lanes.length !== 16) throw new RangeError(`shuffle takes 16 lanes, not ${lanes.length}`);
    return this.emit(SIMD, [0x0d, ...lanes]);
  }

  /** Extracts or replaces lane i. */
  lane(name: LaneOp, i: number): this {
    return this.emit(SIMD, [lane[name], i]);
  }

  /** Load or store at the address on the stack plus `offset` bytes; `align` is log2 of the promised alignment. */
  mem(name: MemoryOp, offset = 0, align?: number): this {
    if (name in scalarMemory) {
      const [opcode, natural] = scalarMemory[name as keyof typeof scalarMemory];
      return this.emit(opcode, [...unsigned(align ?? natural), ...unsigned(offset)]);
    }
    const [opcode, natural] = vectorMemory[name as keyof typeof vectorMemory];
    return this.emit(SIMD, [opcode, ...unsigned(align ?? natural), ...unsigned(offset)]);
  }

  /** Load or store of lane i of a vector. */
  laneMem(name: LaneMemoryOp, i: number, offset = 0, align?: number): this {
    const [opcode, natural] = laneMemory[name];
    return this.emit(SIMD, [opcode, ...unsigned(align ?? natural), ...unsigned(offset), i]);
  }

  /** Copies n bytes: destination, source, n on the stack. */
  copy(): this {
    return this.emit(0xfc, [0x0a, 0, 0]);
  }

  /** Fills n bytes: destination, byte, n on the stack. */
  fill(): this {
    return this.emit(0xfc, [0x0b, 0]);
  }

  call(callee: FunctionBuilder): this {
    return this.emit(0x10, unsigned(callee.index));
  }

  /** A block; `br(label)` leaves it. */
  block(body: (label: Label) => void, result?: ValueType): this {
    return this.nest(0x02, body, result);
  }

  /** A loop; `br(label)` starts it again, falling off its end leaves it. */
  loop(body: (label: Label) => void, result?: ValueType): this {
    return this.nest(0x03, body, result);
  }

  /** Runs `then` where the i32 on the stack is not 0, else `otherwise`. */
  if(then: (label: Label) => void, otherwise?: (label: Label) => void, result?: ValueType): this {
    return this.nest(
      0x04,
      (label) => {
        then(label);
        if (!otherwise) return;
        this.emit(0x05);
        otherwise(label);
      },
      result,
    );
  }

  br(label: Label): this {
    return this.emit(0x0c, unsigned(this.depth - label));
  }

  /** Branches where the i32 on the stack is not 0. */
  brIf(label: Label): this {
    return this.emit(0x0d, unsigned(this.depth - label));
  }

  /** for (; i <ₛ end; i += step) body: counts the i32 local i up to the local `end`. */
  for(i: Local, end: Local, step: number, body: () => void): this {
    return this.block((done) => {
      this.get(i).get(end).op("i32.ge_s").brIf(done);
      this.loop((again) => {
        body();
        this.get(i).i32(step).op("i32.add").tee(i).get(end).op("i32.lt_s").brIf(again);
      });
    });
  }

  /** The encoded entry of the code section. */
  encode(): number[] {
    if (this.depth !== 0) throw new Error("a block is still open");
    const runs: { count: number; type: ValueType }[] = [];
    for (const type of this.locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ count: 1, type });
    }
    const head = list(runs.map(({ count, type }) => [...unsigned(count), codes[type]]));
    return [...unsigned(head.length + this.code.length + 1)].concat(head, this.code, 0x0b);
  }

  private nest(opcode: number, body: (label: Label) => void, result?: ValueType): this {
    this.emit(opcode, [result ? codes[result] : VOID]);
    this.depth++;
    body(this.depth);
    this.depth--;
    return this.emit(0x0b);
  }

  private emit(opcode: number, immediates: ArrayLike<number> = []): this {
    this.code.push(opcode);
    for (let i = 0; i < immediates.length; i++) this.code.push(immediates[i]);
    return this;
  }
}

const signature = (f: FunctionBuilder): number[] => [
  0x60,
  ...list(f.params.map((t) => [codes[t]])),
  ...list(f.results.map((t) => [codes[t]])),
];

const section = (id: number, items: number[][]): number[] => {
  if (items.length === 0) return [];
  const body = list(items);
  return [id, ...unsigned(body.length)].concat(body);
};

/** Pages of 64 KiB that a 32-bit memory can have. */
const MAXIMUM_PAGES = 65536;

/**
 * One WebAssembly module, in the binary format: https://webassembly.github.io/spec/core/binary/modules.html.
 * It may import one memory of any size and exports the functions that are given a name.
 */
export class ModuleBuilder {
  private readonly functions: FunctionBuilder[] = [];
  private readonly exports: number[][] = [];
  private readonly imports: number[][] = [];

  /** Imports a memory; a module for shared memory does not accept a plain one, nor the other way round. */
  importMemory(shared: boolean, module = "env", name = "memory"): this {
    const limits = shared ? [0x03, 0, ...unsigned(MAXIMUM_PAGES)] : [0x00, 0];
    this.imports.push([...text(module), ...text(name), 0x02, ...limits]);
    return this;
  }

  /** A new function; exported when it has a name. */
  function(
    name: string | null,
    params: readonly ValueType[],
    results: readonly ValueType[] = [],
  ): FunctionBuilder {
    const f = new FunctionBuilder(this.functions.length, params, results);
    this.functions.push(f);
    if (name !== null) this.exports.push([...text(name), 0x00, ...unsigned(f.index)]);
    return f;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const sections = [
      section(1, this.functions.map(signature)),
      section(2, this.imports),
      section(
        3,
        this.functions.map((f) => unsigned(f.index)),
      ),
      section(7, this.exports),
      section(
        10,
        this.functions.map((f) => f.encode()),
      ),
    ];
    return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0].concat(...sections));
  }
}

/** What this engine's WebAssembly can do. */
export interface Support {
  readonly simd: boolean;
  /** Fused multiply-add of vectors. */
  readonly relaxedSimd: boolean;
  /** Shared memory; `SharedArrayBuffer` must be allowed as well. */
  readonly threads: boolean;
}

const accepts = (build: (module: ModuleBuilder) => void): boolean => {
  const module = new ModuleBuilder();
  build(module);
  return WebAssembly.validate(module.bytes());
};

let support: Support | undefined;

/** Asks the engine, once, by validating three tiny modules. */
export const supports = (): Support =>
  (support ??= {
    simd: accepts((m) => m.function(null, []).f64x2(1).op("drop")),
    relaxedSimd: accepts((m) =>
      m.function(null, []).f64x2(1).f64x2(1).f64x2(1).op("f64x2.relaxed_madd").op("drop"),
    ),
    threads: accepts((m) => m.importMemory(true)),
  });
