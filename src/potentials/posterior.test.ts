import { expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { packUpper, Posterior } from "./posterior.ts";

const n = 7;
const R = new Random(2).normals(new Float64Array(n * n));
const packed = packUpper(R, n, n, 2);
const posterior = new Posterior(packed);

/** 2 |R φ| with the upper triangle of R. */
const direct = (phi: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let k = i; k < n; k++) sum += 2 * R[i * n + k] * phi[k];
    total += sum * sum;
  }
  return Math.sqrt(total);
};

it("the deviation is |R φ|, of a part of φ too", () => {
  expect(posterior.parameters).toBe(n);
  const phi = new Random(3).normals(new Float64Array(n));
  expect(Math.abs(posterior.deviation(phi) - direct(phi))).toBeLessThan(1e-14);
  const part = Float64Array.from({ length: n }, (_, k) => (k >= 2 && k < 5 ? phi[k] : 0));
  expect(Math.abs(posterior.deviation(phi.subarray(2, 5), 2) - direct(part))).toBeLessThan(1e-14);
});

it("refuses what is no triangle", () => {
  expect(() => new Posterior(new Float64Array(11))).toThrow("training.posterior");
});
