/** Nodes and weights of Gauss and Legendre on a … b, [n] each (Newton's method; DOI 10.1137/140954969). */
export function gaussLegendre(n: number, a: number, b: number): { x: Float64Array; w: Float64Array } {
  const [x, w] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    let t = Math.cos((Math.PI * (k + 0.75)) / (n + 0.5));
    let slope = 0;
    for (let step = 0; step < 8; step++) {
      let [p, q] = [1, 0];
      for (let j = 1; j <= n; j++) [p, q] = [((2 * j - 1) * t * p - (j - 1) * q) / j, p];
      slope = (n * (q - t * p)) / (1 - t * t);
      t -= p / slope;
    }
    x[k] = (a + b) / 2 - ((b - a) / 2) * t;
    w[k] = (b - a) / ((1 - t * t) * slope * slope);
  }
  return { x, w };
}

/** e⁻ˣ i_l(x), l = 0 … lmax, of the modified spherical Bessel functions i_l (DLMF 10.47), x ≥ 0. */
export function scaledBessel(lmax: number, x: number): Float64Array {
  const i = new Float64Array(lmax + 1);
  if (x < 1e-12) {
    i[0] = 1;
    return i;
  }
  // Downward from far above, where any start is forgotten: i_{l−1} = i_{l+1} + (2l + 1)/x i_l.
  const start = lmax + 20 + Math.ceil(2 * Math.sqrt(40 * x) + 0.2 * x);
  let [above, here] = [0, 1e-300];
  for (let l = start; l >= 0; l--) {
    if (l <= lmax) i[l] = here;
    if (l > 0) [above, here] = [here, above + ((2 * l + 1) / x) * here];
    if (here > 1e200) {
      [above, here] = [above * 1e-250, here * 1e-250];
      for (let k = l; k <= lmax; k++) i[k] *= 1e-250;
    }
  }
  const scale = -Math.expm1(-2 * x) / (2 * x) / i[0];
  return i.map((v) => v * scale);
}
