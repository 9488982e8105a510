import { describe, expect, it } from "vitest";
import { splitShares } from "./split-shares.ts";

const groups = ["a", "b", "a", "a", "b", "a", "b", "a"];
const options = {
  shares: { a: { train: 0.6, test: 0.2 }, b: { train: { frames: 1 }, test: 1 } },
  shuffle: false,
  seed: 1,
};

describe("shares of groups", () => {
  it("takes the first frames of each group, then the next ones; the rest is in no set", () => {
    expect(splitShares(groups, options, [])).toEqual({
      train: [0, 1, 2, 3],
      validation: [],
      test: [4, 5, 6],
    });
  });

  it("draws them at random by the seed, each group by itself", () => {
    const drawn = splitShares(groups, { ...options, shuffle: true }, []);
    expect([drawn.train.length, drawn.test.length]).toEqual([4, 3]);
    expect(splitShares(groups, { ...options, shuffle: true }, [])).toEqual(drawn);
    const seeds = [1, 2, 3, 4, 5].map((seed) => splitShares(groups, { ...options, shuffle: true, seed }, []));
    expect(new Set(seeds.map((split) => split.train.join())).size).toBeGreaterThan(1);
  });

  it("no copy of a training frame is tested", () => {
    expect(splitShares(groups, options, [[3, 5]]).test).toEqual([4, 6]);
  });

  it("names groups without shares and shares without group", () => {
    expect(() => splitShares([...groups, "c"], options, [])).toThrow("shares of the group c too");
    expect(() => splitShares(["a"], options, [])).toThrow("split.shares.b: expected one of the groups a");
  });
});
