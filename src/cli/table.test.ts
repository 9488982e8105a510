import { expect, test } from "vitest";
import { bytes, duration, show, textTable } from "./table.ts";

test("a table aligns words to the left and numbers to the right", () => {
  const table = textTable(
    ["set", "MAE", "note"],
    [
      ["train", "1.25", "fine"],
      ["test", "13.4", "also fine"],
    ],
  );
  expect(table.split("\n")).toEqual([
    "set     MAE  note",
    "─────  ────  ─────────",
    "train  1.25  fine",
    "test   13.4  also fine",
  ]);
});

test("numbers, times and sizes read well", () => {
  expect([0, 1.23456, 0.000123456, 1.5e-9, 12345.6].map((x) => show(x))).toEqual([
    "0",
    "1.23",
    "0.000123",
    "1.50e-9",
    "12346",
  ]);
  expect([3.21, 59.6, 245, 7400].map(duration)).toEqual(["3.2 s", "1 min 00 s", "4 min 05 s", "2 h 03 min"]);
  expect([12, 3.4 * 1024 * 1024].map(bytes)).toEqual(["12 B", "3.4 MiB"]);
});

test("a table may have more rows than a call has room for arguments", () => {
  const rows = Array.from({ length: 200_000 }, (_, k) => [`frame ${k}`]);
  expect(textTable(["frame"], rows).split("\n")[1]).toBe("─".repeat(12));
});
