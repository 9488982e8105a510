import { describe, expect, it } from "vitest";
import { Random } from "../../math/random.ts";
import { repeat } from "../../structure/cell.ts";
import type { Structure } from "../../structure/structure.ts";
import { AMU_A2_FS2, kB } from "../../structure/units.ts";
import { A0, diamond } from "../crystal.fixture.ts";
import { blockAverage, blockVariance } from "./blocks.ts";
import { displacement, velocitySpectrum } from "./correlation.ts";
import { AngularDistribution, RadialDistribution } from "./distribution.ts";

const random = new Random(3, "analysis");

describe("radial distribution", () => {
  it("of an ideal gas is 1 for like and unlike pairs", () => {
    const g = new RadialDistribution(4, 8);
    const L = 11;
    for (let f = 0; f < 40; f++)
      g.add({
        numbers: Uint8Array.from({ length: 90 }, (_, i) => (i % 3 ? 18 : 10)),
        positions: Float64Array.from({ length: 270 }, () => L * random.uniform()),
        cell: Float64Array.of(L, 0, 0, 2, L, 0, 0, 1, L),
        pbc: [true, true, true],
      });
    const { result } = g;
    expect(result).toHaveLength(3);
    // The outer shells hold thousands of pairs; the innermost too few.
    for (const { y } of result)
      for (const value of y.slice(3)) expect(Math.abs(value - 1)).toBeLessThan(0.15);
  });

  it("of a crystal holds its coordination numbers", () => {
    const g = new RadialDistribution(4.2, 420);
    g.add(repeat(diamond(A0), [2, 2, 2]));
    const [{ x, y }] = g.result;
    const density = 8 / A0 ** 3;
    const within = (low: number, high: number) => {
      let n = 0;
      x.forEach((r, k) => {
        const shell = ((4 * Math.PI) / 3) * ((r + 0.005) ** 3 - (r - 0.005) ** 3);
        if (r > low && r < high) n += y[k] * density * shell;
      });
      return n;
    };
    expect(within(2, 3)).toBeCloseTo(4, 10);
    expect(within(3, 4.2)).toBeCloseTo(12, 10);
  });

  it("of a molecule counts neighbours per Å", () => {
    const g = new RadialDistribution(2, 20);
    const water: Structure = {
      numbers: Uint8Array.of(8, 1, 1),
      positions: Float64Array.of(0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0),
      cell: null,
      pbc: [false, false, false],
    };
    g.add(water);
    const area = Object.fromEntries(
      g.result.map(({ name, y }) => [name, y.reduce((a, b) => a + b, 0) * 0.1]),
    );
    // Two O about two H, each seen from both sides: one O about an H.
    expect(Object.values(area).toSorted((a, b) => a - b)).toEqual(
      [0, 1, 1].map((v) => expect.closeTo(v, 10) as number),
    );
  });
});

describe("angular distribution", () => {
  it("of diamond is the tetrahedral angle", () => {
    const angles = new AngularDistribution(2.6);
    angles.add(repeat(diamond(A0), [2, 2, 2]));
    const [{ name, x, y }] = angles.result;
    expect(name).toBe("Si–Si–Si");
    expect(x[y.indexOf(Math.max(...y))]).toBeCloseTo(109.5, 10);
    expect(Math.max(...y)).toBeCloseTo(1, 10);
  });
});

describe("diffusion", () => {
  it("of random walks: D = σ²/2Δt for each direction", () => {
    const [n, sigma, interval] = [60, 0.1, 5];
    const now = new Float64Array(3 * n);
    const frames = Array.from({ length: 1200 }, () => {
      for (let i = 0; i < now.length; i++) now[i] += sigma * random.normal();
      return now.slice();
    });
    const atoms = Array.from({ length: n }, (_, i) => i);
    const { diffusion, error, msd } = displacement({ interval, frames }, atoms);
    const exact = sigma ** 2 / (2 * interval);
    expect(Math.abs(diffusion - exact)).toBeLessThan(Math.max(4 * error, 0.1 * exact));
    expect(error).toBeLessThan(0.2 * exact);
    expect(msd[1]).toBeCloseTo(3 * sigma ** 2, 3);
  });

  it("a short trajectory is refused", () => {
    expect(() => displacement({ interval: 1, frames: [new Float64Array(3)] }, [0])).toThrow(/frames or more/);
  });
});

describe("velocity spectrum", () => {
  it("of oscillators peaks at their wavenumber, and gives their temperature", () => {
    const [n, interval, w, T, m] = [40, 2, 1500, 300, 12.011];
    const omega = 2 * Math.PI * 2.99792458e-5 * w;
    const phases = Float64Array.from({ length: 3 * n }, () => 2 * Math.PI * random.uniform());
    // ⟨m v²⟩ = k_B T for every direction.
    const amplitude = Math.sqrt((2 * kB * T) / (m * AMU_A2_FS2));
    const frames = Array.from({ length: 1000 }, (_, t) =>
      phases.map((p) => amplitude * Math.cos(omega * t * interval + p)),
    );
    const atoms = Array.from({ length: n }, (_, i) => i);
    const found = velocitySpectrum({ interval, frames }, new Float64Array(n).fill(m), atoms);
    const top = found.density.indexOf(Math.max(...found.density));
    expect(Math.abs(found.wavenumbers[top] - w)).toBeLessThan(15);
    expect(Math.abs(found.temperature - T)).toBeLessThan(30);
    expect(found.correlation[0]).toBe(1);
  });
});

describe("block averages", () => {
  it("of correlated values: the error that theory gives", () => {
    // x ← a x + √(1 − a²) ξ has variance 1 and correlation time (1 + a)/(2 (1 − a)).
    const a = 0.95;
    const errors: number[] = [];
    const means: number[] = [];
    for (let run = 0; run < 40; run++) {
      let x = random.normal();
      const values = Float64Array.from(
        { length: 8192 },
        () => (x = a * x + Math.sqrt(1 - a * a) * random.normal()),
      );
      const { mean, error, correlation } = blockAverage(values);
      means.push(mean);
      errors.push(error);
      expect(correlation).toBeGreaterThan(8);
    }
    const exact = Math.sqrt((1 + a) / (1 - a) / 8192);
    const typical = errors.reduce((s, e) => s + e, 0) / 40;
    expect(typical / exact).toBeGreaterThan(0.8);
    expect(typical / exact).toBeLessThan(1.5);
    const spread = Math.sqrt(means.reduce((s, m) => s + m * m, 0) / 40);
    expect(spread / exact).toBeGreaterThan(0.7);
    expect(spread / exact).toBeLessThan(1.35);
  });

  it("variances come with errors", () => {
    const values = Float64Array.from({ length: 20_000 }, () => 2 * random.normal());
    const { mean, error } = blockVariance(values);
    expect(Math.abs(mean - 4)).toBeLessThan(4 * error);
    expect(error).toBeLessThan(0.1);
  });
});
