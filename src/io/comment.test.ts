import { expect, it } from "vitest";
import { formatComment, parseComment } from "./comment.ts";

it("reads every style of value", () => {
  const line =
    String.raw`a=1 b=-2.5e-3 c="x y" d='single "quoted"' "quoted key"=T e="1 2 3" f={4 5.5 6} g=[1, 2, 3] ` +
    String.raw`h=[[1, 2], [3, 4]] i="T F T" j=[T,F] k="say \"hi\" \\ there" flag l=1.0D+2 m=1D2 n="_JSON [[1, NaN], [\"s\", true]]" ` +
    String.raw`o=x=y p = spaced q="a\nb" r=["two words", b] s="" t="1, 2, 3" u=123456789012345678901`;
  expect({ ...parseComment(line) }).toEqual({
    a: 1,
    b: -2.5e-3,
    c: "x y",
    d: 'single "quoted"',
    "quoted key": true,
    e: [1, 2, 3],
    f: [4, 5.5, 6],
    g: [1, 2, 3],
    h: [
      [1, 2],
      [3, 4],
    ],
    i: [true, false, true],
    j: [true, false],
    k: 'say "hi" \\ there',
    flag: true,
    l: 100,
    m: "1D2",
    n: [
      [1, NaN],
      ["s", true],
    ],
    o: "x=y",
    p: "spaced",
    q: "a\nb",
    r: ["two words", "b"],
    s: "",
    t: [1, 2, 3],
    u: "123456789012345678901",
  });
});

it("a line without pairs is a comment, a number if it is one", () => {
  expect({ ...parseComment("  ethanol, step 5 ") }).toEqual({ comment: "ethanol, step 5" });
  expect({ ...parseComment("   -40.48322077") }).toEqual({ comment: -40.48322077 });
  expect({ ...parseComment("") }).toEqual({});
});

it("says what is wrong", () => {
  expect(() => parseComment('a="open')).toThrow('expected a closing ", got the end of the line after "open');
  expect(() => parseComment("a=[1, 2")).toThrow("expected a closing ]");
  expect(() => parseComment("a=1 a=2")).toThrow('expected every key once, got "a" twice');
  expect(() => parseComment("=5 a=1")).toThrow("expected a key");
  expect(() => parseComment('a="_JSON [1,"')).toThrow("expected JSON after _JSON");
});

it("writes what ASE reads", () => {
  const info = {
    e: -1.5,
    n: 3,
    ok: true,
    name: "two words",
    v: [1, 2.5],
    m: [
      [1, 2],
      [3, NaN],
    ],
    digits: "12",
    "odd key": "a",
  };
  expect(formatComment(info)).toBe(
    String.raw`e=-1.5 n=3 ok=T name="two words" v="1 2.5" m="_JSON [[1, 2], [3, NaN]]" digits="_JSON \"12\"" "odd key"=a`,
  );
});
