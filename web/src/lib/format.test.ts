import { expect, test } from "vitest";
import { age, change, day, money, moneyShort, month, share, words, wordsOfEvent } from "./format";
import { amount } from "./money";

test("money keeps the decimals of its currency", () => {
  expect(money(amount(123_456, "EUR"))).toBe("€1,234.56");
  expect(money(amount(1_234, "JPY"))).toMatch(/¥1,234$/);
  expect(money(null)).toBe("–");
  expect(moneyShort(amount(123_456_789, "EUR"))).toMatch(/^€1\.2m$/i);
});

test("shares and changes", () => {
  expect(share(0.9664)).toBe("96.6%");
  expect(share(null)).toBe("–");
  expect(change(0.1247)).toBe("+12.5%");
  expect(change(0)).toBe("0%");
});

test("days and months are those of the text, in every time zone", () => {
  expect(day("2026-03-01")).toBe("1 Mar 2026");
  expect(month("2026-03")).toBe("Mar 2026");
});

test("ages and words", () => {
  expect([8, 119, 7_300, 200_000].map(age)).toEqual(["8 s", "2 min", "2 h", "2 d"]);
  expect(words("out_of_stock")).toBe("Out of stock");
  expect(words("CALLED_OFF")).toBe("Called off");
  expect(wordsOfEvent("OrderPlaced")).toBe("Order placed");
});
