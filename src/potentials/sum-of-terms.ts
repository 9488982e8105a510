import type { CentreTerms } from "../descriptors/loops/sum.ts";
import { sumDescriptor } from "../descriptors/loops/sum.ts";
import type { Device } from "../device/device.ts";
import type { Regressor } from "../regressors/regressor.ts";
import { symbolOf } from "../structure/elements.ts";
import { compose } from "./compose.ts";
import type { Potential } from "./potential.ts";

/**
 * E = Σ_i (Σ_j φ(r_ij) + Σ_{j<k} ψ(r_ij, r_ik, r_jk)) with fixed formulas, one entry of `centres` per element: the
 * loops, kernels and derivatives are those of the descriptors. A pair is seen from both its atoms, so φ is half of the
 * pair's energy, eV.
 */
export function sumOfTerms(
  elements: readonly number[],
  centres: readonly CentreTerms[],
  device: Device,
): Potential {
  const descriptor = sumDescriptor(elements, elements.map(symbolOf), centres, device);
  const sizes = elements.map((_, e) => descriptor.size(e));
  const inner = compose(descriptor, plainSum(sizes), device);
  const { cutoff, smoothness } = descriptor;
  return {
    cutoff,
    smoothness,
    elements,
    evaluate: (structure, neighbours, out, range) => inner.evaluate(structure, neighbours, out, range),
    curvature: (structure, neighbours, H) => inner.curvature!(structure, neighbours, H),
  };
}

/** E = Σ_t G_t: nothing to learn. */
function plainSum(sizes: readonly number[]): Regressor {
  const forward: Regressor["forward"] = (G, energies) => {
    let c = 0;
    for (const [e, size] of sizes.entries())
      for (let row = 0; row < G.counts[e]; row++) {
        let sum = 0;
        for (let t = row * size; t < (row + 1) * size; t++) sum += G.matrices[e][t];
        energies[c++] = sum;
      }
  };
  return {
    parameters: new Float64Array(0),
    decays: new Uint8Array(0),
    tensors: {},
    forward,
    pullback(G, energies, dEdG) {
      forward(G, energies);
      for (const [e, size] of sizes.entries()) dEdG.matrices[e].fill(1, 0, size * G.counts[e]);
    },
    curvature(_, dG, out) {
      for (const [e, size] of sizes.entries()) out.matrices[e].fill(0, 0, size * dG.counts[e]);
    },
    parameterGradient() {
      throw new TypeError("a sum of fixed terms has no parameters (this is a bug, please report it)");
    },
  };
}
