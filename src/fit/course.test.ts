import { expect, it } from "vitest";
import { advance, Course, inSlices, secondsOf } from "./course.ts";
import type { Work } from "../math/work.ts";

const stages = [
  { name: "first", seconds: 3 },
  { name: "second", seconds: 1 },
];

it("a course tells the share of the time that is behind it", () => {
  const course = new Course(stages);
  expect(secondsOf(stages)).toBe(4);
  course.enter("first", 0.5);
  expect(course.progress).toEqual({ name: "first", done: 0.375 });
  course.enter("second", 0);
  expect(course.progress).toEqual({ name: "second", done: 0.75 });
  // Nothing is said to be done before it is.
  course.enter("second", 1);
  expect(course.progress.done).toBeLessThan(1);
  expect(() => course.enter("third")).toThrow("third");
});

function* work(ms: number): Work<number> {
  const until = performance.now() + ms;
  let turns = 0;
  while (performance.now() < until) {
    turns++;
    yield;
  }
  return turns;
}

it("work is done in slices and keeps what it found", async () => {
  expect(advance(work(1))!.value).toBeGreaterThan(0);
  let slices = 0;
  const running = inSlices(work(130));
  // one slice after another
  let next = await running.next();
  for (; !next.done; next = await running.next()) slices++;
  expect(slices).toBeGreaterThan(1);
  expect(next.value).toBeGreaterThan(slices);
});
