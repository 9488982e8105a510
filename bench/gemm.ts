/** Matrix products beside this core's 128-bit SIMD peak and a plain 4×4 tile; see docs/device.md. */
import { createGemm } from "../src/device/gemm.ts";
import { Memory } from "../src/device/memory.ts";
import { instantiate } from "../src/device/modules.ts";
import { ModuleBuilder, supports } from "../src/formula/assembler.ts";
import { measurePeak, rate } from "./peak.ts";

const memory = new Memory();
const fused = supports().relaxedSimd;
const gemm = createGemm(memory, fused);

/** C = A B, [n, n], f64: a plain 4×4 tile, nothing packed, nothing unrolled; n is a multiple of 4. */
const plainTile = (): ((n: number, a: number, b: number, c: number) => void) => {
  const module = new ModuleBuilder().importMemory(memory.shared);
  const f = module.function("run", ["i32", "i32", "i32", "i32"]);
  const [n, a, b, c] = [0, 1, 2, 3];
  const [i, j, k, row, pa, pb, pc] = Array.from({ length: 7 }, () => f.local("i32"));
  const sums = Array.from({ length: 8 }, () => f.local("v128"));
  const [x, y, z] = Array.from({ length: 3 }, () => f.local("v128"));
  f.get(n).i32(8).op("i32.mul").set(row);
  f.for(i, n, 4, () => {
    f.i32(0).set(j);
    f.for(j, n, 4, () => {
      for (const sum of sums) f.f64x2(0).set(sum);
      f.get(a).get(i).get(row).op("i32.mul").op("i32.add").set(pa);
      f.get(b).get(j).i32(8).op("i32.mul").op("i32.add").set(pb);
      f.i32(0).set(k);
      f.for(k, n, 1, () => {
        f.get(pb).mem("v128.load").set(y).get(pb).mem("v128.load", 16).set(z);
        f.get(pa).set(pc);
        for (let r = 0; r < 4; r++) {
          f.get(pc).mem("v128.load64_splat").set(x).get(pc).get(row).op("i32.add").set(pc);
          [y, z].forEach((v, s) => {
            const sum = sums[2 * r + s];
            if (fused) f.get(x).get(v).get(sum).op("f64x2.relaxed_madd").set(sum);
            else f.get(sum).get(x).get(v).op("f64x2.mul").op("f64x2.add").set(sum);
          });
        }
        f.get(pa).i32(8).op("i32.add").set(pa).get(pb).get(row).op("i32.add").set(pb);
      });
      f.get(c).get(i).get(row).op("i32.mul").op("i32.add").get(j).i32(8).op("i32.mul").op("i32.add").set(pc);
      for (let r = 0; r < 4; r++) {
        f.get(pc)
          .get(sums[2 * r])
          .mem("v128.store")
          .get(pc)
          .get(sums[2 * r + 1])
          .mem("v128.store", 16);
        f.get(pc).get(row).op("i32.add").set(pc);
      }
    });
  });
  return (instantiate(module.bytes(), memory.memory) as unknown as { run: ReturnType<typeof plainTile> }).run;
};

/** m, n, k, which operand is transposed, what it is in a neural network. */
const shapes: [number, number, number, "" | "A" | "B", string][] = [
  [64, 64, 64, "", ""],
  [256, 256, 256, "", ""],
  [512, 512, 512, "", ""],
  [16, 64, 64, "B", "few rows"],
  [200, 64, 64, "B", "a layer"],
  [2000, 64, 30, "B", "first layer"],
  [2000, 1, 64, "B", "energies"],
  [2000, 64, 1, "", "back from the energies"],
  [200, 64, 64, "", "back through a layer"],
  [64, 64, 2000, "A", "weights of a layer"],
  [64, 30, 2000, "A", "weights of the first layer"],
  [1, 64, 64, "B", "one row"],
];

const [a, b, c] = [0, 1, 2].map(() => memory.alloc(8 * 512 * 512));
memory.f64(a, 512 * 512).fill(1 / 3);
memory.f64(b, 512 * 512).fill(1 / 7);
const peak = { f64: measurePeak("f64", memory), f32: measurePeak("f32", memory) };
const plain = plainTile();
const plainRate = rate(2 * 256 ** 3, () => plain(256, a, b, c));

console.log(`fused multiply-add: ${fused ? "yes" : "no"}`);
console.log(`128-bit SIMD peak: f64 ${peak.f64.toFixed(1)}, f32 ${peak.f32.toFixed(1)} GFLOP/s`);
console.log(`plain 4×4 tile at 256³: f64 ${plainRate.toFixed(1)} GFLOP/s`);
for (const real of ["f64", "f32"] as const)
  for (const [m, n, k, transposed, what] of shapes) {
    const options = { transA: transposed === "A", transB: transposed === "B" };
    const [lda, ldb] = [options.transA ? m : k, options.transB ? k : n];
    const r = rate(2 * m * n * k, () => gemm[real](m, n, k, a, lda, b, ldb, c, n, options));
    const shape = `${m} × ${n} × ${k}${transposed && ` ${transposed}ᵀ`}`.padEnd(20);
    const ratios = `${((100 * r) / peak[real]).toFixed(0)} % of the peak`;
    const beside = real === "f64" ? `, ${(r / plainRate).toFixed(2)} × plain` : "";
    console.log(
      `${real} ${shape} ${r.toFixed(1).padStart(6)} GFLOP/s, ${ratios}${beside}${what && `  (${what})`}`,
    );
  }
