/** Milliseconds of the fastest of so many rounds, and of more until `least` milliseconds have passed. */
export function fastest(run: () => void, rounds: number, least = 0): number {
  let best = Infinity;
  const end = performance.now() + least;
  for (let round = 0; round < rounds || performance.now() < end; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
