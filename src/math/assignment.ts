/**
 * The order p of least Σ_i cost[i, p[i]], cost [n, n]: each row gets a column of its own. Shortest augmenting paths with
 * potentials u, v (H. W. Kuhn, DOI 10.1002/nav.3800020109; R. Jonker, A. Volgenant, DOI 10.1007/BF02278710).
 */
export function assign(cost: Float64Array, n: number): Int32Array {
  const u = new Float64Array(n + 1);
  const v = new Float64Array(n + 1);
  // Row of each column, and the column before it on the path; column 0 stands for the row that is looking.
  const row = new Int32Array(n + 1);
  const before = new Int32Array(n + 1);
  const least = new Float64Array(n + 1);
  const done = new Uint8Array(n + 1);
  for (let i = 1; i <= n; i++) {
    row[0] = i;
    least.fill(Infinity);
    done.fill(0);
    let at = 0;
    do {
      done[at] = 1;
      const r = row[at];
      let [delta, next] = [Infinity, 0];
      for (let j = 1; j <= n; j++) {
        if (done[j]) continue;
        const reduced = cost[(r - 1) * n + j - 1] - u[r] - v[j];
        if (reduced < least[j]) [least[j], before[j]] = [reduced, at];
        if (least[j] < delta) [delta, next] = [least[j], j];
      }
      for (let j = 0; j <= n; j++)
        if (done[j]) {
          u[row[j]] += delta;
          v[j] -= delta;
        } else least[j] -= delta;
      at = next;
    } while (row[at] !== 0);
    for (; at !== 0; at = before[at]) row[at] = row[before[at]];
  }
  const columns = new Int32Array(n);
  for (let j = 1; j <= n; j++) columns[row[j] - 1] = j - 1;
  return columns;
}
