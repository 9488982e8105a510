import { expect, it } from "vitest";
import { add, cos, exp, mul, square, sub, tanh, variable } from "../../formula/expression.ts";
import type { Expr } from "../../formula/expression.ts";
import { evaluate } from "../../formula/javascript.ts";
import { cutoff } from "../cutoffs.ts";
import { hoist, MOST } from "./hoist.ts";

const [a, b, c, r] = ["rij", "rik", "rjk2", "r"].map(variable);
const at = { rij: 1.3, rik: 2.1, rjk2: 3.7 };

const product = (list: readonly Expr[]) => list.reduce((x, y) => mul(x, y));

/** Values of the terms with what was taken out of them put in as numbers. */
function values(factors: readonly Expr[]): { plain: number; hoisted: number; count: number } {
  const { terms, functions, names } = hoist([{ factors }], a, b, r);
  const own = [at.rij, at.rik].flatMap((distance) => evaluate(functions, { r: distance }));
  const inputs = Object.fromEntries(names.map((name, k) => [name, own[k]]));
  return {
    plain: evaluate([product(factors)], at)[0],
    hoisted: evaluate([product(terms[0].factors)], { ...at, ...inputs })[0],
    count: functions.length,
  };
}

const poly = (x: Expr) => cutoff("poly2", x, 6);
const fc = (x: Expr) => cutoff("tanh3", x, 6);

it("takes out what costs and depends on one distance alone: once for both neighbours", () => {
  const mixed = exp(mul(-0.1, add(add(square(a), square(b)), c)));
  const { plain, hoisted, count } = values([mul(fc(a), fc(b)), mixed]);
  expect(count).toBe(1);
  expect(hoisted).toBe(plain);
});

it("leaves polynomials, which are cheaper to compute again than to fetch", () => {
  expect(values([poly(a), poly(b)]).count).toBe(0);
});

it("takes out no more than there are rows for, and sides may differ", () => {
  const many = Array.from({ length: MOST + 2 }, (_, k) => exp(mul(-0.1 * (k + 1), square(sub(a, k)))));
  const { plain, hoisted, count } = values([...many, tanh(b), mul(cos(b), c)]);
  expect(count).toBe(MOST);
  expect(hoisted).toBe(plain);
});
