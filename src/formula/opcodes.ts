/** The words of a text, as a union of string literals. */
type Words<S extends string> = S extends `${infer Head} ${infer Tail}` ? Head | Words<Tail> : S;
type Named<P extends string, S extends string> = Record<`${P}.${Exclude<Words<S>, "-">}`, number>;

/** Consecutive opcodes from `first` on; "-" leaves one out. */
const run = <const P extends string, const S extends string>(
  first: number,
  type: P,
  names: S,
): Named<P, S> => {
  const entries = names.split(" ").map((name, i) => [`${type}.${name}`, first + i] as const);
  return Object.fromEntries(entries.filter(([name]) => !name.endsWith("-"))) as Named<P, S>;
};

/** Instructions without immediates, https://webassembly.github.io/spec/core/binary/instructions.html */
export const scalar = {
  unreachable: 0x00,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  ...run(0x45, "i32", "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  ...run(0x50, "i64", "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  ...run(0x5b, "f32", "eq ne lt gt le ge"),
  ...run(0x61, "f64", "eq ne lt gt le ge"),
  ...run(
    0x67,
    "i32",
    "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr",
  ),
  ...run(
    0x79,
    "i64",
    "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr",
  ),
  ...run(0x8b, "f32", "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"),
  ...run(0x99, "f64", "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"),
  ...run(0xa7, "i32", "wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u"),
  ...run(0xac, "i64", "extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u"),
  ...run(0xb2, "f32", "convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64"),
  ...run(0xb7, "f64", "convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32"),
  "i32.reinterpret_f32": 0xbc,
  "i64.reinterpret_f64": 0xbd,
  "f32.reinterpret_i32": 0xbe,
  "f64.reinterpret_i64": 0xbf,
};

/** Vector instructions without immediates (after the prefix 0xfd); the relaxed ones need `supports().relaxedSimd`. */
export const vector = {
  "i8x16.swizzle": 0x0e,
  ...run(0x11, "i32x4", "splat"),
  ...run(0x12, "i64x2", "splat"),
  ...run(0x13, "f32x4", "splat"),
  ...run(0x14, "f64x2", "splat"),
  ...run(0x37, "i32x4", "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  ...run(0x41, "f32x4", "eq ne lt gt le ge"),
  ...run(0x47, "f64x2", "eq ne lt gt le ge"),
  ...run(0x4d, "v128", "not and andnot or xor bitselect any_true"),
  ...run(0x5e, "f32x4", "demote_f64x2_zero"),
  ...run(0x5f, "f64x2", "promote_low_f32x4"),
  ...run(0x67, "f32x4", "ceil floor trunc nearest"),
  ...run(0x74, "f64x2", "ceil floor - - - - trunc"),
  ...run(0x94, "f64x2", "nearest"),
  ...run(0xa0, "i32x4", "abs neg - all_true bitmask - - - - - - shl shr_s shr_u add - - sub - - - mul"),
  ...run(0xb6, "i32x4", "min_s min_u max_s max_u"),
  ...run(0xc0, "i64x2", "abs neg - all_true bitmask - - extend_low_i32x4_s extend_high_i32x4_s"),
  ...run(0xc9, "i64x2", "extend_low_i32x4_u extend_high_i32x4_u shl shr_s shr_u add - - sub - - - mul"),
  ...run(0xd6, "i64x2", "eq ne lt_s gt_s le_s ge_s"),
  ...run(0xe0, "f32x4", "abs neg - sqrt add sub mul div min max pmin pmax"),
  ...run(0xec, "f64x2", "abs neg - sqrt add sub mul div min max pmin pmax"),
  ...run(
    0xf8,
    "i32x4",
    "trunc_sat_f32x4_s trunc_sat_f32x4_u - - trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero",
  ),
  ...run(0xfa, "f32x4", "convert_i32x4_s convert_i32x4_u"),
  ...run(0xfe, "f64x2", "convert_low_i32x4_s convert_low_i32x4_u"),
  "i8x16.relaxed_swizzle": 0x100,
  ...run(0x105, "f32x4", "relaxed_madd relaxed_nmadd"),
  ...run(0x107, "f64x2", "relaxed_madd relaxed_nmadd"),
};

/** Vector instructions with a lane number (after the prefix 0xfd). */
export const lane = {
  ...run(0x1b, "i32x4", "extract_lane replace_lane"),
  ...run(0x1d, "i64x2", "extract_lane replace_lane"),
  ...run(0x1f, "f32x4", "extract_lane replace_lane"),
  ...run(0x21, "f64x2", "extract_lane replace_lane"),
};

/** Loads and stores: [opcode, log2 of the bytes moved], scalar ones, */
export const scalarMemory = {
  "i32.load": [0x28, 2],
  "i64.load": [0x29, 3],
  "f32.load": [0x2a, 2],
  "f64.load": [0x2b, 3],
  "i32.load8_s": [0x2c, 0],
  "i32.load8_u": [0x2d, 0],
  "i32.load16_s": [0x2e, 1],
  "i32.load16_u": [0x2f, 1],
  "i32.store": [0x36, 2],
  "i64.store": [0x37, 3],
  "f32.store": [0x38, 2],
  "f64.store": [0x39, 3],
  "i32.store8": [0x3a, 0],
  "i32.store16": [0x3b, 1],
} as const;

/** vector ones (after the prefix 0xfd), */
export const vectorMemory = {
  "v128.load": [0x00, 4],
  "v128.load32_splat": [0x09, 2],
  "v128.load64_splat": [0x0a, 3],
  "v128.store": [0x0b, 4],
  "v128.load32_zero": [0x5c, 2],
  "v128.load64_zero": [0x5d, 3],
} as const;

/** and vector ones that move one lane (after the prefix 0xfd). */
export const laneMemory = {
  "v128.load32_lane": [0x56, 2],
  "v128.load64_lane": [0x57, 3],
  "v128.store32_lane": [0x5a, 2],
  "v128.store64_lane": [0x5b, 3],
} as const;
