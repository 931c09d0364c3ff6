import { expect, test } from "vitest";
import { flagsOf, parseFlags, variantOf } from "./flags";

const RULE = { share: 50, ends: "2026-12-31" };
const NOW = new Date("2026-12-31T23:59:00Z");
const shown = (rules: unknown, variant: number | undefined, now = NOW) => [
  ...flagsOf(parseFlags(rules), variant, now),
];

test("a flag is on for its share of the visitors, and for no others", () => {
  expect(shown({ "tasks-first": RULE }, 49)).toEqual(["tasks-first"]);
  expect(shown({ "tasks-first": RULE }, 50)).toEqual([]);
  expect(shown({ "tasks-first": RULE }, undefined)).toEqual([]);
});

test("a flag is off after its last day", () => {
  expect(shown({ "tasks-first": RULE }, 0, new Date("2027-01-01T00:00:00Z"))).toEqual([]);
});

test.each([
  undefined,
  null,
  [],
  "all",
  { "tasks-first": null },
  { unknown: RULE },
  { "tasks-first": { ...RULE, ends: "soon" } },
  { "tasks-first": { share: 50 } },
  { "tasks-first": { ...RULE, share: "50" } },
])("%j turns nothing on", (document) => {
  expect(shown(document, 0)).toEqual([]);
});

test("the variant is read among other cookies, and nothing else is taken for it", () => {
  expect(variantOf("theme=dark; variant=7")).toBe(7);
  expect(variantOf("variant=99; a=b")).toBe(99);
  expect(variantOf("invariant=7")).toBeUndefined();
  expect(variantOf("variant=100")).toBeUndefined();
  expect(variantOf("")).toBeUndefined();
});
