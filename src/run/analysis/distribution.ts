import { volume } from "../../structure/cell.ts";
import { symbolOf } from "../../structure/elements.ts";
import { findNeighbours, pairDistance } from "../../structure/neighbours.ts";
import { pairKey, pairName } from "../../structure/statistics.ts";
import type { Structure } from "../../structure/structure.ts";

/** A histogram as a curve. */
export interface Curve {
  readonly name: string;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Radial distributions of all pairs of elements over frames added one by one. In a crystal or liquid
 * g_ab(r) = ⟨n_b(r, r + dr)⟩/(4π r² dr ρ_b), which tends to 1; of a molecule the mean number of b about an a per Å.
 */
export class RadialDistribution {
  readonly #cutoff: number;
  readonly #bins: number;
  readonly #counts = new Map<string, Float64Array>();
  /** Σ over frames of N_a ρ_b in a bulk, of N_a in a molecule: what a count of 1 stands for. */
  readonly #expected = new Map<string, number>();
  #bulk = true;

  constructor(cutoff = 10, bins = 200) {
    this.#cutoff = cutoff;
    this.#bins = bins;
  }

  add(structure: Structure): void {
    const { numbers, cell, pbc } = structure;
    this.#bulk &&= cell !== null && pbc.every(Boolean);
    const neighbours = findNeighbours(structure, this.#cutoff);
    const { offsets, index } = neighbours;
    const width = this.#cutoff / this.#bins;
    for (let i = 0; i < numbers.length; i++)
      for (let p = offsets[i]; p < offsets[i + 1]; p++) {
        const r = pairDistance(structure, neighbours, i, p);
        if (r >= this.#cutoff) continue;
        this.#row(pairKey(numbers[i], numbers[index[p]]))[Math.floor(r / width)]++;
      }
    this.#expect(numbers, this.#bulk ? volume(cell!) : 1);
  }

  #row(key: string): Float64Array {
    const found = this.#counts.get(key) ?? new Float64Array(this.#bins);
    this.#counts.set(key, found);
    return found;
  }

  #expect(numbers: Uint8Array, V: number): void {
    const count = new Map<number, number>();
    for (const z of numbers) count.set(z, (count.get(z) ?? 0) + 1);
    for (const [a, na] of count)
      for (const [b, nb] of count) {
        if (b < a) continue;
        // Unlike pairs are counted from both sides, like ones are their own other side.
        const pairs = a === b ? na * nb : 2 * na * nb;
        const unit = this.#bulk ? pairs / V : a === b ? na : 2 * na;
        this.#expected.set(pairKey(a, b), (this.#expected.get(pairKey(a, b)) ?? 0) + unit);
        this.#row(pairKey(a, b));
      }
  }

  get result(): Curve[] {
    const width = this.#cutoff / this.#bins;
    return [...this.#counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, counts]) => {
        const expected = this.#expected.get(key)!;
        const x = Float64Array.from(counts, (_, k) => (k + 0.5) * width);
        const y = counts.map((n, k) => {
          const shell = ((4 * Math.PI) / 3) * ((k + 1) ** 3 - k ** 3) * width ** 3;
          return n / expected / (this.#bulk ? shell : width);
        });
        return { name: pairName(key), x, y };
      });
  }
}

function vector(
  positions: Float64Array,
  cell: Float64Array | null,
  i: number,
  j: number,
  shift: ArrayLike<number>,
  p: number,
): [number, number, number] {
  const part = (k: number) => {
    const image = cell
      ? shift[3 * p] * cell[k] + shift[3 * p + 1] * cell[3 + k] + shift[3 * p + 2] * cell[6 + k]
      : 0;
    return positions[3 * j + k] + image - positions[3 * i + k];
  };
  return [part(0), part(1), part(2)];
}

/** Distributions of the angles a–centre–b between neighbours closer than a cutoff (Å), over 0 … 180°, area 1. */
export class AngularDistribution {
  readonly #cutoff: number;
  readonly #bins: number;
  readonly #counts = new Map<string, Float64Array>();

  constructor(cutoff: number, bins = 180) {
    this.#cutoff = cutoff;
    this.#bins = bins;
  }

  add(structure: Structure): void {
    const { numbers, positions, cell } = structure;
    const { offsets, index, shift } = findNeighbours(structure, this.#cutoff);
    for (let i = 0; i < numbers.length; i++) {
      const near: { z: number; v: readonly number[]; r: number }[] = [];
      for (let p = offsets[i]; p < offsets[i + 1]; p++) {
        const v = vector(positions, cell, i, index[p], shift, p);
        const r = Math.hypot(...v);
        if (r < this.#cutoff) near.push({ z: numbers[index[p]], v, r });
      }
      near.forEach((a, k) => {
        for (const b of near.slice(k + 1)) {
          const cosine = a.v.reduce((sum, x, c) => sum + x * b.v[c], 0) / (a.r * b.r);
          const degrees = (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
          const [low, high] = [Math.min(a.z, b.z), Math.max(a.z, b.z)];
          const name = [low, numbers[i], high].map(symbolOf).join("–");
          const row = this.#counts.get(name) ?? new Float64Array(this.#bins);
          row[Math.min(this.#bins - 1, Math.floor((degrees / 180) * this.#bins))]++;
          this.#counts.set(name, row);
        }
      });
    }
  }

  get result(): Curve[] {
    const width = 180 / this.#bins;
    return [...this.#counts].map(([name, counts]) => {
      const total = counts.reduce((a, b) => a + b, 0);
      return {
        name,
        x: Float64Array.from(counts, (_, k) => (k + 0.5) * width),
        y: counts.map((n) => n / total / width),
      };
    });
  }
}
