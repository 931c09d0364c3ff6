import { expect, test } from "vitest";
import { toCsv } from "./csv";

test("commas, quotes and lines are escaped; nothing is empty", () => {
  expect(
    toCsv(
      ["a", "b"],
      [
        ["1,5", 'say "x"'],
        [null, "two\nlines"],
      ],
    ),
  ).toBe('\uFEFFa,b\r\n"1,5","say ""x"""\r\n,"two\nlines"\r\n');
});

test("text that a spreadsheet would run is kept as text; numbers stay numbers", () => {
  expect(toCsv(["a", "b"], [["=1+1", -5]])).toBe("\uFEFFa,b\r\n'=1+1,-5\r\n");
});
