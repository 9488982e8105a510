import type { SparseRows } from "./descriptor.ts";

/** The rows of a sparse matrix in another order: row t of the result is row order[t]; −1 is a row without entries. */
export function reorderedRows(
  { starts, columns, values }: SparseRows,
  order: Int32Array,
  to: SparseRows,
): void {
  let k = 0;
  order.forEach((from, t) => {
    to.starts[t] = k;
    if (from < 0) return;
    const [first, last] = [starts[from], starts[from + 1]];
    to.columns.set(columns.subarray(first, last), k);
    to.values.set(values.subarray(first, last), k);
    k += last - first;
  });
  to.starts[order.length] = k;
}

/** Room for `rows` rows with at most `entries` entries. */
export const roomFor = (rows: number, entries: number): SparseRows => ({
  starts: new Int32Array(rows + 1),
  columns: new Int32Array(entries),
  values: new Float64Array(entries),
});
