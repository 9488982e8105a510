import type { Report } from "../../fit/trainer.ts";
import { duration } from "../table.ts";

/** Stages shorter than this are not told, s. */
const SHORT = 0.05;

/** What comes after the last report. */
const AFTER = "errors of all sets";

/** How long each stage of a solution took, as its reports tell. */
export class StageTimes {
  readonly #seconds = new Map<string, number>();
  #last = performance.now();

  /** What passed since the last report belongs to the stage of this one. */
  see({ stage }: Report): void {
    if (stage !== null) this.#add(stage);
  }

  #add(stage: string): void {
    const now = performance.now();
    this.#seconds.set(stage, (this.#seconds.get(stage) ?? 0) + (now - this.#last) / 1000);
    this.#last = now;
  }

  /** All of them, in brackets; nothing where there are none. */
  summary(): string {
    if (this.#seconds.size > 0) this.#add(AFTER);
    const told = [...this.#seconds].filter(([, seconds]) => seconds > SHORT);
    return told.length > 1 ? ` (${told.map(([name, s]) => `${name} ${duration(s)}`).join(", ")})` : "";
  }
}
