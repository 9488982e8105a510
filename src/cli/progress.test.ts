import { expect, test } from "vitest";
import { createProgress } from "./progress.ts";

function record(isTTY: boolean) {
  let [text, time] = ["", 0];
  const stream = { isTTY, columns: 40, write: (piece: string) => (text += piece) };
  const progress = createProgress(stream, () => time);
  return { progress, text: () => text, wait: (ms: number) => (time += ms) };
}

test("a terminal gets one moving line with the time left, and no entries", () => {
  const { progress, text, wait } = record(true);
  wait(30_000);
  progress.update(0.25, "epoch 5 of 20");
  progress.entry("epoch 5/20 loss 1");
  expect(text()).toBe("\r\u001b[2K 25 %  epoch 5 of 20  1 min 30 s left");
  progress.done();
  expect(text().endsWith("\r\u001b[2K")).toBe(true);
});

test("a pipe gets plain lines, entries at most every two seconds, and never a bar", () => {
  const { progress, text, wait } = record(false);
  for (let k = 0; k < 50; k++) {
    wait(100);
    progress.update(k / 50, "moving");
    progress.entry(`entry ${k}`);
  }
  progress.report("the end");
  expect(text()).toBe("entry 19\nentry 39\nthe end\n");
});

test("a pipe hears of a silent command every ten seconds, with the time left where it is known", () => {
  const { progress, text, wait } = record(false);
  for (let k = 0; k < 25; k++) {
    wait(1000);
    progress.update(k < 15 ? k / 30 : null, `frame ${k}`);
  }
  expect(text()).toBe("30 %  frame 9  23 s left\nframe 19\n");
});
