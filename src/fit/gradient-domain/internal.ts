/** Directions of a molecule's coordinates in which it neither moves nor turns, rows of an orthonormal [m, 3n]. */
export function internalDirections(positions: Float64Array, rows: number): Float64Array {
  const w = positions.length;
  const { reflectors } = reflect(rigid(positions), w);
  const out = new Float64Array(rows * w);
  for (let r = 0; r < rows; r++) {
    const e = out.subarray(r * w, (r + 1) * w);
    e[w - rows + r] = 1;
    for (const v of reflectors.toReversed()) apply(v, e);
  }
  return out;
}

/** Number of independent translations and rotations: 6, of atoms in a line 5. */
export const rigidRank = (positions: Float64Array): number =>
  reflect(rigid(positions), positions.length).reflectors.length;

/** Three translations and three rotations about the centre, [6][3n]. */
function rigid(positions: Float64Array): Float64Array[] {
  const n = positions.length / 3;
  const centre = [0, 1, 2].map((k) => positions.reduce((sum, x, i) => sum + (i % 3 === k ? x / n : 0), 0));
  const modes = Array.from({ length: 6 }, () => new Float64Array(3 * n));
  for (let i = 0; i < n; i++)
    for (let a = 0; a < 3; a++) {
      modes[a][3 * i + a] = 1;
      const [b, c] = [(a + 1) % 3, (a + 2) % 3];
      modes[3 + a][3 * i + c] = positions[3 * i + b] - centre[b];
      modes[3 + a][3 * i + b] = centre[c] - positions[3 * i + c];
    }
  return modes;
}

/** Less of a direction than this part is left: it depends on those before. */
const DEPENDENT = 1e-8;

/** Householder reflectors I − v vᵀ that bring the modes to triangular form (G. H. Golub, C. F. Van Loan, §5.2). */
function reflect(
  modes: readonly Float64Array[],
  w: number,
): { readonly reflectors: readonly Float64Array[] } {
  const reflectors: Float64Array[] = [];
  for (const mode of modes) {
    const before = Math.sqrt(dot(mode, mode));
    const k = reflectors.length;
    if (k >= w) break;
    for (const v of reflectors) apply(v, mode);
    const rest = mode.slice().fill(0, 0, k);
    const norm = Math.sqrt(dot(rest, rest));
    if (!(norm > DEPENDENT * before)) continue;
    const alpha = rest[k] > 0 ? -norm : norm;
    // |rest − α e|² = 2 α (α − rest_k).
    const scale = 1 / Math.sqrt(alpha * (alpha - rest[k]));
    rest[k] -= alpha;
    reflectors.push(rest.map((x) => x * scale));
  }
  return { reflectors };
}

function apply(v: Float64Array, x: Float64Array): void {
  const along = dot(v, x);
  for (let k = 0; k < x.length; k++) x[k] -= along * v[k];
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k];
  return sum;
}
