import { expect, test } from "vitest";
import { addDays, addMonths, isDay, isMonth, monthsBetween, today } from "./days";

test.each(["2026-02-29", "2026-13-01", "2026-1-1", "", "2026-01-01T00:00:00Z", 20260101])(
  "%s is no day",
  (text) => {
    expect(isDay(text)).toBe(false);
  },
);

test("leap days are days, months have two digits", () => {
  expect(isDay("2028-02-29")).toBe(true);
  expect(isMonth("2026-09")).toBe(true);
  expect(isMonth("2026-9")).toBe(false);
});

test("today is the day in UTC, wherever the page is", () => {
  expect(today(new Date("2026-03-31T23:59:59-11:00"))).toBe("2026-04-01");
});

test("days and months are added across ends of years and changes of clocks", () => {
  expect(addDays("2026-03-28", 2)).toBe("2026-03-30");
  expect(addDays("2026-01-01", -1)).toBe("2025-12-31");
  expect(addMonths("2026-01", -1)).toBe("2025-12");
  expect(monthsBetween("2025-11", "2026-02")).toEqual(["2025-11", "2025-12", "2026-01", "2026-02"]);
});
