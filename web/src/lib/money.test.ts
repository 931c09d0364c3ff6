import { expect, test } from "vitest";
import { add, amount, byCurrency, decimals, major, minor } from "./money";

test("amounts of one currency add up", () => {
  expect(add(amount(1_050, "EUR"), amount(995, "EUR"))).toEqual({ amountMinor: 2_045, currency: "EUR" });
});

test("two currencies do not compile, and throw where types cannot see it", () => {
  // @ts-expect-error a sum of two currencies
  expect(() => add(amount(1, "EUR"), amount(1, "USD"))).toThrow("cannot add USD to EUR");
});

test.each([
  ["EUR", 2, 12.34],
  ["JPY", 0, 1_234],
  ["KWD", 3, 1.234],
])("%s has %i decimals", (currency, expected, value) => {
  expect(decimals(currency)).toBe(expected);
  expect(major(amount(1_234, currency))).toBe(value);
});

test.each([
  ["12.34", "EUR", 1_234],
  ["12,3", "EUR", 1_230],
  [" 12 ", "EUR", 1_200],
  ["12", "JPY", 12],
  ["1.234", "KWD", 1_234],
  ["12.345", "EUR", undefined],
  ["12.5", "JPY", undefined],
  ["-1", "EUR", undefined],
  ["1e3", "EUR", undefined],
  ["", "EUR", undefined],
])("%s typed in %s is %s in minor units", (text, currency, expected) => {
  expect(minor(text, currency)).toBe(expected);
});

test("groups keep the order of their rows", () => {
  const groups = byCurrency(["a EUR", "b USD", "c EUR"], (row) => row.slice(2));
  expect([...groups]).toEqual([
    ["EUR", ["a EUR", "c EUR"]],
    ["USD", ["b USD"]],
  ]);
});
