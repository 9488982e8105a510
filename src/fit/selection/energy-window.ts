import { need, type SelectionMethod } from "./method.ts";
import { spread } from "./stride.ts";

/** Frames of low energy: all candidates, or as many as wanted at even ranks of their energies, the lowest first. */
export const energyWindow: SelectionMethod = {
  name: "energy-window",
  summary: "frames below --window, thinned to --count at even ranks of their energies",
  score: "energy above the lowest of the composition (eV/atom)",
  needs: ["energies"],
  uses: [],
  select(candidates, { count }) {
    const energies = need(candidates, "energies");
    const order = Array.from(energies.keys()).sort((a, b) => energies[a] - energies[b] || a - b);
    const chosen = spread(order.length, count).map((k) => order[k]);
    return { chosen, scores: chosen.map((f) => energies[f]) };
  },
};
