import { expect, test } from "vitest";
import { chosen } from "./ColumnsChoice";

const COLUMNS = ["Order", "Status", "Placed (UTC)"].map((title) => ({ title }));
const titles = (without: string | undefined) => chosen(COLUMNS, without).map(({ title }) => title);

test("columns are left out by the names that the address has for them", () => {
  expect(titles(undefined)).toEqual(["Order", "Status", "Placed (UTC)"]);
  expect(titles("placed-utc")).toEqual(["Order", "Status"]);
  expect(titles("status.placed-utc.colour")).toEqual(["Order"]);
});

test("the column that names the row stays", () => {
  expect(titles("order")).toEqual(["Order", "Status", "Placed (UTC)"]);
});
