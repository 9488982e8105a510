import { exp, log, variable } from "./expression.ts";
import { functionOf } from "./javascript.ts";

const x = variable("x");

/** eˣ with the project's own polynomial: the same bits on every engine. */
export const expOf = functionOf(exp(x), "x");

/** ln x likewise. */
export const logOf = functionOf(log(x), "x");
