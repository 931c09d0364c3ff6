import { expect, test } from "vitest";
import {
  daysOf,
  parseCohorts,
  parseDays,
  parseInventory,
  parseNext,
  parseOrders,
  parseRevenue,
  parseSearch,
  parseWebhook,
  stringifySearch,
} from "./filters";

test("what a link says of cohorts and movements is kept, and nonsense is left out", () => {
  expect(parseCohorts({ basis: "order", measure: "revenue" })).toEqual({
    basis: "order",
    measure: "revenue",
  });
  expect(parseCohorts({ measure: "profit" })).toEqual({});
  expect(parseRevenue({ kind: "churn", months: "6" })).toEqual({ kind: "churn", months: "6" });
  expect(parseRevenue({ kind: "lost", months: "7" })).toEqual({});
  expect(parseInventory({ search: "  kettle " })).toEqual({ search: "kettle" });
  expect(parseInventory({ search: " " })).toEqual({});
  expect(parseWebhook({ webhook: "w-1" })).toEqual({ webhook: "w-1" });
  expect(parseWebhook({ webhook: 7 })).toEqual({});
});

test("what an address says is what is filtered, and the other way round", () => {
  const filter = { from: "2026-01-01", to: "2026-01-31", status: "PLACED", customer: "007" };
  expect(parseOrders(parseSearch(stringifySearch(filter)))).toEqual(filter);
});

test("what is mistyped is left out", () => {
  expect(parseOrders({ status: "LOST", from: "2026-02-30", customer: "  " })).toEqual({});
  expect(parseRevenue({ months: "7", month: "2026-13" })).toEqual({});
});

test("a range that ends before it begins loses its end", () => {
  expect(parseDays({ from: "2026-02-01", to: "2026-01-01" })).toEqual({ from: "2026-02-01" });
});

test("without days the last 30 are asked for, today included", () => {
  const now = new Date("2026-03-01T00:30:00Z");
  expect(daysOf({}, now)).toEqual({ from: "2026-01-31", to: "2026-03-01" });
  expect(daysOf({ from: "2026-02-10" }, now)).toEqual({ from: "2026-02-10", to: "2026-03-01" });
});

test.each(["//evil.example", "/\\evil.example", "https://evil.example", ""])("%s is no way back", (next) => {
  expect(parseNext({ next })).toEqual({});
});

test("empty values leave the address", () => {
  expect(stringifySearch({ status: undefined, customer: "" })).toBe("");
});
